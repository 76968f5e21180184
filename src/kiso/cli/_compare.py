"""`kiso compare`: a ranked table on standard output, progress on standard error."""

from __future__ import annotations

import json
import os
import shlex
import time as clock
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ._console import err, fail, out
from ._reading import NAMES, load_table, names, reading_options, rows

if TYPE_CHECKING:
    from rich.table import Table as RichTable

    from kiso.comparison import Comparison, Model, Table

UNLIMITED = 10_000  # columns of a file
DRAWING = 10.0  # seconds that the pictures of a page take


@click.command()
@click.argument("data", required=False)
@click.option("--target", "targets", metavar="COLUMN", multiple=True,
              help="The column to predict; several are compared one after the other, each without "
              "the others; without one, a file's rows are grouped.")  # fmt: skip
@click.option("--task", type=click.Choice(["classification", "regression"]),
              help="What to predict; inferred from the target where not given.")  # fmt: skip
@click.option("--metric", help="Score, as scikit-learn names it, or rmse, mae, auc, log_loss. "
              "Default: accuracy or r2.")  # fmt: skip
@click.option("--metrics", multiple=True, metavar="A,B",
              help="Several scores of the same answers; the first ranks.")  # fmt: skip
@click.option("--groups", metavar="COLUMN",
              help="Rows with the same value here (a patient, a user) stay on one side of each "
              "fold.")  # fmt: skip
@click.option("--time", multiple=True, metavar="COLUMN",
              help="Test on what comes after the training rows; several from the coarsest, "
              "as year, month.")  # fmt: skip
@click.option("--gap", type=click.IntRange(min=0), default=0, metavar="N",
              help="With --time: times left out between training and test rows.")  # fmt: skip
@click.option("--rare", type=click.Choice(["drop", "merge"]),
              help="What becomes of classes with fewer rows than folds.")  # fmt: skip
@click.option("--weights", metavar="COLUMN",
              help="How much each row counts, in fits and in scores.")  # fmt: skip
@click.option("--calibrate", type=click.Choice(["sigmoid", "isotonic"]),
              help="Calibrate probabilities on held-out parts of the training rows.")  # fmt: skip
@click.option("--cost", metavar="FP:FN",
              help="What a false positive and a false negative cost, as 1:10: chooses the "
              "threshold of least cost.")  # fmt: skip
@click.option("--positive", metavar="CLASS",
              help="With --cost: the class that is the case. Default: the rarer.")  # fmt: skip
@click.option("--sample", type=click.IntRange(min=0), metavar="N",
              help="Rank on so many rows, 0 for all. Default: 100,000 of more than "
              "200,000.")  # fmt: skip
@click.option("--budget", metavar="TIME", help="Stop after 60s, 2m, ...; say what did not finish.")
@click.option("--folds", type=click.IntRange(min=2),
              help="Folds of the cross-validation. Default: 5.")  # fmt: skip
@click.option("--repeats", type=click.IntRange(min=1),
              help="Repeats with other folds. Default: 3 below 1,000 rows, else 1.")  # fmt: skip
@click.option(
    "--models",
    multiple=True,
    metavar="A,B",
    help="Run these models only (and the baseline); may be repeated.",
)
@click.option(
    "--exclude", multiple=True, metavar="A,B", help="Run all models but these; may be repeated."
)
@click.option(
    "--drop", multiple=True, metavar="A,B", help="Do not use these columns; may be repeated."
)
@reading_options
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True,
              help="The same seed gives the same scores.")  # fmt: skip
@click.option("--report", metavar="FILE.html", type=click.Path(dir_okay=False),
              help="Write a page with pictures, and its data beside it as JSON.")  # fmt: skip
@click.option("--script", metavar="FILE.py", type=click.Path(dir_okay=False),
              help="Write the best model as a Python script that scores the same.")  # fmt: skip
