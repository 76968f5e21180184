"""The page of a comparison: everything that one run of `compare` found, in one file."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from kiso.comparison import Comparison, Model, mean_interval

from ._files import check_writable, render, to_json, write_text
from ._gallery import of_models, overview, test_rows
from ._words import NONE, decimals, fixed, number
from .figures._measures import axis_label, finite, sign


def write_comparison(comparison: Comparison, path: str | os.PathLike[str]) -> Path:
    """Write a comparison as one self-contained HTML file, and its data as JSON beside it.

    The page needs no network and no script, and follows the reader's light or dark mode.

    Parameters
    ----------
    comparison : Comparison
        What `compare` found, finished or not.
    path : path-like
        The page, in a folder that exists. `report.html` brings `report.json`, which holds
        `comparison.to_dict()`. A file that is there is replaced, whole or not at all.

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
    >>> from kiso.comparison import Comparison, Data, Protocol
    >>> from kiso.report import write_comparison
    >>> data = Data("empty.csv", 0, 0, "price", [], [], [])
    >>> protocol = Protocol("regression", "given", "r2", "R²", 5, 1, 3, [], False, 0, None)
    >>> nothing = Comparison(data, protocol, [], 0.0, complete=False, versions={})
    >>> with TemporaryDirectory() as folder:
    ...     page = write_comparison(nothing, Path(folder, "report.html"))
    ...     print(page.name, page.with_suffix(".json").exists())
    report.html True
    """
    target = check_writable(path)
    page = render(
        "comparison.html",
        title=f"Which method fits {comparison.data.name}?",
        c=comparison,
        best=comparison.best,
        metric=axis_label(comparison.protocol),
        where=test_rows(comparison),
        ranked=_ranked(comparison),
        unfinished=[m for m in comparison.models if m.status != "done" and not m.scores],
        verdict=_verdict(comparison),
        noted=_noted(comparison),
        overview=overview(comparison),
        parts=of_models(comparison),
        chosen=_chosen,
        settled=_settled,
    )
    data = to_json(comparison.to_dict())
    write_text(target.with_suffix(".json"), data)
    write_text(target, page)
    return target


def _noted(comparison: Comparison) -> list[tuple[str, str]]:
    """What the fits warned of; that folds are lacking stands in the ranking already."""
    found = []
    for model in comparison.models:
        text = model.message
        if model.status in ("out of budget", "interrupted"):
            text = "; ".join(part for part in text.split("; ") if "folds finished" not in part)
        if model.scores and text:
            found.append((model.name, text))
    return found


def _settled(model: Model) -> str:
    """All parameters of a model for a fit on all rows; of an ensemble its members."""
    if model.members:
        return f"the mean of {', '.join(model.members)}"
    return ", ".join(
        f"{name}={number(value) if isinstance(value, float) else value}"
        for name, value in model.final_settings.items()
        if name != "random_state"
    )


def _verdict(comparison: Comparison) -> dict[str, str]:
    """The best score in a line: its interval, and the baseline's beside it."""
    best = comparison.best
    if best is None:
        return {}
    turn = sign(comparison.protocol)
    places = decimals(turn * m.mean for m in comparison.models if m.scores)
    interval = mean_interval(best.scores, comparison.protocol.fold_sizes[: len(best.scores)])
    low, high = sorted(turn * v for v in interval) if interval else (float("nan"),) * 2
    base = next((m for m in comparison.models if m.baseline and m.scores and m is not best), None)
    return {
        "score": fixed(turn * best.mean, places),
        "interval": f"{fixed(low, places)} to {fixed(high, places)}" if np.isfinite(low) else "",
        "baseline": "" if base is None else fixed(turn * base.mean, places),
    }


def _ranked(comparison: Comparison) -> list[dict[str, Any]]:
    """Rows of the table: the models with a score on some fold, in the order they have."""
    turn = sign(comparison.protocol)
    able = [m for m in comparison.models if m.scores]
    places = decimals(m.mean for m in able if not m.baseline)
    rows = []
    rank = 0
    for model in able:
        counts = model.status == "done" and not model.baseline and not model.members
        rank += counts
        rows.append(
            {
                "rank": rank if counts else NONE,
                "model": model,
                "best": model is comparison.best,
                "score": _score(model.scores, turn, places),
                "train_score": _score(model.train_scores, turn, places).split(" ")[0],
                "behind": _behind(comparison, model, places),
                "folds": f"{len(finite(model.scores))} of {len(comparison.protocol.fold_sizes)}",
                "cost": NONE if model.choice is None else number(model.choice.cost, 3),
                "fit": _mean(model.fit_seconds),
                "predict": _mean(model.predict_seconds),
            }
        )
    return rows


def _score(scores: list[float], turn: int, places: int) -> str:
    """Mean ± standard deviation over the folds; no mean where a fold has no score."""
    known = finite(scores)
    if not len(known) or len(known) < len(scores):
        return NONE
    mean = fixed(turn * float(np.mean(known)), places)
    return f"{mean} ± {fixed(float(np.std(known, ddof=1)), places)}" if len(known) > 1 else mean


def _behind(comparison: Comparison, model: Model, places: int) -> dict[str, str]:
    """Difference to the best, its interval and p, as far as they are known."""
    d = model.difference
    if model is comparison.best or d is None or not np.isfinite(d.mean):
        return {"mean": NONE, "interval": NONE, "p": NONE}
    known = np.isfinite(d.low) and np.isfinite(d.high)
    interval = f"{fixed(d.low, places)} to {fixed(d.high, places)}" if known else NONE
    p = "< 0.001" if d.p_value < 0.001 else "> 0.99" if d.p_value > 0.99 else fixed(d.p_value, 3)
    return {"mean": fixed(d.mean, places), "interval": interval, "p": p}


def _mean(values: list[float]) -> float | None:
    known = finite(values)
    return float(np.mean(known)) if len(known) else None


def _chosen(model: Model) -> str:
    """Parameters that the search chose, with the number of folds that chose them."""
    found = Counter(
        ", ".join(f"{name}={value}" for name, value in params.items()) for params in model.params
    )
    found.pop("", None)
    total = len(model.params)
    return "; ".join(f"{text} ({times} of {total} folds)" for text, times in found.most_common())
