"""Sums over rows that lie in parts, taken where the parts are and merged in a fixed tree.

With parts P₀ … Pₘ₋₁ and a function `local` that makes something small of a part,

    sum_of(local, θ) = ((f₀ ∘ f₁) ∘ (f₂ ∘ f₃)) ∘ …,     fᵢ = local(Pᵢ, θ)

with ∘ the merge (an addition by default). Neighbours are merged level by level in the order of
the parts, so the result is the same to the last bit whoever computes what, and when.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp

from kiso._validation import Array

from ._form import Form, Part, check_form, read_part
from ._lazy import LazyRows

__all__ = [
    "Part",
    "Parts",
    "RowsLostError",
    "StreamedParts",
    "add",
    "is_parted",
    "merge_in_order",
    "parts_of",
]

Local = Callable[..., Any]  # (part, *small) -> something small
Merge = Callable[[Any, Any], Any]


class RowsLostError(RuntimeError):
    """The rows are out of reach: a cluster has no workers left, or does not answer."""


@dataclass(frozen=True)
class Counted:
    """What some parts gave, and how many rows each of them has."""

    lengths: tuple[int, ...]
    value: Any


class Parts(ABC):
    """Rows in parts, with their targets and weights, as the solvers of a fit see them.

    Attributes
    ----------
    form : Form
        What every part has to look like.
    lengths : tuple of int or None
        Rows of each part; None until a sum has been taken.
    """

    form: Form
    n_parts: int

    def __init__(self, form: Form, n_parts: int):
        self.form, self.n_parts = form, n_parts
        self.lengths: tuple[int, ...] | None = None

    @property
    def dtype(self) -> Any:
        """float32 where all columns are, else float64."""
        return self.form.dtype

    @property
    def sparse(self) -> bool:
        return self.form.sparse

    @property
    def n_rows(self) -> int:
        """Rows of all parts; takes a pass if there was none yet."""
        if self.lengths is None:
            self.sum_of(_nothing)
        assert self.lengths is not None
        return sum(self.lengths)

    @property
    def shape(self) -> tuple[Any, int]:
        """Rows (nan where no pass has counted them yet) and columns."""
        return (np.nan if self.lengths is None else sum(self.lengths)), self.form.n_features

    def sum_of(self, local: Local, *small: Any, merge: Merge | None = None) -> Any:
        """Compute `local(part, *small)` of every part and merge the results in order.

        Parameters
        ----------
        local : callable
            A function of a module (it travels by name), or a `functools.partial` of one. It
            receives a `Part` that has rows and returns something small: numbers, arrays, or
            tuples of these.
        *small : objects
            What else it receives: parameters, centres. They travel once for all parts.
        merge : callable, optional
            (one, other) -> merged. An addition, member by member, by default.

        Raises
        ------
        ValueError
            If a part is not as it should be; the error names it. If there are no rows at all.
        RowsLostError
            If the rows are out of reach.
        """
        found = self._reduce(local, small, merge or add, check=self.lengths is None)
        self.lengths = found.lengths
        if sum(found.lengths) == 0:
            raise ValueError(f"X has no rows: its {self.n_parts} parts are empty")
        return found.value

    @abstractmethod
    def _reduce(self, local: Local, small: tuple[Any, ...], merge: Merge, check: bool) -> Counted:
        """Do it; `check` whether parts are searched for NaN and infinity."""

    @abstractmethod
    def fold(self, local: Local, state: Any, order: Sequence[int], *small: Any) -> Any:
        """Give what `state` has become after `state = local(part, state, *small)`, part by part."""

    def take(self, rows: Array) -> Part:
        """Give the rows of these numbers, counted over all parts, as one part; few of them."""
        wanted = np.asarray(rows, dtype=np.intp)
        if self.lengths is None:
            self.sum_of(_nothing)
        assert self.lengths is not None
        ends = np.cumsum(self.lengths)
        order = np.argsort(wanted, kind="stable")
        found: Part = self.sum_of(_some, wanted[order], ends, merge=join)
        back = np.empty_like(order)
        back[order] = np.arange(len(order))
        y = None if found.y is None else found.y[back]
        weight = None if found.weight is None else found.weight[back]
        return replace(found, X=found.X[back], y=y, weight=weight)


class StreamedParts(Parts):
    """Parts that are read one after the other by this process; one of them is in memory."""

    def __init__(self, X: Any, y: Any, weight: Any, form: Form):
        super().__init__(form, X.n_parts)
        self.X, self.y, self.weight = X, y, weight

    def _part(self, number: int, check: bool) -> Part | None:
        def read(rows: Any) -> Any:
            return rows.read(number) if isinstance(rows, LazyRows) else rows

        X, y, weight = read(self.X), read(self.y), read(self.weight)
        return read_part(X, y, weight, number, self.X.name(number), self.form, check)

    def _reduce(self, local: Local, small: tuple[Any, ...], merge: Merge, check: bool) -> Counted:
        return merge_in_order(
            (count(local, self._part(i, check), small) for i in range(self.n_parts)), merge
        )

    def fold(self, local: Local, state: Any, order: Sequence[int], *small: Any) -> Any:
        for number in order:
            part = self._part(number, self.lengths is None)
            state = state if part is None else local(part, state, *small)
        return state


def count(local: Local, part: Part | None, small: tuple[Any, ...]) -> Counted:
    """`local` of a part, with the number of its rows; of an empty part None."""
    if part is None:
        return Counted((0,), None)
    return Counted((len(part),), local(part, *small))


def merge_counted(merge: Merge, one: Counted, other: Counted) -> Counted:
    """Merge what two runs of parts gave."""
    lengths = one.lengths + other.lengths
    if one.value is None or other.value is None:
        return Counted(lengths, one.value if other.value is None else other.value)
    return Counted(lengths, merge(one.value, other.value))


def merge_in_order(found: Iterable[Counted], merge: Merge) -> Counted:
    """Merge results as they come, in the tree that merges neighbours level by level."""
    waiting: list[tuple[int, Counted]] = []  # (level, result), levels falling
    for result in found:
        level, merged = 0, result
        while waiting and waiting[-1][0] == level:
            merged = merge_counted(merge, waiting.pop()[1], merged)
            level += 1
        waiting.append((level, merged))
    if not waiting:
        raise ValueError("X has no parts")
    merged = waiting.pop()[1]
    while waiting:
        merged = merge_counted(merge, waiting.pop()[1], merged)
    return merged


def add(one: Any, other: Any) -> Any:
    """Add numbers and arrays; tuples member by member, also named ones."""
    if isinstance(one, tuple):
        members = [add(a, b) for a, b in zip(one, other, strict=True)]
        return type(one)(*members) if hasattr(one, "_fields") else tuple(members)
    return one + other


def join(one: Part, other: Part) -> Part:
    """One part after the other."""

    def both(a: Any, b: Any) -> Any:
        return None if a is None else np.concatenate([a, b])

    X: Any = both(one.X, other.X) if isinstance(one.X, np.ndarray) else _stacked(one.X, other.X)
    return replace(one, X=X, y=both(one.y, other.y), weight=both(one.weight, other.weight))


def _stacked(one: Any, other: Any) -> Any:
    return sp.vstack([one, other], format="csr")


def _nothing(part: Part) -> int:
    return 0


def _some(part: Part, rows: Array, ends: Array) -> Part:
    """The rows of a part whose numbers, over all parts, are in `rows` (sorted)."""
    stop = int(ends[part.number])
    start = stop - len(part)
    first, last = np.searchsorted(rows, [start, stop])
    at = rows[first:last] - start
    y = None if part.y is None else part.y[at]
    weight = None if part.weight is None else part.weight[at]
    return replace(part, X=part.X[at], y=y, weight=weight)


def is_parted(rows: Any) -> bool:
    """Whether rows lie in parts: a Dask collection, or rows that are read from files."""
    return isinstance(rows, LazyRows | Parts) or _of_dask(rows)


def _of_dask(rows: Any) -> bool:
    return "dask" in sys.modules and type(rows).__module__.partition(".")[0] in {
        "dask",
        "dask_expr",
    }


def parts_of(
    X: Any,
    y: Any = None,
    sample_weight: Any = None,
    *,
    estimator: Any = None,
    targets: str = "none",
    accept_sparse: bool = True,
    multi_output: bool = False,
) -> Parts:
    """Return rows, targets and weights in parts, as a solver sees them.

    Parameters
    ----------
    X : dask.array, dask.dataframe or LazyRows
    y, sample_weight : of the same kind, in the same parts
        Where the parts of `X` have known sizes, also an array; weights also a number.
    estimator : object, optional
        Receives `n_features_in_` and `feature_names_in_`.
    targets : {"none", "numbers", "labels", "raw"}
        What `y` is. "raw": nothing is looked at, for an estimator that validates by itself.
    accept_sparse, multi_output : bool
        Whether X may hold sparse matrices, and y several columns.

    Raises
    ------
    TypeError
        If X is of another kind, or holds what is not a number.
    ValueError
        If the parts do not fit together.
    """
    if targets not in {"none", "raw"} and y is None:
        raise ValueError(
            f"{type(estimator).__name__} requires y to be passed, but the target y is None."
        )
    y = None if targets == "none" else y
    if isinstance(X, LazyRows):
        from ._lazy import lazy_form

        form = lazy_form(X, y, sample_weight, targets)
        made: Parts = StreamedParts(X, y, sample_weight, form)
    elif _of_dask(X):
        from ._dask import dask_parts

        made = dask_parts(X, y, sample_weight, targets)
    else:
        raise TypeError(
            f"y or sample_weight lies in parts, X is {type(X).__name__}: give all in the same parts"
        )
    check_form(made.form, accept_sparse=accept_sparse, multi_output=multi_output)
    if estimator is not None:
        estimator.n_features_in_ = made.form.n_features
        if made.form.columns is not None:
            estimator.feature_names_in_ = np.asarray(made.form.columns, dtype=object)
        elif hasattr(estimator, "feature_names_in_"):
            del estimator.feature_names_in_
    return made
