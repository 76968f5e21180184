"""What the two forests share: growing trees on bootstraps of the rows, and their mean."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np
import scipy.sparse as sp
from sklearn.metrics import accuracy_score
from sklearn.utils.validation import check_is_fitted

from kiso._compute import costs
from kiso._compute.threads import TakesJobs, lanes, map_rows, run_lanes
from kiso._validation import Array, Integral, Interval, Real, check_generator, positive
from kiso.base import IterativeEstimator, State
from kiso.tree._base import GROWTH, TreeInput, draw_seed
from kiso.tree._depth_first import DepthFirst
from kiso.tree._growth import grow_lane
from kiso.tree._problem import Problem, resolve_max_features
from kiso.tree._tree import Tree, dense_blocks

from ._voting_loops import add_values

__all__ = ["BaseForest", "ForestState"]


@dataclass(frozen=True, kw_only=True)
class ForestState(State):
    """A forest after one more tree.

    Attributes
    ----------
    n_iter : int
        Trees so far.
    objective : float
        Mean over the trees of the impurity of their leaves, on the rows they were grown on.
    """

    trees: tuple[Tree, ...] = field(repr=False)
    seeds: tuple[int, ...] = field(repr=False)


class BaseForest(TakesJobs, TreeInput, IterativeEstimator[Problem, ForestState]):
    """A mean of trees; the two kinds differ in their targets."""

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **GROWTH,
        "n_estimators": [positive(Integral)],
        "bootstrap": ["boolean"],
        "oob_score": ["boolean", callable],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
        "max_samples": [None, positive(Integral), Interval(Real, 0.0, 1.0, closed="right")],
    }

    n_estimators: int
    bootstrap: bool
    oob_score: Any
    warm_start: bool
    max_samples: Any
    max_features: Any
    ccp_alpha: float
    random_state: Any
    estimators_: list[Any]
    _seeds: list[int]
    _n_samples: int
    _tree_type: ClassVar[Any]
    _says_column: ClassVar[bool] = True

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Grow the trees.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            float32 is kept, all else becomes float64; NaN is missing.
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), default=None
            Not negative; multiplied by how often a row was drawn.

        Returns
        -------
        self
        """
        if self.oob_score and not self.bootstrap:
            raise ValueError(
                "Out of bag estimation only available if bootstrap=True: without it no row is "
                "left out; oob_score was given"
            )
        if self.max_samples is not None and not self.bootstrap:
            raise ValueError(
                f"`max_samples` cannot be set if `bootstrap=False`: it is {self.max_samples}. "
                "Either switch to `bootstrap=True` or set `max_samples=None`."
            )
        self._fit(X, y, sample_weight=sample_weight)
        if self.oob_score:
            self._score_out_of_bag(X, y)
        return self

    def _max_steps(self) -> int | None:
        return None

    def _iterate(self, problem: Problem) -> Iterator[ForestState]:
        rng = check_generator(self.random_state)
        seeds = [draw_seed(rng) for _ in range(self.n_estimators)]
        trees: list[Tree] = []
        if self.warm_start and getattr(self, "estimators_", None):
            trees = [tree.tree_ for tree in self.estimators_]
            if len(trees) > self.n_estimators:
                raise ValueError(
                    f"n_estimators={self.n_estimators}: with warm_start=True it must be at "
                    f"least the {len(trees)} trees there are"
                )
            seeds[: len(trees)] = self._seeds
        impurity = sum(tree.total_impurity() for tree in trees)
        if len(trees) == self.n_estimators:
            warnings.warn(
                "Warm-start fitting without increasing n_estimators does not fit new trees.",
                UserWarning,
                stacklevel=5,
            )
            yield self._state(trees, seeds, impurity)
        growth = DepthFirst.of(problem)
        for start in range(len(trees), self.n_estimators, costs.FOREST_BATCH):
            for tree in self._grow_batch(
                problem, growth, seeds[start : start + costs.FOREST_BATCH]
            ):
                trees = [*trees, tree]
                impurity += tree.total_impurity()
                yield self._state(trees, seeds, impurity)

    def _state(self, trees: list[Tree], seeds: list[int], impurity: float) -> ForestState:
        return ForestState(
            n_iter=len(trees),
            objective=impurity / len(trees),
            converged=len(trees) >= self.n_estimators,
            trees=tuple(trees),
            seeds=tuple(seeds[: len(trees)]),
        )

    def _grow_batch(
        self, problem: Problem, growth: DepthFirst | None, seeds: list[int]
    ) -> list[Tree]:
        """Grow trees side by side, each in one lane."""

        def task(lane: slice) -> list[Tree]:
            return [self._grow(problem, growth, seed) for seed in seeds[lane]]

        parts = run_lanes(task, lanes(len(seeds), max_lanes=len(seeds)))
        return [tree for part in parts for tree in part]

    def _grow(self, problem: Problem, growth: DepthFirst | None, seed: int) -> Tree:
        weight = problem.weight
        if self.bootstrap:
            drawn = self._drawn(seed, len(weight))
            weight = self._bag_weights(problem, weight * drawn, drawn)
            if not weight.any():  # only rows of weight 0 were drawn
                weight = problem.weight
        if growth is not None:
            tree = growth.grow(seed, weight)
        else:
            tree = grow_lane(problem.growth(seed, weight))
        return tree.pruned(self.ccp_alpha) if self.ccp_alpha > 0 else tree

    def _bag_weights(self, problem: Problem, weight: Array, drawn: Array) -> Array:
        return weight

    def _drawn(self, seed: int, n: int) -> Array:
        """How often each row is in the bootstrap of a tree."""
        size = n
        if isinstance(self.max_samples, Integral):
            if int(self.max_samples) > n:
                raise ValueError(f"max_samples={self.max_samples}: at most the {n} rows there are")
            size = int(self.max_samples)
        elif self.max_samples is not None:
            size = max(1, round(n * self.max_samples))
        draws = np.random.default_rng(seed).integers(0, n, size)
        return np.bincount(draws, minlength=n).astype(np.float64)

    def _fitted(self, problem: Problem, state: ForestState) -> dict[str, Any]:
        return {
            "estimators_": [
                self._member(tree, seed)
                for tree, seed in zip(state.trees, state.seeds, strict=True)
            ],
            "_seeds": list(state.seeds),
            "_n_samples": len(problem.weight),
        }

    def _member(self, tree: Tree, seed: int) -> Any:
        """A tree of the forest as an estimator of its own."""
        shared = set(self._tree_type._get_param_names()) & set(self.get_params(deep=False))
        member = self._tree_type(**{name: getattr(self, name) for name in shared})
        member.random_state = seed % 2**32  # what scikit-learn takes as a seed
        member.tree_ = tree
        member.max_features_ = resolve_max_features(self.max_features, self.n_features_in_)
        for name in ("n_features_in_", "n_outputs_", "classes_", "n_classes_", "_columns"):
            if hasattr(self, name):
                setattr(member, name, getattr(self, name))
        return member

    @property
    def estimator(self) -> Any:
        """A tree as the forest grows them, not fitted."""
        return self._tree_type()

    @property
    def estimators_samples_(self) -> list[Array]:
        """The rows that were drawn for each tree, as often as they were drawn."""
        check_is_fitted(self)
        every = np.arange(self._n_samples, dtype=np.int32)
        if not self.bootstrap:
            return [every for _ in self._seeds]
        return [
            np.repeat(every, self._drawn(seed, self._n_samples).astype(np.intp))
            for seed in self._seeds
        ]

    def __len__(self) -> int:
        return len(self.estimators_)

    def __getitem__(self, index: int) -> Any:
        return self.estimators_[index]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.estimators_)

    @property
    def feature_importances_(self) -> Array:
        """Mean over the trees of the share of each feature in the decrease of impurity."""
        check_is_fitted(self)
        grown = [t.tree_ for t in self.estimators_ if t.tree_.node_count > 1]
        if not grown:
            return np.zeros(self.n_features_in_)
        mean = np.mean([tree.compute_feature_importances() for tree in grown], axis=0)
        return mean / mean.sum() if mean.sum() > 0 else mean

    def apply(self, X: Any) -> Array:
        """Return the leaf of each row in each tree, shape (n_samples, n_estimators)."""
        X = self._read_queries(X)
        return np.stack([member.tree_.apply(X) for member in self.estimators_], axis=1)

    def decision_path(self, X: Any) -> tuple[sp.csr_matrix, Array]:
        """Return the nodes that each row passes, and where each tree's columns begin.

        The columns of tree t are `n_nodes_ptr[t]` to `n_nodes_ptr[t + 1]`.
        """
        X = self._read_queries(X)
        trees = [member.tree_ for member in self.estimators_]
        n_nodes_ptr = np.cumsum([0, *(tree.node_count for tree in trees)])
        return sp.hstack([tree.decision_path(X) for tree in trees]).tocsr(), n_nodes_ptr

    def _mean(self, X: Any) -> Array:
        """Mean of the trees' values, shape (n, max_n_classes) or (n, n_outputs, max_n_classes)."""
        if sp.issparse(X):
            return np.concatenate([self._mean(part) for part in dense_blocks(X)])
        trees = [member.tree_ for member in self.estimators_]
        shape = trees[0].value.shape[1:]
        out = np.zeros((len(X), shape[0] * shape[1]))
        flat = [t.value.reshape(t.node_count, -1) for t in trees]
        numeric = bool(np.all(trees[0].n_categories < 0))
        routes = [t.routes() for t in trees] if numeric else []

        def task(rows: slice) -> None:
            part, mean = np.ascontiguousarray(X[rows]), out[rows]
            for route, value in zip(routes, flat, strict=False):
                add_values(part, route[0], route[1], value, mean)
            for tree, value in zip(trees, flat, strict=True) if not numeric else ():
                mean += value[tree.apply(part)]

        map_rows(task, len(X), min_rows=512)
        out /= len(trees)
        return out if shape[0] == 1 else out.reshape(-1, *shape)

    def _out_of_bag(self, X: Any) -> tuple[Array, Array]:
        """Mean prediction of the trees that did not see a row, and whether there are any."""
        X = self._read_queries(X)
        n = X.shape[0]
        trees = [member.tree_ for member in self.estimators_]
        shape = trees[0].value.shape[1:]
        total = np.zeros((n, *(shape[1:] if shape[0] == 1 else shape)))
        count = np.zeros(n)
        for tree, seed in zip(trees, self._seeds, strict=True):
            unseen = np.flatnonzero(self._drawn(seed, n) == 0)
            if len(unseen):
                total[unseen] += tree.predict(X[unseen])
                count[unseen] += 1
        if not count.all():
            warnings.warn(
                f"Some inputs do not have OOB scores: of {n} rows {int(np.sum(count == 0))} were "
                "seen by every tree. This probably means too few trees were used to compute any "
                "reliable OOB estimates; raise n_estimators.",
                UserWarning,
                stacklevel=4,
            )
        total /= np.maximum(count, 1).reshape(-1, *[1] * (total.ndim - 1))
        return total, count > 0

    def _oob(self, default: Any, y: Array, found: Array, known: Array) -> float:
        """The score over the rows that some tree did not see; NaN where there are none."""
        if not known.any():
            return float("nan")
        score = self.oob_score if callable(self.oob_score) else default
        y, found = y[known], found[known]
        if self.n_outputs_ == 1:
            y, found = y[:, 0], found[:, 0]
        elif score is accuracy_score:  # of several outputs, rows right in all, as `score`
            return float(np.mean((y == found).all(axis=1)))
        return float(score(y, found))

    def _score_out_of_bag(self, X: Any, y: Any) -> None:
        raise NotImplementedError
