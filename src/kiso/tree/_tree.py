"""A grown tree as flat arrays: routing, importance of features, pruning."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp

from kiso._compute.threads import map_rows
from kiso._validation import Array

from ._routing_loops import leaves_of, preorder

__all__ = ["Tree"]


def dense_blocks(X: Any, n_cells: int = 1 << 20) -> Iterator[Array]:
    """Rows of a sparse matrix, a dense block of about `n_cells` numbers after the other."""
    X = X.tocsr()
    step = max(1, n_cells // max(1, X.shape[1]))
    for start in range(0, max(1, X.shape[0]), step):
        yield X[start : start + step].toarray()


@dataclass(frozen=True)
class Units:
    """What numbers of a grown tree are multiplied by, each a power of two."""

    value: float = 1.0
    impurity: float = 1.0
    weight: float = 1.0


@dataclass
class Tree:
    """Nodes in the order of a walk, left before right; the root is 0.

    Attributes
    ----------
    children_left, children_right : ndarray of shape (node_count,)
        -1 in a leaf.
    feature, threshold : ndarray of shape (node_count,)
        x[feature] <= threshold goes left; -2 in a leaf. A threshold of infinity: all but
        the missing go left.
    missing_go_to_left : ndarray of shape (node_count,)
        Where missing values (and unknown categories) go.
    category_bits : ndarray of shape (node_count, n_words), uint32
        Bit c of a categorical split: category c goes left.
    impurity, weighted_n_node_samples, n_node_samples : ndarray of shape (node_count,)
    value : ndarray of shape (node_count, n_outputs, max_n_classes)
        Share of each class, or the prediction (max_n_classes is 1 then).
    n_categories : ndarray of shape (n_features,)
        -1 for a numeric feature.
    """

    children_left: Array
    children_right: Array
    feature: Array
    threshold: Array
    missing_go_to_left: Array
    category_bits: Array
    impurity: Array
    n_node_samples: Array
    weighted_n_node_samples: Array
    value: Array
    n_categories: Array
    classes: Array | None = None

    @classmethod
    def from_nodes(
        cls, nodes: Any, count: int, n_classes: tuple[int, ...], centre: Any, n_categories: Array,
        units: Units,
    ) -> Tree:  # fmt: skip
        """Take the first `count` nodes, which were a tree at some time, in walking order."""
        left = np.where(nodes.left[:count] < count, nodes.left[:count], -1)
        right = np.where(left >= 0, nodes.right[:count], -1)
        leaf = left < 0
        stats = nodes.stats[:count]
        value = (stats + centre)[:, :, None]
        if n_classes:
            value = stats.reshape(count, len(n_classes), -1)[:, :, : max(n_classes)]
            value = value / nodes.weight[:count, None, None]
        tree = cls(
            left,
            right,
            np.where(leaf, -2, nodes.feature[:count]),
            np.where(leaf, -2.0, nodes.threshold[:count]),
            np.where(leaf, False, nodes.missing_left[:count]),
            np.where(leaf[:, None], np.uint32(0), nodes.bits[:count]),
            nodes.impurity[:count].copy(),
            (nodes.stop - nodes.start)[:count],
            nodes.weight[:count].copy(),
            value,
            n_categories,
            np.array(n_classes, dtype=np.int64) if n_classes else None,
        )
        return tree._walked().in_units(units)

    def _walked(self) -> Tree:
        """Only what the root reaches, in walking order."""
        order = np.empty(len(self.feature), dtype=np.int64)
        order = order[: preorder(self.children_left, self.children_right, order)]
        place = np.full(len(self.feature) + 1, -1, dtype=np.int64)  # place[-1] = -1
        place[order] = np.arange(len(order))
        return Tree(  # type: ignore[call-arg]
            place[self.children_left[order]],
            place[self.children_right[order]],
            *(
                getattr(self, name)[order]
                for name in (
                    "feature", "threshold", "missing_go_to_left", "category_bits", "impurity",
                    "n_node_samples", "weighted_n_node_samples", "value",
                )
            ),
            self.n_categories,
            self.classes,
        )  # fmt: skip

    def check_loaded(self, n_features: int | None) -> None:
        """Refuse arrays of a file that do not make a tree: loops follow them without asking.

        Raises
        ------
        ValueError
            If lengths, types, indices or the order of the nodes do not fit.
        """
        left, right, feature = self.children_left, self.children_right, self.feature
        nodes = (
            left, right, feature, self.threshold, self.missing_go_to_left, self.impurity,
            self.n_node_samples, self.weighted_n_node_samples, self.value, self.category_bits,
        )  # fmt: skip
        n = len(left)
        if n < 1 or any(not isinstance(a, np.ndarray) or len(a) != n for a in nodes):
            raise ValueError("a tree whose arrays have different lengths")
        whole = (left, right, feature, self.n_categories)
        if any(a.dtype.kind not in "iu" or a.ndim != 1 for a in whole):
            raise ValueError("a tree whose links or features are not whole numbers")
        if self.value.ndim != 3 or self.value.dtype.kind != "f" or self.threshold.dtype.kind != "f":
            raise ValueError("a tree whose values are not numbers")
        if n_features is not None and len(self.n_categories) != n_features:
            raise ValueError(f"a tree of {len(self.n_categories)} features, not {n_features}")
        inner = np.flatnonzero(left >= 0)
        if np.any(right[left < 0] >= 0) or np.any(right[inner] < 0):
            raise ValueError("a tree with a node of one child")
        children = np.concatenate([left[inner], right[inner]]).astype(np.int64)
        if np.any(np.sort(children) != np.arange(1, n)) or np.any(children <= np.tile(inner, 2)):
            raise ValueError("a tree whose nodes are not each reached once, from above")
        used = feature[inner].astype(np.int64)
        if np.any(used < 0) or np.any(used >= len(self.n_categories)):
            raise ValueError("a tree that asks for a feature that is not there")
        bits = self.category_bits
        if bits.dtype != np.uint32 or bits.ndim != 2:
            raise ValueError("a tree whose categories are not bits")
        if np.any(self.n_categories[used].astype(np.int64) > 32 * bits.shape[1]):
            raise ValueError("a tree with more categories than bits")

    def in_units(self, units: Units) -> Tree:
        """The same tree, its numbers in the units of y and of the weights."""
        if units == Units():
            return self
        value = self.value if self.classes is not None else self.value * units.value
        with np.errstate(over="ignore", invalid="ignore"):
            impurity = np.where(self.impurity > 0.0, self.impurity * units.impurity, 0.0)
            return replace(
                self, value=value, impurity=impurity,
                weighted_n_node_samples=self.weighted_n_node_samples * units.weight,
            )  # fmt: skip

    @property
    def node_count(self) -> int:
        """Number of nodes."""
        return len(self.feature)

    @property
    def n_features(self) -> int:
        """Number of features."""
        return len(self.n_categories)

    @property
    def n_outputs(self) -> int:
        """Number of outputs."""
        return self.value.shape[1]

    @property
    def max_n_classes(self) -> int:
        """Largest number of classes of an output; 1 for a regression."""
        return self.value.shape[2]

    @property
    def n_classes(self) -> Array:
        """Number of classes of each output; 1 for a regression."""
        if self.classes is None:
            return np.full(self.n_outputs, self.max_n_classes)
        return self.classes

    @property
    def capacity(self) -> int:
        """Number of nodes that there is room for."""
        return self.node_count

    @property
    def n_leaves(self) -> int:
        """Number of leaves."""
        return int(np.sum(self.children_left < 0))

    def total_impurity(self) -> float:
        """Impurity of the leaves, weighted by their share of the weight."""
        leaf = self.children_left < 0
        weight = self.weighted_n_node_samples
        return float(weight[leaf] @ self.impurity[leaf] / weight[0])

    def depths(self) -> Array:
        """Depth of each node; the root's is 0."""
        depth = np.zeros(self.node_count, dtype=np.int64)
        for node in np.flatnonzero(self.children_left >= 0):  # parents come before children
            depth[self.children_left[node]] = depth[self.children_right[node]] = depth[node] + 1
        return depth

    @property
    def max_depth(self) -> int:
        """Length of the longest way from the root to a leaf."""
        return int(self.depths().max())

    def compute_node_depths(self) -> Array:
        """Depth of each node, from 1 as in scikit-learn."""
        return self.depths() + 1

    def apply(self, X: Any) -> Array:
        """Leaf of each row of X (float32 or float64, dense or sparse; categories as codes)."""
        if sp.issparse(X):
            return np.concatenate([self.apply(part) for part in dense_blocks(X)])
        out = np.empty(len(X), dtype=np.int64)

        def task(rows: slice) -> None:
            leaves_of(
                X, self.children_left, self.children_right, self.feature, self.threshold,
                self.missing_go_to_left, self.category_bits, self.n_categories,
                rows.start, rows.stop, out,
            )  # fmt: skip

        map_rows(task, len(X), min_rows=4096)
        return out

    def predict(self, X: Any) -> Array:
        """Value of the leaf of each row, shape (n, max_n_classes) or (n, n_outputs, ...)."""
        found = self.value[self.apply(X)]
        return found[:, 0] if self.n_outputs == 1 else found

    def routes(self) -> tuple[Array, Array]:
        """What `_voting_loops` reads of a node, side by side in memory: link and threshold."""
        numbers = np.empty((self.node_count, 2))
        links = numbers.view(np.int64)
        feature = np.maximum(self.feature, 0).astype(np.int64)
        links[:, 0] = (self.children_right << 32) | (feature << 1) | self.missing_go_to_left
        numbers[:, 1] = self.threshold
        return links[:, 0], numbers[:, 1]

    def decision_path(self, X: Any) -> sp.csr_matrix:
        """Indicator of shape (n, node_count): which nodes a row passes."""
        parent = np.full(self.node_count, -1)
        inner = np.flatnonzero(self.children_left >= 0)
        parent[self.children_left[inner]] = parent[self.children_right[inner]] = inner
        depth = self.depths()
        leaf = self.apply(X)
        indptr = np.concatenate([[0], np.cumsum(depth[leaf] + 1)])
        indices = np.empty(indptr[-1], dtype=np.int64)
        node, place = leaf.copy(), indptr[1:] - 1
        rows = np.arange(len(leaf))
        while len(rows):
            indices[place[rows]] = node[rows]
            place[rows] -= 1
            node[rows] = parent[node[rows]]
            rows = rows[node[rows] >= 0]
        data = np.ones(len(indices), dtype=np.int64)
        return sp.csr_matrix((data, indices, indptr), shape=(len(leaf), self.node_count))

    def compute_feature_importances(self, normalize: bool = True) -> Array:
        """Decrease of total impurity by the splits on each feature; they sum to 1."""
        risk = self.impurity * self.weighted_n_node_samples
        inner = np.flatnonzero(self.children_left >= 0)
        gain = risk[inner] - risk[self.children_left[inner]] - risk[self.children_right[inner]]
        found = np.bincount(self.feature[inner], gain, minlength=self.n_features)
        found = found / self.weighted_n_node_samples[0]
        total = found.sum()
        return found / total if normalize and total > 0 else found

    def pruning_path(self, stop: float = np.inf) -> tuple[list[float], list[float], Array]:
        r"""Weakest-link pruning: alphas, total impurities, and which nodes are leaves then.

        The link of an inner node t is (R(t) − R(T_t))/(leaves(T_t) − 1), where R is the
        impurity times the share of the weight; the least goes first, of equal ones the
        first in walking order. Ends before the first link above `stop`.
        """
        n = self.node_count
        own = self.impurity * self.weighted_n_node_samples / self.weighted_n_node_samples[0]
        left, right = self.children_left, self.children_right
        parent = np.full(n, -1)
        branch, leaves = own.copy(), np.ones(n, dtype=np.int64)
        for t in np.flatnonzero(left >= 0)[::-1]:  # children before parents
            parent[left[t]] = parent[right[t]] = t
            branch[t] = branch[left[t]] + branch[right[t]]
            leaves[t] = leaves[left[t]] + leaves[right[t]]
        is_leaf = left < 0
        gone = np.zeros(n, dtype=bool)

        def link(t: Any) -> float:
            return float((own[t] - branch[t]) / (leaves[t] - 1))

        heap = [(link(t), int(t)) for t in np.flatnonzero(~is_leaf)]
        heapq.heapify(heap)
        alphas, impurities = [0.0], [float(branch[0])]
        while heap:
            alpha, t = heapq.heappop(heap)
            if is_leaf[t] or gone[t] or alpha != link(t):
                continue
            if alpha > stop:
                break
            self._cut_below(t, gone)
            is_leaf[t] = True
            saved, fewer = own[t] - branch[t], leaves[t] - 1
            branch[t], leaves[t] = own[t], 1
            up = parent[t]
            while up >= 0:
                branch[up] += saved
                leaves[up] -= fewer
                heapq.heappush(heap, (link(up), int(up)))
                up = parent[up]
            alphas.append(alpha)
            impurities.append(float(branch[0]))
        return alphas, impurities, is_leaf

    def _cut_below(self, t: int, gone: Array) -> None:
        stack = [self.children_left[t], self.children_right[t]]
        while stack:
            node = stack.pop()
            if node < 0 or gone[node]:
                continue
            gone[node] = True
            stack += [self.children_left[node], self.children_right[node]]

    def pruned(self, ccp_alpha: float) -> Tree:
        """The subtree left when every link of at most `ccp_alpha` is cut."""
        _, _, is_leaf = self.pruning_path(ccp_alpha)
        return Tree(
            np.where(is_leaf, -1, self.children_left),
            np.where(is_leaf, -1, self.children_right),
            np.where(is_leaf, -2, self.feature),
            np.where(is_leaf, -2.0, self.threshold),
            np.where(is_leaf, False, self.missing_go_to_left),
            np.where(is_leaf[:, None], np.uint32(0), self.category_bits),
            self.impurity,
            self.n_node_samples,
            self.weighted_n_node_samples,
            self.value,
            self.n_categories,
            self.classes,
        )._walked()
