"""Random changes of images while a network trains; at inference the images are as they are.

Each is a layer without parameters at the front of a network, y_i = x_i seen through a map
of its pixels that is drawn anew for each image, so its gradient is the map's transpose.
The draws come from the run's generator.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np

from kiso._validation import Array, Integral

from .layer import Backward, Layer, Shape, ShapeError
from .run import Run, empty
from .windows import Pair, Sizes, check_images

__all__ = ["RandomCrop", "RandomFlip", "RandomShift"]


class _Windows(Layer):
    """y_i is a rectangle of x_i (or the other way round), the rest of y is 0."""

    takes_images = True

    def forward(self, x: Array, *, train: Run | None = None) -> tuple[Array, Backward]:
        """x: (n, channels, height, width)."""
        check_images(self, x.shape)
        shape = self._shape_after(x.shape[1:])
        if train is None and shape == x.shape[1:]:
            return x, lambda dy: (dy, {})
        starts = self._starts(x.shape, None if train is None else train.rng)
        pairs = [_overlap(start, x.shape[2:], shape[1:]) for start in starts]
        y = empty(train, (len(x), *shape), x)
        _fill(y, x, pairs)

        def backward(dy: Array) -> tuple[Array, dict[str, Any]]:
            dx = empty(train, x.shape, dy)
            _fill(dx, dy, [(of_y, of_x) for of_x, of_y in pairs])
            return dx, {}

        return y, backward

    def output_shape(self, shape: Shape) -> Shape:
        """Shape is kept, but by `RandomCrop`."""
        return self._shape_after(shape)

    def _shape_after(self, shape: Shape) -> Shape:
        return shape

    @abstractmethod
    def _starts(self, shape: Shape, rng: np.random.Generator | None) -> Array:
        """Return the pixel of x that stands at the corner of y, for each image."""


class RandomShift(_Windows):
    """Move each image by up to so many pixels each way; zeros come in.

    With `size` the padding, this is the "pad and crop" of the literature.

    Parameters
    ----------
    size : int or (height, width)
        Largest shift; each from −size to size is as likely.

    Examples
    --------
    >>> from kiso.nn import Run
    >>> x = np.arange(1.0, 10.0).reshape(1, 1, 3, 3)
    >>> RandomShift(1).forward(x, train=Run(0))[0][0, 0]
    array([[4., 5., 6.],
           [7., 8., 9.],
           [0., 0., 0.]])
    """

    def __init__(self, size: Sizes):
        self.size = _sizes(size, 0)

    def _starts(self, shape: Shape, rng: np.random.Generator | None) -> Array:
        if rng is None:
            return np.zeros((shape[0], 2), np.intp)
        largest = np.array(self.size)
        return rng.integers(-largest, largest + 1, size=(shape[0], 2))

    def __repr__(self) -> str:
        return f"RandomShift({_text(self.size)})"


class RandomCrop(_Windows):
    """Cut a rectangle of a fixed size out of each image, anywhere; at inference the middle.

    Parameters
    ----------
    size : int or (height, width)
        Of the rectangle.

    Raises
    ------
    ShapeError
        On use, if the images are smaller.

    Examples
    --------
    >>> RandomCrop(24)(np.zeros((2, 3, 32, 32))).shape
    (2, 3, 24, 24)
    """

    def __init__(self, size: Sizes):
        self.size = _sizes(size, 1)

    def _starts(self, shape: Shape, rng: np.random.Generator | None) -> Array:
        room = np.subtract(shape[2:], self.size, dtype=np.intp)
        if rng is None:
            return np.tile(room // 2, (shape[0], 1))
        return rng.integers(room + 1, size=(shape[0], 2))

    def _shape_after(self, shape: Shape) -> Shape:
        """(channels, height, width) → (channels, *size)."""
        check_images(self, (1, *shape))
        if any(m < k for m, k in zip(shape[1:], self.size, strict=True)):
            raise ShapeError(f"{self!r} cannot be cut out of images of {shape[1]}×{shape[2]}")
        return (shape[0], *self.size)

    def __repr__(self) -> str:
        return f"RandomCrop({_text(self.size)})"


class RandomFlip(Layer):
    """Mirror each image left to right with some probability.

    Parameters
    ----------
    p : float, default=0.5

    Raises
    ------
    ValueError
        If p is no probability.

    Examples
    --------
    >>> from kiso.nn import Run
    >>> RandomFlip(1).forward(np.array([[[[1.0, 2.0, 3.0]]]]), train=Run(0))[0]
    array([[[[3., 2., 1.]]]])
    """

    takes_images = True

    def __init__(self, p: float = 0.5):
        if not 0 <= p <= 1:
            raise ValueError(f"p={p!r}: give a probability, 0 <= p <= 1")
        self.p = p

    def output_shape(self, shape: Shape) -> Shape:
        """Shape is kept."""
        return shape

    def forward(self, x: Array, *, train: Run | None = None) -> tuple[Array, Backward]:
        """x: (n, channels, height, width)."""
        check_images(self, x.shape)
        if train is None:
            return x, lambda dy: (dy, {})
        turned = train.rng.random(len(x)) < self.p

        def mirror(images: Array) -> Array:
            out = empty(train, images.shape, images)
            np.copyto(out, images)
            out[turned] = images[turned][..., ::-1]
            return out

        return mirror(x), lambda dy: (mirror(dy), {})

    def __repr__(self) -> str:
        return f"RandomFlip({self.p:g})"


def _overlap(start: Array, of_x: Shape, of_y: Shape) -> tuple[Any, Any]:
    """Return where x and y overlap, in x and in y, if y's corner stands at `start` in x."""
    in_x, in_y = [], []
    for s, m, k in zip(map(int, start), of_x, of_y, strict=True):
        begin, end = max(0, s), max(0, s, min(m, s + k))
        in_x.append(slice(begin, end))
        in_y.append(slice(begin - s, end - s))
    return tuple(in_x), tuple(in_y)


def _fill(y: Array, x: Array, pairs: list[tuple[Any, Any]]) -> None:
    y[...] = 0
    for of_y, of_x, (in_x, in_y) in zip(y, x, pairs, strict=True):
        of_y[:, *in_y] = of_x[:, *in_x]


def _sizes(given: Any, least: int) -> Pair:
    each = (given, given) if isinstance(given, Integral | np.integer) else tuple(given)
    if len(each) != 2 or any(not isinstance(m, int | np.integer) or m < least for m in each):
        raise ValueError(f"size={given!r}: give a whole number >= {least}, or two of them")
    return int(each[0]), int(each[1])


def _text(pair: Pair) -> str:
    return str(pair[0]) if pair[0] == pair[1] else f"{pair[0]}×{pair[1]}"
