"""Pictures of a convolutional network at work: feature maps, and an image as im2col sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from kiso._validation import Array
from kiso.inspection._images import as_picture, draw

from ._im2col import im2col

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_feature_maps", "plot_im2col"]


def plot_feature_maps(model: Any, image: ArrayLike, *, n_maps: int = 8) -> Figure:
    """Draw an image and what each layer makes of it, a row a layer.

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
    ['image', 'Conv2D(1 → 4, 3×3)', 'ReLU()', 'MaxPool(2×2)']
    """
    x = np.asarray(image)
    if x.ndim != 3:
        raise ValueError(f"image of shape {x.shape}: give (channels, height, width)")
    network = getattr(model, "network_", model)
    a, rows = network.as_input(x[None]), [("image", [as_picture(x)])]
    for layer in network:
        a = layer(a)
        if a.ndim != 4:
            if len(rows) > 1:
                break
            continue
        if not np.array_equal(a[0], x):  # but for layers that only pass the image on
            rows.append((repr(layer), list(a[0, :n_maps])))
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


def plot_im2col(
    image: ArrayLike, filter_shape: Any, *, stride: Any = 1, padding: Any = 0, dilation: Any = 1
) -> Figure:
    """Draw a small image beside its im2col matrix, the numbers written in.

    Row k of the matrix is what the filter sees at output pixel k; the first such window is
    framed in both.

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
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    x = np.asarray(image, dtype=np.float64)
    x = x[None] if x.ndim == 2 else x
    if x.ndim != 3:
        raise ValueError(f"image of shape {x.shape}: give (height, width) or with channels first")
    col = im2col(x[None], filter_shape, stride=stride, padding=padding, dilation=dilation)
    stacked = np.concatenate(list(x), axis=0)  # channels one below the other
    figure = Figure(figsize=(3 + 0.35 * sum(_wide(stacked, col)), 4.5), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=_wide(stacked, col))
    for ax, values, title in (
        (left, stacked, f"image: {' × '.join(map(str, x.shape))}"),
        (right, col, f"im2col: {col.shape[0]} × {col.shape[1]}"),
    ):
        ax.imshow(values, cmap="Blues", vmin=x.min(), vmax=x.max() + (x.max() == x.min()))
        ax.set_title(title, fontsize=9)
        ax.set_xticks([])
        ax.set_yticks([])
        if values.size <= 400:
            for i, j in np.ndindex(*values.shape):
                ax.text(j, i, f"{values[i, j]:g}", ha="center", va="center", fontsize=7)
    right.add_patch(Rectangle((-0.5, -0.5), col.shape[1], 1, fill=False, ec="crimson", lw=2))
    right.set_xlabel("channel, row and column of the filter", fontsize=8)
    right.set_ylabel("output pixel", fontsize=8)
    return figure


def _wide(image: Array, col: Array) -> list[float]:
    return [max(2.0, image.shape[1] / 2), max(4.0, col.shape[1] / 2)]
