"""`python -m benchmarks FAMILY [--only WORD] [--repeats N] [--json FILE]`."""

from __future__ import annotations

import json
import os
import platform
import warnings
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from benchmarks._harness import FAMILIES, Result, cases, measure, versions


def show(result: Result, console: Console) -> None:
    table = Table(title=result.case, title_justify="left", caption_justify="left")
    table.caption = result.settings
    for column in ("contestant", "min s", "median s", "runs", "peak MiB", "objective", "ratio"):
        table.add_column(column, justify="left" if column == "contestant" else "right")
    own = next(t for t in result.timings if t.contestant == "kiso").best
    for t in result.timings:
        if t.absent:
            table.add_row(t.contestant, "absent", "", "", "", "", "")
            continue
        peak = "" if t.peak_mib is None else f"{t.peak_mib:,.0f}"
        table.add_row(
            t.contestant, f"{t.best:.4f}", f"{t.median:.4f}", str(len(t.seconds)), peak,
            f"{t.objective:.9g}", f"{t.best / own:.2f}",
        )  # fmt: skip
    console.print(table)
    goals = [f"{result.ratio():.2f} (target {result.target:g})"]
    goals += [
        f"{result.ratio(p):.2f} against {p} (target {g:g})" for p, g in result.targets.items()
    ]
    verdict = "reached" if result.reached else "NOT reached"
    objective = "" if result.objective_holds else "; kiso's objective is WORSE"
    console.print(f"  best peer / kiso: {', '.join(goals)}: {verdict}{objective}\n")


@click.command()
@click.argument("family", type=click.Choice([*FAMILIES, "distributed", "all"]))
@click.option("--only", default="", help="Only cases whose name contains this.")
@click.option("--repeats", default=5, show_default=True, help="Timed runs of each contestant.")
@click.option("--budget", default=60.0, show_default=True, help="Seconds a contestant may use.")
@click.option("--memory/--no-memory", default=True, help="Peak memory, in a child process each.")
@click.option("--small", is_flag=True, help="distributed: a fiftieth of the rows.")
@click.option("--json", "json_path", type=click.Path(dir_okay=False), help="Write results here.")
def main(
    family: str,
    only: str,
    repeats: int,
    budget: float,
    memory: bool,
    small: bool,
    json_path: str | None,
) -> None:
    """Run kiso and its peers interleaved; print ratios."""
    warnings.filterwarnings("ignore")
    console = Console(width=120)
    console.print(
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores; {versions()}"
    )
    if family == "distributed":
        from benchmarks._distributed import run

        raise SystemExit(0 if run(small=small, console=console) else 1)
    results = []
    for name in FAMILIES if family == "all" else [family]:
        for case in cases(name):
            if only.lower() not in case.name.lower():
                continue
            result = measure(case, family=name if memory else "", repeats=repeats, budget=budget)
            show(result, console)
            results.append({"family": name, **result.to_dict()})
    if json_path:
        content = {"versions": versions(), "cores": os.cpu_count(), "results": results}
        Path(json_path).write_text(json.dumps(content, indent=1))


if __name__ == "__main__":
    main()
