"""Pictures of clusters: the choice of k, the rows in a plane, what marks each cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kiso.comparison import Clustering

from .._words import percent
from ._style import (
    BLUE,
    GREEN,
    GRID,
    INK,
    MUTED,
    PAPER,
    PURPLE,
    SMALL,
    VERMILION,
    canvas,
    dress,
    legend,
    name_rows,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAX_FEATURES = 14
_COLOURS = (BLUE, VERMILION, GREEN, PURPLE, INK, MUTED)
_MARKERS = ("o", "s", "^")


def _look(cluster: int) -> tuple[str, str]:
    """Colour and marker: no two of 18 clusters look alike."""
    return _COLOURS[cluster % 6], _MARKERS[cluster // 6 % 3]


def choice_of_k(found: Clustering) -> Figure:
    """Draw the mean silhouette and the gap statistic against the number of clusters.

    Parameters
    ----------
    found : Clustering
        What `find_clusters` found.

    Returns
    -------
    matplotlib.figure.Figure
        The number that was chosen is marked by a dashed line.

    Examples
    --------
    >>> from kiso.comparison import find_clusters, load
    >>> from kiso.report import figures
    >>> found = find_clusters(load("iris"), drop=["species"])
    >>> len(figures.choice_of_k(found).axes)
    2
    """
    from matplotlib.ticker import MaxNLocator

    figure, upper = canvas(3.8)
    upper.remove()
    upper, lower = figure.subplots(2, 1, sharex=True)
    upper.plot(found.ks, found.silhouette, "o-", ms=4, color=BLUE)
    lower.errorbar(found.ks, found.gap, found.gap_error, fmt="s-", ms=4, color=GREEN, capsize=2)
    for ax, name in ((upper, "mean silhouette"), (lower, "gap statistic")):
        ax.axvline(found.k, color=MUTED, linestyle="--", linewidth=1)
        dress(ax, title="How many clusters", ylabel=name)
    lower.set_xlabel("number of clusters", fontsize=SMALL + 1, color=INK)
    lower.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


def cluster_scatter(found: Clustering) -> Figure:
    """Draw rows in the plane of the two principal components, coloured by cluster.

    Parameters
    ----------
    found : Clustering
        What `find_clusters` found.

    Returns
    -------
    matplotlib.figure.Figure
        A dot a row, the number of each cluster at its centre.

    Examples
    --------
    >>> from kiso.comparison import find_clusters, load
    >>> from kiso.report import figures
    >>> found = find_clusters(load("iris"), drop=["species"])
    >>> figures.cluster_scatter(found).axes[0].get_xlabel()
    'first component, 73 % of the variance'
    """
    points, labels = np.array(found.points), np.array(found.point_labels)
    figure, ax = canvas(3.8)
    for cluster, center in enumerate(found.centers):
        colour, marker = _look(cluster)
        mine = points[labels == cluster]
        ax.plot(mine[:, 0], mine[:, 1], marker, ms=3.2, mew=0, color=colour, alpha=0.55)
        disc = {"boxstyle": "circle,pad=0.25", "facecolor": colour, "edgecolor": PAPER}
        ax.text(center[0], center[1], str(cluster + 1), fontsize=SMALL, fontweight="bold",
                color=PAPER, ha="center", va="center", bbox=disc)  # fmt: skip
    names = [
        f"{name} component, {percent(share)} of the variance"
        for name, share in zip(("first", "second"), found.explained, strict=False)
    ]
    dress(ax, title="The rows and their clusters", xlabel=names[0], ylabel="".join(names[1:]))
    return figure


def cluster_profiles(found: Clustering) -> Figure:
    """Draw how far each cluster's means are from those of all rows.

    Parameters
    ----------
    found : Clustering
        What `find_clusters` found.

    Returns
    -------
    matplotlib.figure.Figure
        A row a feature, those that mark the clusters most at the top; a dot for every
        cluster.

    Examples
    --------
    >>> from kiso.comparison import find_clusters, load
    >>> from kiso.report import figures
    >>> found = find_clusters(load("iris"), drop=["species"])
    >>> [tick.get_text() for tick in figures.cluster_profiles(found).axes[0].get_yticklabels()][0]
    'petal length (cm)'
    """
    away: dict[str, float] = {}
    for cluster in found.clusters:
        for trait in cluster.traits:
            away[trait.feature] = max(away.get(trait.feature, 0.0), abs(trait.deviations))
    names = sorted(away, key=lambda name: (-away[name], name))[:MAX_FEATURES]
    figure, ax = canvas(1.4 + 0.27 * max(len(names), 2))
    ax.axvline(0, color=MUTED, linewidth=1)
    for row, name in enumerate(names):
        means = found.profile[name]
        ax.hlines(row, min(means), max(means), color=GRID, linewidth=2)
    for i in range(len(found.clusters)):
        colour, marker = _look(i)
        at = [found.profile[name][i] for name in names]
        ax.plot(at, range(len(names)), marker, ms=6, color=colour, mec=PAPER, mew=0.6,
                label=f"{i + 1}")  # fmt: skip
    name_rows(ax, names)
    dress(
        ax, title="What marks each cluster", xlabel="standard deviations from all rows", grid="x",
        align="right",
    )  # fmt: skip
    legend(ax, title="cluster", loc="upper left", bbox_to_anchor=(1.0, 1.0), title_fontsize=SMALL)
    ax.get_legend().get_title().set_color(INK)  # type: ignore[union-attr]
    return figure
