"""Pictures of images: filters as tiles, and what a classifier is most wrong about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from kiso._validation import Array

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["as_picture", "draw", "plot_filters", "plot_worst_images"]


def plot_filters(W: ArrayLike, *, n_columns: int = 10) -> Figure:
    """Draw the filters of a convolution, one tile each.

    Filters of three channels are drawn in colour, those of one in grey; of others the mean
    over the channels. Each is scaled by itself, 0 in the middle grey.

    Parameters
    ----------
    W : array-like of shape (n_out, n_in, FH, FW)
        `layer.W` of a `kiso.nn.Conv2D`.
    n_columns : int, default=10
        Tiles side by side.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    ValueError
        If W has another number of axes.

    Examples
    --------
    >>> from kiso.inspection import plot_filters
    >>> len(plot_filters(np.ones((5, 3, 3, 3)), n_columns=3).axes)
    5
    """
    filters = np.asarray(W, dtype=np.float64)
    if filters.ndim != 4 or 0 in filters.shape:
        raise ValueError(f"W of shape {filters.shape}: give (n_out, n_in, height, width)")
    pictures = np.stack([f if len(f) == 3 else f.mean(axis=0, keepdims=True) for f in filters])
    size = np.abs(pictures).max(axis=(1, 2, 3), keepdims=True)
    tiles = 0.5 + 0.5 * pictures / np.where(size > 0, size, 1)
    n_in = filters.shape[1]
    of = f", means over {n_in} channels" if n_in not in (1, 3) else ""
    title = f"{len(tiles)} filters{of}\neach by its largest weight, 0 is the middle grey"
    return _tiles([as_picture(tile) for tile in tiles], n_columns, title)


def plot_worst_images(model: Any, X: ArrayLike, y: ArrayLike, *, n_images: int = 12) -> Figure:
    """Draw the confusion matrix, and the images that a classifier is most wrong about.

    The worst are those of the smallest probability of their own class, p(y_i | x_i).

    Parameters
    ----------
    model : classifier
        Fitted, with `predict_proba` and `classes_`.
    X : array-like of shape (n, channels, height, width), or rows the model knows as images
        For rows the model needs `image_shape_`.
    y : array-like of shape (n,)
        The true classes.
    n_images : int, default=12

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    ValueError
        If the shape of the images is not known, or y holds a class that the model does not.

    Examples
    --------
    >>> from kiso.inspection import plot_worst_images
    >>> from kiso.neural_network import ConvClassifier
    >>> X, y = np.eye(16).reshape(16, 1, 4, 4), np.arange(16) % 3
    >>> model = ConvClassifier("conv 2 3x3, relu", max_iter=1, random_state=0).fit(X, y)
    >>> len(plot_worst_images(model, X, y, n_images=4).axes)
    5
    """
    from matplotlib.figure import Figure

    p, images, y = np.asarray(model.predict_proba(X)), np.asarray(X), np.asarray(y)
    if images.ndim == 2 and hasattr(model, "image_shape_"):
        images = images.reshape(len(images), *model.image_shape_)
    if images.ndim != 4:
        raise ValueError(f"X of shape {images.shape}: give (n, channels, height, width)")
    classes = np.asarray(model.classes_)
    true = np.searchsorted(classes, y)
    if y.shape != (len(p),) or (classes[np.minimum(true, len(classes) - 1)] != y).any():
        raise ValueError(f"y of shape {y.shape}: give one of {classes} for each of {len(p)} images")
    guess = p.argmax(axis=1)
    counts = np.zeros((len(classes), len(classes)), dtype=int)
    np.add.at(counts, (true, guess), 1)
    worst = np.argsort(p[np.arange(len(p)), true], kind="stable")[:n_images]
    n_columns = max(1, int(np.ceil(np.sqrt(len(worst)))))
    figure = Figure(figsize=(9, 4.6), layout="constrained")
    halves: Any = figure.subfigures(1, 2, width_ratios=[1, 1.1])
    left, right = halves
    _confusion(left.subplots(), counts, classes)
    for place, i in enumerate(worst):
        ax = right.add_subplot(-(-len(worst) // n_columns), n_columns, place + 1)
        draw(ax, as_picture(images[i]))
        text = f"{classes[true[i]]} as {classes[guess[i]]}, p = {p[i, true[i]]:.2g}"
        ax.set_title(text, fontsize=6, color="crimson" if guess[i] != true[i] else "black")
    right.suptitle("least probable of their own class", fontsize=9)
    return figure


def _confusion(ax: Any, counts: Array, classes: Array) -> None:
    shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    ax.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for i, j in np.ndindex(*counts.shape):
        if counts[i, j] and len(classes) <= 20:
            colour = "white" if shares[i, j] > 0.5 else "black"
            ax.text(j, i, counts[i, j], ha="center", va="center", fontsize=7, color=colour)
    ax.set_xticks(range(len(classes)), [str(c) for c in classes], fontsize=7, rotation=45)
    ax.set_yticks(range(len(classes)), [str(c) for c in classes], fontsize=7)
    ax.set_xlabel("predicted")
    ax.set_ylabel("true")
    ax.set_title(f"{np.trace(counts)} of {counts.sum()} right", fontsize=9)


def _tiles(pictures: list[Array], n_columns: int, title: str) -> Figure:
    from matplotlib.figure import Figure

    columns = min(n_columns, len(pictures))
    rows = -(-len(pictures) // columns)
    figure = Figure(figsize=(max(3.2, 0.8 * columns + 0.3), 0.8 * rows + 0.6), layout="constrained")
    for place, picture in enumerate(pictures):
        draw(figure.add_subplot(rows, columns, place + 1), picture, limits=(0, 1))
    figure.suptitle(title, fontsize=9)
    return figure


def as_picture(image: Array) -> Array:
    """Return (channels, height, width) as what is drawn: colours, or one channel."""
    if len(image) == 3:
        low, high = min(0.0, float(image.min())), max(1.0, float(image.max()))
        return np.moveaxis((image - low) / (high - low), 0, -1)
    return np.asarray(image.mean(axis=0))


def draw(ax: Any, values: Array, limits: tuple[float, float] | None = None) -> None:
    """Show an image without axes, from its darkest to its brightest pixel."""
    low, high = limits or (float(values.min()), float(values.max()))
    ax.imshow(values, cmap="gray", vmin=low, vmax=high if high > low else low + 1)
    ax.set_xticks([])
    ax.set_yticks([])
