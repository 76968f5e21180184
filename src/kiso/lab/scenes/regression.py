"""Linear, locally weighted and polynomial regression: what is fitted at the query point."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from kiso.linear_model import LinearRegression, LocallyWeightedRegression, Ridge

from .. import _marks as m
from .._controls import Choice, Number
from .._marks import Axis, Picture
from .._scene import Check, DataSpec, Frame, Msg, Rule, Scene, Task, View
from ._plane import plane_axes

Array = np.ndarray[Any, np.dtype[Any]]

TAUS = np.geomspace(0.01, 2.0, 25)
DEGREES = np.arange(1.0, 16.0)
N_QUERIES = 41  # places of the query point, from the left end of the data to the right


@dataclass(frozen=True)
class Query:
    """The fit at one query point x.

    Attributes
    ----------
    x : float
    theta : ndarray
        (intercept, slope) of the line at x; all coefficients of a polynomial.
    weights : ndarray of shape (n,)
        Of the rows in the fit at x; ones where they are all alike.
    prediction : float
        At x.
    error : float
        Σ w (y − ŷ)² of the fit at x.
    """

    x: float
    theta: Array
    weights: Array
    prediction: float
    error: float


class RegressionScene(Scene):
    """Least squares with equal weights, with weights around the query, or of powers of x."""

    name = "regression"
    rows = (5, 6, 31, 75, 76, 81)
    data = DataSpec(("wave", "line", "runge", "houses"), n=60, y_is_target=True)
    controls = (
        Choice(name="model", default="locally-weighted",
               options=("locally-weighted", "linear", "polynomial")),
        Number(name="tau", default=0.15, low=0.01, high=2.0, log=True,
               when=("model", ("locally-weighted",))),
        Number(name="degree", default=3, low=1, high=15, whole=True,
               when=("model", ("polynomial",))),
        Number(name="alpha", default=1e-6, low=1e-10, high=10.0, log=True,
               when=("model", ("polynomial",))),
    )  # fmt: skip
    beside = {"model": "linear"}
    objectives = ("error",)
    keep_step = True

    def _prepare(self) -> None:
        """Fit on x in units of its half-width around its middle: tau and degree mean the same."""
        if len(self.X) < 3:
            raise ValueError(f"{len(self.X)} points are too few for a line: add points")
        x, self.t = self.X[:, 0], self.X[:, 1]
        self.middle, self.half = (x.max() + x.min()) / 2, max(np.ptp(x) / 2, 1e-12)
        self.u = ((x - self.middle) / self.half)[:, None]
        kind = self.p["model"]
        self.model: Any
        self._known: dict[float, float] = {}  # leave-one-out errors by bandwidth
        if kind == "locally-weighted":
            self.model = LocallyWeightedRegression(self.p["tau"]).fit(self.u, self.t)
        elif kind == "linear":
            self.model = LinearRegression().fit(self.u, self.t)
        else:
            self.model = Ridge(self.p["alpha"]).fit(self._powers(self.u), self.t)

    def _powers(self, u: Array) -> Array:
        return u ** np.arange(1, self.p["degree"] + 1)

    def _predict(self, u: Array) -> Array:
        return self.model.predict(self._powers(u) if self.p["model"] == "polynomial" else u)

    def states(self) -> Iterator[Query]:
        """Move the query point from left to right."""
        self._prepare()
        kind = self.p["model"]
        for q in np.linspace(-1, 1, N_QUERIES):
            at = np.array([[q]])
            if kind == "locally-weighted":
                theta, w = self.model.local_coef(at)[0], self.model.local_weights(at)[0]
                fitted = theta[0] + theta[1] * self.u[:, 0]
            else:
                theta = np.append(self.model.intercept_, self.model.coef_)
                w, fitted = np.ones(len(self.t)), self._predict(self.u)
            error = float(np.sum(w * (self.t - fitted) ** 2))
            yield Query(float(q), theta, w, float(self._predict(at)[0]), error)

    def objective(self, state: Query) -> Sequence[float]:
        """Σ w (y − ŷ)²."""
        return (state.error,)

    def trace(self, state: Query) -> Mapping[str, Any]:
        """The query and the fit at it."""
        return {"x": state.x * self.half + self.middle, "theta": state.theta,
                "prediction": state.prediction, "error": state.error}  # fmt: skip

    # --- pictures ---------------------------------------------------------------------------

    def frame(self, state: Query, focus: Mapping[str, Any] | None) -> Frame:
        """Points sized by their weight, the fit, the line at the query, its residual bars."""
        x, y = plane_axes(self.X, self.points)
        grid = np.linspace(-1.05, 1.05, 300)[:, None]
        curve = np.column_stack([grid[:, 0] * self.half + self.middle, self._predict(grid)])
        q = state.x * self.half + self.middle
        marks = [m.line("fit", curve, color="muted", label=Msg("regression.fit"))]
        w = state.weights / max(state.weights.max(), 1e-300)
        if self.p["model"] == "locally-weighted":
            near = np.array([state.x - 2.5 * self.p["tau"], state.x + 2.5 * self.p["tau"]])
            at = state.theta[0] + state.theta[1] * near
            marks.append(m.line("local", np.column_stack([near * self.half + self.middle, at]),
                                color=1, term="theta"))  # fmt: skip
            fitted = state.theta[0] + state.theta[1] * self.u[:, 0]
        else:
            fitted = self._predict(self.u)
        ends = np.column_stack([self.X[:, 0], self.t, self.X[:, 0], fitted])
        marks += [
            m.segments("residuals", ends[w > 0.02], color="muted", alpha=0.6, term="e"),
            m.points("points", self.X, color=0, size=3 + 5 * w, data=True, term="w"),
            m.rule_line("query", x=q, label="x"),
            m.points("prediction", [[q, state.prediction]], color=1, size=8, term="y"),
        ]
        title = Msg(f"regression.{self.p['model']}", x=q, y=state.prediction,
                    n=int(np.sum(w > 0.02)))  # fmt: skip
        pictures = [Picture("plane", marks, x, y, title=title, edit=True, wide=1.6),
                    self._choice()]  # fmt: skip
        facts: list[tuple[Msg, Any]] = [(Msg("regression.fact.error"), state.error)]
        if self.p["model"] == "locally-weighted":
            facts.append((Msg("regression.fact.loo"), self._loo(self.p["tau"])))
        return Frame(pictures, self._rules(state), title, facts=facts)

    def _choice(self) -> Picture:
        """What the parameter costs on rows that were not used, against the parameter."""
        kind = self.p["model"]
        if kind == "locally-weighted":
            places, errors = TAUS, self._loo_curve
            name: Any = "τ"
            at, value = self.p["tau"], self._loo(self.p["tau"])
            found = Msg("regression.choice.tau", best=float(places[errors.argmin()]))
        elif kind == "polynomial":
            places, errors = DEGREES, self._degree_curve
            name, at = Msg("regression.controls.degree"), float(self.p["degree"])
            value = float(errors[self.p["degree"] - 1])
            found = Msg("regression.choice.degree", best=int(places[errors.argmin()]))
        else:
            return self._likelihood()
        errors, value = np.log10(errors), float(np.log10(value))
        low, high = float(errors.min()), float(errors.max())
        room = 0.1 * max(high - low, 1e-3)
        marks = [m.line("errors", np.column_stack([places, errors]), color=0),
                 m.points("now", [[at, value]], color=1, size=7)]  # fmt: skip
        label = Msg("regression.choice.label")
        return Picture("choice", marks, Axis(places[0], places[-1], name, kind != "polynomial"),
                       Axis(low - room, high + room, label), title=found)  # fmt: skip

    def _likelihood(self) -> Picture:
        """The log-likelihood of slopes: its top does not depend on σ."""
        a, b = float(self.model.intercept_), float(self.model.coef_[0])
        width = 3 * max(abs(b), 1e-3)
        slopes = np.linspace(b - width, b + width, 81)
        rss = [float(np.sum((self.t - a - s * self.u[:, 0]) ** 2)) for s in slopes]
        sigma = float(np.sqrt(min(rss) / len(self.t)))
        marks = []
        for k, factor in enumerate((1.0, 2.0)):
            s = factor * sigma
            log = -len(self.t) * np.log(s * np.sqrt(2 * np.pi)) - np.array(rss) / (2 * s * s)
            marks.append(m.line(f"sigma{k}", np.column_stack([slopes, log - log.max()]), color=k,
                                label=Msg("regression.sigma", s=s)))  # fmt: skip
        marks.append(m.rule_line("top", x=b, label="θ₁"))
        return Picture("choice", marks, Axis(slopes[0], slopes[-1], "θ₁"),
                       Axis(-60.0, 3.0, Msg("regression.loglik")),
                       title=Msg("regression.choice.likelihood"))  # fmt: skip

    def _loo(self, tau: float) -> float:
        """Mean squared leave-one-out residual at a bandwidth, by refitting without each row."""
        if tau not in self._known:
            step = max(1, -(-len(self.t) // 80))  # at most 80 rows are left out in turn
            self._known[tau] = float(np.mean(_left_out(self.u[::step], self.t[::step], tau)))
        return self._known[tau]

    @cached_property
    def _loo_curve(self) -> Array:
        """The leave-one-out error at each of `TAUS`."""
        return np.array([self._loo(float(tau)) for tau in TAUS])

    @cached_property
    def _degree_curve(self) -> Array:
        """The error on held-out rows at each of `DEGREES`."""
        return np.array([self._held_out(int(degree)) for degree in DEGREES])

    def _held_out(self, degree: int) -> float:
        """Mean squared error on every third row of a fit on the others."""
        held = np.arange(len(self.t)) % 3 == 1
        powers = self.u ** np.arange(1, degree + 1)
        model = Ridge(self.p["alpha"]).fit(powers[~held], self.t[~held])
        return float(np.mean((model.predict(powers[held]) - self.t[held]) ** 2))

    def _rules(self, state: Query) -> list[Rule]:
        if self.p["model"] == "polynomial":
            powers = np.append(1.0, self._powers(np.array([[state.x]]))[0])
            return [Rule(
                r"\t{y}{\hat y} = \sum_j \t{theta}{\theta_j}\,\t{u}{u^j}",
                r"@y = \begin{gathered} @theta \end{gathered}^T @u",
                {"y": state.prediction, "theta": state.theta, "u": powers}, "y",
                lambda theta, u: theta @ u, Msg("regression.rule.polynomial"),
            )]  # fmt: skip
        design = np.column_stack([np.ones(len(self.u)), self.u])
        A = design.T @ (state.weights[:, None] * design)
        b = design.T @ (state.weights * self.t)
        return [
            Rule(
                r"\t{theta}{\theta} = (\t{A}{X^T W X})^{-1}\, \t{b}{X^T W y}",
                r"@theta = @A^{-1} @b", {"theta": state.theta, "A": A, "b": b}, "theta",
                lambda A, b: np.linalg.lstsq(A, b, rcond=1e-13)[0],
                Msg("regression.rule.normal"),
            ),
            Rule(
                r"\t{y}{\hat y} = \theta_0 + \theta_1 \t{u}{u}", r"@y = @t0 + @t1 \cdot @u",
                {"y": state.prediction, "t0": state.theta[0], "t1": state.theta[1], "u": state.x},
                "y", lambda t0, t1, u: t0 + t1 * u, Msg("regression.rule.predict"),
            ),
        ]  # fmt: skip

    def check(self, state: Query) -> list[Check]:
        """Compare with the formula, solved anew by least squares."""
        design = np.column_stack([np.ones(len(self.u)), self.u])
        if self.p["model"] == "polynomial":
            from sklearn.linear_model import Ridge as Reference

            powers = self._powers(self.u)
            reference = Reference(self.p["alpha"]).fit(powers, self.t)
            at = self._powers(np.array([[state.x]]))
            return [Check(Msg("regression.check.sklearn"), state.prediction,
                          reference.predict(at), 1e-5 * np.ptp(self.t))]  # fmt: skip
        root = np.sqrt(state.weights)
        theta = np.linalg.lstsq(root[:, None] * design, root * self.t, rcond=None)[0]
        return [Check(Msg("regression.check.formula"), state.theta, theta,
                      1e-6 * max(1.0, float(np.abs(theta).max())))]  # fmt: skip

    def script(self, actions: Sequence[Mapping[str, Any]], last: int) -> str:
        """Write the same queries."""
        kind = self.p["model"]
        head = """
