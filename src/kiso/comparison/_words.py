"""The result in words: which is best, how surely, at what cost; over- or under-fitting."""

from __future__ import annotations

import numpy as np

from ._result import Comparison, Curve, Model, Protocol

__all__ = ["conclusion", "curve_verdict"]

SURE = 0.05
TOO_GOOD = 0.9995


def conclusion(comparison: Comparison) -> str:
    """Return a few sentences: the best model, the ties, the cost, the baseline."""
    best = comparison.best
    if best is None:
        return _nothing(comparison)
    protocol = comparison.protocol
    spread = f" ± {_number(best.spread)}" if np.isfinite(best.spread) else ""
    J = len(protocol.fold_sizes)
    parts = [
        f"{best.name} is best on {comparison.data.name}: {protocol.metric_label} "
        f"{_shown(best, protocol)}{spread} on held-out rows (mean and standard deviation "
        f"over {J} folds)."
    ]
    others = [m for m in comparison.models if m is not best and m.status == "done"]
    parts += _ties(best, others)
    parts += _against_baseline(best, others)
    parts += _too_good(comparison, best)
    partial = [m for m in comparison.models if m.status in ("out of budget", "interrupted")]
    if partial:
        names = _listed([m.name for m in partial])
        parts.append(f"{names} did not finish and may be better or worse.")
        ahead = [m for m in partial if m.scores and m.mean > best.mean]
        if ahead:
            parts.append(f"On the folds they finished, {_listed([m.name for m in ahead])} lead.")
    return " ".join(parts)


def _nothing(comparison: Comparison) -> str:
    begun = [m for m in comparison.models if m.scores]
    if not comparison.models or all(m.status == "failed" for m in comparison.models):
        return "No model could be fitted."
    if not begun:
        return "No model finished a fold: there is nothing to compare."
    first = max(begun, key=lambda m: m.mean)
    folds = "1 fold" if len(first.scores) == 1 else f"{len(first.scores)} folds"
    return (
        f"No model finished all folds; {first.name} leads after {folds} with "
        f"{comparison.protocol.metric_label} {_shown(first, comparison.protocol)}."
    )


def _shown(model: Model, protocol: Protocol) -> str:
    sign = -1.0 if protocol.metric.startswith("neg_") else 1.0
    return _number(sign * model.mean)


def _ties(best: Model, others: list[Model]) -> list[str]:
    ties = [
        m
        for m in others
        if not m.baseline and m.difference is not None and m.difference.p_value >= SURE
    ]
    rivals = [m for m in others if not m.baseline]
    if not rivals or best.baseline:
        return []
    if not ties:
        largest = max(m.difference.p_value for m in rivals if m.difference is not None)
        what = "the other" if len(rivals) == 1 else "every other"
        return [f"Its lead over {what} model is sure (p ≤ {_p(largest)})."]
    shown = [f"{m.name} (p = {_p(m.difference.p_value)})" for m in ties if m.difference is not None]
    parts = [f"It cannot be told apart from {_listed(shown)}."]
    cheap = min(ties, key=lambda m: sum(m.fit_seconds))
    ratio = sum(best.fit_seconds) / max(1e-9, sum(cheap.fit_seconds))
    if ratio >= 2:
        parts.append(f"Of these {cheap.name} fits {ratio:,.0f} times faster than {best.name}.")
    return parts


def _against_baseline(best: Model, others: list[Model]) -> list[str]:
    if best.baseline and not others:
        return ["It is the baseline, which looks at no column; no other model finished all folds."]
    if best.baseline:
        return ["No model is better than the baseline, which looks at no column."]
    base = next((m for m in others if m.baseline), None)
    if base is None or base.difference is None:
        return []
    if base.difference.p_value >= SURE:
        p = _p(base.difference.p_value)
        return [f"Nor is it surely better than the baseline, which looks at no column (p = {p})."]
    return []


def _too_good(comparison: Comparison, best: Model) -> list[str]:
    if best.mean < TOO_GOOD or comparison.protocol.metric.startswith("neg_"):
        return []
    heavy: list[str] = []
    for weight in best.diagnostics.weights:
        if weight.feature not in heavy:
            heavy.append(weight.feature)
    names = f": look at {_listed(heavy[:2])}" if heavy else ""
    return [f"So high a score mostly means that a column gives the target away{names}."]


def curve_verdict(model: Model, curve: Curve, protocol: Protocol, best: Model | None) -> str:
    """Say whether a model over- or under-fits, from its learning curve.

    Over-fitting is a gap between the scores on training and held-out rows that is large
    beside the spread over folds and beside what there is left to gain. Under-fitting is
    no such gap, and another model that is surely better. What more rows would bring is read
    off the curve's last piece.
    """
    train, test = curve.train_scores[-1], curve.test_scores[-1]
    gap = train - test
    noise = model.spread if np.isfinite(model.spread) else 0.0
    room = _room(train, test, protocol)
    rising = test - curve.test_scores[-2] > max(0.25 * noise, 0.02 * room)
    scores = (
        f"{_score(train, protocol)} on its own training rows, "
        f"{_score(test, protocol)} on held-out rows"
    )
    more = (
        "the held-out score still rises with more rows, so more data would help"
        if rising
        else "more rows of the same kind would change little"
    )
    if gap > max(noise, 0.1 * room):
        return f"Over-fits: {scores}; {more}."
    behind = (
        best is not None
        and best is not model
        and model.difference is not None
        and model.difference.p_value < SURE
    )
    if behind and best is not None:
        return f"Under-fits: {scores}, no gap to speak of, and {best.name} does better; {more}."
    return f"Neither over- nor under-fits among these models: {scores}; {more}."


def _room(train: float, test: float, protocol: Protocol) -> float:
    """Return what there is to gain from the held-out score to a perfect one."""
    if protocol.metric.startswith("neg_"):
        return abs(test)
    return max(1e-12, 1.0 - min(train, test))


def _score(score: float, protocol: Protocol) -> str:
    return _number(-score if protocol.metric.startswith("neg_") else score)


def _number(value: float) -> str:
    """Return about four digits, and never 3.147e+04 for what people write as 31,470."""
    if 1e4 <= abs(value) < 1e9:
        return f"{value:,.0f}"
    return f"{value:.4g}" if abs(value) >= 1 else f"{value:.3g}"


def _p(value: float) -> str:
    return "0.001" if value < 0.001 else f"{value:.2g}"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
