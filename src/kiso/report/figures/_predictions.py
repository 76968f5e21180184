"""Pictures of one model's held-out predictions: residuals, confusion, calibration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kiso.comparison import Comparison, Model

from ._measures import Counts, Floats, confusion, merged, mistakes, pairs, reliability, sample
from ._style import (
    BLUE,
    INK,
    MUTED,
    PAPER,
    SMALL,
    TEXT,
    VERMILION,
    canvas,
    dress,
    name_rows,
    plain,
    short,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def predicted_against_truth(comparison: Comparison, model: Model) -> Figure:
    """Draw held-out predictions of a regression against the true values.

    Parameters
    ----------
    comparison : Comparison
        What `compare` found; its seed draws the rows where there are more than 1,500.
    model : Model
        One of its models, with held-out predictions.

    Returns
    -------
    matplotlib.figure.Figure
        One dot a held-out row; on the diagonal the prediction is right.

    Raises
    ------
    ValueError
        If no held-out row has a finite prediction.

    Examples
    --------
    >>> from kiso.comparison import compare
    >>> from kiso.report import figures
    >>> found = compare("diabetes", models=["ridge"], n_repeats=1, explain=False)
    >>> figures.predicted_against_truth(found, found.best).axes[0].get_xlabel()
    'true progression'
    """
    truth, predicted = _finite_pairs(model)
    rows = sample(len(truth), comparison.protocol.seed)
    figure, ax = canvas(3.6)
    ends = [min(truth.min(), predicted.min()), max(truth.max(), predicted.max())]
    far = truth.min() - np.ptp(truth), truth.max() + np.ptp(truth)
    if np.ptp(truth) > 0:  # a prediction that is far out must not squeeze the rest
        ends = [max(ends[0], far[0]), min(ends[1], far[1])]
    ax.plot(ends, ends, color=MUTED, linewidth=1, linestyle="--")
    shown = np.clip(predicted[rows], *ends)
    alpha = float(np.clip(12 / np.sqrt(len(rows)), 0.25, 0.8))
    ax.plot(truth[rows], shown, "o", ms=3.4, mew=0, color=BLUE, alpha=alpha)
    target = comparison.data.target
    dress(ax, title=f"Prediction and truth: {model.name}", xlabel=f"true {target}",
          ylabel=f"predicted {target}")  # fmt: skip
    return figure


def residuals(comparison: Comparison, model: Model) -> Figure:
    """Draw the histogram of a regression's held-out errors, truth minus prediction.

    Parameters
    ----------
    comparison : Comparison
        What `compare` found.
    model : Model
        One of its models, with held-out predictions.

    Returns
    -------
    matplotlib.figure.Figure
        All held-out rows; the outermost bars hold also what lies beyond the axis, which
        ends three times the 1st and 99th percentile from the median.

    Raises
    ------
    ValueError
        If no held-out row has a finite prediction.

    Examples
    --------
    >>> from kiso.comparison import compare
    >>> from kiso.report import figures
    >>> found = compare("diabetes", models=["ridge"], n_repeats=1, explain=False)
    >>> figure = figures.residuals(found, found.best)
    >>> sum(int(bar.get_height()) for bar in figure.axes[0].patches)
    442
    """
    truth, predicted = _finite_pairs(model)
    errors = truth - predicted
    figure, ax = canvas(3.6)
    middle = np.median(errors)
    reach = 3 * np.max(np.abs(np.quantile(errors, [0.01, 0.99]) - middle))
    low, high = max(errors.min(), middle - reach), min(errors.max(), middle + reach)
    if not low < high:
        low, high = middle - 0.5, middle + 0.5
    n_bins = int(np.clip(2 * len(errors) ** (1 / 3), 5, 60))
    ax.hist(np.clip(errors, low, high), bins=np.linspace(low, high, n_bins + 1).tolist(),
            color=BLUE, alpha=0.8)  # fmt: skip
    ax.axvline(0, color=MUTED, linewidth=1, linestyle="--")
    ax.axvline(float(np.mean(errors)), color=VERMILION, linewidth=1.4)
    target = comparison.data.target
    dress(ax, title=f"Errors: {model.name}", xlabel=f"true {target} minus predicted",
          ylabel="held-out rows", grid="y")  # fmt: skip
    return figure


def confusion_matrix(comparison: Comparison, model: Model) -> Figure:
    """Draw how many held-out rows of each class were predicted as which.

    Parameters
    ----------
    comparison : Comparison
        What `compare` found.
    model : Model
        One of its models, with held-out predictions.

    Returns
    -------
    matplotlib.figure.Figure
        Counts, shaded by the share of the true class. Of more than 12 classes the 11 with
        most errors stand alone and the others together.

    Raises
    ------
    ValueError
        If the model has no held-out predictions.

    Examples
    --------
    >>> from kiso.comparison import compare
    >>> from kiso.report import figures
    >>> found = compare("iris", models=["logistic"], n_repeats=1, explain=False)
    >>> figure = figures.confusion_matrix(found, found.best)
    >>> sum(int(text.get_text()) for text in figure.axes[0].texts)
    150
    """
    _some_rows(model)
    table = merged(confusion(comparison, model.diagnostics))
    k = len(table.names)
    figure, ax = canvas(1.5 + 0.28 * max(k, 4))
    share = table.counts / np.maximum(table.counts.sum(axis=1, keepdims=True), 1)
    _cells(ax, table.counts, share)
    names = [short(name, 16) for name in table.names]
    ax.set_xticks(range(k), [plain(name) for name in names])
    if max(map(len, names)) * k > 40:  # side by side they would meet
        ax.tick_params(axis="x", labelrotation=45)
        for tick in ax.get_xticklabels():
            tick.set_horizontalalignment("right")
    name_rows(ax, names)
    ax.set_xlim(-0.5, k - 0.5)
    ax.set_ylim(k - 0.5, -0.5)
    dress(ax, title=f"Confusion: {model.name}", xlabel="predicted", ylabel="true", grid="none")
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)
    return figure


def frequent_mistakes(comparison: Comparison, model: Model) -> Figure:
    """Draw the most frequent confusions of two classes, for when there are many classes.

    Parameters
    ----------
    comparison : Comparison
        What `compare` found.
    model : Model
        One of its models, with held-out predictions.

    Returns
    -------
    matplotlib.figure.Figure
        Up to 15 bars: rows of one class that were predicted as one other.

    Raises
    ------
    ValueError
        If the model has no held-out predictions.

    Examples
    --------
    >>> from kiso.comparison import compare
    >>> from kiso.report import figures
    >>> found = compare("iris", models=["logistic"], n_repeats=1, explain=False)
    >>> figures.frequent_mistakes(found, found.best).axes[0].get_xlabel()
    'held-out rows'
    """
    _some_rows(model)
    found = mistakes(confusion(comparison, model.diagnostics))
    figure, ax = canvas(1.0 + 0.22 * max(len(found), 3))
    rows = [n for _, _, n, _ in found]
    ax.barh(range(len(found)), rows, height=0.66, color=VERMILION)
    for i, (_, _, n, of_class) in enumerate(found):
        ax.annotate(f"{n} of {of_class}", (n, i), (3, 0), textcoords="offset points",
                    va="center", fontsize=SMALL - 0.5, color=INK)  # fmt: skip
    name_rows(ax, [f"{short(a, 14)} → {short(b, 14)}" for a, b, _, _ in found])
    ax.set_xlim(0, max(rows, default=1) * 1.25)
    dress(ax, title=f"Most frequent mistakes: {model.name}", xlabel="held-out rows", grid="x")
    return figure


def calibration(comparison: Comparison, model: Model) -> Figure:
    """Draw how often what a model gives probability p really happens.

    Parameters
    ----------
    comparison : Comparison
        What `compare` found.
    model : Model
        One of its models, with held-out probabilities.

    Returns
    -------
    matplotlib.figure.Figure
        Ten groups of equally many held-out rows, with 95 % Wilson intervals; on the
        diagonal a probability means what it says.

    Raises
    ------
    ValueError
        If the model gave no probabilities.

    Examples
    --------
    >>> from kiso.comparison import compare
    >>> from kiso.report import figures
    >>> found = compare("iris", models=["logistic"], n_repeats=1, explain=False)
    >>> figures.calibration(found, found.best).axes[0].get_ylabel()
    'observed frequency'
    """
    found = reliability(comparison, model.diagnostics)
    if found is None:
        raise ValueError(f"model {model.name!r} gave no probabilities")
    figure, ax = canvas(3.6)
    ax.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle="--")
    ax.vlines(found.stated, found.low, found.high, color=BLUE, linewidth=1.2)
    ax.plot(found.stated, found.observed, "o-", color=BLUE, ms=5, linewidth=1, mec=PAPER)
    ax.set_xlim(-0.02, 1.02)
    ax.set_ylim(-0.02, 1.02)
    ax.set_aspect("equal")
    dress(ax, title=f"Calibration: {model.name}", xlabel=f"stated probability of {found.what}",
          ylabel="observed frequency")  # fmt: skip
    return figure


def _cells(ax: Axes, counts: Counts, share: Floats) -> None:
    """Fill a square for each pair of classes, deeper for a larger share, and count in it."""
    k = len(counts)
    true, predicted = np.divmod(np.arange(k * k), k)
    colours = [
        (BLUE if i == j else VERMILION, 0.6 * float(share[i, j]))
        for i, j in zip(true, predicted, strict=True)
    ]
    ax.barh(true, 0.96, left=predicted - 0.48, height=0.96, color=colours, linewidth=0)
    size = TEXT if k <= 6 else SMALL - 0.5
    for i, j in zip(true, predicted, strict=True):
        rows = int(counts[i, j])
        text = str(rows) if rows < 10_000 else f"{rows / 1000:.0f}k"
        colour = INK if rows else MUTED
        ax.text(j, i, text, ha="center", va="center", fontsize=size, color=colour)


def _finite_pairs(model: Model) -> tuple[np.ndarray, np.ndarray]:
    truth, predicted = pairs(model.diagnostics)
    if not len(truth):
        raise ValueError(f"model {model.name!r} has no finite held-out prediction")
    return truth, predicted


def _some_rows(model: Model) -> None:
    if not model.diagnostics.truth:
        raise ValueError(f"model {model.name!r} has no held-out predictions")
