"""What belongs to a training run and to no layer: randomness, buffers, running statistics."""

from __future__ import annotations

import math
from typing import Any, Protocol

import numpy as np

from kiso._validation import Array, RandomState, check_generator

__all__ = ["Run", "empty"]


class Recording(Protocol):
    """A layer that takes the statistics which it recorded."""

    def absorb(self, statistics: dict[str, Array]) -> None:
        """Move the running statistics by those of a batch."""


class Run:
    """The context of forward passes that train.

    A layer that behaves otherwise in training (dropout, batch normalisation) is given one;
    `train=None` means inference. One run serves one thread.

    Parameters
    ----------
    random_state : int, Generator or None, default=None
        Of dropout.
    reuse_buffers : bool, default=False
        Hand out the same arrays at every step: the i-th array asked for after
        `begin_step()` is the i-th of the step before. Nothing is allocated after the first
        step; what a step computed is overwritten by the next.

    Attributes
    ----------
    rng : numpy.random.Generator
    statistics : list of (layer, dict)
        What layers recorded since `begin_step` (a batch's mean and variance), in order.
    """

    def __init__(self, random_state: RandomState = None, *, reuse_buffers: bool = False):
        self.rng = check_generator(random_state)
        self.reuse_buffers = reuse_buffers
        self.statistics: list[tuple[Recording, dict[str, Array]]] = []
        self._buffers: list[Array] = []
        self._views: list[Array] = []  # of the buffers, as they were last asked for
        self._next = 0

    def begin_step(self) -> None:
        """Forget the statistics of the last step and take its buffers back."""
        self.statistics.clear()
        self._next = 0

    def record(self, layer: Recording, **statistics: Array) -> None:
        """Note a batch's statistics of a layer, for the training loop to apply."""
        self.statistics.append((layer, statistics))

    def apply_statistics(self) -> None:
        """Give each layer what it recorded in this step: the training loop calls this."""
        for layer, statistics in self.statistics:
            layer.absorb(statistics)

    def empty(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        """Return an uninitialised array; with `reuse_buffers`, the one of the last step."""
        if not self.reuse_buffers:
            return np.empty(shape, dtype)
        position, self._next = self._next, self._next + 1
        if position == len(self._views):
            self._views.append(np.empty(0, dtype))
            self._buffers.append(np.empty(0, dtype))
        view = self._views[position]
        if view.shape != shape or view.dtype != dtype:
            view = self._views[position] = self._view(position, shape, dtype)
        return view

    def _view(self, position: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        """Return a buffer in another shape; a larger one only where it does not hold that."""
        size = math.prod(shape)
        buffer = self._buffers[position]
        if buffer.dtype != dtype or buffer.size < size:
            buffer = self._buffers[position] = np.empty(size, dtype)
        return buffer[:size].reshape(shape)

    @property
    def nbytes(self) -> int:
        """Bytes held in buffers."""
        return sum(buffer.nbytes for buffer in self._buffers)


def empty(train: Run | None, shape: tuple[int, ...], *operands: Array) -> Array:
    """Return an uninitialised array of the operands' common dtype, from the run if there is one."""
    dtype = operands[0].dtype
    if any(operand.dtype != dtype for operand in operands):
        dtype = np.result_type(*operands)
    return np.empty(shape, dtype) if train is None else train.empty(shape, dtype)
