"""Pictures of k-means at work, and an animated GIF of a run."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from kiso._gate import check_array
from kiso._gif import write_gif
from kiso._validation import FLOATS, Array

from ._assignment import nearest_centers
from ._lloyd import LloydState
from ._mini_batch import MiniBatchState
from ._rows import Rows
from ._seeding import SeedingState

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["animate", "plot_clusters"]


def plot_clusters(X: Any, state: Any, ax: Axes | None = None) -> Axes:
    """Draw rows and centres in the plane of the first two features.

    After a seed each row is as large as its chance to be the next one, D² / φ; during
    Lloyd's algorithm rows have the colour of their cluster.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        The rows; at least two features.
    state : SeedingState, LloydState, MiniBatchState or fitted estimator
        What to draw: a state of `steps`, or anything fitted with `cluster_centers_`.
    ax : matplotlib Axes or None, default=None
        Where to draw; None makes a new figure (`ax.figure`).

    Returns
    -------
    matplotlib Axes
        The axis drawn on.

    Raises
    ------
    ValueError
        If X has fewer than two features, or other rows than the state.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.cluster import KMeans, plot_clusters
    >>> X = np.random.default_rng(0).standard_normal((50, 2))
    >>> ax = plot_clusters(X, KMeans(3, random_state=0).fit(X))
    """
    X = check_array(X, dtype=FLOATS, input_name="X")
    if X.shape[1] < 2:
        raise ValueError(f"X of shape {X.shape}: a picture needs rows of two or more features.")
    centers, labels, title = _described(X, state)
    size = np.full(len(labels), 9.0)
    if isinstance(state, SeedingState):
        share = state.closest / state.inertia if state.inertia > 0 else np.zeros(len(labels))
        size = 4 + 120 * share / max(share.max(), 1e-300)
    if not len(labels) == len(size) == len(X):
        raise ValueError(f"X has {len(X)} rows, the state {len(size)}: give the rows it is of.")
    if ax is None:
        from matplotlib.figure import Figure

        ax = Figure(figsize=(5, 5), layout="constrained").subplots()
    ax.scatter(X[:, 0], X[:, 1], s=size, c=labels % 10, cmap="tab10", vmin=0, vmax=9, lw=0)
    ax.scatter(centers[:, 0], centers[:, 1], s=110, c="white", marker="o", edgecolors="black")
    ax.scatter(centers[:, 0], centers[:, 1], s=45, c="black", marker="x")
    ax.set(xticks=[], yticks=[])
    ax.set_title(title, fontsize=9)
    return ax


def _described(X: Array, state: Any) -> tuple[Array, Array, str]:
    """Centres, the cluster of each row, and what to write above them."""
    if isinstance(state, LloydState):
        title = f"iteration {state.n_iter}: φ = {state.inertia:.4g}, {state.n_changed} changed"
        return state.centers, state.labels, title
    if isinstance(state, SeedingState):
        centers, title = state.centers, f"seed {len(state.centers)}: φ = {state.inertia:.4g}"
    elif isinstance(state, MiniBatchState):
        centers = state.centers
        title = f"batch {state.n_iter}: mean squared distance {state.inertia:.4g}"
    else:
        check_is_fitted(state, "cluster_centers_")
        title = f"φ = {state.inertia_:.4g}"
        if hasattr(state, "labels_"):
            return state.cluster_centers_, state.labels_, title
        centers = state.cluster_centers_
    return centers, nearest_centers(Rows(X.astype(centers.dtype, copy=False)), centers), title


def animate(
    X: Any,
    states: Iterable[Any],
    path: str | Path,
    *,
    seconds: float = 0.6,
    hold: float = 2.0,
    dpi: int = 80,
) -> int:
    """Write a run as an animated GIF: one frame a state.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        The rows.
    states : iterable of SeedingState, LloydState or MiniBatchState
        `model.steps(X)`, or a list of its states.
    path : str or Path
        The file to write.
    seconds, hold : float, default 0.6 and 2.0
        How long a frame, and the last one, stays.
    dpi : int, default=80
        Dots per inch; a frame is 5 inches wide.

    Returns
    -------
    int
        Frames written.

    Raises
    ------
    ValueError
        If there are no states.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from kiso.cluster import KMeans, animate
    >>> X = np.random.default_rng(0).standard_normal((50, 2))
    >>> states = list(KMeans(3, random_state=0).steps(X))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     animate(X, states, Path(folder) / "run.gif") == len(states)
    True
    """
    count = write_gif((_frame(X, s) for s in states), path, seconds=seconds, hold=hold, dpi=dpi)
    if not count:
        raise ValueError("states is empty: give the states of KMeans.steps(X).")
    return count


def _frame(X: Any, state: Any) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 5), layout="constrained")
    plot_clusters(X, state, figure.subplots())
    return figure