from kiso.linear_model import LinearRegression, LocallyWeightedRegression, Ridge
x, t = X[:, 0], X[:, 1]
middle, half = (x.max() + x.min()) / 2, max(np.ptp(x) / 2, 1e-12)
u = ((x - middle) / half)[:, None]
trace = []
"""
        if kind == "locally-weighted":
            head += f"""
model = LocallyWeightedRegression({self.p["tau"]!r}).fit(u, t)
for q in np.linspace(-1, 1, {N_QUERIES}):
    at = np.array([[q]])
    theta, w = model.local_coef(at)[0], model.local_weights(at)[0]
    fitted = theta[0] + theta[1] * u[:, 0]
    prediction = model.predict(at)[0]
"""
        else:
            powers = f"u ** np.arange(1, {self.p['degree']} + 1)" if kind == "polynomial" else "u"
            model = f"Ridge({self.p['alpha']!r})" if kind == "polynomial" else "LinearRegression()"
            head += f"""
features = lambda u: {powers}
model = {model}.fit(features(u), t)
theta, w, fitted = np.append(model.intercept_, model.coef_), np.ones(len(t)), model.predict(features(u))
for q in np.linspace(-1, 1, {N_QUERIES}):
    prediction = model.predict(features(np.array([[q]])))[0]
