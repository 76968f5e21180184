"""Bayesian regression: the posterior over lines and its predictive band, point by point."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from kiso.linear_model import BayesianLinearRegression

from .. import _marks as m
from .._marks import Axis, Picture
from .._scene import Check, Frame, Msg, Rule, Scene
from ._plane import plane_axes

Array = np.ndarray[Any, np.dtype[Any]]

N_LINES = 8
TURN = np.linspace(0.5 * np.pi, 2.5 * np.pi, 97)  # rings begin, and have their label, on top
CIRCLE = np.column_stack([np.cos(TURN), np.sin(TURN)])


@dataclass(frozen=True)
class Belief:
    """What is believed of the line after some points.

    Attributes
    ----------
    phase : str
        "predict": the next point is foretold; "update": it has been seen.
    n : int
        Points seen.
    mean : ndarray of shape (2,)
        Of (intercept, slope).
    covariance : ndarray of shape (2, 2)
    row : int
        The point that is foretold, or was seen last; -1 where none is.
    foretold : float
        Predictive mean at it, before it was seen.
    spread : float
        Predictive standard deviation at it, noise included, before it was seen.
    evidence : float
        log p(y₁ … y_n).
    prior_mean : ndarray of shape (2,)
    before : (mean, covariance)
        Before the last point.
    """

    phase: str
    n: int
    mean: Array
    covariance: Array
    row: int
    foretold: float
    spread: float
    evidence: float
    prior_mean: Array
    before: tuple[Array, Array]


class Posterior:
    """The run of a scene whose points' y is a line of x with normal noise."""

    def __init__(self, scene: Scene):
        self.scene, self.p = scene, scene.p
        if len(scene.X) < 2:
            raise ValueError(f"{len(scene.X)} points are too few: add points")
        self.order = np.random.default_rng(scene.seed).permutation(len(scene.X))
        self.units = np.array([unit_of(column) for column in scene.X.T])
        scaled = scene.X / self.units
        self.Phi = np.column_stack([np.ones(len(scaled)), scaled[:, 0]])
        self.t = scaled[:, 1]

    # --- the run ------------------------------------------------------------------------------

    def states(self) -> Iterator[Belief]:
        """Foretell a point, see it, and so on, in an order that the seed chooses."""
        yield from self._from(0, np.zeros(2))

    def resume(self, state: Belief, action: Mapping[str, Any]) -> Iterator[Belief]:
        """Go on with a prior whose mean was dragged."""
        if action["kind"] != "prior":
            raise ValueError(f"bayes knows no action {action['kind']!r} with this model")
        run = self._from(state.n, np.asarray(action["to"], float))
        if state.phase == "update":
            yield from run
        else:
            next(run)
            yield from run

    def _from(self, n: int, prior: Array) -> Iterator[Belief]:
        before = self._seen(max(n - 1, 0), prior)
        last = len(self.t)
        while True:
            now = self._seen(n, prior)
            row = int(self.order[n - 1]) if n else -1
            told = self._foretell(before, row)
            yield Belief("update" if n else "prior", n, now[0], now[1], row, *told, now[2], prior,
                         before[:2])  # fmt: skip
            if n == last:
                return
            row = int(self.order[n])
            yield Belief("predict", n, now[0], now[1], row, *self._foretell(now, row), now[2],
                         prior, before[:2])  # fmt: skip
            before, n = now, n + 1

    def _seen(self, n: int, prior: Array) -> tuple[Array, Array, float]:
        """Mean, covariance and log evidence after n points."""
        if n == 0:
            return prior, self.p["prior_variance"] * np.eye(2), 0.0
        rows = self.order[:n]
        model = BayesianLinearRegression(
            prior_mean=prior, prior_covariance=self.p["prior_variance"],
            noise_variance=self.p["noise_variance"], fit_intercept=False,
        ).fit(self.Phi[rows], self.t[rows])  # fmt: skip
        return model.coef_, model.covariance_, float(model.log_marginal_likelihood_)

    def _foretell(self, seen: tuple[Array, Array, float], row: int) -> tuple[float, float]:
        if row < 0:
            return float("nan"), float("nan")
        phi = self.Phi[row]
        variance = self.p["noise_variance"] + phi @ seen[1] @ phi
        return float(phi @ seen[0]), float(np.sqrt(variance))

    def trace(self, state: Belief) -> Mapping[str, Any]:
        """Mean and covariance of the line, and the evidence."""
        return {"phase": state.phase, "n": state.n, "mean": state.mean,
                "covariance": state.covariance, "evidence": state.evidence}  # fmt: skip

    # --- pictures -----------------------------------------------------------------------------

    def frame(self, state: Belief, focus: Mapping[str, Any] | None) -> Frame:
        """Points and band; prior and posterior over the weights."""
        z = self._surprise(state)
        title = Msg(f"bayes.{state.phase}", n=state.n, of=len(self.t), z=abs(z))
        facts: list[tuple[Msg, Any]] = [(Msg("bayes.fact.evidence"), state.evidence)]
        if state.row >= 0:
            facts += [(Msg("bayes.fact.surprise"), z)]
        facts.append((Msg("bayes.fact.slope"), float(np.sqrt(state.covariance[1, 1]))))
        pictures = [self._plane(state, title), self._weights(state)]
        return Frame(pictures, self._rules(state), title, state.phase, facts=facts)

    def _surprise(self, state: Belief) -> float:
        """How many standard deviations the point lies from what was foretold."""
        if state.row < 0:
            return 0.0
        return float((self.t[state.row] - state.foretold) / state.spread)

    def _plane(self, state: Belief, title: Msg) -> Picture:
        X, (ux, uy) = self.scene.X, self.units
        x, y = plane_axes(X, self.scene.points)
        grid = np.linspace(x.low, x.high, 121)
        Phi = np.column_stack([np.ones(121), grid / ux])
        mean = Phi @ state.mean
        std = np.sqrt(self.p["noise_variance"]
                      + np.einsum("ij,jk,ik->i", Phi, state.covariance, Phi))  # fmt: skip
        seen = np.isin(np.arange(len(X)), self.order[: state.n])
        lines = (Phi @ self._sampled(state).T).T * uy
        broken = np.hstack([lines, np.full((N_LINES, 1), np.nan)]).ravel()
        across = np.tile(np.append(grid, np.nan), N_LINES)
        marks = [
            m.area("band", grid, (mean - 2 * std) * uy, (mean + 2 * std) * uy, color=0, alpha=0.16,
                   term="spread"),
            m.line("lines", np.column_stack([across, broken]), color="muted", width=1, alpha=0.6),
            m.line("mean", np.column_stack([grid, mean * uy]), color=0, term="mean"),
            m.points("points", X, color=np.where(seen, 0, -1), hollow=~seen, data=True, term="y",
                     size=np.where(seen, 5, 3)),
        ]  # fmt: skip
        if state.row >= 0:
            at, told = X[state.row], state.foretold * uy
            bar = [[at[0], told - 2 * state.spread * uy, at[0], told + 2 * state.spread * uy]]
            marks += [m.segments("interval", bar, color=1, width=2.5, term="spread"),
                      m.points("foretold", [[at[0], told]], color=1, size=4, term="told"),
                      m.points("next", [at], color=1, shape="ring", size=9, term="y")]  # fmt: skip
        return Picture("plane", marks, x, y, title=title, edit=True)

    def _sampled(self, state: Belief) -> Array:
        """Lines of the posterior, drawn from the same normals at every step."""
        z = np.random.default_rng(self.scene.seed).standard_normal((N_LINES, 2))
        return np.asarray(state.mean + z @ np.linalg.cholesky(state.covariance).T)

    @cached_property
    def _least_squares(self) -> Array:
        return np.asarray(np.linalg.lstsq(self.Phi, self.t, rcond=None)[0])

    def _weights(self, state: Belief) -> Picture:
        s = float(np.sqrt(self.p["prior_variance"]))
        prior = (state.prior_mean, np.eye(2) * s)
        now = (state.mean, np.linalg.cholesky(state.covariance))
        reach = np.vstack([state.prior_mean - 2.6 * s, state.prior_mean + 2.6 * s,
                           1.15 * self._least_squares, 0.85 * self._least_squares])  # fmt: skip
        low, high = reach.min(axis=0), reach.max(axis=0)
        labels = (Msg("bayes.prior.label"), Msg("bayes.posterior.label"))
        marks = []
        for number, (center, root) in enumerate((prior, now) if state.n else (prior,)):
            turned = CIRCLE if number else -CIRCLE  # the prior's label stands below
            for k, radius in enumerate((1.177, 2.448)):  # half, and 95 per cent inside
                marks.append(m.line(f"{('before', 'after')[number]}{k}",
                                    center + radius * turned @ root.T,
                                    color=0 if number else "muted", width=1.5,
                                    label=labels[number] if k else None))  # fmt: skip
        marks += [
            m.points("drawn", self._sampled(state), color="muted", size=2.5),
            m.points("least", [self._least_squares], color="ink", shape="cross", size=6,
                     label=Msg("bayes.least")),
            m.points("map", [state.mean], color=0, size=6, term="mean"),
            m.handle("prior", [state.prior_mean], color="muted"),
        ]  # fmt: skip
        title = Msg("bayes.weights.prior" if not state.n else "bayes.weights")
        names = [Msg("bayes.intercept"), Msg("bayes.slope")]
        if np.any(self.units != 1):
            names = [Msg(f"{name['msg']}.units", ux=float(self.units[0]),
                         uy=float(self.units[1])) for name in names]  # fmt: skip
        return Picture("weights", marks, Axis(low[0], high[0], names[0]),
                       Axis(low[1], high[1], names[1]), title=title)  # fmt: skip

    # --- rules --------------------------------------------------------------------------------

    def _rules(self, state: Belief) -> list[Rule]:
        v = self.p["noise_variance"]
        if state.phase == "predict":
            phi = self.Phi[state.row]
            return [
                Rule(
                    r"\t{told}{m(x)} = \t{mean}{\mu}^T \t{phi}{\varphi(x)}",
                    r"@told = @mean^T @phi",
                    {"told": state.foretold, "mean": state.mean, "phi": phi}, "told",
                    lambda mean, phi: mean @ phi, Msg("bayes.rule.mean"),
                ),
                Rule(
                    r"\t{spread}{s(x)}^2 = \t{v}{\sigma^2} + \varphi^T \t{cov}{\Lambda}\, \varphi",
                    r"@s2 = @v + @phi^T @cov\, @phi",
                    {"s2": state.spread**2, "v": v, "phi": phi, "cov": state.covariance}, "s2",
                    lambda v, phi, cov: v + phi @ cov @ phi, Msg("bayes.rule.band"),
                ),
            ]  # fmt: skip
        if state.phase == "prior":
            s = self.p["prior_variance"]
            return [Rule(
                r"\Lambda_0 = \t{s}{\alpha^{-1}} I", r"@cov = @s \cdot @eye",
                {"cov": state.covariance, "s": s, "eye": np.eye(2)}, "cov",
                lambda s, eye: s * eye, Msg("bayes.rule.prior"),
            )]  # fmt: skip
        phi, y = self.Phi[state.row], self.t[state.row]
        mean, precision = state.before[0], np.linalg.inv(state.before[1])
        return [
            Rule(
                r"\t{cov}{\Lambda} \leftarrow \bigl(\t{old}{\Lambda^{-1}} + "
                r"\tfrac{1}{\t{v}{\sigma^2}} \t{phi}{\varphi} \varphi^T\bigr)^{-1}",
                r"@cov = \Bigl(@old + \tfrac{1}{@v} @phi @phi^T\Bigr)^{-1}",
                {"cov": state.covariance, "old": precision, "v": v, "phi": phi}, "cov",
                lambda old, v, phi: np.linalg.inv(old + np.outer(phi, phi) / v),
                Msg("bayes.rule.covariance"),
            ),
            Rule(
                r"\t{mean}{\mu} \leftarrow \Lambda \bigl(\Lambda_{\text{old}}^{-1} \mu + "
                r"\tfrac{1}{\sigma^2} \varphi\, \t{y}{y}\bigr)",
                r"@mean = @cov \Bigl(@pull + \tfrac{1}{@v} @phi \cdot @y\Bigr)",
                {"mean": state.mean, "cov": state.covariance, "pull": precision @ mean, "v": v,
                 "phi": phi, "y": y}, "mean",
                lambda cov, pull, v, phi, y: cov @ (pull + phi * y / v),
                Msg("bayes.rule.posterior"),
            ),
        ]  # fmt: skip

    # --- against others -----------------------------------------------------------------------

    def check(self, state: Belief) -> list[Check]:
        """Compare with sums over a grid of lines, and with ridge regression."""
        from sklearn.linear_model import Ridge

        rows, v, s = self.order[: state.n], self.p["noise_variance"], self.p["prior_variance"]
        Phi, t = self.Phi[rows], self.t[rows]
        root = np.linalg.cholesky(state.covariance)
        steps = np.linspace(-8, 8, 161)
        z = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
        lines = state.mean + z @ root.T
        log_p = -0.5 * np.sum((lines - state.prior_mean) ** 2, axis=1) / s
        log_p -= 0.5 * np.sum((t - lines @ Phi.T) ** 2, axis=1) / v
        log_p -= np.log(2 * np.pi * s) + 0.5 * len(t) * np.log(2 * np.pi * v)
        p = np.exp(log_p - log_p.max())
        cell = (steps[1] - steps[0]) ** 2 * np.linalg.det(root)
        size = float(np.abs(state.mean).max()) + 1.0
        checks = [
            Check(Msg("bayes.check.grid"), state.mean, p @ lines / p.sum(), 1e-8 * size),
            Check(Msg("bayes.check.evidence"), state.evidence,
                  log_p.max() + np.log(p.sum() * cell), 1e-7 * (1 + abs(state.evidence))),
        ]  # fmt: skip
        if state.n:
            ridge = Ridge(v / s, fit_intercept=False).fit(Phi, t - Phi @ state.prior_mean)
            checks.append(Check(Msg("bayes.check.ridge"), state.mean,
                                ridge.coef_ + state.prior_mean, 1e-8 * size))  # fmt: skip
        return checks

    def script(self, actions: Sequence[Mapping[str, Any]], last: int) -> str:
        """Write the same beliefs."""
        p = self.p
        text = f"""
from kiso.linear_model import BayesianLinearRegression
order = np.random.default_rng({self.scene.seed}).permutation(len(X))
scaled = X / {list(map(float, self.units))!r}  # units in which numbers are near 1
Phi, t = np.column_stack([np.ones(len(X)), scaled[:, 0]]), scaled[:, 1]

def seen(n, prior):
    if n == 0:
        return dict(mean=prior, covariance={p["prior_variance"]!r} * np.eye(2), evidence=0.0)
    model = BayesianLinearRegression(
        prior_mean=prior, prior_covariance={p["prior_variance"]!r},
        noise_variance={p["noise_variance"]!r}, fit_intercept=False,
    ).fit(Phi[order[:n]], t[order[:n]])
    return dict(mean=model.coef_, covariance=model.covariance_,
                evidence=model.log_marginal_likelihood_)

def run(n, prior):
    trace = []
    while True:
        now = dict(n=n, **seen(n, prior))
        trace.append(dict(phase="update" if n else "prior", **now))
        if n == len(t):
            return trace
        trace.append(dict(phase="predict", **now))
        n += 1

trace = run(0, np.zeros(2))
"""
        for action in actions:
            t, to = action["t"], list(map(float, action["to"]))
            text += f"""
go_on = run(trace[{t}]["n"], np.array({to!r}))
trace = trace[:{t}] + go_on[trace[{t}]["phase"] == "predict" :]
"""
        return text + f"trace = trace[: {last} + 1]"


def unit_of(column: Array) -> float:
    """Return 1, or for large or small numbers the power of ten in which they are near 1."""
    size = float(np.abs(column).max())
    return 1.0 if 0.1 <= size <= 10 or size == 0 else float(10.0 ** np.floor(np.log10(size)))
