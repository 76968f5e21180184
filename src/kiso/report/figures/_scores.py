"""Pictures over all models: scores of the folds, difference to the best, time against score."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kiso.comparison import Comparison, Model

from .._words import number, seconds
from ._measures import Floats, axis_label, finite, sign
from ._style import (
    BLUE,
    GREEN,
    INK,
    MUTED,
    PAPER,
    SMALL,
    VERMILION,
    canvas,
    dress,
    legend,
    logarithmic,
    name_rows,
    plain,
    short,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ROW = 0.29  # inches a model


def scored(comparison: Comparison) -> list[Model]:
    """Return the models with a finite score on at least one fold, in order, best first."""
    return [m for m in comparison.models if len(finite(m.scores))]


def scores(comparison: Comparison) -> Figure:
    """Draw the score of every model on every fold, its mean, and the baseline's mean.

    Parameters
    ----------
    comparison : Comparison
        What `compare` found.

    Returns
    -------
    matplotlib.figure.Figure
        A dot for each outer fold's test score, a bar at their mean; models from top to
        bottom in the order of the table. A mean beyond the axis is written at its edge.

    Examples
    --------
    >>> from kiso.comparison import compare
    >>> from kiso.report import figures
    >>> found = compare("diabetes", models=["ridge"], n_repeats=1, explain=False)
    >>> [tick.get_text() for tick in figures.scores(found).axes[0].get_yticklabels()]
    ['ridge', 'baseline']
    """
    models, turn = scored(comparison), sign(comparison.protocol)
    figure, ax = canvas(1.0 + _ROW * max(len(models), 2))
    low, high = _window(models, [finite(m.scores) for m in models])
    for row, model in enumerate(models):
        values = finite(model.scores)
        mean, colour = float(np.mean(values)), _colour(comparison, model)
        if mean < low:
            _beyond(ax, row, turn * low, turn * mean, turn)
            continue
        spread = (np.arange(len(values)) - (len(values) - 1) / 2) / max(len(values), 1) * 0.5
        inside = values >= low
        ax.plot(turn * values[inside], row + spread[inside], "o", ms=3.6, mew=0, color=colour,
                alpha=0.55)  # fmt: skip
        ax.vlines(turn * mean, row - 0.36, row + 0.36, color=colour, linewidth=2.4)
    _baseline(ax, models, turn, low)
    name_rows(ax, [_name(m, comparison) for m in models])
    left, right = sorted((turn * low, turn * high))
    ax.set_xlim(left, right)
    dress(ax, title="Score on each fold", xlabel=axis_label(comparison.protocol), grid="x")
    return figure


def differences(comparison: Comparison) -> Figure:
    """Draw how much each model is behind the best, with the 95 % interval.

    Parameters
    ----------
    comparison : Comparison
        What `compare` found.

    Returns
    -------
    matplotlib.figure.Figure
        A filled dot where the interval leaves out zero, so that the model is surely worse;
        an open one where the two cannot be told apart.

    Examples
    --------
    >>> from kiso.comparison import compare
    >>> from kiso.report import figures
    >>> found = compare("diabetes", models=["ridge"], n_repeats=1, explain=False)
    >>> figures.differences(found).axes[0].get_xlabel()
    'difference in R²'
    """
    models = [m for m in comparison.models if m.difference and np.isfinite(m.difference.mean)]
    figure, ax = canvas(1.0 + _ROW * max(len(models), 2))
    limit = _far(models)
    for row, model in enumerate(models):
        d = model.difference
        assert d is not None
        sure = d.low > 0 or d.high < 0
        colour = VERMILION if sure else BLUE
        if d.mean > limit:
            _beyond(ax, row, limit, d.mean, -1)
            continue
        if np.isfinite(d.low) and np.isfinite(d.high):
            ax.hlines(row, max(d.low, -limit), min(d.high, limit), color=colour, linewidth=1.8)
        ax.plot([d.mean], [row], "o", ms=6, mec=colour, mfc=colour if sure else PAPER, mew=1.6)
    ax.axvline(0, color=MUTED, linewidth=1, linestyle="--")
    name_rows(ax, [_name(m, comparison) for m in models])
    if models:
        left = min(0.0, *(max(m.difference.low, -limit) for m in models if m.difference))
        ax.set_xlim((left if np.isfinite(left) else 0.0) - 0.05 * limit, limit * 1.02)
    measure = comparison.protocol.metric_label
    dress(ax, title="How far behind the best", xlabel=f"difference in {measure}", grid="x")
    return figure


def time_against_score(comparison: Comparison) -> Figure:
    """Draw the mean score of each model against the mean time of its fits.

    Parameters
    ----------
    comparison : Comparison
        What `compare` found.

    Returns
    -------
    matplotlib.figure.Figure
        One dot a model, time on a logarithmic axis (search and refit, one fold). Green are
        those that no other model beats in both.

    Examples
    --------
    >>> from kiso.comparison import compare
    >>> from kiso.report import figures
    >>> found = compare("diabetes", models=["ridge"], n_repeats=1, explain=False)
    >>> figures.time_against_score(found).axes[0].get_xscale()
    'log'
    """
    turn = sign(comparison.protocol)
    models = [m for m in scored(comparison) if len(finite(m.fit_seconds))]
    low, high = _window(models, [np.array([np.mean(finite(m.scores))]) for m in models])
    points = [
        (max(float(np.mean(finite(m.fit_seconds))), 1e-5), float(np.mean(finite(m.scores))))
        for m in models
    ]
    figure, ax = canvas(3.4)
    shown: list[tuple[float, float, str]] = []
    for (t, s), model in zip(points, models, strict=True):
        beaten = any(u <= t and v >= s and (u, v) != (t, s) for u, v in points)
        colour = MUTED if beaten or model.baseline else GREEN
        y = turn * max(s, low)
        marker = "o" if s >= low else "v" if turn > 0 else "^"
        ax.plot([t], [y], marker, ms=6, mew=0, color=colour, clip_on=False)
        note = f" ({number(turn * s, 3)})" if s < low else ""
        shown.append((t, y, model.name + note))
    dress(ax, title="Is it worth its time?", xlabel="time to search and fit, a fold",
          ylabel=axis_label(comparison.protocol))  # fmt: skip
    if shown:
        times = [t for t, _, _ in shown]
        left, right = min(times) / 1.6, max(times) * 1.6
        logarithmic(ax, "x", left, right, seconds)
        ax.set_xlim(left, right)
        ax.set_ylim(*sorted((turn * low, turn * high)))
        _annotate(ax, shown)
    return figure


def _window(models: list[Model], values: list[Floats]) -> tuple[float, float]:
    """Range of scores worth showing: a model that is far worse must not squeeze the rest."""
    if not models:
        return 0.0, 1.0
    every = np.concatenate(values)
    means = [float(np.mean(v)) for v in values]
    able = [mean for m, mean in zip(models, means, strict=True) if not m.baseline] or means
    low, high = float(every.min()), float(every.max())
    floor = high - 2 * (high - float(np.quantile(able, 0.25)))
    if low < floor < high:
        low = floor
    margin = 0.08 * (high - low) or max(abs(high), 1.0) * 0.05
    return low - margin, high + margin


def _far(models: list[Model]) -> float:
    """Largest difference worth showing: the baseline must not squeeze the rest."""
    for some in ([m for m in models if not m.baseline], models):
        found = [m.difference for m in some if m.difference is not None]
        tops = np.array([d.high if np.isfinite(d.high) else d.mean for d in found])
        tops = tops[tops > 0]
        if len(tops):
            return 1.05 * min(float(tops.max()), 4 * float(np.quantile(tops, 0.75)))
    return 1.0


def _beyond(ax: Axes, row: int, edge: float, value: float, turn: int) -> None:
    """Say at the edge of the axis that a value lies beyond it."""
    text, align = (f"◂ {number(value, 3)}", "left") if turn > 0 else (
        f"{number(value, 3)} ▸", "right")  # fmt: skip
    ax.text(edge, row, text, ha=align, va="center", fontsize=SMALL, color=MUTED)


def _baseline(ax: Axes, models: list[Model], turn: int, low: float) -> None:
    means = [float(np.mean(finite(m.scores))) for m in models if m.baseline]
    if means and max(means) >= low:
        ax.axvline(turn * max(means), color=MUTED, linewidth=1, linestyle="--", label="baseline")
        legend(ax, loc="lower left", bbox_to_anchor=(0.6, 1.0), borderaxespad=0.1)


def _colour(comparison: Comparison, model: Model) -> str:
    if model.baseline or model.status != "done":
        return MUTED
    return GREEN if model is comparison.best else BLUE


def _name(model: Model, comparison: Comparison) -> str:
    n_folds = len(comparison.protocol.fold_sizes)
    if model.status != "done":
        return f"{model.name} ({len(finite(model.scores))} of {n_folds} folds)"
    return model.name


def _annotate(ax: Axes, points: list[tuple[float, float, str]]) -> None:
    """Name points, each beside its own and over no other: the first free place is taken."""
    box = (250.0, 175.0)  # about the size of the axes, in points
    span_x = np.log(ax.get_xlim())
    span_y = ax.get_ylim()
    at = [
        (
            float((np.log(x) - span_x[0]) / (span_x[1] - span_x[0])) * box[0],
            float((y - span_y[0]) / (span_y[1] - span_y[0])) * box[1],
        )
        for x, y, _ in points
    ]
    taken = [(x - 4, x + 4, y - 4, y + 4) for x, y in at]
    for (px, py), (x, y, name) in zip(at, points, strict=True):
        text = short(name, 30)
        width = 4.9 * len(text)
        for dx, dy in _places(width):
            place = (px + dx, px + dx + width, py + dy - 5, py + dy + 5)
            if _free(place, taken, box):
                break
        else:
            continue  # nowhere is free: the table has the numbers
        taken.append(place)
        far = abs(dy) > 12
        ax.annotate(
            plain(text), (x, y), (dx, dy), textcoords="offset points", va="center", fontsize=SMALL,
            color=INK, arrowprops={"arrowstyle": "-", "color": MUTED, "lw": 0.6} if far else None,
        )  # fmt: skip


def _places(width: float) -> list[tuple[float, float]]:
    """Offsets of a label from its point, the nearest first."""
    sides = (7.0, -7.0 - width, -width / 2)
    return sorted(
        ((dx, dy) for dx in sides for dy in range(-66, 67, 11) if dx != sides[2] or dy),
        key=lambda p: (abs(p[1]), p[0] < 0),
    )


def _free(
    place: tuple[float, float, float, float],
    taken: list[tuple[float, float, float, float]],
    box: tuple[float, float],
) -> bool:
    left, right, bottom, top = place
    if left < 0 or right > box[0] or bottom < 0 or top > box[1]:
        return False
    return not any(left < r and right > le and bottom < t and top > b for le, r, b, t in taken)


__all__ = ["differences", "scored", "scores", "time_against_score"]
