"""What `kiso compare` prints where there is no column to predict: the clusters of the rows."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from ._console import err, out

if TYPE_CHECKING:
    from kiso.comparison import Cluster, Clustering

UNLIMITED = 10_000  # columns of a file
N_TRAITS = 3


def to_json(found: Clustering, report: str | None) -> str:
    """Return the results without what only the pictures need."""
    lean: dict[str, Any] = found.to_dict()
    for name in ("points", "point_rows", "point_labels"):
        del lean[name]
    lean["report"] = report
    return json.dumps(lean, ensure_ascii=False, allow_nan=False)


def write_report(found: Clustering, path: str) -> None:
    """Write the page, and say so to who watches."""
    from kiso.report import write_clusters

    page = write_clusters(found, path)
    if err().is_terminal:
        err().print(f"wrote {page} and {page.with_suffix('.json').name}", soft_wrap=True)


def show_clusters(found: Clustering) -> None:
    """Print what was done, a row for each cluster, what is to be known, the conclusion."""
    from rich import box
    from rich.table import Table as RichTable
    from rich.text import Text

    console = out()
    piped = not console.is_terminal and "COLUMNS" not in os.environ

    def say(lines: list[str]) -> None:
        for line in lines:
            console.print(Text(line), soft_wrap=piped)

    used = sum(column.used for column in found.data.columns)
    say(
        [
            f"{found.data.name}: {found.data.n_rows:,} rows, {used} of "
            f"{len(found.data.columns)} columns used",
            "no --target: the rows are grouped by k-means; name a column with --target to "
            "predict it",
            f"k of the largest mean silhouette among 2 to {found.ks[-1]}, on "
            f"{found.n_choice_rows:,} rows; seed {found.seed}",
            "",
        ]
    )
    table = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in ("cluster", "rows", "silhouette", "stability"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("what marks it, in standard deviations from all rows")
    for i, cluster in enumerate(found.clusters):
        table.add_row(*(Text(cell) for cell in _row(i, cluster)))
    if piped:
        console.width = UNLIMITED
    console.print(table)
    say(["", *_remarks(found), "", found.conclusion])


def _row(place: int, cluster: Cluster) -> list[str]:
    from kiso.report import words

    marks = [f"{t.feature} {_signed(t.deviations)}" for t in cluster.traits[:N_TRAITS]]
    return [
        f"{place + 1}",
        words.count(cluster.n_rows),
        words.fixed(cluster.silhouette, 2),
        words.fixed(cluster.stability, 2),
        ", ".join(marks) or words.NONE,
    ]


def _signed(deviations: float) -> str:
    from kiso.report import words

    return ("+" if deviations > 0 else "") + words.fixed(deviations, 1)


def _remarks(found: Clustering) -> list[str]:
    lines = [
        "silhouette: how much nearer its rows are to each other than to the next cluster, -1 to "
        f"1; stability: overlap with its likeness in {found.n_refits} refits to half of the rows."
    ]
    lines += [f"note: {note}" for note in found.data.notes]
    lines += [
        f"warning: {finding.message.rstrip('.')} ({finding.remedy})."
        for finding in found.data.findings
    ]
    if found.interrupted:
        lines.append("interrupted: what follows is what was known by then.")
    elif not found.complete:
        lines.append("out of budget: the stability was not measured in full.")
    return lines
