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
    known = bool(np.isfinite(best.spread))
    spread = f" ± {_number(best.spread)}" if known else ""
    J, n = len(protocol.fold_sizes), len(best.scores)
    folds = f"{J} folds" if n == J else f"the {n} of {J} folds that it finished"
    measure = f"(mean and standard deviation over {folds})" if spread else f"(mean over {folds})"
    if n == 1:
        measure = "(1 fold)" if J == 1 else f"(the 1 of {J} folds that it finished)"
    parts = [
        f"{best.name} is best on {comparison.data.name}: {protocol.metric_label} "
        f"{_shown(best, protocol)}{spread} on held-out rows {measure}."
    ]
    ranked = comparison.ranked
    others = [m for m in ranked if m is not best and not m.members]
    parts += _ties(best, others)
    parts += _against_baseline(comparison, best, others)
    parts += _of_sample(comparison, best)
    parts += _of_ensemble(comparison, best)
    parts += _of_cost(best)
    parts += _too_good(comparison, best)
    return " ".join([*parts, *_unfinished(comparison, best)])


def _unfinished(comparison: Comparison, best: Model) -> list[str]:
    """Say which models lack folds, and how those compare that have some."""
    partial = [m for m in comparison.models if m.status in ("out of budget", "interrupted")]
    partial = [m for m in partial if not m.members]
    ranked = [m for m in partial if m in comparison.ranked and m is not best]
    behind = [m for m in partial if m not in comparison.ranked]
    parts = []
    if ranked:
        names, have, their = _listed([m.name for m in ranked]), *_have(ranked)
        parts.append(
            f"{names} {have} fewer folds than {best.name} and {_be(ranked)} compared on {their}."
            if all(len(m.scores) < len(best.scores) for m in ranked)
            else f"{names} did not finish all folds and {_be(ranked)} compared on {their}."
        )
    if behind:
        names = _listed([m.name for m in behind])
        parts.append(f"{names} did not finish and may be better or worse.")
        ahead = [
            m
            for m in behind
            if m.scores and np.mean(m.scores) > np.mean(best.scores[: len(m.scores)])
        ]
        if ahead:
            verb = "leads" if len(ahead) == 1 else "lead"
            few = max(len(m.scores) for m in ahead)
            folds = "the 1 fold" if few == 1 else f"the up to {few} folds"
            they = "it" if len(ahead) == 1 else "they"
            names = _listed([m.name for m in ahead])
            parts.append(f"On {folds} that {they} finished, {names} {verb}: too few to tell.")
    return parts


def _have(models: list[Model]) -> tuple[str, str]:
    return ("has", "those it has") if len(models) == 1 else ("have", "those they have")


def _be(models: list[Model]) -> str:
    return "is" if len(models) == 1 else "are"


def _nothing(comparison: Comparison) -> str:
    begun = [m for m in comparison.models if m.scores and not m.baseline]
    if not comparison.models or all(m.status == "failed" for m in comparison.models):
        return "No model could be fitted."
    if not begun:
        ready = "but the baseline " if any(m.scores for m in comparison.models) else ""
        return (
            f"No model {ready}finished a fold: there is nothing to compare. Give more time "
            "(--budget) or fewer models (--models)."
        )
    return "No model finished enough folds to be ranked: give more time (--budget)."


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
    if any(m.difference is None for m in rivals):
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
        fast = "twice" if round(ratio) == 2 else f"{ratio:,.0f} times"
        what = f"Of these {cheap.name}" if len(ties) > 1 else f"But {cheap.name}"
        parts.append(f"{what} fits {fast} as fast as {best.name}.")
    return parts


def _against_baseline(comparison: Comparison, best: Model, others: list[Model]) -> list[str]:
    rivals = [m for m in others if not m.baseline]
    if best.baseline and not rivals:
        waiting = any(m.status in ("out of budget", "interrupted") for m in comparison.models)
        why = "finished a fold" if waiting else "could be fitted"
        return [f"It is the baseline, which looks at no column; no other model {why}."]
    if best.baseline:
        return ["No model is better than the baseline, which looks at no column."]
    base = next((m for m in others if m.baseline), None)
    if base is None or base.difference is None:
        return []
    if base.difference.p_value >= SURE:
        p = _p(base.difference.p_value)
        return [f"Nor is it surely better than the baseline, which looks at no column (p = {p})."]
    return []


