"""Which pictures the page of a comparison shows, and the caption that says how to read each.

Every caption says on which split and on how many rows its numbers were measured.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from kiso.comparison import Comparison, Model

from . import figures
from ._picture import themed
from ._words import between, count, number, percent
from .figures._measures import (
    MAX_CLASSES,
    MAX_POINTS,
    confusion,
    finite,
    mistakes,
    pairs,
    reliability,
    sign,
)
from .figures._style import WIDTH, shortened

if TYPE_CHECKING:
    from matplotlib.figure import Figure

N_DETAILED = 3  # models whose predictions are drawn
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Picture:
    """A picture of the page, or what kept it from being drawn."""

    svg: Markup
    caption: str
    problem: str = ""
    full: bool = False  # whether it takes the width of the page


@dataclass(frozen=True)
class Part:
    """The pictures of one model."""

    model: Model
    pictures: list[Picture]
    opened: bool


def test_rows(comparison: Comparison) -> str:
    """Say on which rows the scores were measured."""
    p = comparison.protocol
    train, test = [a for a, _ in p.fold_sizes], [b for _, b in p.fold_sizes]
    if not p.fold_sizes:
        return "no fold was measured"
    if len(test) == 1:
        return f"measured on one test split of {between(test)} rows, fitted on the other {between(train)}"  # noqa: E501
    repeats = f", {p.n_repeats} times {p.n_folds}" if p.n_repeats > 1 else ""
    return (
        f"{len(test)} folds{repeats}; each is measured on its {between(test)} test rows by a model "
        f"fitted on its other {between(train)} rows"
    )


def overview(comparison: Comparison) -> list[Picture]:
    """Return the pictures over all models."""
    better = "left" if sign(comparison.protocol) < 0 else "right"
    where = test_rows(comparison)
    wanted: list[tuple[Callable[[Comparison], Figure], str]] = []
    if any(len(finite(m.scores)) for m in comparison.models):
        wanted += [
            (
                figures.scores,
                f"A dot is the score on the test rows of one fold, the bar their mean; further "
                f"{better} is better. Green is the best model, grey the baseline and what did not "
                f"finish; an arrow points to a mean beyond the axis. Measured on: {where}.",
            )
        ]
    if sum(m.difference is not None for m in comparison.models) > 1:
        wanted += [
            (
                figures.differences,
                "How much each model's mean score is behind the best's, with the 95 % interval of "
                "the corrected resampled t-test (Nadeau and Bengio 2003). Filled: the interval "
                "leaves out zero, so that the model is surely worse. Open: the two cannot be told "
                f"apart. Measured on: {where}.",
            )
        ]
    if any(len(finite(m.scores)) and len(finite(m.fit_seconds)) for m in comparison.models):
        wanted += [
            (
                figures.time_against_score,
                "Mean test score against the mean time that one fold took to search the grid and "
                "to fit. Green: no other model is both faster and better. Grey: one is, or this is "
                "the baseline; an arrow points to a score beyond the axis. Measured on: "
                f"{where}.",
            )
        ]
    return [
        picture(lambda draw=draw: draw(comparison), caption, f"a{i}-")  # type: ignore[misc]
        for i, (draw, caption) in enumerate(wanted)
    ]


def of_models(comparison: Comparison) -> list[Part]:
    """Return the pictures of each model that has some; predictions of the best few only."""
    parts = []
    rank = 0
    for i, model in enumerate(comparison.models):
        if model.baseline:
            continue
        detailed = rank < N_DETAILED and bool(model.diagnostics.truth)
        wanted = [*_of_predictions(comparison, model)] if detailed else []
        wanted += _of_fit(comparison, model)
        if not wanted:
            continue
        pictures = [
            picture(lambda draw=draw: draw(comparison, model), caption, f"m{i}-{j}-")  # type: ignore[misc]  # noqa: B023
            for j, (draw, caption) in enumerate(wanted)
        ]
        parts.append(Part(model, pictures, opened=rank < N_DETAILED))
        rank += 1
    return parts


Wanted = tuple[Callable[[Comparison, Model], "Figure"], str]


def _of_predictions(comparison: Comparison, model: Model) -> Iterator[Wanted]:
    if comparison.protocol.task == "regression":
        truth, predicted = pairs(model.diagnostics)
        if len(truth):
            yield from _of_regression(comparison, truth, predicted)
    else:
        yield from _of_classification(comparison, model)


def _of_regression(
    comparison: Comparison, truth: np.ndarray, predicted: np.ndarray
) -> Iterator[Wanted]:
    n, held_out = len(truth), _held_out(comparison, len(truth))
    drawn = (
        f" Of them {count(MAX_POINTS)}, drawn at random (seed {comparison.protocol.seed}), are "
        "shown."
        if n > MAX_POINTS
        else ""
    )
    yield (
        figures.predicted_against_truth,
        "Each dot is a row; on the dashed line the prediction is right, above it too high. "
        f"{held_out}{drawn}",
    )
    errors = truth - predicted
    yield (
        figures.residuals,
        f"Right of the dashed line the truth is higher than predicted. The mean error "
        f"{number(float(np.mean(errors)), 3)} (red line) is the bias; half of the errors are "
        f"smaller than {number(float(np.median(np.abs(errors))), 3)} in size. {held_out}",
    )


def _of_classification(comparison: Comparison, model: Model) -> Iterator[Wanted]:
    full = confusion(comparison, model.diagnostics)
    held_out = _held_out(comparison, full.n_rows)
    right = float(np.trace(full.counts)) / max(full.n_rows, 1)
    k = len(full.names)
    fewer = (
        f" Of {k} classes the {MAX_CLASSES - 1} with most errors stand alone."
        if k > MAX_CLASSES
        else ""
    )
    yield (
        figures.confusion_matrix,
        "A row is the true class, a column the predicted one; blue is right, red is wrong, deeper "
        f"for a larger share of the true class. {percent(right)} are right.{fewer} {held_out}",
    )
    if k > MAX_CLASSES and mistakes(full):
        yield (
            figures.frequent_mistakes,
            "Which class is most often taken for which other: rows, of all that are truly of the "
            f"first. {held_out}",
        )
    curves = figures.events(comparison, model)
    if curves:
        rows = _held_out(comparison, len(curves[0][1]))
        each = " Each class against the rest." if len(curves) > 1 else ""
        dot = " The dot is the threshold of least cost." if model.choice is not None else ""
        yield (
            figures.roc,
            "From the lower left the threshold falls: more cases are found, and more of the other "
            f"rows are called too. On the dashed line a call is chance.{each}{dot} {rows}",
        )
        yield (
            figures.precision_recall,
            "The further the line stays at the top, the fewer calls are false alarms; dotted, the "
            f"share of cases among all rows, which chance has.{each}{dot} {rows}",
        )
    found = reliability(comparison, model.diagnostics)
    if found is not None:
        yield (
            figures.calibration,
            "Ten groups of rows by stated probability (95 % intervals). On the dashed line a "
            "probability means what it says; below it the model is too sure that the event "
            f"happens. Mean distance from the line: {number(found.error, 2)}. "
            f"{_held_out(comparison, found.n_rows)}",
        )


def _of_fit(comparison: Comparison, model: Model) -> Iterator[Wanted]:
    d = model.diagnostics
    if any(i.mean > 0 for i in model.importances):
        yield (
            figures.importance,
            f"How much worse {comparison.protocol.metric_label} is on held-out rows of the last "
            "fold when a column is shuffled among them; mean of 5 shuffles, the line its standard "
            "deviation. Of columns that say the same each alone matters little.",
        )
    if d.dependence:
        yield (
            figures.dependence,
            "The mean prediction for up to 200 held-out rows, when the column has this value in "
            "all of them and the other columns are as they are; ticks below are values of the "
            "table. Where columns go together, some of these rows cannot be.",
        )
    if d.curve is not None and d.curve.train_rows:
        sizes = between([d.curve.train_rows[0], d.curve.train_rows[-1]])
        yield (
            figures.learning_curve,
            f"{d.curve.verdict} Dashed: score on the {sizes} rows that it was fitted on; solid: on "
            f"{count(d.curve.test_rows)} rows held out, both as means over folds. A gap that stays "
            "is over-fitting; two low lines that meet are under-fitting.",
        )
    path = finite(d.objective)
    if len(path) > 1:  # one step is no path
        yield (
            figures.objective,
            f"What the algorithm minimises, after each of its {count(len(d.objective))} steps "
            f"({number(float(path[0]))} to {number(float(path[-1]))}), in "
            f"{_last_fit(comparison, model)}; it is no score.",
        )
    known = [w for w in d.weights if w.value is not None and np.isfinite(w.value)]
    if known:
        yield (
            figures.weights,
            f"The largest weights (up to {figures.N_WEIGHTS}) of "
            f"{_last_fit(comparison, model)}, each for one standard deviation of its feature: to "
            "the right it raises the prediction, to the left it lowers it. Features that go "
            "together share or trade their weight.",
        )


def _last_fit(comparison: Comparison, model: Model) -> str:
    """Say on which rows the fit was made whose path and weights are shown.

    The fit on all rows is the one that memory is measured in; a run that ended before it
    shows the last fold's.
    """
    if model.memory_bytes is None:
        return "the last fit, on the training rows of one fold"
    return f"the final fit on all {count(comparison.data.n_rows)} rows"


def _held_out(comparison: Comparison, n_rows: int) -> str:
    """Say on how many rows of the table a picture of predictions stands."""
    of = f" of the {count(comparison.data.n_rows)}" if n_rows < comparison.data.n_rows else ""
    return f"Measured on {count(n_rows)}{of} rows, each held out from the model that predicts it."


def picture(draw: Callable[[], Figure], caption: str, prefix: str) -> Picture:
    """Draw a picture; one that fails is said so in its place and costs none of the others."""
    try:
        with shortened() as whole:
            figure = draw()
        full = bool(figure.get_size_inches()[0] > 1.3 * WIDTH)
        svg = themed(figure, alt=caption, prefix=prefix, whole=whole)
        return Picture(svg, caption, full=full)
    except Exception as error:
        _log.warning("a picture of the report could not be drawn", exc_info=True)
        return Picture(Markup(), caption, f"This picture could not be drawn: {error}")
