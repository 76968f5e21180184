"""Pictures of one model's fit: learning curve, objective over the steps, largest weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kiso.comparison import Comparison, Model

from .._words import number
from ._measures import axis_label, finite, sign
from ._style import (
    BLUE,
    MUTED,
    PURPLE,
    SMALL,
    VERMILION,
    canvas,
    dress,
    legend,
    logarithmic,
    name_rows,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

N_WEIGHTS = 20
N_STEPS = 400  # points of a line; more cannot be seen


def learning_curve(comparison: Comparison, model: Model) -> Figure:
    """Draw a model's score against the number of rows that it was fitted on.

    Parameters
    ----------
    comparison : Comparison
        What `compare` found; says which metric and gives the baseline.
    model : Model
        One of its models, with a learning curve.

    Returns
    -------
    matplotlib.figure.Figure
        Score on the rows of the fit, and on rows held out. A gap that stays is
        over-fitting; two low lines that meet are under-fitting.

    Raises
    ------
    ValueError
        If the model has no learning curve.

    Examples
    --------
    >>> from kiso.comparison import compare
    >>> from kiso.report import figures
    >>> found = compare("diabetes", models=["ridge"], n_repeats=1)
    >>> figure = figures.learning_curve(found, found.best)
    >>> [line.get_label() for line in figure.axes[0].lines][:2]
    ['rows it was fitted on', 'rows held out']
    """
    curve = model.diagnostics.curve
    if curve is None:
        raise ValueError(f"model {model.name!r} has no learning curve")
    turn = sign(comparison.protocol)
    figure, ax = canvas(2.9)
    rows = np.asarray(curve.train_rows, dtype=float)
    train = turn * np.array([np.nan if v is None else v for v in curve.train_scores], dtype=float)
    test = turn * np.array([np.nan if v is None else v for v in curve.test_scores], dtype=float)
    ax.plot(rows, train, "s--", color=VERMILION, ms=4, linewidth=1.4, label="rows it was fitted on")
    ax.plot(rows, test, "o-", color=BLUE, ms=4.5, linewidth=1.8, label="rows held out")
    base = [float(np.mean(finite(m.scores))) for m in comparison.models
            if m.baseline and len(finite(m.scores))]  # fmt: skip
    drawn = finite([*train, *test])
    if base and len(drawn) and abs(turn * max(base) - drawn.mean()) < 1.5 * (np.ptp(drawn) + 1e-12):
        ax.axhline(turn * max(base), color=MUTED, linewidth=1, linestyle=":", label="baseline")
    dress(ax, title=f"Learning curve: {model.name}",
          xlabel="rows fitted on", ylabel=axis_label(comparison.protocol))  # fmt: skip
    if len(rows) > 1 and rows.max() / max(rows.min(), 1) > 20:
        logarithmic(ax, "x", rows.min(), rows.max(), number)
    legend(ax)
    return figure


def objective(comparison: Comparison, model: Model) -> Figure:
    """Draw the objective of an iterative fit after each of its steps.

    Parameters
    ----------
    comparison : Comparison
        What `compare` found.
    model : Model
        One of its models, with an objective path.

    Returns
    -------
    matplotlib.figure.Figure
        The objective of the final fit against the step. Where it falls over more than two
        decades its axis is logarithmic.

    Raises
    ------
    ValueError
        If the model has no objective path.

    Examples
    --------
    >>> from kiso.comparison import compare
    >>> from kiso.report import figures
    >>> found = compare("iris", models=["logistic"], n_repeats=1, explain=False)
    >>> path = figures.objective(found, found.best).axes[0].lines[0].get_ydata()
    >>> bool(path[-1] < path[0])
    True
    """
    path = np.array([np.nan if v is None else v for v in model.diagnostics.objective], dtype=float)
    if not np.isfinite(path).any():
        raise ValueError(f"model {model.name!r} has no objective path")
    step = np.arange(1, len(path) + 1)
    keep = np.unique(np.linspace(0, len(path) - 1, N_STEPS).round().astype(int))
    figure, ax = canvas(2.9)
    marker = "o-" if len(path) <= 40 else "-"
    ax.plot(step[keep], path[keep], marker, color=PURPLE, ms=3.5, linewidth=1.6)
    known = path[np.isfinite(path)]
    if known.min() > 0 and known.max() / known.min() > 100:
        logarithmic(ax, "y", float(known.min()), float(known.max()), number)
    if len(path) > 200:
        logarithmic(ax, "x", 1, len(path), number)
    elif len(path) > 1:
        ax.xaxis.get_major_locator().set_params(integer=True)  # type: ignore[call-arg]
    dress(ax, title=f"Steps of the fit: {model.name}", xlabel="step",
          ylabel=model.diagnostics.objective_label or "objective")  # fmt: skip
    return figure


def weights(comparison: Comparison, model: Model) -> Figure:
    """Draw the largest weights of a linear model.

    Parameters
    ----------
    comparison : Comparison
        What `compare` found.
    model : Model
        One of its models, with weights.

    Returns
    -------
    matplotlib.figure.Figure
        The 20 weights that are largest in size, in units of a standardised feature: to the
        right they raise the prediction, to the left they lower it.

    Raises
    ------
    ValueError
        If the model has no weights.

    Examples
    --------
    >>> from kiso.comparison import compare
    >>> from kiso.report import figures
    >>> found = compare("diabetes", models=["ridge"], n_repeats=1, explain=False)
    >>> len(figures.weights(found, found.best).axes[0].patches)
    10
    """
    known = [w for w in model.diagnostics.weights if w.value is not None and np.isfinite(w.value)]
    if not known:
        raise ValueError(f"model {model.name!r} has no weights")
    largest = sorted(known, key=lambda w: -abs(w.value))[:N_WEIGHTS]
    figure, ax = canvas(0.9 + 0.21 * max(len(largest), 3))
    values = [w.value for w in largest]
    colours = [BLUE if v >= 0 else VERMILION for v in values]
    ax.barh(range(len(largest)), values, height=0.66, color=colours)
    ax.axvline(0, color=MUTED, linewidth=0.8)
    name_rows(ax, [f"{w.feature} → {w.of}" if w.of else w.feature for w in largest])
    dress(ax, title=f"Largest weights: {model.name}", grid="x", align="right",
          xlabel="weight (for one standard deviation)")  # fmt: skip
    ax.tick_params(axis="y", labelsize=SMALL - 0.5)
    return figure
