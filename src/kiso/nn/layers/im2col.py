"""A convolution as one matrix product: the readable form, and the oracle of the fast one.

    im2col: x (n, channels, height, width) → (n·OH·OW, channels·FH·FW), one row an output
            pixel, holding the pixels that the filter sees there
    y = im2col(x) Wᵀ,   W: (n_out, channels·FH·FW)

and, as a linear map has its transpose for its gradient,

    ∂C/∂x = col2im(∂C/∂y W),   ∂C/∂W = (∂C/∂y)ᵀ im2col(x),   ⟨im2col x, g⟩ = ⟨x, col2im g⟩.

What networks call a convolution is a correlation, y_k = Σᵢ wᵢ x_{k+i}: the filter is not
turned round, which is a matter of names for filters that are learnt.

The published `col2im` that these functions correct (Deep learning from scratch, vol. 1, as
copied in the notes) takes the row limit from the output's width, which fails or is silently
wrong where the output is not square, and overwrites where windows overlap, so that it is
not the adjoint.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike

from kiso._validation import Array

from .layer import ShapeError
from .windows import Padding, Sizes, Window, check_images

__all__ = ["col2im", "correlate", "correlate_dW", "correlate_dx", "im2col", "pad", "windows"]


def im2col(
    x: ArrayLike,
    filter_shape: Sizes,
    *,
    stride: Sizes = 1,
    padding: Padding = 0,
    dilation: Sizes = 1,
) -> Array:
    """Lay out what a filter sees: one row an output pixel.

    Row (i·OH + o)·OW + q, column (c·FH + a)·FW + b holds
    x[i, c, o·s_h − p_top + a·d_h, q·s_w − p_left + b·d_w], and 0 outside the image.

    Parameters
    ----------
    x : array-like of shape (n, channels, height, width)
    filter_shape : int or (FH, FW)
    stride : int or (height, width), default=1
    padding : "same", "valid", int, (height, width) or ((top, bottom), (left, right)), default=0
        Zeros around the image. "same" gives ⌈height / stride⌉ × ⌈width / stride⌉ outputs.
    dilation : int or (height, width), default=1
        From one pixel that the filter sees to the next.

    Returns
    -------
    ndarray of shape (n·OH·OW, channels·FH·FW)

    Raises
    ------
    ShapeError
        If x has no four axes, or no output pixel is left.
    ValueError
        If a number is out of range.

    Examples
    --------
    >>> x = np.arange(9.0).reshape(1, 1, 3, 3)
    >>> im2col(x, 2)
    array([[0., 1., 3., 4.],
           [1., 2., 4., 5.],
           [3., 4., 6., 7.],
           [4., 5., 7., 8.]])
    """
    x = np.asarray(x)
    check_images("im2col", x.shape)
    window = Window.create(filter_shape, stride, padding, dilation, "filter_shape")
    seen = windows(x, window, "im2col")
    n, channels, oh, ow, fh, fw = seen.shape
    return seen.transpose(0, 2, 3, 1, 4, 5).reshape(n * oh * ow, channels * fh * fw)


def col2im(
    col: ArrayLike,
    image_shape: tuple[int, int, int, int],
    filter_shape: Sizes,
    *,
    stride: Sizes = 1,
    padding: Padding = 0,
    dilation: Sizes = 1,
) -> Array:
    """Add each number back to the pixel it came from: the adjoint of `im2col`.

    ⟨im2col x, g⟩ = ⟨x, col2im g⟩ for all x and g; where windows overlap, the numbers add up.

    Parameters
    ----------
    col : array-like of shape (n·OH·OW, channels·FH·FW)
    image_shape : (n, channels, height, width)
    filter_shape, stride, padding, dilation
        As for `im2col`.

    Returns
    -------
    ndarray of shape `image_shape`

    Raises
    ------
    ShapeError
        If `col` is not what `im2col` gives for such an image.

    Examples
    --------
    How many of the four 2×2 windows see each pixel of a 3×3 image:

    >>> col2im(np.ones((4, 4)), (1, 1, 3, 3), 2)[0, 0]
    array([[1., 2., 1.],
           [2., 4., 2.],
           [1., 2., 1.]])
    """
    col = np.asarray(col)
    check_images("col2im", tuple(image_shape))
    window = Window.create(filter_shape, stride, padding, dilation, "filter_shape")
    n, channels, height, width = image_shape
    oh, ow = window.output(height, width, "col2im")
    fh, fw = window.size
    if col.shape != (n * oh * ow, channels * fh * fw):
        raise ShapeError(
            f"col of shape {col.shape}: for images of {tuple(image_shape)} and a filter of "
            f"{window} give {(n * oh * ow, channels * fh * fw)}"
        )
    seen = col.reshape(n, oh, ow, channels, fh, fw).transpose(0, 3, 1, 2, 4, 5)
    (top, bottom), (left, right) = window.pads(height, width)
    x = np.zeros((n, channels, top + height + bottom, left + width + right), col.dtype)
    (sh, sw), (dh, dw) = window.stride, window.dilation
    for a in range(fh):
        for b in range(fw):
            rows = slice(a * dh, a * dh + sh * (oh - 1) + 1, sh)
            columns = slice(b * dw, b * dw + sw * (ow - 1) + 1, sw)
            x[:, :, rows, columns] += seen[..., a, b]
    return x[:, :, top : top + height, left : left + width]


def pad(x: Array, window: Window, value: float = 0.0) -> Array:
    """Put the window's padding around images."""
    rows, columns = window.pads(*x.shape[2:])
    if not any((*rows, *columns)):
        return x
    return np.pad(x, ((0, 0), (0, 0), rows, columns), constant_values=value)