def _of_ensemble(comparison: Comparison, best: Model) -> list[str]:
    """Say whether the mean of the leaders is worth its cost."""
    ensemble = next((m for m in comparison.models if m.members and m.scores), None)
    if ensemble is None:
        return []
    score = _shown(ensemble, comparison.protocol)
    if best is ensemble:
        alone = next((m for m in comparison.ranked if not m.members), None)
        if alone is None or alone.difference is None:
            return []
        return [
            f"It is the mean answer of {_listed(ensemble.members)}, surely better than "
            f"{alone.name} alone (p = {_p(alone.difference.p_value)})."
        ]
    if ensemble.difference is None or best.baseline:
        return []
    gap = ensemble.difference
    what = f"The mean answer of {_listed(ensemble.members)} has {score}"
    if gap.mean >= 0:
        return [f"{what}, no better than {best.name} alone."]
    return [f"{what}, better than {best.name} alone, but not surely (p = {_p(gap.p_value)})."]


def _of_sample(comparison: Comparison, best: Model) -> list[str]:
    """Say that the models were ranked on a part of the rows, and what the best does with all."""
    n, protocol = comparison.protocol.sample_rows, comparison.protocol
    if not n:
        return []
    text = f"The models were ranked on {n:,} of the {comparison.data.n_rows:,} rows"
    whole = comparison.whole
    if whole is None:
        return [f"{text}, drawn at random (--sample 0 for all)."]
    return [
        f"{text}; fitted to {whole.train_rows:,} of all, {best.name} has {protocol.metric_label} "
        f"{_score(whole.score, protocol)} on {whole.test_rows:,} others."
    ]


def _of_cost(best: Model) -> list[str]:
    """Say which threshold costs least, and what that is beside the simple ones."""
    choice = best.choice
    if choice is None:
        return []
    costs = f"{choice.false_positive:g} for a false {choice.positive!r}"
    costs += f" and {choice.false_negative:g} for a missed one"
    text = (
        f"At a cost of {costs} it calls {choice.positive!r} from a probability of "
        f"{_number(choice.threshold)} on: {_number(choice.cost)} a row on held-out rows, "
        f"{_number(choice.cost_at_half)} with the threshold at 0.5, {_number(choice.cost_never)} "
        f"never calling it and {_number(choice.cost_always)} always."
    )
    if choice.cost >= min(choice.cost_never, choice.cost_always):
        simple = "never" if choice.cost_never <= choice.cost_always else "always"
        text += f" {simple.capitalize()} calling it costs no more."
    return [text]


def _too_good(comparison: Comparison, best: Model) -> list[str]:
    """A perfect score wants a word, if no finding has explained it."""
    if best.mean < TOO_GOOD or comparison.protocol.metric.startswith("neg_"):
        return []
    explained = {"leak", "groups", "time"}
    if any(finding.kind in explained for finding in comparison.data.findings):
        return []
    columns = [i.column for i in best.importances[:2] if i.mean > 0]
    names = f" ({_listed(columns)} first)" if columns else ""
    return [
        "So high a score mostly means that the columns hold what is known only after the "
        f"target: look through them{names}."
    ]


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


_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def _number(value: float) -> str:
    """Return about three digits as people write them: 31,470, 0.812, −0.112, never 3.1e+04."""
    size = abs(value)
    if size >= 1e9 or 1e-12 < size < 1e-6:
        digits, _, power = f"{value:.3g}".replace("-", "−").partition("e")
        raised = str(int(power.replace("−", "-"))) if power else ""
        return f"{digits} × 10{raised.translate(_RAISED)}" if power else digits
    if size >= 1000:
        text = f"{value:,.0f}"
    elif size >= 0.01 or size < 5e-7:
        text = f"{value:.{3 if size < 10 else 2 if size < 100 else 1}f}"
    else:
        text = f"{value:.2g}" if size >= 1e-4 else f"{value:.7f}".rstrip("0")
    return text.replace("-", "−") if float(text.replace(",", "")) else text.lstrip("-")


def _p(value: float) -> str:
    return "0.001" if value < 0.001 else f"{min(value, 0.99):.2g}"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
