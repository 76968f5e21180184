"""Many small arrays as few flat ones, so that a step costs one compiled call, not many.

Leaves of one dtype with at most `SMALL` numbers share a bundle: their numbers stand one
after the other in a flat buffer. A larger leaf is a bundle of its own and, where it is
contiguous, is moved where it lies. Numbers of a leaf stand in C order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from operator import is_
from typing import Any, TypeAlias

import numpy as np

from kiso._validation import Array

from ._tree import Tree, leaves_of, paths_of, rebuild

SMALL = 1 << 15

__all__ = ["Bundle", "Packing", "Workspace", "new_buffer"]


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

    def pick(self, leaves: list[Any]) -> list[Any]:
        """Return its leaves."""
        return [leaves[i] for i in self.members]


Buffers: TypeAlias = Callable[[int, Bundle], Array]  # room for the numbers of a bundle


class Packing:
    """How the leaves of a tree stand in flat arrays. Never changes.

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
        self._bundle_shapes = [bundle.pick(self.shapes) for bundle in self.bundles]

    def path_of(self, bundle: Bundle, index: int) -> str:
        """Return the name of the parameter that a number of a bundle belongs to."""
        member = int(np.searchsorted(bundle.bounds, index, side="right")) - 1
        return paths_of(self.skeleton)[bundle.members[member]]

    def gather_grads(self, leaves: list[Any], buffers: Buffers) -> list[Array]:
        """Return the gradients flat, one array a bundle, to be read only."""
        return [self._gather_grad(number, leaves, buffers) for number in range(len(self.bundles))]

    def _gather_grad(self, number: int, leaves: list[Any], buffers: Buffers) -> Array:
        bundle = self.bundles[number]
        parts = bundle.pick(leaves)
        if [getattr(part, "shape", None) for part in parts] != self._bundle_shapes[number]:
            for i, part in zip(bundle.members, parts, strict=True):
                self._check_shape("grads", i, part)
        if len(parts) == 1 and parts[0].dtype == bundle.dtype and parts[0].flags.c_contiguous:
            return parts[0].reshape(-1)
        return _concatenate(parts, buffers(number, bundle))

    def gather_params(self, leaves: list[Array]) -> list[Array]:
        """Return copies of the parameters, flat."""
        self.check_params(leaves)
        return [_concatenate(b.pick(leaves), np.empty(b.size, b.dtype)) for b in self.bundles]

    def unpack(self, flat: list[Array]) -> Tree:
        """Return a tree nested as the parameters whose leaves are views of flat arrays."""
        leaves: list[Any] = [None] * len(self.shapes)
        for bundle, array in zip(self.bundles, flat, strict=True):
            for i, part in zip(bundle.members, self.split(bundle, array), strict=True):
                leaves[i] = part
        return rebuild(self.skeleton, iter(leaves))

    def split(self, bundle: Bundle, flat: Array) -> list[Array]:
        """Return views of a bundle's flat array, shaped as its leaves."""
        ends = pairwise(bundle.bounds)
        shapes = bundle.pick(self.shapes)
        return [flat[a:b].reshape(shape) for (a, b), shape in zip(ends, shapes, strict=True)]

    def check_params(self, leaves: list[Any]) -> None:
        """Refuse parameters that are not those of this packing."""
        if len(leaves) != len(self.shapes):
            raise ValueError(
                f"params: {len(leaves)} arrays where the state was made for {len(self.shapes)}"
            )
        for bundle in self.bundles:
            for i in bundle.members:
                self._check_shape("params", i, leaves[i])
                if leaves[i].dtype != bundle.dtype:
                    raise ValueError(
                        f"params: {paths_of(self.skeleton)[i]} is {leaves[i].dtype}, the state "
                        f"was made for {bundle.dtype}"
                    )

    def _check_shape(self, what: str, i: int, leaf: Any) -> None:
        shape = getattr(leaf, "shape", None)
        if shape != self.shapes[i]:
            path = paths_of(self.skeleton)[i]
            raise ValueError(f"{what}: {path} has shape {shape}, expected {self.shapes[i]}")


class Workspace:
    """What steps in place keep of one state's parameters, so that they allocate nothing.

    Where the leaves of a bundle lie one after the other in memory they are moved there;
    otherwise their numbers go through a buffer. Whichever it is is found out once, as long
    as the same arrays come again.
    """

    def __init__(self, packing: Packing):
        self.packing = packing
        self._buffers: dict[int, Array] = {}  # for gradients
        self._bound: list[Array] = []  # the parameters seen last
        self._flat: list[Array] = []  # a bundle each: their memory, or a buffer
        self._copies: list[tuple[list[Array], list[Array]]] = []  # leaves, parts of the buffer

    def grad_buffer(self, number: int, bundle: Bundle) -> Array:
        """Return room for the gradients of a bundle."""
        buffer = self._buffers.get(number)
        if buffer is None:
            buffer = self._buffers[number] = new_buffer(number, bundle)
        return buffer

    def gather_params(self, leaves: list[Array]) -> list[Array]:
        """Return the parameters flat: what is written there reaches them by `scatter`."""
        if len(leaves) != len(self._bound) or not all(map(is_, leaves, self._bound)):
            self._bind(leaves)
        for bundle, flat, (own, _) in zip(
            self.packing.bundles, self._flat, self._copies, strict=True
        ):
            if own:
                _concatenate(bundle.pick(leaves), flat)
        return self._flat

    def scatter(self) -> None:
        """Write what went through a buffer back to the parameters."""
        for leaves, parts in self._copies:
            for leaf, part in zip(leaves, parts, strict=True):
                leaf[...] = part

    def _bind(self, leaves: list[Array]) -> None:
        """Look where these parameters lie and remember it."""
        packing = self.packing
        packing.check_params(leaves)
        for path, leaf in zip(paths_of(packing.skeleton), leaves, strict=True):
            if not leaf.flags.writeable:
                raise ValueError(f"params: {path} is read-only; in_place=True has to write to it")
        self._flat, self._copies = [], []
        for number, bundle in enumerate(packing.bundles):
            own = bundle.pick(leaves)
            view = _flat_view(own)
            flat = new_buffer(number, bundle) if view is None else view
            self._flat.append(flat)
            self._copies.append((own, packing.split(bundle, flat)) if view is None else ([], []))
        self._bound = list(leaves)


def new_buffer(number: int, bundle: Bundle) -> Array:
    """Return new room for the numbers of a bundle."""
    return np.empty(bundle.size, bundle.dtype)


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
