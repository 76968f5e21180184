"""The decision surface of a classifier with its margin lines and support vectors."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

import numpy as np

from kiso._validation import Array

from ._regions import colour_plane, grid_over, rows_and_labels, scatter_classes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_margin", "plot_margin_steps"]

_LEVELS = (-1.0, 0.0, 1.0)


def plot_margin(
    model: Any,
    X: Any,
    y: Any = None,
    *,
    ax: Axes | None = None,
    support: Any = None,
    resolution: int = 200,
    margin: float = 0.08,
    marker_size: float = 20.0,
) -> Axes:
    """Draw what a fitted classifier says over the plane, and how surely.

    The plane is coloured by class, as in `plot_decision_regions`. For two classes the lines
    on which the score f is 0 (the boundary, drawn through) and ±1 (the margin, dashed) lie
    on top; for more classes, the boundary and margin of each class. The score is
    `decision_function`, or the logit of `predict_proba` where a classifier has that alone;
    one that has neither gets no lines. Support vectors are circled.

    Parameters
    ----------
    model : classifier with two features
        Fitted.
    X : array-like of shape (n_samples, 2)
        The rows, which set the extent of the picture.
    y : array-like of shape (n_samples,), default=None
        Their classes; None draws no rows.
    ax : matplotlib Axes, default=None
        None draws into a new figure.
    support : array-like of int, or of shape (n_support, 2), default=None
        Row numbers, or the points themselves, to circle. None takes the model's
        `support_vectors_` or, for a linear classifier without them, the rows of X on or
        within the margin, y f(x) ≤ 1; an empty list circles none.
    resolution, margin, marker_size
        As in `plot_decision_regions`.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        If X does not have two columns, or y another length.

    References
    ----------
    Cortes & Vapnik (1995), Support-vector networks.

    Examples
    --------
    >>> from kiso.inspection import plot_margin
    >>> from kiso.svm import LinearSVC
    >>> X, y = [[0.0, 0.0], [1.0, 0.0], [3.0, 0.0], [4.0, 1.0]], [0, 0, 1, 1]
    >>> model = LinearSVC(C=100, loss="hinge", intercept_scaling=10).fit(X, y)
    >>> ax = plot_margin(model, X, y, resolution=50)
    >>> [float(level) for level in ax.collections[0].levels]
    [-1.0, 0.0, 1.0]
    """
    rows, labels = rows_and_labels(X, y)
    grid, across, up = grid_over(rows, margin, resolution)
    classes, colours, ax = colour_plane(model, grid, across, up, labels, ax)
    columns = _score_columns(model, grid)
    for k, scores in enumerate(columns):
        ax.contour(
            across, up, scores.reshape(resolution, resolution), levels=_LEVELS,
            colors=[(0.0, 0.0, 0.0) if len(columns) == 1 else tuple(colours[k])],
            linestyles=["--", "-", "--"], linewidths=[0.9, 1.6, 0.9],
        )  # fmt: skip
    if labels is not None:
        scatter_classes(ax, rows, labels, classes, colours, marker_size)
    circled = _support(model, rows, labels, support)
    if len(circled):
        ax.scatter(
            circled[:, 0], circled[:, 1], 4.5 * marker_size, facecolors="none",
            edgecolors="black", linewidths=1.2, label="support vectors",
        )  # fmt: skip
    ax.set(xlim=(across[0], across[-1]), ylim=(up[0], up[-1]))
    return ax


def plot_margin_steps(
    model: Any,
    X: Any,
    y: Any,
    *,
    panels: int = 6,
    figure: Figure | None = None,
    resolution: int = 120,
) -> Figure:
    """Draw the margin while it is being found: `plot_margin` after some of a fit's steps.

    Parameters
    ----------
    model : classifier with `steps`
        It is fitted here; any iterative classifier of kiso for two features.
    X : array-like of shape (n_samples, 2)
        The rows.
    y : array-like of shape (n_samples,)
        Their classes.
    panels : int, default=6
        Pictures to draw; the steps between the first and the last are chosen evenly in
        the logarithm, as most happens at first.
    figure : matplotlib Figure, default=None
        None makes a new one.
    resolution : int, default=120
        As in `plot_margin`.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    ValueError
        If `panels` is less than 1.

    Examples
    --------
    >>> from kiso.inspection import plot_margin_steps
    >>> from kiso.svm import LinearSVC
    >>> X, y = [[0.0, 0.0], [1.0, 0.0], [3.0, 0.0], [4.0, 1.0]], [0, 0, 1, 1]
    >>> figure = plot_margin_steps(LinearSVC(), X, y, panels=2, resolution=20)
    >>> len(figure.axes)
    2
    """
    from matplotlib.figure import Figure

    if panels < 1:
        raise ValueError(f"panels={panels}: give a number >= 1")
    # each step binds new attributes, so that a shallow copy stays as it is
    fits = [(state, copy(model)) for state in model.steps(X, y)]
    chosen = _spread(len(fits), panels)
    columns = min(3, len(chosen))
    height = -(-len(chosen) // columns)
    figure = figure or Figure(figsize=(4 * columns, 3.6 * height), layout="constrained")
    places = iter(np.ravel(figure.subplots(height, columns, squeeze=False)))
    for number in chosen:
        state, fitted = fits[number - 1]
        ax = plot_margin(fitted, X, y, ax=next(places), resolution=resolution)
        ax.set_title(_caption(number, state), fontsize=9)
    for ax in places:
        ax.remove()
    return figure


def _caption(number: int, state: Any) -> str:
    text = f"step {number}"
    gap = getattr(state, "dual_gap", getattr(state, "gap", None))
    return text if gap is None else f"{text}, duality gap {float(np.sum(gap)):.2g}"


def _spread(n_steps: int, panels: int) -> list[int]:
    """Give at most `panels` step numbers from 1 to n_steps, evenly in the logarithm."""
    wanted = np.geomspace(1, n_steps, min(panels, n_steps)).round().astype(int)
    for i in range(1, len(wanted)):  # near 1 they coincide
        wanted[i] = min(max(wanted[i], wanted[i - 1] + 1), n_steps)
    return sorted(set(wanted.tolist()))


def _score_columns(model: Any, grid: Array) -> list[Array]:
    """Scores of which 0 is the boundary: of two classes one column, else one a class."""
    f = _score(model, grid)
    if f is None:
        return []
    return list(f[:, None].T if f.ndim == 1 else f.T)


def _score(model: Any, rows: Array) -> Array | None:
    if hasattr(model, "decision_function"):
        return np.asarray(model.decision_function(rows), dtype=np.float64)
    if not hasattr(model, "predict_proba"):
        return None
    p = np.clip(np.asarray(model.predict_proba(rows), dtype=np.float64), 1e-12, 1.0)
    logits = np.log(p) - np.log(np.maximum(1.0 - p, 1e-12))
    return logits[:, 1] if p.shape[1] == 2 else logits


def _support(model: Any, rows: Array, labels: Array | None, support: Any) -> Array:
    """Give the points to circle."""
    if support is None:
        known = getattr(model, "support_vectors_", None)
        if known is not None:
            known = known.toarray() if hasattr(known, "toarray") else known
            return np.asarray(known, dtype=np.float64).reshape(-1, 2)
        if labels is None or not hasattr(model, "coef_"):
            return np.empty((0, 2))
        return rows[_within(model, rows, labels)]
    chosen = np.asarray(support)
    if chosen.ndim == 2:
        return chosen.astype(np.float64)
    return rows[chosen.astype(np.intp)]


def _within(model: Any, rows: Array, labels: Array) -> Array:
    """Rows on or within the margin of their own class, to a part in a thousand."""
    f = _score(model, rows)
    if f is None:
        return np.zeros(len(rows), bool)
    if f.ndim == 1:
        return np.where(labels == model.classes_[1], f, -f) <= 1.001
    signs = np.where(labels[:, None] == model.classes_, 1.0, -1.0)
    return np.asarray((signs * f <= 1.001).any(axis=1))
