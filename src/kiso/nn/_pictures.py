"""Pictures of a convolutional network at work: feature maps, and an image as im2col sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from kiso._validation import Array
from kiso.inspection._images import as_picture, draw

from .layers.im2col import im2col, pad
from .layers.windows import Window

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_feature_maps", "plot_im2col"]

_CELL, _SIDE = 0.4, 4.5  # inches of a cell with its number written in, and of a picture
_WRITTEN = 500  # cells at most where numbers are


def plot_feature_maps(model: Any, image: ArrayLike, *, n_maps: int = 8) -> Figure:
    """Draw an image and what each layer makes of it, a row a layer.

    Each map is drawn from its own darkest to its own brightest number.

    Parameters
    ----------
    model : Network, or an estimator with `network_`
        Its layers are run one by one, up to the first whose output is no image.
    image : array-like of shape (channels, height, width)
    n_maps : int, default=8
        Channels drawn of each layer: the first ones.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    ValueError
        If the image has another number of axes.

    Examples
    --------
    >>> from kiso.nn import Conv2D, MaxPool, Network, ReLU, plot_feature_maps
    >>> network = Network([Conv2D.create(1, 4, 3, random_state=0), ReLU(), MaxPool(2)])
    >>> figure = plot_feature_maps(network, np.eye(8)[None], n_maps=4)
    >>> [ax.get_title("left") for ax in figure.axes if ax.get_title("left")]
    ['image: 1 × 8 × 8', 'Conv2D(1 → 4, 3×3): 4 × 6 × 6', 'ReLU(): 4 × 6 × 6',
     'MaxPool(2×2): 4 × 3 × 3']
    """
    x = np.asarray(image)
    if x.ndim != 3:
        raise ValueError(f"image of shape {x.shape}: give (channels, height, width)")
    network = getattr(model, "network_", model)
    a, rows = network.as_input(x[None]), [(f"image: {_sizes(x)}", [as_picture(x)])]
    for layer in network:
        a = layer(a)
        if a.ndim != 4:
            if len(rows) > 1:
                break
            continue
        if not np.array_equal(a[0], x):  # but for layers that only pass the image on
            rows.append((f"{layer!r}: {_sizes(a[0])}", list(a[0, :n_maps])))
    from matplotlib.figure import Figure

    width = max(len(maps) for _, maps in rows)
    figure = Figure(figsize=(1.1 * width + 0.5, 1.3 * len(rows) + 0.3), layout="constrained")
    grid = figure.add_gridspec(len(rows), width)
    for r, (name, maps) in enumerate(rows):
        for c, values in enumerate(maps):
            ax = figure.add_subplot(grid[r, c])
            draw(ax, values)
            if c == 0:
                ax.set_title(name, fontsize=8, loc="left")
    return figure


def _sizes(values: Array) -> str:
    return " × ".join(map(str, values.shape))


def plot_im2col(
    image: ArrayLike, filter_shape: Any, *, stride: Any = 1, padding: Any = 0, dilation: Any = 1
) -> Figure:
    """Draw a small image beside its im2col matrix, the numbers written in.

    Row k of the matrix is what the filter sees at output pixel k; the first such window is
    framed in both. Channels stand one below the other, with their padding, and side by side
    in the matrix; lines part them.

    Parameters
    ----------
    image : array-like of shape (height, width) or (channels, height, width)
    filter_shape, stride, padding, dilation
        As for `im2col`.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    ValueError
        If the image has another number of axes, or no output pixel is left.

    Examples
    --------
    >>> from kiso.nn import plot_im2col
    >>> figure = plot_im2col(np.arange(9.0).reshape(3, 3), 2)
    >>> figure.axes[1].get_title()
    'im2col: 4 × 4'
    """
    x = np.asarray(image, dtype=np.float64)
    x = x[None] if x.ndim == 2 else x
    if x.ndim != 3:
        raise ValueError(f"image of shape {x.shape}: give (height, width) or with channels first")
    col = im2col(x[None], filter_shape, stride=stride, padding=padding, dilation=dilation)
    window = Window.create(filter_shape, stride, padding, dilation, "filter_shape")
    stacked = np.concatenate(list(pad(x[None], window)[0]))  # channels one below the other
    written = max(stacked.size, col.size) <= _WRITTEN
    left, right = _side_by_side(stacked.shape, col.shape, written)
    around = "" if stacked.size == x.size else ", with zeros around it"
    limits = min(0.0, x.min()), max(0.0, x.max())
    _matrix(left, stacked, f"image: {_sizes(x)}{around}", limits, written)
    _matrix(right, col, f"im2col: {_sizes(col)}", limits, written)
    right.set_aspect("equal" if written else "auto")
    right.set_xlabel("channel, row and column of the filter", fontsize=8)
    right.set_ylabel("output pixel", fontsize=8)
    for c in range(len(x)):
        top, first = c * len(stacked) // len(x), c * col.shape[1] // len(x)
        _frame(left, top, window.reach)
        if c > 0:
            left.axhline(top - 0.5, color="black", lw=1)
            right.axvline(first - 0.5, color="black", lw=1)
    _frame(right, 0, (1, col.shape[1]))
    return left.figure


def _side_by_side(image: tuple[int, ...], col: tuple[int, ...], written: bool) -> tuple[Any, Any]:
    """Axes for both: with cells of one size where numbers are written, else of one size."""
    from matplotlib.figure import Figure

    cell = _CELL if written else _SIDE / max(image)
    columns = image[1], col[1] if written else image[1]
    height = max(image[0], col[0]) if written else image[0]
    size = cell * sum(columns) + 1.4, cell * height + 0.8
    axes: Any = Figure(size, layout="constrained").subplots(1, 2, width_ratios=columns)
    return axes[0], axes[1]


def _matrix(ax: Any, values: Array, title: str, limits: tuple[float, float], written: bool) -> None:
    """Colour the cells of a matrix, white the least and dark the largest, and write them in."""
    low, high = limits
    ax.imshow(values, cmap="Blues", vmin=low, vmax=high if high > low else low + 1)
    ax.set_title(title, fontsize=9)
    ax.set_xticks([])
    ax.set_yticks([])
    for i, j in np.ndindex(*values.shape if written else (0, 0)):
        dark = values[i, j] - low > 0.55 * (high - low)
        ax.text(j, i, _short(float(values[i, j])), ha="center", va="center", fontsize=6.5,
                color="white" if dark else "black")  # fmt: skip


def _short(value: float) -> str:
    """Write a number in five characters, two of them decimals."""
    if abs(value) >= 1e4:
        return f"{value:.0e}".replace("e+0", "e")
    if value == round(value) or abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.2f}".replace("-0.00", "0.00")


def _frame(ax: Any, top: int, size: tuple[int, int]) -> None:
    from matplotlib.patches import Rectangle

    height, width = size
    ax.add_patch(Rectangle((-0.5, top - 0.5), width, height, fill=False, ec="crimson", lw=2))