def windows(x: Array, window: Window, layer: object, value: float = 0.0) -> Array:
    """Return a view (n, channels, OH, OW, FH, FW): what the window sees at each output."""
    oh, ow = window.output(x.shape[2], x.shape[3], layer)
    (sh, sw), (dh, dw) = window.stride, window.dilation
    seen = sliding_window_view(pad(x, window, value), window.reach, axis=(2, 3))
    every: Array = seen[:, :, ::sh, ::sw, ::dh, ::dw]
    return every[:, :, :oh, :ow]


def correlate(x: Array, W: Array, window: Window, groups: int = 1) -> Array:
    """Compute y = im2col(x) Wᵀ, in the layout of images; W: (n_out, channels/groups, FH, FW)."""
    oh, ow = window.output(*x.shape[2:])
    y = _by_group(x, window, groups) @ _filters(W, groups).transpose(0, 2, 1)
    return y.transpose(1, 0, 2).reshape(len(x), oh, ow, len(W)).transpose(0, 3, 1, 2)


def correlate_dx(
    dy: Array, W: Array, window: Window, groups: int, shape: tuple[int, int, int, int]
) -> Array:
    """∂C/∂x = col2im(∂C/∂y W) for images x of this shape."""
    columns = _grouped_rows(dy, groups) @ _filters(W, groups)
    col = columns.transpose(1, 0, 2).reshape(columns.shape[1], -1)
    return col2im(
        col, shape, window.size, stride=window.stride, padding=window.pads(*shape[2:]),
        dilation=window.dilation,
    )  # fmt: skip


def correlate_dW(x: Array, dy: Array, window: Window, groups: int = 1) -> Array:
    """∂C/∂W = (∂C/∂y)ᵀ im2col(x), of shape (n_out, channels/groups, FH, FW)."""
    dW = _grouped_rows(dy, groups).transpose(0, 2, 1) @ _by_group(x, window, groups)
    return dW.reshape(dy.shape[1], x.shape[1] // groups, *window.size)


def _filters(W: Array, groups: int) -> Array:
    """(n_out, channels/groups, FH, FW) → (groups, n_out/groups, the rest in one)."""
    return W.reshape(groups, len(W) // groups, -1)


def _by_group(x: Array, window: Window, groups: int) -> Array:
    """im2col(x), its columns by group: (groups, n·OH·OW, channels/groups·FH·FW)."""
    col = im2col(
        x, window.size, stride=window.stride, padding=window.pads(*x.shape[2:]),
        dilation=window.dilation,
    )  # fmt: skip
    return col.reshape(len(col), groups, -1).transpose(1, 0, 2)


def _grouped_rows(dy: Array, groups: int) -> Array:
    """(n, n_out, OH, OW) → (groups, n·OH·OW, n_out/groups)."""
    rows = dy.transpose(0, 2, 3, 1).reshape(-1, groups, dy.shape[1] // groups)
    return rows.transpose(1, 0, 2)
