"""Maximum likelihood of a place and a spread: each in turn moves along its score."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from kiso.inference import Gaussian, Laplace, maximum_likelihood

from .. import _marks as m
from .._marks import Axis, Picture
from .._scene import Check, Frame, Msg, Rule, Scene
from ._plane import plane_axes

Array = np.ndarray[Any, np.dtype[Any]]

MAX_STEPS = 200
GRID = 81
CONFIDENT = 2.9957  # half of the 95 % quantile of chi-squared with two degrees of freedom


@dataclass(frozen=True)
class Estimate:
    """A place and a spread, and what the data say of them.

    Attributes
    ----------
    phase : str
        "start", "place" (μ has moved) or "spread" (σ has moved).
    theta : ndarray of shape (2,)
        (μ, σ²) of a normal, (m, b) of a Laplace distribution.
    before : ndarray of shape (2,)
        Before this step.
    score : float
        Σ ∂ log p(x; before)/∂θ_k of the parameter that has moved.
    information : float
        Of one observation, about it.
    rate : float
        η of this step: halved until the likelihood rises.
    log_likelihood : float
    path : ndarray of shape (t, 2)
        (place, spread) of all steps so far, the spread in the unit of x.
    by_hand : bool
        The user put it here.
    settled : bool
        Both have come to rest.
    """

    phase: str
    theta: Array
    before: Array
    score: float
    information: float
    rate: float
    log_likelihood: float
    path: Array
    by_hand: bool = False
    settled: bool = False


class Likelihood:
    """The run of a scene whose points' x is a sample of one number."""

    def __init__(self, scene: Scene):
        self.scene, self.p, self.x = scene, scene.p, scene.X[:, 0]
        self.normal = self.p["family"] == "normal"
        if len(self.x) < 2 or not np.ptp(self.x) > 0:
            raise ValueError("all points have the same x: add points with another")
        self.fitted: Any = Gaussian("spherical") if self.normal else Laplace()
        self.fitted.fit(self.x)
        self.top = (
            np.array([self.fitted.mean_[0], self.fitted.covariance_])
            if self.normal
            else np.array([self.fitted.loc_[0], self.fitted.scale_[0]])
        )

    # --- the model ----------------------------------------------------------------------------

    def model(self, theta: Array) -> Any:
        """Return the distribution of the library at θ."""
        kind: Any = Gaussian if self.normal else Laplace
        return kind.from_parameters(theta[0], float(theta[1]))

    def width(self, theta: Array) -> float:
        """Return the spread in the unit of x: σ or b."""
        return float(np.sqrt(theta[1]) if self.normal else theta[1])

    def of(self, place: float, spread: float) -> Array:
        """Return θ at a place and a spread, held within the picture of the surface."""
        low, high = self.box[:2], self.box[2:]
        place, spread = float(np.clip(place, *low)), float(np.clip(spread, *high))
        return np.array([place, spread**2 if self.normal else spread])

    def log_likelihood(self, theta: Array) -> float:
        """Return Σ log p(x; θ)."""
        return float(np.sum(self.model(theta).log_prob(self.x)))

    @cached_property
    def box(self) -> tuple[float, float, float, float]:
        """The surface's range: place, then spread."""
        s = float(np.std(self.x))
        low, high = min(self.x.mean(), self.top[0]), max(self.x.mean(), self.top[0])
        return float(low - 2.2 * s), float(high + 2.2 * s), 0.25 * s, 2.6 * s

    # --- the run ------------------------------------------------------------------------------

    def states(self) -> Iterator[Estimate]:
        """Begin away from the top, in a direction that the seed chooses."""
        angle = np.random.default_rng(self.scene.seed).uniform(0, 2 * np.pi)
        s = float(np.std(self.x))
        theta = self.of(self.top[0] + 1.7 * s * np.cos(angle), s * np.exp(0.7 * np.sin(angle)))
        yield from self._from(theta, by_hand=False)

    def resume(self, state: Estimate, action: Mapping[str, Any]) -> Iterator[Estimate]:
        """Go on from a place and spread that were dragged, over the data or on the surface."""
        to, place, spread = action["to"], float(state.theta[0]), self.width(state.theta)
        if action["kind"] == "theta":
            place, spread = float(to[0]), float(to[1])
        elif int(action["index"]) == 0:
            place = float(to[0])
        else:
            spread = abs(float(to[0]) - place)
        yield from self._from(self.of(place, spread), by_hand=True)

    def _from(self, theta: Array, *, by_hand: bool) -> Iterator[Estimate]:
        path = np.array([[theta[0], self.width(theta)]])
        level = self.log_likelihood(theta)
        yield Estimate("start", theta, theta, 0.0, 1.0, 1.0, level, path, by_hand)
        rest = 0
        for step in range(MAX_STEPS):
            k = step % 2
            score, information = self.score(theta, k)
            rate = self.p["learning_rate"]
            moved, risen = theta, level
            for _ in range(40):
                moved = theta.copy()
                moved[k] += rate * score / (len(self.x) * information)
                risen = self.log_likelihood(moved) if moved[1] > 0 else -np.inf
                if risen >= level:
                    break
                rate /= 2
            else:
                moved, risen, rate = theta, level, 0.0
            rest = rest + 1 if risen - level < 1e-9 * len(self.x) else 0
            path = np.vstack([path, [moved[0], self.width(moved)]])
            yield Estimate(("place", "spread")[k], moved, theta, score, information, rate, risen,
                           path, settled=rest >= 2)  # fmt: skip
            if rest >= 2:
                return
            theta, level = moved, risen

    def score(self, theta: Array, k: int) -> tuple[float, float]:
        """Return the derivative of the log-likelihood in θ_k and the information about it."""
        information = float(self.model(theta).fisher_information()[k, k])
        return float(np.sum(self.scores(theta, k))), information

    def scores(self, theta: Array, k: int) -> Array:
        """Return ∂ log p(x_i; θ)/∂θ_k of every point."""
        r, v = self.x - theta[0], theta[1]
        if self.normal:
            return r / v if k == 0 else (r**2 - v) / (2 * v**2)
        return np.sign(r) / v if k == 0 else (np.abs(r) - v) / v**2

    def trace(self, state: Estimate) -> Mapping[str, Any]:
        """θ and its log-likelihood."""
        return {"phase": state.phase, "theta": state.theta, "rate": state.rate,
                "log_likelihood": state.log_likelihood}  # fmt: skip

    # --- pictures -----------------------------------------------------------------------------

    def frame(self, state: Estimate, focus: Mapping[str, Any] | None) -> Frame:
        """The density over the data; the log-likelihood over place and spread."""
        gap = float(self.log_likelihood(self.top) - state.log_likelihood)
        name = "settled" if state.settled else "start" if state.phase == "start" else "step"
        title = Msg(f"bayes.likelihood.{name}", gap=gap)
        pictures = [self._density(state, title), self._surface(state)]
        facts = [
            (Msg("bayes.fact.place"), float(state.theta[0])),
            (Msg("bayes.fact.spread"), self.width(state.theta)),
            (Msg("bayes.fact.gap"), gap / len(self.x)),
            (Msg("bayes.fact.error", n=len(self.x)),
             float((len(self.x) * self.fitted.fisher_information()[0, 0]) ** -0.5)),
        ]  # fmt: skip
        return Frame(pictures, self._rules(state, focus), title, state.phase, facts=facts)

    def _density(self, state: Estimate, title: Msg) -> Picture:
        axis = plane_axes(self.scene.X, self.scene.points)[0]
        place, spread = float(state.theta[0]), self.width(state.theta)
        grid = np.unique(np.append(np.linspace(axis.low, axis.high, 300), place))
        now, best = self.model(state.theta), self.model(self.top)
        peak = float(np.exp(best.log_prob([self.top[0]])[0]))
        ends = np.exp(now.log_prob([place, place + spread]))
        heights = np.exp(now.log_prob(self.x))
        zero = np.zeros(len(self.x))
        top = max(1.6 * peak, 1.2 * float(ends[0]))
        marks = [
            m.line("best", np.column_stack([grid, np.exp(best.log_prob(grid))]), color="muted",
                   dash=True, width=1.5),
            m.segments("heights", np.column_stack([self.x, zero, self.x, heights]), color=0,
                       alpha=min(0.7, 20 / len(self.x) + 0.1), term="logp"),
            m.line("density", np.column_stack([grid, np.exp(now.log_prob(grid))]), color=1,
                   term="theta"),
            m.points("points", np.column_stack([self.x, zero]), color=0, data=True, term="x"),
            m.handle("curve", np.column_stack([[place, place + spread], ends]), color=1,
                     along="x", names=["μ", "σ"] if self.normal else ["m", "b"]),
        ]  # fmt: skip
        return Picture("density", marks, axis, Axis(-0.03 * top, top, Msg("bayes.density")),
                       title=title, edit=True)  # fmt: skip

    @cached_property
    def _levels(self) -> Array:
        """log-likelihood of a point, on average, below its top: spreads from below × places."""
        places, spreads = np.linspace(*self.box[:2], GRID), np.linspace(*self.box[2:], GRID)
        r = self.x[:, None] - places
        if self.normal:
            s = spreads[:, None]
            level = -np.log(s * np.sqrt(2 * np.pi)) - np.mean(r**2, axis=0) / (2 * s**2)
        else:
            s = spreads[:, None]
            level = -np.log(2 * s) - np.mean(np.abs(r), axis=0) / s
        return np.asarray(level - self.log_likelihood(self.top) / len(self.x))

    def _surface(self, state: Estimate) -> Picture:
        scaled = np.sqrt(np.maximum(-self._levels, 0))
        levels = np.sqrt([0.02, 0.08, 0.2, 0.4, 0.7, 1.1, 1.8, 3.0, 5.0, 9.0])
        last = state.path[-1:]
        marks = [
            m.field_of("surface", -np.minimum(scaled, 2.2), self.box, scale="blue", alpha=0.35),
            m.contours("levels", scaled, self.box, levels, alpha=0.5),
            m.contours("region", scaled, self.box, [np.sqrt(CONFIDENT / len(self.x))],
                       color=2, width=2.0),
            m.line("path", state.path, color=1, alpha=0.7, width=1.5),
            m.points("steps", state.path, color=1, size=2.5),
            m.points("top", [[self.top[0], self.width(self.top)]], shape="cross", color="ink",
                     size=6),
            m.handle("theta", last, color=1, term="theta"),
        ]  # fmt: skip
        symbols = ("μ", "σ") if self.normal else ("m", "b")
        title = Msg("bayes.surface.normal" if self.normal else "bayes.surface.laplace")
        return Picture("surface", marks, Axis(*self.box[:2], symbols[0]),
                       Axis(*self.box[2:], symbols[1]), title=title)  # fmt: skip

    # --- rules --------------------------------------------------------------------------------

    def _rules(self, state: Estimate, focus: Mapping[str, Any] | None) -> list[Rule]:
        rules = [] if state.phase == "start" else self._step(state)
        i = 0
        if focus is not None and focus["key"] in ("points", "heights"):
            i = min(int(focus["index"]), len(self.x) - 1)
        return [*rules, self._one(state, i), self._sum(state)]

    def _step(self, state: Estimate) -> list[Rule]:
        k, n, v = int(state.phase == "spread"), len(self.x), float(state.before[1])
        symbol = (r"\mu", r"\sigma^2")[k] if self.normal else ("m", "b")[k]
        r = self.x - state.before[0]
        if self.normal:
            total = float(r.sum()) if k == 0 else float(np.sum(r**2))
            symbols = (
                r"\sum_i \frac{x_i - \mu}{\t{v}{\sigma^2}}",
                r"\frac{\sum_i (x_i - \mu)^2 - n \t{v}{\sigma^2}}{2 \sigma^4}",
            )[k]
            numbers = (r"\frac{@total}{@v}", r"\frac{@total - @n \cdot @v}{2 \cdot @v^2}")[k]
            formula: Any = (
                (lambda total, v, n: total / v),
                (lambda total, v, n: (total - n * v) / (2 * v**2)),
            )[k]
        else:
            total = float(np.sign(r).sum()) if k == 0 else float(np.sum(np.abs(r)))
            symbols = (
                r"\sum_i \frac{\mathrm{sign}(x_i - m)}{\t{v}{b}}",
                r"\frac{\sum_i |x_i - m| - n \t{v}{b}}{b^2}",
            )[k]
            numbers = (r"\frac{@total}{@v}", r"\frac{@total - @n \cdot @v}{@v^2}")[k]
            formula = (
                (lambda total, v, n: total / v),
                (lambda total, v, n: (total - n * v) / v**2),
            )[k]
        family = "normal" if self.normal else "laplace"
        return [
            Rule(
                rf"\t{{s}}{{s}} = \frac{{\partial \ell}}{{\partial {symbol}}} = {symbols}",
                rf"@s = {numbers}", {"s": state.score, "total": total, "v": v, "n": n}, "s",
                formula, Msg(f"bayes.rule.score.{family}.{state.phase}"),
            ),
            Rule(
                rf"\t{{theta}}{{{symbol}}} \leftarrow {symbol} + \t{{rate}}{{\eta}}\, "
                r"\frac{\t{s}{s}}{n\, \t{info}{I}}",
                r"@theta = @before + @rate \cdot \frac{@s}{@n \cdot @info}",
                {"theta": state.theta[k], "before": state.before[k], "rate": state.rate,
                 "s": state.score, "n": n, "info": state.information}, "theta",
                lambda before, rate, s, n, info: before + rate * s / (n * info),
                Msg("bayes.rule.move"),
            ),
        ]  # fmt: skip

    def _one(self, state: Estimate, i: int) -> Rule:
        place, v, x = float(state.theta[0]), float(state.theta[1]), float(self.x[i])
        logp = float(self.model(state.theta).log_prob([x])[0])
        terms = {"logp": logp, "x": x, "m": place, "v": v}
        caption = Msg("bayes.rule.point", i=i + 1)
        if self.normal:
            return Rule(
                r"\t{logp}{\log p(x_i)} = -\tfrac12 \log 2\pi \t{v}{\sigma^2} - "
                r"\frac{(\t{x}{x_i} - \t{m}{\mu})^2}{2 \sigma^2}",
                r"@logp = -\tfrac12 \log(2\pi \cdot @v) - \frac{(@x - @m)^2}{2 \cdot @v}",
                terms, "logp",
                lambda x, m, v: -0.5 * np.log(2 * np.pi * v) - (x - m) ** 2 / (2 * v), caption,
            )  # fmt: skip
        return Rule(
            r"\t{logp}{\log p(x_i)} = -\log 2 \t{v}{b} - \frac{|\t{x}{x_i} - \t{m}{m}|}{b}",
            r"@logp = -\log(2 \cdot @v) - \frac{|@x - @m|}{@v}", terms, "logp",
            lambda x, m, v: -np.log(2 * v) - abs(x - m) / v, caption,
        )  # fmt: skip

    def _sum(self, state: Estimate) -> Rule:
        divergence = float(self.fitted.kl_divergence(self.model(state.theta))) \
            if self.normal else None  # fmt: skip
        if divergence is None:
            each = self.model(state.theta).log_prob(self.x)
            return Rule(
                r"\ell = \sum_{i=1}^{n} \log p(x_i) = n \cdot \t{mean}{\overline{\log p}}",
                r"@ell = @n \cdot @mean",
                {"ell": state.log_likelihood, "n": len(self.x), "mean": float(np.mean(each))},
                "ell", lambda n, mean: n * mean, Msg("bayes.rule.sum"),
            )  # fmt: skip
        return Rule(
            r"\ell = \hat\ell - n\, \t{kl}{\mathrm{KL}(\hat p \,\|\, p)}",
            r"@ell = @best - @n \cdot @kl",
            {"ell": state.log_likelihood, "best": self.log_likelihood(self.top),
             "n": len(self.x), "kl": divergence},
            "ell", lambda best, n, kl: best - n * kl, Msg("bayes.rule.kl"),
        )  # fmt: skip

    # --- against others -----------------------------------------------------------------------

    def check(self, state: Estimate) -> list[Check]:
        """Compare with SciPy's densities, the score with differences, the top with an optimiser."""
        from scipy import stats

        theta, width = state.theta, self.width(state.theta)
        other: Any = stats.norm if self.normal else stats.laplace
        log_p = other.logpdf(self.x, theta[0], width).sum()
        size = max(1.0, abs(state.log_likelihood))
        checks = [Check(Msg("bayes.check.scipy"), state.log_likelihood, log_p, 1e-9 * size)]
        if state.phase != "start" and (self.normal or state.phase == "spread"):
            k = int(state.phase == "spread")
            step = np.zeros(2)
            step[k] = 1e-5 * self.width(state.before)
            rise = self.log_likelihood(state.before + step)
            rise -= self.log_likelihood(state.before - step)
            slope, tol = rise / (2 * step[k]), 1e-5 * (size + abs(state.score))
            checks.append(Check(Msg("bayes.check.difference"), state.score, slope, tol))
        if state.settled and self.normal:
            found = maximum_likelihood(
                lambda t, x: stats.norm.logpdf(x, t[0], np.exp(t[1])),
                [theta[0] + 0.1 * width, np.log(width)], self.x,
            ).estimate  # fmt: skip
            checks.append(Check(Msg("bayes.check.optimiser"), [theta[0], width],
                                [found[0], np.exp(found[1])], 1e-3 * width))  # fmt: skip
        return checks

    def script(self, actions: Sequence[Mapping[str, Any]], last: int) -> str:
        """Write the same steps."""
        kind, normal = "Gaussian" if self.normal else "Laplace", self.normal
        s = "np.sqrt(theta[1])" if normal else "theta[1]"
        back = "spread**2" if normal else "spread"
        score = (
            "np.sum(r / v) if k == 0 else np.sum((r**2 - v) / (2 * v**2))"
            if normal
            else "np.sum(np.sign(r) / v) if k == 0 else np.sum((np.abs(r) - v) / v**2)"
        )
        places = "mean_[0]" if normal else "loc_[0]"
        fitted = 'Gaussian("spherical").fit(x)' if normal else "Laplace().fit(x)"
        text = f"""
from kiso.inference import {kind}
x = X[:, 0]
top = {fitted}.{places}
s = float(np.std(x))
box = (min(x.mean(), top) - 2.2 * s, max(x.mean(), top) + 2.2 * s, 0.25 * s, 2.6 * s)

def of(place, spread):
    place, spread = float(np.clip(place, *box[:2])), float(np.clip(spread, *box[2:]))
    return np.array([place, {back}])

def log_likelihood(theta):
    return float(np.sum({kind}.from_parameters(theta[0], float(theta[1])).log_prob(x)))

def ascend(theta, trace):
    level, rest = log_likelihood(theta), 0
    trace.append(dict(phase="start", theta=theta, rate=1.0, log_likelihood=level))
    for step in range({MAX_STEPS}):
        k, r, v, rate = step % 2, x - theta[0], theta[1], {self.p["learning_rate"]!r}
        score = {score}
        information = {kind}.from_parameters(theta[0], float(v)).fisher_information()[k, k]
        for _ in range(40):  # halve the step until the likelihood rises
            moved = theta.copy()
            moved[k] += rate * score / (len(x) * information)
            risen = log_likelihood(moved) if moved[1] > 0 else -np.inf
            if risen >= level:
                break
            rate /= 2
        else:
            moved, risen, rate = theta, level, 0.0
        rest = rest + 1 if risen - level < 1e-9 * len(x) else 0
        trace.append(dict(phase=("place", "spread")[k], theta=moved, rate=rate,
                          log_likelihood=risen))
        if rest >= 2:
            break
        theta, level = moved, risen
    return trace

angle = np.random.default_rng({self.scene.seed}).uniform(0, 2 * np.pi)
trace = ascend(of(top + 1.7 * s * np.cos(angle), s * np.exp(0.7 * np.sin(angle))), [])
"""
        for action in actions:
            t, to = action["t"], list(action["to"])
            text += f"\ntheta = trace[{t}]['theta']\nplace, spread = float(theta[0]), float({s})\n"
            if action["kind"] == "theta":
                text += f"place, spread = {to[0]!r}, {to[1]!r}\n"
            elif int(action["index"]) == 0:
                text += f"place = {to[0]!r}\n"
            else:
                text += f"spread = abs({to[0]!r} - place)\n"
            text += f"trace = ascend(of(place, spread), trace[:{t}])\n"
        return text + f"trace = trace[: {last} + 1]"
