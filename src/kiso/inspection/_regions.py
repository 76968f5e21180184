"""What a classifier says at every point of the plane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kiso._validation import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_decision_regions"]

_BATCH = 1 << 16


def plot_decision_regions(
    model: Any,
    X: Any,
    y: Any = None,
    *,
    ax: Axes | None = None,
    resolution: int = 200,
    margin: float = 0.08,
    marker_size: float = 20.0,
) -> Axes:
    """Colour the plane by the class that a fitted classifier predicts, the rows on top.

    Parameters
    ----------
    model : classifier with two features
        Fitted; anything that has `predict`, of kiso or not. Where it has `classes_` they
        fix the colours.
    X : array-like of shape (n_samples, 2)
        The rows, which set the extent of the picture.
    y : array-like of shape (n_samples,), default=None
        Their classes; None draws no rows.
    ax : matplotlib Axes, default=None
        None draws into a new figure.
    resolution : int, default=200
        Points along each side at which the model is asked.
    margin : float, default=0.08
        Room around the rows, as a share of their extent.
    marker_size : float, default=20
        Area of a row's marker, in points².

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        If X does not have two columns, or y another length.

    Examples
    --------
    >>> from kiso.inspection import plot_decision_regions
    >>> from kiso.neighbors import KNeighborsClassifier
    >>> X, y = [[0.0, 0.0], [1.0, 1.0]], ["a", "b"]
    >>> ax = plot_decision_regions(KNeighborsClassifier(1).fit(X, y), X, y, resolution=20)
    >>> len(ax.collections)  # the rows of each class, over the image of the regions
    2
    """
    rows, labels = rows_and_labels(X, y)
    grid, across, up = grid_over(rows, margin, resolution)
    classes, colours, ax = colour_plane(model, grid, across, up, labels, ax)
    if labels is not None:
        scatter_classes(ax, rows, labels, classes, colours, marker_size)
    return ax


def rows_and_labels(X: Any, y: Any) -> tuple[Array, Array | None]:
    """Check the rows of a picture and their classes."""
    rows = np.asarray(X, dtype=np.float64)
    if rows.ndim != 2 or rows.shape[1] != 2 or len(rows) == 0:
        raise ValueError(f"X of shape {rows.shape}: a plane has two features, and needs a row")
    labels = None if y is None else np.asarray(y)
    if labels is not None and labels.shape != (len(rows),):
        raise ValueError(f"y of shape {labels.shape}: give one class for each of {len(rows)} rows")
    return rows, labels


def grid_over(rows: Array, margin: float, resolution: int) -> tuple[Array, Array, Array]:
    """Give points over the extent of the rows: all of them, and those of either side."""
    low, high = rows.min(axis=0), rows.max(axis=0)
    room = margin * np.where(high > low, high - low, 1.0)
    low, high = low - room, high + room
    across, up = (np.linspace(low[a], high[a], resolution) for a in range(2))
    return np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2), across, up


def colour_plane(
    model: Any, grid: Array, across: Array, up: Array, labels: Array | None, ax: Axes | None
) -> tuple[Array, Array, Axes]:
    """Colour the plane by the class predicted; return classes, their colours, and the axes."""
    found = np.concatenate(
        [
            np.asarray(model.predict(part))
            for part in np.split(grid, range(_BATCH, len(grid), _BATCH))
        ]
    )
    classes = _classes(model, found, labels)
    if ax is None:
        from matplotlib.figure import Figure

        ax = Figure(figsize=(5.5, 5), layout="constrained").subplots()
    colours = _colours(len(classes))
    image = colours[np.searchsorted(classes, found)].reshape(len(up), len(across), 3)
    extent = (across[0], across[-1], up[0], up[-1])
    ax.imshow(0.65 + 0.35 * image, extent=extent, origin="lower", aspect="auto")
    return classes, colours, ax


def scatter_classes(
    ax: Axes, rows: Array, labels: Array, classes: Array, colours: Array, marker_size: float
) -> None:
    """Draw the rows in the colours of their classes."""
    for i, name in enumerate(classes):
        own = rows[labels == name]
        ax.scatter(
            own[:, 0], own[:, 1], marker_size, color=[tuple(colours[i])], label=str(name),
            edgecolors="black", linewidths=0.4,
        )  # fmt: skip


def _classes(model: Any, found: Array, labels: Array | None) -> Array:
    known = getattr(model, "classes_", None)
    if known is None:
        known = found
    return np.unique(
        np.concatenate([np.asarray(known), found, found if labels is None else labels])
    )


def _colours(n: int) -> Array:
    from matplotlib import colormaps

    table = colormaps["tab10" if n <= 10 else "tab20"]
    return np.array([table(i % table.N)[:3] for i in range(n)])
