"""Pooling of signals: that of images of height 1."""

from __future__ import annotations

from typing import Any

from kiso._validation import Array

from .layer import Backward, Layer, Shape, ShapeError
from .pooling import AveragePool, MaxPool
from .run import Run

__all__ = ["AveragePool1D", "GlobalAveragePool1D", "MaxPool1D"]


class _Pool1D(Layer):
    """A pooling layer on (n, channels, length)."""

    kind: Any

    def __init__(
        self, size: int = 2, *, stride: int | None = None, padding: Any = 0, **options: Any
    ):
        around = padding if isinstance(padding, str) else ((0, 0), _both(padding))
        step = None if stride is None else (1, stride)
        self.flat = self.kind((1, size), stride=step, padding=around, **options)

    def forward(self, x: Array, *, train: Run | None = None) -> tuple[Array, Backward]:
        """x: (n, channels, length) → y: (n, channels, outputs)."""
        _check(self, x.shape)
        y, back = self.flat.forward(x[:, :, None], train=train)

        def backward(dy: Array) -> tuple[Array, dict[str, Any]]:
            return back(dy[:, :, None])[0][:, :, 0], {}

        return y[:, :, 0], backward

    def output_shape(self, shape: Shape) -> Shape:
        """(channels, length) → (channels, outputs)."""
        _check(self, (1, *shape))
        channels, _, length = self.flat.output_shape((shape[0], 1, shape[1]))
        return channels, length

    def __repr__(self) -> str:
        (_, size), (_, stride) = self.flat.window.size, self.flat.window.stride
        return f"{type(self).__name__}({size}{'' if stride == size else f', stride {stride}'})"


class MaxPool1D(_Pool1D):
    """The largest number that a window sees, channel by channel, of signals.

    Parameters
    ----------
    size : int, default=2
    stride : int or None, default=None
        None is the size.
    padding : "same", "valid", int or (before, after), default=0
    **options
        `ceil_mode`, as for `MaxPool`.

    Examples
    --------
    >>> import numpy as np
    >>> MaxPool1D(2)(np.array([[[1.0, 3.0, 2.0, 0.0]]]))
    array([[[3., 2.]]])
    """

    kind = MaxPool


class AveragePool1D(_Pool1D):
    """The mean of what a window sees, channel by channel, of signals.

    Parameters
    ----------
    size : int, default=2
    stride : int or None, default=None
        None is the size.
    padding : "same", "valid", int or (before, after), default=0
    **options
        `count_padding` and `ceil_mode`, as for `AveragePool`.

    Examples
    --------
    >>> import numpy as np
    >>> AveragePool1D(2)(np.array([[[1.0, 3.0, 2.0, 0.0]]]))
    array([[[2., 1.]]])
    """

    kind = AveragePool


class GlobalAveragePool1D(Layer):
    """The mean of each channel of signals: (n, channels, length) → (n, channels).

    Examples
    --------
    >>> import numpy as np
    >>> GlobalAveragePool1D()(np.array([[[1.0, 3.0, 2.0]]]))
    array([[2.]])
    """

    def forward(self, x: Array, *, train: Run | None = None) -> tuple[Array, Backward]:
        """x: (n, channels, length) → y: (n, channels)."""
        _check(self, x.shape)
        m = x.real.dtype.type(x.shape[2])

        def backward(dy: Array) -> tuple[Array, dict[str, Any]]:
            return (dy / m)[:, :, None].repeat(x.shape[2], axis=2), {}

        return x.sum(axis=2) / m, backward

    def output_shape(self, shape: Shape) -> Shape:
        """(channels, length) → (channels,)."""
        _check(self, (1, *shape))
        return shape[:1]


def _check(layer: Layer, shape: Shape) -> None:
    if len(shape) != 3:
        raise ShapeError(f"{layer!r} takes shape (n, channels, length); it was given {shape}")


def _both(padding: Any) -> Any:
    return (padding, padding) if isinstance(padding, int) else padding