@click.option("--save", metavar="FILE.kiso", type=click.Path(dir_okay=False),
              help="Fit the best model on all rows and write it to a file.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON only.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
def command(
    data: str | None,
    targets: tuple[str, ...],
    task: Any,
    metric: str | None,
    metrics: tuple[str, ...],
    groups: str | None,
    time: tuple[str, ...],
    gap: int,
    rare: Any,
    weights: str | None,
    calibrate: Any,
    cost: str | None,
    positive: str | None,
    sample: int | None,
    budget: str | None,
    folds: int | None,
    repeats: int | None,
    models: tuple[str, ...],
    exclude: tuple[str, ...],
    drop: tuple[str, ...],
    seed: int,
    report: str | None,
    script: str | None,
    save: str | None,
    as_json: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """Which method fits my data, how surely, at what cost, and why.

    DATA is a CSV, TSV or Parquet file (also compressed; - is standard input). Without it, a
    data set that scikit-learn bundles is used; breast_cancer, diabetes, digits, iris and wine
    name them.

    Every suitable method and a baseline are judged on the same folds, each with a small grid
    searched inside the training fold. Exit code 0 if done, 1 if every model failed,
    2 if the command or the data cannot be used, 130 after Ctrl-C, which still prints what is
    known by then.

    Without --target the rows of a file are grouped: how many clusters there are, how surely,
    and what marks each.
    """
    from kiso.comparison import budget_seconds, compare

    if len(targets) > 1:
        _one_by_one(click.get_current_context(), targets)
        return
    target = targets[0] if targets else None
    limit = budget_seconds(budget)  # a mistake in it is said before a large file is read
    began = clock.perf_counter()
    if report is not None:
        _check_report(report)
    for path in (script, save):
        _check_folder(path)
    asked = dict(options)
    table = load_table(data, options)
    watcher = None if quiet or not err().is_terminal else _Bars()
    if not (target or table.default_target):
        asked = {"task": task, "metric": metric, "models": models, "exclude": exclude,
                 "folds": folds, "repeats": repeats, "metrics": metrics, "groups": groups,
                 "time": time, "rare": rare, "weights": weights, "script": script,
                 "save": save, "calibrate": calibrate, "cost": cost,
                 "positive": positive, "sample": sample}  # fmt: skip
        _check_nothing_to_predict(table, [name for name, value in asked.items() if value])
        reserve = _reserve(limit, began, report)
        _group(table, names(drop, table), budget, reserve, seed, report, watcher, as_json=as_json)
        return
    comparison = compare(
        table,
        target,
        task=task,
        metric=metric,
        n_folds=folds or 5,
        n_repeats=repeats,
        budget=budget,
        models=names(models),
        exclude=names(exclude),
        drop=names(drop, table),
        metrics=names(metrics),
        groups=groups,
        time=names(time, table),
        gap=gap,
        rare=rare,
        weights=weights,
        calibrate=calibrate,
        cost=cost,
        positive=positive,
        sample=sample,
        random_state=seed,
        explain=report is not None,
        reserve=_reserve(limit, began, report),
        watcher=watcher,
    )
    given = _Given(data, table, asked, names(drop, table), rare, task)
    comparison.fit_command = given.fit_command(comparison, save)
    if as_json:
        click.echo(json.dumps(_lean(comparison, report), ensure_ascii=False, allow_nan=False))
    else:
        show(comparison)
    if report is not None:
        _write_report(comparison, report)
    given.write(comparison, script, save)
    if comparison.interrupted:
        raise click.exceptions.Exit(130)
    if all(model.status in ("failed", "skipped") for model in comparison.models):
        raise click.exceptions.Exit(1)


def _one_by_one(ctx: click.Context, targets: tuple[str, ...]) -> None:
    """Compare for each target in its turn, the others not being used to predict it."""
    from kiso.comparison import budget_seconds

    for name in ("report", "script", "save"):
        if ctx.params[name]:
            fail(f"--{name} is for one target: give one --target at a time.", 2)
    if ctx.params["data"] == "-":
        fail("standard input can be read once: name a file for several targets.", 2)
    repeated = next((name for name in targets if targets.count(name) > 1), None)
    if repeated is not None:
        fail(f"--target {repeated} is given twice.", 2)
    limit = budget_seconds(ctx.params["budget"])
    budget = None if limit is None else f"{limit / len(targets):g}s"
    for i, target in enumerate(targets):
        if i and not ctx.params["as_json"]:
            click.echo()
        drop = (*ctx.params["drop"], *(other for other in targets if other != target))
        ctx.invoke(command, **{**ctx.params, "targets": (target,), "drop": drop, "budget": budget})


def _check_folder(path: str | None) -> None:
    if path is not None and not Path(path).absolute().parent.is_dir():
        fail(f"{path} cannot be written: name a file in a folder that exists.", 2)


@dataclass
class _Given:
    """What the command line said, as far as a later fit has to say it again."""

    data: str | None
    table: Table
    options: dict[str, Any]
    drop: list[str]
    rare: Any
    task: Any

    def fit_command(self, comparison: Comparison, save: str | None) -> str:
        """Return the command that fits the best model; "" where there is none."""
        best = comparison.best
        if best is None or best.baseline:
            return ""
        model = "+".join(best.members) or best.name
        words = ["kiso", "fit", model, self.data or self.table.name]
        words += ["--target", comparison.data.target]
        words += ["--task", self.task] if self.task else []
        for name in NAMES:
            value = self.options[name]
            if name == "header":
                words += [] if value is None else ["--header" if value else "--no-header"]
            elif isinstance(value, tuple):
                words += [f"--{name}={item}" for item in value]
            elif value:
                words += [f"--{name.replace('_', '-')}={value}"]
        for name in [*self.drop, *comparison.protocol.split_columns[: self._by_groups(comparison)]]:
            words += ["--drop", name]
        words += ["--rare", self.rare] if self.rare else []
        weights = comparison.protocol.weights
        words += ["--weights", weights] if weights else []
        words += self._settings(comparison, best)
        protocol = comparison.protocol
        words += ["--calibrate", protocol.calibrate] if protocol.calibrate else []
        if best.choice is not None:
            words += ["--threshold", f"{best.choice.positive}={best.choice.threshold!r}"]
        words += ["-o", save or f"{model}.kiso"]
        return shlex.join(words)

    def _settings(self, comparison: Comparison, best: Model) -> list[str]:
        """Return --set for what was searched, and for what depends on the target; --seed."""
        models = [m for m in comparison.models if m.name in (best.members or [best.name])]
        words, seed = [], 0
        for model in models:
            prefix = f"{model.name}." if best.members else ""
            for name, value in model.final_settings.items():
                if name == "random_state":
                    seed = value
                elif name in model.grid or isinstance(value, float):
                    words += ["--set", f"{prefix}{name}={_setting(value)}"]
        return [*words, "--seed", str(seed)] if seed else words

    def _by_groups(self, comparison: Comparison) -> int:
        return int(comparison.protocol.splitting == "groups")

    def write(self, comparison: Comparison, script_path: str | None, save: str | None) -> None:
        """Write the script and the fitted model that were asked for."""
        best = comparison.best
        if best is None or not best.settings:
            if script_path or save:
                fail("no model has a score: there is nothing to write.", 1)
            return
        if script_path is not None:
            from kiso.comparison import script
            from kiso.persistence import replace_file

            asked = {**self.options, "drop_rows": rows(self.options["drop_rows"])}
            text = script(comparison, self.data, options=asked, drop=self.drop, rare=self.rare)
            replace_file(script_path, text.encode())
        if save is not None:
            self._save(comparison, best, save)

    def _save(self, comparison: Comparison, best: Model, path: str) -> None:
        from kiso.persistence import save_model, train_model

        protocol = comparison.protocol
        drop = [*self.drop, *protocol.split_columns[: self._by_groups(comparison)]]
        choice = best.choice
        fitted = train_model(
            self.table, comparison.data.target, "+".join(best.members) or best.name,
            task=protocol.task, params=_final(best), drop=drop, rare=self.rare,
            random_state=protocol.seed, weights=protocol.weights or None,
            calibrate=protocol.calibrate or None,  # type: ignore[arg-type]
            threshold=None if choice is None else (choice.positive, choice.threshold),
        )  # fmt: skip
        save_model(fitted, path)
        if err().is_terminal:
            err().print(f"wrote {path}", soft_wrap=True)


def _final(best: Model) -> dict[str, Any]:
    """Return the final settings as `train_model` takes them: of several models "logistic.C"."""
    if not best.members:
        return {k: v for k, v in best.final_settings.items() if k != "random_state"}
    return {
        f"{name}.{k}": v
        for name, settings in best.final_settings.items()
        for k, v in settings.items()
        if k != "random_state"
    }


def _setting(value: Any) -> str:
    return json.dumps(value) if not isinstance(value, str) else value


def _reserve(limit: float | None, began: float, report: str | None) -> float:
    """Return the seconds of the budget that reading took and that drawing the page will take."""
    if limit is None:
        return 0.0
    drawing = min(DRAWING, 0.35 * limit) if report is not None else 0.0
    return min(0.9 * limit, clock.perf_counter() - began + drawing)


def _check_nothing_to_predict(table: Table, asked: list[str]) -> None:
    if not asked:
        return
    names = [str(name) for name in table.frame.columns]
    shown = ", ".join(names[:30]) + (f" and {len(names) - 30} more" if len(names) > 30 else "")
    fail(
        f"--{asked[0]} is for predictions: say with --target which column of {table.name} to "
        f"predict: {shown}",
        2,
    )


def _group(
    table: Table,
    drop: list[str],
    budget: str | None,
    reserve: float,
    seed: int,
    report: str | None,
    watcher: Any,
    *,
    as_json: bool,
) -> None:
    """Find clusters, where there is nothing to predict."""
    from kiso.comparison import find_clusters

    from ._clusters import show_clusters, to_json, write_report

    found = find_clusters(
        table, drop=drop, budget=budget, random_state=seed, reserve=reserve, watcher=watcher
    )
    if as_json:
        click.echo(to_json(found, report))
    else:
        show_clusters(found)
    if report is not None:
        write_report(found, report)
    if found.interrupted:
        raise click.exceptions.Exit(130)


def _check_report(path: str) -> None:
    from kiso.report import check_writable

    try:
        check_writable(path)
    except (OSError, ValueError) as error:
        fail(str(error), 2)


def _write_report(comparison: Comparison, path: str) -> None:
    from kiso.report import write_comparison

    page = write_comparison(comparison, path)
    if err().is_terminal:
        err().print(f"wrote {page} and {page.with_suffix('.json').name}", soft_wrap=True)


def _lean(comparison: Comparison, report: str | None) -> dict[str, Any]:
    """Return the JSON without the rows behind the pictures, which the report's JSON holds."""
    found = comparison.to_dict()
    for model in found["models"]:
        for name in ("rows", "truth", "predicted", "probability"):
            model["diagnostics"][name] = []
    found["report"] = report
    return found


def show(comparison: Comparison) -> None:
    """Print a comparison: what was done, the ranked table, what is to be known, the conclusion."""
    from rich.text import Text

    console = out()
    piped = not console.is_terminal and "COLUMNS" not in os.environ

    def say(lines: list[str]) -> None:
        for line in lines:
            console.print(Text(line), soft_wrap=piped)

    say([*_head(comparison), ""])
    shown: list[str] = []
    if any(model.scores for model in comparison.models):
        table = _fitting(comparison, UNLIMITED if piped else console.width)
        shown = [str(column.header) for column in table.columns]
        if piped:
            console.width = UNLIMITED
        console.print(table)
        say([""])
    fit = [comparison.fit_command] if comparison.fit_command else []
    say([*_remarks(comparison, shown), comparison.conclusion, *fit])


def _head(comparison: Comparison) -> list[str]:
    from kiso.report import words

    data, protocol = comparison.data, comparison.protocol
    used = sum(column.used for column in data.columns)
    train = words.between([n for n, _ in protocol.fold_sizes])
    test = words.between([n for _, n in protocol.fold_sizes])
    folds = f"{protocol.n_folds} folds"
    if protocol.n_repeats > 1:
        folds += f" × {protocol.n_repeats} repeats"
    kind = "stratified " if protocol.stratified else ""
    columns = " and ".join(protocol.split_columns)
    if protocol.splitting == "groups":
        folds += f" by {columns}"
    elif protocol.splitting == "time":
        gap = f", a gap of {protocol.gap} between" if protocol.gap else ""
        folds += f" forward in time by {columns}{gap}"
    ranked = f" (ranked on {protocol.sample_rows:,} of them)" * bool(protocol.sample_rows)
    reason = "as asked" if protocol.task_reason == "given" else protocol.task_reason
    return [
        f"{data.name}: {data.n_rows:,} rows{ranked}, {used} of {len(data.columns)} columns used "
        f"to predict {data.target}",
        f"{protocol.task}, {reason}",
        f"{protocol.metric_label} on held-out rows: {kind}{folds}, {train} rows to fit and "
        f"{test} to score in each; grids searched in {protocol.n_inner_folds} inner folds; "
        f"seed {protocol.seed}",
    ]


# columns in the order in which they are given up where the terminal is narrow
_GIVEN_UP = (
    "95 % interval", "parameters", "memory", "predict", "estimator", "p", "fit", "to best",
    "folds", "±", "",
)  # fmt: skip


def _fitting(comparison: Comparison, width: int) -> RichTable:
    """Return the ranked table, without what does not fit the terminal."""
    from rich.console import Console

    measure = Console(width=UNLIMITED)
    left_out: list[str] = []
    for name in (None, *_GIVEN_UP):
        if name is not None:
            left_out.append(name)
        table = _ranking(comparison, left_out)
        if measure.measure(table).maximum <= width:
            break
    return table


def _ranking(comparison: Comparison, left_out: list[str]) -> RichTable:
    from rich import box
    from rich.table import Table as RichTable
    from rich.text import Text

    rows = [_row(comparison, model, i) for i, model in enumerate(comparison.models) if model.scores]
    table = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    names = [name for name in rows[0] if name not in left_out]
    for name in names:
        left = name in ("model", "estimator")
        table.add_column(name, justify="left" if left else "right", no_wrap=True)
    for row in rows:
        is_best = comparison.best is not None and row["model"] == comparison.best.name
        style = "bold green" if is_best else ""
        table.add_row(*(Text(row[name]) for name in names), style=style)
    return table


def _row(comparison: Comparison, model: Model, place: int) -> dict[str, str]:
    from kiso.report import words

    protocol, gap = comparison.protocol, model.difference
    sign = -1 if protocol.metric.startswith("neg_") else 1
    means = [sign * m.mean for m in comparison.models if m.scores]
    digits = words.decimals(means)
    best = comparison.best
    done = model in comparison.ranked
    compared = gap is not None and best is not None and model is not best
    return {
        "": f"{place + 1}" if done and not model.members else words.NONE,
        "model": model.name,
        "estimator": model.estimator,
        protocol.metric_label: words.fixed(sign * model.mean, digits),
        "±": words.fixed(model.spread, digits),
        **_others(comparison, model),
        **_cost(comparison, model),
        "folds": f"{len(model.scores)}/{len(protocol.fold_sizes)}",
        "to best": words.fixed(gap.mean, digits) if gap and compared else "",
        "95 % interval": (
            f"{words.fixed(gap.low, digits)} to {words.fixed(gap.high, digits)}"
            if gap and compared
            else ""
        ),
        "p": _p_value(gap.p_value) if gap and compared else "",
        "fit": words.seconds(_mean(model.fit_seconds)),
        "predict": words.seconds(_mean(model.predict_seconds)),
        "memory": words.size(model.memory_bytes),
        "parameters": words.count(model.n_parameters),
    }


def _cost(comparison: Comparison, model: Model) -> dict[str, str]:
    """Return the cost of a row on held-out rows, where costs were given."""
    from kiso.report import words

    costs = [m.choice.cost for m in comparison.models if m.choice is not None]
    if not comparison.protocol.cost:
        return {}
    choice = model.choice
    return {
        "cost": words.NONE if choice is None else words.fixed(choice.cost, words.decimals(costs))
    }


def _others(comparison: Comparison, model: Model) -> dict[str, str]:
    """Return the means of the further metrics, by their labels."""
    from kiso.report import words

    found = {}
    for label, name in zip(comparison.protocol.also, _also(comparison), strict=True):
        sign = -1 if name.startswith("neg_") else 1
        means = [_mean(m.other_scores[name]) for m in comparison.models if name in m.other_scores]
        digits = words.decimals(means)
        mean = _mean(model.other_scores.get(name, [float("nan")]))
        found[label] = words.fixed(sign * mean, digits)
    return found


def _also(comparison: Comparison) -> list[str]:
    return next((list(m.other_scores) for m in comparison.models if m.other_scores), [])


def _p_value(p: float) -> str:
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def _mean(values: list[float]) -> float:
    return sum(values) / max(1, len(values))


_MEANINGS = {
    "±": "standard deviation over folds",
    "to best": "mean difference to the best",
    "p": "of that difference, by the corrected resampled t-test",
    "cost": "of a row on held-out rows, with a threshold chosen on the other folds",
    "fit": "search and refit of a fold, the columns being prepared once for all models",
    "memory": "peak that a fit on all rows adds",
}


def _remarks(comparison: Comparison, shown: list[str]) -> list[str]:
    """Return a line for each thing to be known beside the table, which has the columns `shown`."""
    lines = []
    meanings = [f"{name}: {what}" for name, what in _MEANINGS.items() if name in shown]
    if meanings:
        lines.append("; ".join(meanings) + ".")
    lines += _unfinished(comparison)
    for model in comparison.models:
        text = model.message
        if model.members:
            text = f"{model.description[0].lower()}{model.description[1:]}".rstrip(".")
        elif model.status in ("out of budget", "interrupted"):
            text = text.partition("; ")[2]
        elif model.status != "done":
            text = model.status + (f": {text}" * bool(text))
        if text:
            lines.append(f"{model.name}: {text}")
    lines += [f"note: {note}" for note in comparison.data.notes]
    for finding in comparison.data.findings:
        remedy = f" ({finding.remedy})" if finding.remedy else ""
        lines.append(f"warning: {finding.message.rstrip('.')}{remedy}.".replace("?.", "?"))
    if comparison.interrupted:
        lines.append("interrupted: what follows is what was known by then.")
    return [*lines, ""] if lines else []


def _unfinished(comparison: Comparison) -> list[str]:
    """Return a line for all models that lack folds, with those that each has."""
    ends = {"out of budget": "within the budget", "interrupted": "before the interruption"}
    total = len(comparison.protocol.fold_sizes)
    lines = []
    for status, end in ends.items():
        lacking = [m for m in comparison.models if m.status == status and not m.members]
        if lacking:
            listed = ", ".join(f"{m.name} {len(m.scores)}" for m in lacking)
            folds = "1 fold" if total == 1 else f"{total} folds"
            lines.append(f"not finished {end}, of {folds}: {listed}")
    return lines


class _Bars:
    """One progress bar a model, on standard error."""

    def __init__(self) -> None:
        from rich.progress import (
            BarColumn,
            Progress,
            TaskProgressColumn,
            TextColumn,
            TimeElapsedColumn,
        )

        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}", markup=False),
            console=err(),
            transient=True,
        )
        self._tasks: dict[str, Any] = {}

    def begin(self, totals: Mapping[str, int]) -> None:
        for name, total in totals.items():
            self._tasks[name] = self._bars.add_task(name, total=total, start=False, note="")
        self._bars.start()

    def advance(self, name: str, done: float, note: str) -> None:
        task = self._tasks[name]
        self._bars.start_task(task)
        self._bars.update(task, completed=done, note=note)

    def finish(self, name: str, status: str) -> None:
        task = self._tasks[name]
        self._bars.stop_task(task)
        self._bars.update(task, note=status)

    def end(self) -> None:
        self._bars.stop()
