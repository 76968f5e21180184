"""Where the batches of a training run come from, and where in them it stands.

A feed can say its position and be put there again, so that a run that goes on from a
checkpoint sees the very batches that it would have seen.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from kiso._validation import Array

from ..layers.run import Run

__all__ = ["BatchFeed", "Example", "Feed", "RowFeed", "check_data", "make_feed"]


@dataclass(frozen=True)
class Example:
    """One batch; its gradient counts `factor` times (below 1 for a short last batch)."""

    x: Array
    t: Array
    weight: Array | None = None
    factor: float = 1.0


class Feed(ABC):
    """Batches in a fixed order.

    Attributes
    ----------
    n_batches : int or None
        Batches of an epoch; None where only the data can tell.
    epoch : int
        Passes over the data that are complete.
    """

    n_batches: int | None = None
    epoch: int

    @property
    def ended(self) -> bool:
        """Whether there is no more."""
        return False

    @abstractmethod
    def next(self, run: Run) -> Example | None:
        """Return the next batch, in the run's buffers; None, once, where a pass has ended.

        Only a feed that cannot tell its length ends passes so.
        """

    @abstractmethod
    def position(self) -> dict[str, Any]:
        """Return where it stands, as what JSON can hold."""

    @abstractmethod
    def move_to(self, position: dict[str, Any]) -> None:
        """Stand where `position` was taken."""


class RowFeed(Feed):
    """Rows of arrays or memory maps, with or without replacement.

    The rows are those of `kiso.optim.with_replacement` and `without_replacement` with the
    same generator; here many steps can be drawn at once, and the position is known.
    """

    def __init__(
        self,
        X: Any,
        t: Any,
        sample_weight: Any,
        *,
        batch_size: int,
        replace: bool,
        rng: np.random.Generator,
        drop_last: bool = False,
    ):
        self.X, self.t = check_data("X", X), check_data("t", t)
        n = len(self.X)
        if n == 0 or len(self.t) != n:
            raise ValueError(
                f"data: X has {n} samples and t {len(self.t)}; give the same number, at least one"
            )
        self.weight = None if sample_weight is None else check_data("sample_weight", sample_weight)
        if self.weight is not None and self.weight.shape != (n,):
            raise ValueError(f"sample_weight of shape {self.weight.shape}: give ({n},)")
        self.n, self.replace, self.rng = n, replace, rng
        self.batch_size = batch_size if replace else min(batch_size, n)
        whole = drop_last and not replace
        self.n_batches: int = n // self.batch_size if whole else -(-n // self.batch_size)
        self.taken = 0  # batches
        self._order = np.empty(0, np.intp)  # of the epoch, without replacement
        self._before = rng.bit_generator.state  # the generator as the epoch began

    @property
    def epoch(self) -> int:  # type: ignore[override]
        """Passes that are complete; with replacement, as many rows as make a pass."""
        return self.taken // self.n_batches

    def rows(self, n_steps: int) -> tuple[Array, Array]:
        """Draw the rows of the next steps: step k has `rows[starts[k]:starts[k + 1]]`."""
        b = self.batch_size
        if self.replace:
            self.taken += n_steps
            drawn = self.rng.integers(self.n, size=n_steps * b, dtype=np.intp)
            return drawn, np.arange(n_steps + 1, dtype=np.intp) * b
        parts, sizes, left = [], [], n_steps
        while left:
            done = self.taken % self.n_batches
            if done == 0:
                if left < self.n_batches:  # asked for only where an epoch stays unfinished
                    self._before = self.rng.bit_generator.state
                self._order = self.rng.permutation(self.n)
            count = min(left, self.n_batches - done)
            part = self._order[done * b : (done + count) * b]
            parts.append(part)
            sizes += [b] * (count - 1) + [len(part) - (count - 1) * b]  # whole, if so wanted
            self.taken += count
            left -= count
        return np.concatenate(parts), np.cumsum([0, *sizes], dtype=np.intp)

    def next(self, run: Run) -> Example | None:
        """Return the rows of one step."""
        rows, _ = self.rows(1)
        x, t = (_take(a, rows, run) for a in (self.X, self.t))
        weight = None if self.weight is None else self.weight[rows]
        return Example(x, t, weight, len(rows) / self.batch_size)

    def position(self) -> dict[str, Any]:
        """Return batches taken, and the generator (without replacement: as the epoch began)."""
        begun = not self.replace and self.taken % self.n_batches
        state = self._before if begun else self.rng.bit_generator.state
        what = {"n": self.n, "batch_size": self.batch_size, "replace": self.replace}
        return {"taken": self.taken, "rng": state, **what}

    def move_to(self, position: dict[str, Any]) -> None:
        """Set the generator, and draw the epoch's order again."""
        for name in ("n", "batch_size", "replace"):
            if position.get(name) != getattr(self, name):
                raise ValueError(
                    f"the checkpoint was made with {name}={position.get(name)}, "
                    f"this run has {name}={getattr(self, name)}"
                )
        self.taken = position["taken"]
        self.rng.bit_generator.state = position["rng"]
        if not self.replace and self.taken % self.n_batches:
            self._before = position["rng"]
            self._order = self.rng.permutation(self.n)


