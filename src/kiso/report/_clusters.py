"""The page of a clustering: how many groups, how surely, and what marks each."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from kiso.comparison import Clustering, Trait

from . import figures
from ._files import check_writable, render, to_json, write_text
from ._gallery import picture
from ._words import count, fixed, number, percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def write_clusters(found: Clustering, path: str | os.PathLike[str]) -> Path:
    """Write a clustering as one self-contained HTML file, and its data as JSON beside it.

    Parameters
    ----------
    found : Clustering
        What `find_clusters` found.
    path : path-like
        The page, in a folder that exists; `report.html` brings `report.json`, which holds
        `found.to_dict()`.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    ValueError
        If the path ends in `.json`.
    OSError
        If it cannot be written; the message says why.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from kiso.comparison import find_clusters, load
    >>> from kiso.report import write_clusters
    >>> found = find_clusters(load("iris"), drop=["species"])
    >>> with TemporaryDirectory() as folder:
    ...     page = write_clusters(found, Path(folder, "report.html"))
    ...     print(page.name, page.with_suffix(".json").exists())
    report.html True
    """
    target = check_writable(path)
    page = render(
        "clusters.html",
        title=f"What groups are there in {found.data.name}?",
        c=found,
        pictures=[
            picture(lambda draw=draw: draw(found), caption, f"c{i}-")  # type: ignore[misc]
            for i, (draw, caption) in enumerate(_wanted(found))
        ],
        used=sum(column.used for column in found.data.columns),
        trait=trait,
        fixed=fixed,
    )
    write_text(target.with_suffix(".json"), to_json(found.to_dict()))
    write_text(target, page)
    return target


def trait(of: Trait) -> str:
    """Say what a cluster has more or less of: "price 310 (all rows 205)"."""
    write = percent if of.share else number
    return f"{of.feature} {write(of.inside)} (all rows {write(of.whole)})"


def _wanted(found: Clustering) -> list[tuple[Callable[[Clustering], Figure], str]]:
    chosen_on = f"Measured on {count(found.n_choice_rows)} rows, k-means from 3 seedings each."
    drawn = len(found.points)
    part = (
        "" if drawn == found.data.n_rows else f" {count(drawn)} rows, drawn at random, are shown."
    )
    axes = "; ".join(
        f"{name}: {axis}" for name, axis in zip(("across", "up"), found.axes, strict=False)
    )
    return [
        (
            figures.choice_of_k,
            "Above, how much nearer rows are to their own cluster than to the next (silhouette, -1 "
            "to 1): the largest decides. Below, how much tighter the clusters are than those of "
            "rows without clusters (gap statistic, with its standard error): the first that the "
            f"next does not surely exceed is what it would take. {chosen_on}",
        ),
        (
            figures.cluster_scatter,
            f"The plane in which the prepared columns vary most. What the axes are made of, "
            f"{axes}. Clusters that overlap here may be apart in other directions.{part}",
        ),
        (
            figures.cluster_profiles,
            "How far a cluster's mean is from the mean of all rows, in standard deviations over "
            "all rows; for a category, its share. A dot for every cluster, a row for each feature "
            "that marks one.",
        ),
    ]