"""  # noqa: E501
        return (
            head
            + f"""    error = np.sum(w * (t - fitted) ** 2)
    trace.append(dict(x=q * half + middle, theta=theta, prediction=prediction, error=error))
trace = trace[: {last} + 1]"""
        )


def _left_out(u: Array, t: Array, tau: float) -> Array:
    """Squared residual of each row against the local line of all others."""
    design = np.column_stack([np.ones(len(u)), u])
    out = np.empty(len(t))
    for i in range(len(t)):
        w = np.exp(-((u[:, 0] - u[i, 0]) ** 2) / (2 * tau**2))
        w[i] = 0.0
        root = np.sqrt(w / max(w.max(), 1e-300))
        theta = np.linalg.lstsq(root[:, None] * design, root * t, rcond=1e-9)[0]
        out[i] = (design[i] @ theta - t[i]) ** 2
    return out


def _best_tau(view: View) -> bool:
    scene = view.scene
    if scene.p["model"] != "locally-weighted" or len(view.states) < 2:
        return False
    return bool(scene._loo(scene.p["tau"]) <= 1.02 * scene._loo_curve.min())


def _straight(view: View) -> bool:
    """A bandwidth so wide that the local line is the line of least squares."""
    scene = view.scene
    if scene.p["model"] != "locally-weighted" or len(view.states) < 2:
        return False
    line = LinearRegression().fit(scene.u, scene.t)
    gap = abs(line.coef_[0] - view.state.theta[1])
    return bool(gap < 0.15 * abs(line.coef_[0]))


def _overfit(view: View) -> bool:
    """A polynomial whose error on held-out rows is at least three times the best."""
    scene = view.scene
    if scene.p["model"] != "polynomial":
        return False
    errors, degree = scene._degree_curve, scene.p["degree"]
    return bool(errors[degree - 1] > 3 * errors.min() and degree > 3)


RegressionScene.tasks = (
    Task("walk", lambda view: view.done),
    Task("best-tau", _best_tau),
    Task("straight", _straight),
    Task("overfit", _overfit),
)

SCENE = RegressionScene
