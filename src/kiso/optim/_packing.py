"""Many small arrays as few flat ones, so that a step costs one compiled call, not many.

Leaves of one dtype with at most `SMALL` numbers share a bundle: their numbers stand one
after the other in a flat buffer. A larger leaf is a bundle of its own and, where it is
contiguous, is moved where it lies. Numbers of a leaf stand in C order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from operator import is_
from typing import Any

import numpy as np

from kiso._validation import Array

from ._tree import Tree, leaves_of, paths_of, rebuild

SMALL = 1 << 15

__all__ = ["Bundle", "Packing"]


@dataclass(frozen=True)
class Bundle:
    """Leaves (by position) that are moved by one compiled call."""

    members: tuple[int, ...]
    bounds: tuple[int, ...]  # the numbers of members[i] are bounds[i]:bounds[i + 1]
    dtype: np.dtype[Any]

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return self.bounds[-1]


class Packing:
    """How the leaves of a tree stand in flat arrays; holds the buffers for that.

    Parameters
    ----------
    params : tree of arrays
        Its nesting, shapes and dtypes are kept, not its arrays.
    """

    def __init__(self, params: Tree):
        leaves = leaves_of(params)
        for path, leaf in zip(paths_of(params), leaves, strict=True):
            _check_leaf(path, leaf)
        _refuse_shared(params, leaves)
        self.skeleton = rebuild(params, iter(range(len(leaves))))
        self.shapes = [leaf.shape for leaf in leaves]
        self.bundles = list(_bundles(leaves))
        self.n_leaves = len(leaves)
        self._scratch: dict[tuple[str, int], Array] = {}
        # the parameters seen last; per bundle their memory as one flat array where it is
        # one, otherwise pairs of a leaf and its part of the buffer
        self._bound: list[Array] = []
        self._views: list[Array | None] = []
        self._pairs: list[list[tuple[Array, Array]]] = []

    def path_of(self, bundle: Bundle, index: int) -> str:
        """Return the name of the parameter that a number of a bundle belongs to."""
        member = int(np.searchsorted(bundle.bounds, index, side="right")) - 1
        return paths_of(self.skeleton)[bundle.members[member]]

    def gather_grads(self, leaves: list[Any]) -> list[Array]:
        """Return the gradients flat, one array a bundle, to be read only."""
        return [self._gather_grad(number, leaves) for number in range(len(self.bundles))]

    def _gather_grad(self, number: int, leaves: list[Any]) -> Array:
        bundle = self.bundles[number]
        if len(bundle.members) == 1:
            leaf = np.asarray(leaves[bundle.members[0]])
            self._check_shape("grads", bundle.members[0], leaf)
            if leaf.dtype == bundle.dtype and leaf.flags.c_contiguous:
                return leaf.reshape(-1)
        parts = [leaves[i] for i in bundle.members]
        for i, part in zip(bundle.members, parts, strict=True):
            if getattr(part, "shape", None) != self.shapes[i]:
                self._check_shape("grads", i, part)
        return self._concatenate(parts, self._buffer("g", number))

    def gather_params(self, leaves: list[Any], in_place: bool) -> list[Array]:
        """Return the parameters flat: their own memory where in place and possible."""
        if not in_place:
            self._check_params(leaves)
            return [
                self._concatenate([leaves[i] for i in b.members], np.empty(b.size, b.dtype))
                for b in self.bundles
            ]
        if len(leaves) != len(self._bound) or not all(map(is_, leaves, self._bound)):
            self._bind(leaves)
        return [
            self._concatenate([leaves[i] for i in b.members], self._buffer("p", number))
            if view is None
            else view
            for number, (b, view) in enumerate(zip(self.bundles, self._views, strict=True))
        ]

    def scatter(self) -> None:
        """Write what was gathered in place back to the parameters."""
        for pairs in self._pairs:
            for leaf, part in pairs:
                leaf[...] = part

    def unpack(self, flat: list[Array]) -> Tree:
        """Return a tree nested as the parameters whose leaves are views of flat arrays."""
        leaves: list[Any] = [None] * self.n_leaves
        for bundle, array in zip(self.bundles, flat, strict=True):
            for i, part in zip(bundle.members, self._split(bundle, array), strict=True):
                leaves[i] = part
        return rebuild(self.skeleton, iter(leaves))

    def _split(self, bundle: Bundle, flat: Array) -> Iterator[Array]:
        bounds = bundle.bounds
        for k, i in enumerate(bundle.members):
            yield flat[bounds[k] : bounds[k + 1]].reshape(self.shapes[i])

    def _bind(self, leaves: list[Any]) -> None:
        """Look where these parameters lie and remember it."""
        self._check_params(leaves)
        for path, leaf in zip(paths_of(self.skeleton), leaves, strict=True):
            if not leaf.flags.writeable:
                raise ValueError(f"params: {path} is read-only; in_place=True has to write to it")
        self._views = [_flat_view([leaves[i] for i in b.members]) for b in self.bundles]
        self._pairs = [
            []
            if view is not None
            else list(
                zip(
                    [leaves[i] for i in b.members],
                    self._split(b, self._buffer("p", number)),
                    strict=True,
                )
            )
            for number, (b, view) in enumerate(zip(self.bundles, self._views, strict=True))
        ]
        self._bound = list(leaves)

    def _check_params(self, leaves: list[Any]) -> None:
        if len(leaves) != self.n_leaves:
            raise ValueError(
                f"params: {len(leaves)} arrays where the state was made for {self.n_leaves}"
            )
        for bundle in self.bundles:
            for i in bundle.members:
                leaf = leaves[i]
                self._check_shape("params", i, leaf)
                if leaf.dtype != bundle.dtype:
                    raise ValueError(
                        f"params: {paths_of(self.skeleton)[i]} is {leaf.dtype}, the state was "
                        f"made for {bundle.dtype}"
                    )

    def _check_shape(self, what: str, i: int, leaf: Any) -> None:
        shape = getattr(leaf, "shape", None)
        if shape != self.shapes[i]:
            path = paths_of(self.skeleton)[i]
            raise ValueError(f"{what}: {path} has shape {shape}, expected {self.shapes[i]}")

    def _buffer(self, what: str, number: int) -> Array:
        buffer = self._scratch.get((what, number))
        if buffer is None:
            bundle = self.bundles[number]
            buffer = self._scratch[what, number] = np.empty(bundle.size, bundle.dtype)
        return buffer

    @staticmethod
    def _concatenate(parts: list[Any], out: Array) -> Array:
        np.concatenate(parts, axis=None, out=out, casting="same_kind")
        return out


def _check_leaf(path: str, leaf: Any) -> None:
    kind = f"{leaf.dtype} array" if isinstance(leaf, np.ndarray) else type(leaf).__name__
    if not isinstance(leaf, np.ndarray) or leaf.dtype not in (np.float32, np.float64):
        raise TypeError(f"params: {path} is a {kind}; give an array of float32 or float64")


def _refuse_shared(params: Tree, leaves: list[Array]) -> None:
    """Refuse an array that stands in two places: it would be moved twice, or only once."""
    seen: dict[Any, int] = {}
    for i, leaf in enumerate(leaves):
        place = (leaf.ctypes.data, leaf.shape, leaf.strides) if leaf.size else i
        if place in seen:
            first, second = paths_of(params)[seen[place]], paths_of(params)[i]
            raise ValueError(
                f"params: {first} and {second} share memory; give a shared array once, with "
                "the sum of its gradients"
            )
        seen[place] = i


def _bundles(leaves: list[Array]) -> Iterator[Bundle]:
    small: dict[np.dtype[Any], list[int]] = {}
    for i, leaf in enumerate(leaves):
        if leaf.size > SMALL:
            yield Bundle((i,), (0, leaf.size), leaf.dtype)
        else:
            small.setdefault(leaf.dtype, []).append(i)
    for dtype, members in small.items():
        bounds = np.cumsum([0, *(leaves[i].size for i in members)])
        yield Bundle(tuple(members), tuple(bounds.tolist()), dtype)


def _flat_view(leaves: list[Array]) -> Array | None:
    """Return the memory of leaves as one flat array where they lie so; None otherwise."""
    if not all(leaf.flags.c_contiguous for leaf in leaves):
        return None
    if len(leaves) == 1:
        return leaves[0].reshape(-1)
    base = leaves[0].base
    if not isinstance(base, np.ndarray) or base.ndim != 1 or base.dtype != leaves[0].dtype:
        return None
    if not base.flags.c_contiguous:
        return None
    start = expected = leaves[0].ctypes.data
    for leaf in leaves:
        if leaf.base is not base or leaf.ctypes.data != expected:
            return None
        expected += leaf.nbytes
    first = (start - base.ctypes.data) // base.itemsize
    return base[first : first + sum(leaf.size for leaf in leaves)]
