"""Pooling: one number for what a window sees of a channel, its largest or its mean.

    max:   y = max over the window;   the gradient goes to the first pixel that is largest
    mean:  y = Σ / m, m pixels of the image in the window; the gradient is spread evenly

Padding is no pixel: it is never the largest, and it does not count in a mean.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kiso._compute.threads import map_rows
from kiso._validation import Array

from ..compiled.convolution import for_loops
from ..compiled.pooling_loops import Pane, average, average_back, largest, largest_back
from .im2col import windows
from .layer import Backward, Layer, Shape
from .plain import is_plain
from .run import Run, empty
from .windows import Padding, Sizes, Window, check_images

__all__ = ["AveragePool", "GlobalAveragePool", "MaxPool"]

_LOOPS = (np.float32, np.float64)  # what the compiled loops take


class _Pool(Layer):
    """Pooling over a sliding window."""

    def __init__(
        self,
        size: Sizes = 2,
        *,
        stride: Sizes | None = None,
        padding: Padding = 0,
        ceil_mode: bool = False,
    ):
        step = size if stride is None else stride
        self.window = Window.create(size, step, padding, ceil=ceil_mode)
        pads = self.window.padding or ((0, 0), (0, 0))
        if any(max(p) >= k for p, k in zip(pads, self.window.size, strict=True)):
            raise ValueError(
                f"padding={padding!r}: with a window of {size!r} or less some windows would "
                "see padding only"
            )

    def output_shape(self, shape: Shape) -> Shape:
        """(channels, height, width) → (channels, OH, OW)."""
        check_images(self, (1, *shape))
        return (shape[0], *self.window.output(shape[1], shape[2], self))

    def flops(self, shape: Shape) -> int:
        """Return one for each pixel that a window sees."""
        return int(np.prod(self.output_shape(shape))) * int(np.prod(self.window.size))

    def _pane(self, x: Array) -> Pane:
        (top, _), (left, _) = self.window.pads(x.shape[2], x.shape[3])
        return Pane(*self.window.size, *self.window.stride, top, left)

    def _shares(self, dy: Array, x: Array, share: Any) -> Array:
        """Add share(a, b) ∘ dy to the pixels at place (a, b) of their windows."""
        n, channels, height, width = x.shape
        (top, bottom), (left, right) = self.window.pads(height, width)
        (sh, sw), (oh, ow) = self.window.stride, dy.shape[2:]
        dx = np.zeros((n, channels, top + height + bottom, left + width + right), dy.dtype)
        for a, b in np.ndindex(*self.window.size):
            rows = slice(a, a + sh * (oh - 1) + 1, sh)
            dx[:, :, rows, b : b + sw * (ow - 1) + 1 : sw] += share(a, b) * dy
        return dx[:, :, top : top + height, left : left + width]

    def __repr__(self) -> str:
        stride = self.window.stride
        plain = Window(self.window.size, (1, 1), self.window.padding)
        text = str(plain) if stride == self.window.size else str(self.window)
        return f"{type(self).__name__}({text})"


class MaxPool(_Pool):
    """The largest number that a window sees, channel by channel.

    y[i, c, o, q] = max over a, b of x[i, c, o·s − p + a, q·s − p + b].

    Parameters
    ----------
    size : int or (height, width), default=2
    stride : int, (height, width) or None, default=None
        None is the size: windows side by side.
    padding : "same", "valid", int, (height, width) or ((top, bottom), (left, right)), default=0
        Pixels that are never the largest.
    ceil_mode : bool, default=False
        Also take the windows that reach beyond the last pixel, if they begin before it.

    Raises
    ------
    ValueError
        If a number is out of range, or a window could see padding only.
    ShapeError
        On use, if no output pixel is left.

    Examples
    --------
    >>> x = np.array([[[[1.0, 2.0, 0.0], [4.0, 3.0, 9.0]]]])
    >>> MaxPool(2, stride=1)(x)
    array([[[[4., 9.]]]])
    """

    def forward(self, x: Array, *, train: Run | None = None) -> tuple[Array, Backward]:
        """x: (n, channels, height, width) → y: (n, channels, OH, OW)."""
        check_images(self, x.shape)
        shape = _Pool.output_shape(self, x.shape[1:])
        if is_plain() or x.dtype not in _LOOPS:
            return self._readable(x)
        x, pane = for_loops(x), self._pane(x)
        y = empty(train, (len(x), *shape), x)
        kind = np.dtype(np.uint8 if math.prod(self.window.size) <= 256 else np.uint32)
        codes = np.empty((1, 1, 0, 0), kind) if train is None else train.empty(y.shape, kind)

        def lane(rows: slice) -> None:
            largest(x[rows], pane, y[rows], codes[rows] if codes.size else codes)

        map_rows(lane, len(x))

        def backward(dy: Array) -> tuple[Array, dict[str, Any]]:
            dy, dx = for_loops(dy, x.dtype), empty(train, x.shape, dy)
            marks = codes
            if train is None:  # inference did not keep which pixels were the largest
                marks = np.empty(y.shape, kind)
                map_rows(lambda i: largest(x[i], pane, np.empty_like(y[i]), marks[i]), len(x))
            map_rows(lambda i: largest_back(dy[i], marks[i], pane, dx[i]), len(x))
            return dx, {}

        return y, backward

    def _readable(self, x: Array) -> tuple[Array, Backward]:
        """The same by NumPy, for numbers of any kind."""
        seen = windows(x, self.window, self, -np.inf)
        flat = seen.reshape(*seen.shape[:4], -1)
        winner = flat.real.argmax(axis=-1)
        y = np.take_along_axis(flat, winner[..., None], axis=-1)[..., 0]

        def backward(dy: Array) -> tuple[Array, dict[str, Any]]:
            width = self.window.size[1]
            return self._shares(dy, x, lambda a, b: winner == a * width + b), {}

        return y, backward


class AveragePool(_Pool):
    """The mean of what a window sees, channel by channel.

    y[i, c, o, q] = (1/m) Σ x[i, c, o·s − p + a, q·s − p + b] over the m pixels of the image
    in the window.

    Parameters
    ----------
    size : int or (height, width), default=2
    stride : int, (height, width) or None, default=None
        None is the size: windows side by side.
    padding : "same", "valid", int, (height, width) or ((top, bottom), (left, right)), default=0
        Pixels that do not count.
    ceil_mode : bool, default=False
        Also take the windows that reach beyond the last pixel, if they begin before it.
    count_padding : bool, default=False
        Let the zeros of `padding` count: m is then the size of the window, but for what
        `ceil_mode` adds. It is the default of PyTorch's AvgPool2d (count_include_pad).

    Raises
    ------
    ValueError
        If a number is out of range, or a window could see padding only.
    ShapeError
        On use, if no output pixel is left.

    Examples
    --------
    >>> x = np.array([[[[1.0, 2.0], [4.0, 5.0]]]])
    >>> AveragePool(2)(x), AveragePool(2, padding=1)(x)[0, 0, 0]
    (array([[[[3.]]]]), array([1., 2.]))
    """

    def forward(self, x: Array, *, train: Run | None = None) -> tuple[Array, Backward]:
        """x: (n, channels, height, width) → y: (n, channels, OH, OW)."""
        check_images(self, x.shape)
        shape = _Pool.output_shape(self, x.shape[1:])
        share = self._share(x)
        if is_plain() or x.dtype not in _LOOPS:
            return self._readable(x, share)
        x, pane = for_loops(x), self._pane(x)
        y = empty(train, (len(x), *shape), x)
        map_rows(lambda i: average(x[i], pane, share[0, 0], y[i]), len(x))

        def backward(dy: Array) -> tuple[Array, dict[str, Any]]:
            dy, dx = for_loops(dy, x.dtype), empty(train, x.shape, dy)
            map_rows(lambda i: average_back(dy[i], pane, share[0, 0], dx[i]), len(x))
            return dx, {}

        return y, backward

    def _readable(self, x: Array, share: Array) -> tuple[Array, Backward]:
        """The same by NumPy, for numbers of any kind."""
        y = windows(x, self.window, self).sum(axis=(-2, -1)) * share

        def backward(dy: Array) -> tuple[Array, dict[str, Any]]:
            spread = dy * share
            return self._shares(spread, x, lambda a, b: 1), {}

        return y, backward

    def __init__(
        self,
        size: Sizes = 2,
        *,
        stride: Sizes | None = None,
        padding: Padding = 0,
        ceil_mode: bool = False,
        count_padding: bool = False,
    ):
        super().__init__(size, stride=stride, padding=padding, ceil_mode=ceil_mode)
        self.count_padding = count_padding

    def _share(self, x: Array) -> Array:
        """1/m at each output."""
        pixels = np.ones((1, 1, *x.shape[2:]))
        if getattr(self, "count_padding", False):  # zeros that were asked for count as pixels
            asked = self.window.asked_pads(*x.shape[2:])
            around = self.window.pads(*x.shape[2:])
            more = [tuple(np.subtract(p, a)) for p, a in zip(around, asked, strict=True)]
            pixels = np.pad(np.pad(pixels, ((0, 0), (0, 0), *asked), constant_values=1),
                            ((0, 0), (0, 0), *more))  # fmt: skip
            window = Window(self.window.size, self.window.stride)
            counted = windows(pixels, window, self)
            return np.asarray(1 / counted.sum(axis=(-2, -1)), x.real.dtype)
        counted = windows(pixels, self.window, self)
        return np.asarray(1 / counted.sum(axis=(-2, -1)), x.real.dtype)


class GlobalAveragePool(Layer):
    """The mean of each channel: (n, channels, height, width) → (n, channels).

    Examples
    --------
    >>> GlobalAveragePool()(np.arange(8.0).reshape(1, 2, 2, 2))
    array([[1.5, 5.5]])
    """

    def forward(self, x: Array, *, train: Run | None = None) -> tuple[Array, Backward]:
        """x: (n, channels, height, width) → y: (n, channels)."""
        check_images(self, x.shape)
        m = x.real.dtype.type(x.shape[2] * x.shape[3])

        def backward(dy: Array) -> tuple[Array, dict[str, Any]]:
            return np.broadcast_to((dy / m)[:, :, None, None], x.shape).copy(), {}

        return x.sum(axis=(2, 3)) / m, backward

    def output_shape(self, shape: Shape) -> Shape:
        """(channels, height, width) → (channels,)."""
        check_images(self, (1, *shape))
        return shape[:1]

    def flops(self, shape: Shape) -> int:
        """Return one for each pixel."""
        return int(np.prod(shape))