class BatchFeed(Feed):
    """Batches (x, t) or (x, t, sample_weight) that an iterable gives, once an epoch."""

    def __init__(self, batches: Iterable[Any], n_epochs: int | None):
        once = iter(batches) is batches
        if once and n_epochs not in (1, None):
            raise ValueError(
                "data: an iterator can be gone through once; give a list or another iterable, "
                "or n_epochs=1"
            )
        self.batches, self.n_epochs = batches, 1 if once else n_epochs
        self.epoch, self.done = 0, 0
        self._iterator: Iterator[Any] | None = None

    def next(self, run: Run) -> Example | None:
        """Return the next batch; None after the last of a pass."""
        if self.ended:
            return None
        if self._iterator is None:
            self._iterator, self.done = iter(self.batches), 0
        item = next(self._iterator, None)
        if item is not None:
            self.done += 1
            return _checked_batch(item, f"batch {self.done} of epoch {self.epoch}")
        if self.done == 0:
            raise ValueError(f"data: no batch in epoch {self.epoch}")
        self._iterator, self.epoch = None, self.epoch + 1
        return None

    @property
    def ended(self) -> bool:
        """Whether all passes are over."""
        return self.n_epochs is not None and self.epoch >= self.n_epochs

    def position(self) -> dict[str, Any]:
        """Return epoch and batches done in it."""
        return {"epoch": self.epoch, "done": self.done if self._iterator is not None else 0}

    def move_to(self, position: dict[str, Any]) -> None:
        """Begin the epoch and pass over what was done of it."""
        self.epoch = int(position["epoch"])
        if position["done"]:
            self._iterator = iter(self.batches)
            for self.done in range(1, position["done"] + 1):
                next(self._iterator, None)


def make_feed(
    data: Any,
    sample_weight: Any,
    *,
    batch_size: int,
    replace: bool,
    drop_last: bool,
    n_epochs: int | None,
    rng: np.random.Generator,
) -> Feed:
    """Return the feed for (X, t), or for an iterable of batches."""
    if isinstance(data, tuple) and len(data) == 2:
        return RowFeed(
            *data, sample_weight, batch_size=batch_size, replace=replace, rng=rng,
            drop_last=drop_last,
        )  # fmt: skip
    if isinstance(data, np.ndarray) or not isinstance(data, Iterable):
        raise TypeError("data: give a tuple (X, t), or an iterable of batches (x, t)")
    if drop_last:
        raise ValueError("drop_last: an iterable gives its own batches; leave the last one out")
    if sample_weight is not None:
        raise ValueError("sample_weight: an iterable gives batches (x, t, sample_weight)")
    return BatchFeed(data, n_epochs)


def check_data(name: str, given: Any) -> Array:
    """Return an array of at least one axis, its numbers finite.

    A memory map is left on disk: it is looked at when its rows are used.
    """
    a = given if isinstance(given, np.ndarray) else np.asarray(given)
    if a.ndim == 0 or a.dtype.kind not in "fiub":
        raise ValueError(f"{name}: give an array of numbers, not {a.dtype} of shape {a.shape}")
    if not isinstance(a, np.memmap):
        for start in range(0, len(a), 4096):
            _check_finite(name, a[start : start + 4096])
    return a


def _check_finite(name: str, a: Array) -> None:
    if a.dtype.kind == "f" and not np.isfinite(a).all():
        raise ValueError(f"{name} holds NaN or infinity")


def _take(a: Array, rows: Array, run: Run) -> Array:
    out = run.empty((len(rows), *a.shape[1:]), a.dtype)
    a.take(rows, axis=0, out=out, mode="clip")  # rows are in range; "raise" would copy
    if isinstance(a, np.memmap):
        _check_finite("data", out)
    return out


def _checked_batch(item: Any, where: str) -> Example:
    if not isinstance(item, tuple | list) or len(item) not in (2, 3):
        raise TypeError(f"data: {where} is no (x, t) nor (x, t, sample_weight)")
    x, t, *weight = (np.asarray(a) for a in item)
    if len(x) == 0 or len(t) != len(x):
        raise ValueError(f"data: {where} has {len(x)} samples and {len(t)} targets")
    _check_finite(f"data: {where}", x)
    _check_finite(f"data: targets of {where}", t)
    return Example(x, t, weight[0] if weight else None)
