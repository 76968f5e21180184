"""Pictures of one model's columns and probabilities: importance, dependence, ROC, precision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from kiso.comparison import Comparison, Dependence, Model

from .._words import number
from ._measures import Floats
from ._style import (
    BLUE,
    CYCLE,
    GRID,
    INK,
    MUTED,
    SMALL,
    TEXT,
    VERMILION,
    WIDTH,
    canvas,
    dress,
    legend,
    name_rows,
    plain,
    short,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

N_COLUMNS = 12
MAX_LINES = 6  # classes that a picture of curves can show
_N_POINTS = 300


def events(comparison: Comparison, model: Model) -> list[tuple[str, Any, Floats]]:
    """Return (class, whether it happened, its probability) for each class that has a curve.

    Of two classes the case (or else the rarer one) alone; of more up to six, the most frequent.
    """
    names = comparison.data.class_names
    p = np.asarray(model.diagnostics.probability, dtype=np.float64)
    truth = np.array([str(value) for value in model.diagnostics.truth])
    if p.ndim != 2 or p.shape != (len(truth), len(names)):
        return []
    counts = comparison.data.class_counts
    order = [int(c) for c in np.argsort(-np.asarray(counts), kind="stable")][:MAX_LINES]
    if len(names) == 2:
        case = model.choice.positive if model.choice is not None else names[order[-1]]
        order = [names.index(case)]
    found = []
    for c in order:
        happened = truth == names[c]
        if 0 < happened.sum() < len(happened) and np.isfinite(p[:, c]).all():
            found.append((names[c], happened, p[:, c]))
    return found


def roc(comparison: Comparison, model: Model) -> Figure:
    """Draw the share of cases found against the share of false alarms, over all thresholds.

    Parameters
    ----------
    comparison : Comparison
        What `compare` found.
    model : Model
        One of its models, with held-out probabilities.

    Returns
    -------
    matplotlib.figure.Figure
        A line a class (of two the case alone), each against the rest, with its area; the
        threshold of least cost as a dot, where costs were given.

    Raises
    ------
    ValueError
        If the model gave no probabilities.

    Examples
    --------
    >>> from kiso.comparison import compare
    >>> from kiso.report import figures
    >>> found = compare("breast_cancer", models=["logistic"], n_repeats=1, explain=False)
    >>> figures.roc(found, found.best).axes[0].get_xlabel()
    'share of the other rows called (false alarms)'
    """
    figure, ax = canvas(3.6)
    ax.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle="--")
    lines = _events(comparison, model)
    for i, (name, happened, p) in enumerate(lines):
        x, y, _ = roc_curve(happened, p)
        label = f"{short(name, 18)}: area {roc_auc_score(happened, p):.3f}"
        _line(ax, x, y, i, label)
        choice = model.choice
        if choice is not None and choice.positive == name:
            called = p >= choice.threshold
            _dot(ax, called[~happened].mean(), called[happened].mean(), choice.threshold)
    ax.set_aspect("equal")
    ax.set_xlim(-0.02, 1.02)
    ax.set_ylim(-0.02, 1.02)
    legend(ax, loc="lower right")
    dress(ax, title=f"Cases found and false alarms: {model.name}",
          xlabel="share of the other rows called (false alarms)",
          ylabel="share of the cases found")  # fmt: skip
    return figure


def precision_recall(comparison: Comparison, model: Model) -> Figure:
    """Draw the share of calls that are right against the share of cases found.

    Parameters
    ----------
    comparison : Comparison
        What `compare` found.
    model : Model
        One of its models, with held-out probabilities.

    Returns
    -------
    matplotlib.figure.Figure
        A line a class with its average precision; the dotted line is the share of cases in
        all rows, which calling at random has.

    Raises
    ------
    ValueError
        If the model gave no probabilities.

    Examples
    --------
    >>> from kiso.comparison import compare
    >>> from kiso.report import figures
    >>> found = compare("breast_cancer", models=["logistic"], n_repeats=1, explain=False)
    >>> figures.precision_recall(found, found.best).axes[0].get_ylabel()
    'share of the calls that are right'
    """
    figure, ax = canvas(3.6)
    for i, (name, happened, p) in enumerate(_events(comparison, model)):
        order = np.argsort(-p, kind="stable")
        last = np.append(np.diff(p[order]) != 0, True)  # of equal probabilities all are called
        found = np.cumsum(happened[order])[last]
        called = (np.arange(len(p)) + 1)[last]
        ap = average_precision_score(happened, p)
        label = f"{short(name, 18)}: average {ap:.3f}"
        _line(ax, found / happened.sum(), found / called, i, label)
        ax.axhline(float(happened.mean()), color=CYCLE[i], linewidth=1, linestyle=":")
        choice = model.choice
        if choice is not None and choice.positive == name:
            now = p >= choice.threshold
            if now.any():
                _dot(ax, now[happened].mean(), happened[now].mean(), choice.threshold)
    ax.set_xlim(-0.02, 1.02)
    ax.set_ylim(-0.02, 1.05)
    legend(ax, loc="best")
    dress(ax, title=f"Precision and recall: {model.name}", xlabel="share of the cases found",
          ylabel="share of the calls that are right")  # fmt: skip
    return figure


def importance(comparison: Comparison, model: Model) -> Figure:
    """Draw how far a model's held-out score falls when a column is shuffled.

    Parameters
    ----------
    comparison : Comparison
        What `compare` found.
    model : Model
        One of its models, with importances.

    Returns
    -------
    matplotlib.figure.Figure
        A bar a column, up to 12, with the standard deviation over the shuffles.

    Raises
    ------
    ValueError
        If the model has no importances.

    Examples
    --------
    >>> from kiso.comparison import compare
    >>> from kiso.report import figures
    >>> found = compare("diabetes", models=["ridge"], n_repeats=1, explain=False)
    >>> axes = figures.importance(found, found.best).axes[0]
    >>> axes.get_yticklabels()[0].get_text() in ("bmi", "s5")
    True
    """
    shown = model.importances[:N_COLUMNS]
    if not shown:
        raise ValueError(f"model {model.name!r} has no importances")
    figure, ax = canvas(1.0 + 0.25 * max(len(shown), 3))
    rows = np.arange(len(shown))
    means = np.array([found.mean for found in shown])
    ax.barh(rows, means, height=0.6, color=BLUE)
    spreads = np.array([found.spread for found in shown])
    ax.hlines(rows, means - spreads, means + spreads, color=INK, linewidth=1.2)
    ax.axvline(0, color=MUTED, linewidth=1)
    name_rows(ax, [found.column for found in shown])
    what = "rise" if comparison.protocol.metric.startswith("neg_") else "fall"
    dress(ax, title=f"Columns that matter: {model.name}",
          xlabel=f"{what} of {comparison.protocol.metric_label}", grid="x",
          align="right")  # fmt: skip
    return figure


def dependence(comparison: Comparison, model: Model) -> Figure:
    """Draw how the mean prediction changes with each of the strongest columns.

    Parameters
    ----------
    comparison : Comparison
        What `compare` found.
    model : Model
        One of its models, with partial dependences.

    Returns
    -------
    matplotlib.figure.Figure
        Up to four small pictures with one scale: a line for a number or a date, dots for
        categories; of several classes a colour each, up to three.

    Raises
    ------
    ValueError
        If the model has no dependences.

    Examples
    --------
    >>> from kiso.comparison import compare
    >>> from kiso.report import figures
    >>> found = compare("diabetes", models=["ridge"], n_repeats=1)
    >>> len(figures.dependence(found, found.best).axes)
    4
    """
    found = model.diagnostics.dependence
    if not found:
        raise ValueError(f"model {model.name!r} has no partial dependences")
    from matplotlib.figure import Figure

    n_rows = (len(found) + 1) // 2
    figure = Figure(figsize=(WIDTH, 0.6 + 1.75 * n_rows), layout="constrained")
    axes = figure.subplots(n_rows, min(2, len(found)), sharey=True, squeeze=False)
    several = len(found[0].of) > 1
    what = found[0].of[0] if found[0].of else ""
    ylabel = "probability" if what else f"predicted {short(comparison.data.target, 14)}"
    if what and not several:
        ylabel = f"P({short(what, 14)})"
    for k, ax in enumerate(axes.ravel()):
        if k >= len(found):
            ax.set_visible(False)
            continue
        _panel(ax, found[k])
        dress(
            ax, title=f"Mean prediction along a column: {model.name}", ylabel=ylabel * (k % 2 == 0)
        )
        ax.set_title(plain(short(found[k].column, 24)), fontsize=TEXT, color=INK, loc="left")
    if several:
        legend(axes[0, 0], loc="best")
    return figure


def _panel(ax: Axes, found: Dependence) -> None:
    values = np.asarray(found.mean, dtype=np.float64)  # (n_values, n_outputs)
    from matplotlib.ticker import MaxNLocator

    for j in range(values.shape[1]):
        name = short(found.of[j], 14) if found.of else ""
        if found.kind == "category":
            ax.plot(np.arange(len(values)), values[:, j], "o", ms=5, color=CYCLE[j], label=name)
        else:
            x = np.asarray(found.at, dtype=np.float64)
            ax.plot(x, values[:, j], color=CYCLE[j], linewidth=1.8, label=name)
            ax.plot(x, np.full(len(x), 0.02), "|", ms=5, color=MUTED,
                    transform=ax.get_xaxis_transform())  # fmt: skip
    if found.kind == "category":
        ax.set_xticks(range(len(values)), [plain(short(v, 11)) for v in found.at])
        if max(len(short(v, 11)) for v in found.at) * len(found.at) > 22:
            ax.tick_params(axis="x", labelrotation=40)
            for tick in ax.get_xticklabels():
                tick.set_horizontalalignment("right")
        ax.set_xlim(-0.5, len(values) - 0.5)
        return
    ax.xaxis.set_major_locator(MaxNLocator(4))
    if found.kind == "date":
        ax.xaxis.set_major_formatter(lambda value, _: _date(value))
    else:
        ax.xaxis.set_major_formatter(lambda value, _: number(float(value), 4))


def _date(seconds: float) -> str:
    return str(np.datetime64(int(seconds), "s"))[:7]


def _events(comparison: Comparison, model: Model) -> list[tuple[str, Any, Floats]]:
    found = events(comparison, model)
    if not found:
        raise ValueError(f"model {model.name!r} gave no probabilities")
    return found


def _line(ax: Axes, x: Any, y: Any, place: int, label: str) -> None:
    """Draw a curve with a few hundred of its points."""
    kept = np.unique(np.linspace(0, len(x) - 1, _N_POINTS).round().astype(int))
    ax.plot(np.asarray(x)[kept], np.asarray(y)[kept], color=CYCLE[place], linewidth=1.8,
            label=plain(label))  # fmt: skip


def _dot(ax: Axes, x: float, y: float, threshold: float) -> None:
    ax.plot([x], [y], "o", ms=7, color=VERMILION, mec=GRID, zorder=5)
    ax.annotate(f"from {number(threshold, 2)}", (x, y), (8, -10), textcoords="offset points",
                fontsize=SMALL, color=INK)  # fmt: skip
