"""A plane between two classes: by mistakes, by Newton steps, by steps of SMO; and by a lift."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kiso.linear_model import LogisticRegression, Perceptron
from kiso.svm import SVC

from .. import _marks as m
from .._controls import Choice, Number
from .._marks import Picture
from .._scene import Check, DataSpec, Frame, Msg, Rule, Scene, Task, View
from ._plane import grid_of, plane_axes

Array = np.ndarray[Any, np.dtype[Any]]

MAX_MISTAKES = 120
SMO_STEPS = (0, 1, 2, 3, 4, 5, 6, 8, 10, 13, 17, 22, 30, 45, 70, 100, 150, 250, 500, 1000, 5000)
GRID = 60


@dataclass(frozen=True)
class Step:
    """A linear or kernel classifier after a step.

    Attributes
    ----------
    w : ndarray or None
        Weights of the plane; None with a kernel that is not linear.
    b : float
    beta : ndarray of shape (n,)
        Signed duals of the SVM; zeros elsewhere.
    objective : float
        Mistakes; the penalised log-loss; the duality gap.
    at : int
        The point that moved the perceptron, else −1.
    before : ndarray or None
        Its weights and intercept before that.
    primal, dual : float
        Of the SVM.
    model : object
        Fitted so far: what `decision_function` is asked of.
    """

    w: Array | None
    b: float
    beta: Array
    objective: float
    at: int = -1
    before: Array | None = None
    primal: float = float("nan")
    dual: float = float("nan")
    model: Any = None


class ClassifiersScene(Scene):
    """Perceptron, logistic regression, SVM, and an SVM after a lift to three dimensions."""

    name = "classifiers"
    rows = (7, 8, 9, 10, 11, 12, 14, 77)
    data = DataSpec(("two-blobs", "moons", "circles", "xor", "oil-wells"), n=60, classes=2)
    controls = (
        Choice(name="model", default="perceptron",
               options=("perceptron", "logistic", "svm", "lift")),
        Choice(name="kernel", default="linear", options=("linear", "rbf", "poly"),
               when=("model", ("svm",))),
        Choice(name="feature", default="x1 x2", options=("x1 x2", "x1² + x2²"),
               when=("model", ("lift",))),
        Number(name="C", default=1.0, low=0.01, high=1000.0, log=True,
               when=("model", ("logistic", "svm", "lift"))),
        Number(name="gamma", default=0.5, low=0.05, high=10.0, log=True,
               when=("kernel", ("rbf", "poly"))),
    )  # fmt: skip
    beside = {"model": "svm"}
    objectives = ("objective",)

    def _prepare(self) -> None:
        if len(np.unique(self.y)) != 2:
            raise ValueError("give points of two classes: choose the class of a click")
        self.s = np.where(self.y == self.y.max(), 1.0, -1.0)

    def _features(self, X: Array) -> Array:
        if self.p["model"] != "lift":
            return X
        x1, x2 = X[:, 0], X[:, 1]
        extra = x1 * x2 if self.p["feature"] == "x1 x2" else x1**2 + x2**2
        return np.column_stack([X, extra])

    def states(self) -> Iterator[Step]:
        """Fit by the steps of the chosen model."""
        self._prepare()
        if self.p["model"] == "perceptron":
            yield from self._mistakes()
        elif self.p["model"] == "logistic":
            yield from self._newton()
        else:
            yield from self._smo()

    def _mistakes(self) -> Iterator[Step]:
        """One state for every mistake that moves the plane."""
        order = np.random.default_rng(self.seed).permutation(len(self.X))
        model, classes = Perceptron(eta0=1.0), np.unique(self.s)
        w, b, moved = np.zeros(2), 0.0, 0
        nothing = np.zeros(len(self.X))
        yield Step(w, b, nothing, float(len(self.X)))
        while moved < MAX_MISTAKES:
            start = moved
            for i in order:
                if self.s[i] * (self.X[i] @ w + b) > 0:
                    continue
                before = np.append(w, b)
                model.partial_fit(self.X[i : i + 1], self.s[i : i + 1], classes=classes)
                w, b = model.coef_[0].copy(), float(model.intercept_[0])
                moved += 1
                wrong = float(np.sum(self.s * (self.X @ w + b) <= 0))
                yield Step(w, b, nothing, wrong, int(i), before)
                if moved >= MAX_MISTAKES:
                    return
            if moved == start:
                return

    def _newton(self) -> Iterator[Step]:
        """Newton steps of the penalised log-loss, as the library yields them."""
        nothing = np.zeros(len(self.X))
        yield Step(np.zeros(2), 0.0, nothing, float(np.log(2.0)))
        for state in LogisticRegression(C=self.p["C"], tol=1e-8).steps(self.X, self.s):
            theta = state.theta[:, 0]
            yield Step(theta[:2].copy(), float(theta[2]), nothing, float(state.objective))

    def _smo(self) -> Iterator[Step]:
        """The SVM after one, two, three … steps of SMO."""
        Z, done = self._features(self.X), -1
        kernel = self.p["kernel"] if self.p["model"] == "svm" else "linear"
        for steps in SMO_STEPS[1:]:
            model = SVC(C=self.p["C"], kernel=kernel, gamma=self.p["gamma"], coef0=1.0, degree=2,
                        max_iter=steps, tol=1e-6)  # fmt: skip
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # it is stopped before its end
                *_, last = model.steps(Z, self.s)
                model.fit(Z, self.s)
            if int(last.n_steps[0]) == done:
                return
            done = int(last.n_steps[0])
            beta = np.asarray(last.beta[0], float)
            w = beta @ Z if kernel == "linear" else None
            yield Step(w, float(model.intercept_[0]), beta, float(last.gap), -1, None,
                       float(last.primal), float(last.dual), model)  # fmt: skip

    def decision(self, state: Step, X: Array) -> Array:
        """Return the signed distance, or score, of points."""
        if state.w is None:
            return np.asarray(state.model.decision_function(X), float)
        return self._features(X) @ state.w + state.b

    def objective(self, state: Step) -> Sequence[float]:
        """Mistakes, loss or gap."""
        return (state.objective,)

    def trace(self, state: Step) -> Mapping[str, Any]:
        """The plane, the duals and the objective."""
        w = np.zeros(0) if state.w is None else state.w
        return {"w": w, "b": state.b, "beta": state.beta, "objective": state.objective}

    # --- pictures ---------------------------------------------------------------------------

    def frame(self, state: Step, focus: Mapping[str, Any] | None) -> Frame:
        """Regions, margin lines, points (as large as their dual), the point that moved it."""
        x, y = plane_axes(self.X, self.points)
        grid, extent = grid_of(x, y, GRID)
        f = self.decision(state, grid).reshape(GRID, GRID)
        margins = self.p["model"] in ("svm", "lift")
        level = 1.0 if margins else max(float(np.abs(f).max()) / 3, 1e-12)
        marks = [
            m.field_of("score", np.clip(f / level, -2, 2), extent, scale="diverging", alpha=0.45),
            m.contours("plane", f, extent, [0.0], color="ink", width=2.0),
        ]
        if margins:
            marks.append(m.contours("margin", f, extent, [-1.0, 1.0], color="ink", alpha=0.5))
        alpha = np.abs(state.beta) / self.p["C"]
        size = 5 + 6 * alpha if margins else None
        if state.at >= 0:
            marks.append(m.points("moved", self.X[[state.at]], color="ink", shape="ring", size=13))
        colors = (self.s > 0).astype(int)
        marks.append(m.points("points", self.X, color=colors, size=size, data=True, term="x"))
        wrong = self.s * self.decision(state, self.X) <= 0
        marks.append(m.points("wrong", self.X[wrong], color="ink", shape="cross", size=4))
        n_wrong, model = int(wrong.sum()), self.p["model"]
        title = Msg(f"classifiers.{model}", n=n_wrong, i=state.at + 1, gap=state.objective,
                    loss=state.objective, sv=int(np.sum(alpha > 1e-9)))  # fmt: skip
        pictures = [Picture("plane", marks, x, y, title=title, equal=True, edit=True, wide=1.4)]
        if model == "lift":
            pictures.append(self._lifted(state))
        facts: list[tuple[Msg, Any]] = [(Msg("classifiers.fact.wrong"), n_wrong)]
        if margins:
            facts += [(Msg("classifiers.fact.sv"), int(np.sum(alpha > 1e-9))),
                      (Msg("classifiers.fact.gap"), state.objective)]  # fmt: skip
            if state.w is not None and np.any(state.w):
                facts.append((Msg("classifiers.fact.margin"), 2 / float(np.linalg.norm(state.w))))
        return Frame(pictures, self._rules(state, focus), title, facts=facts)

    def _lifted(self, state: Step) -> Picture:
        Z = self._features(self.X)
        w = np.zeros(3) if state.w is None else state.w
        names = ("x₁", "x₂", self.p["feature"].replace("x1", "x₁").replace("x2", "x₂"))
        mark = m.cloud("lifted", Z, color=(self.s > 0).astype(int), plane=(*w, state.b),
                       names=names)  # fmt: skip
        return Picture("lifted", [mark], title=Msg("classifiers.lifted"))

    def _rules(self, state: Step, focus: Mapping[str, Any] | None) -> list[Rule]:
        model = self.p["model"]
        if model == "perceptron" and state.before is not None and state.w is not None:
            i = state.at
            return [Rule(
                r"\t{w}{w} \leftarrow w + \t{y}{y_i}\, \t{x}{x_i}", r"@w = @before + @y \cdot @x",
                {"w": np.append(state.w, state.b), "before": state.before, "y": self.s[i],
                 "x": np.append(self.X[i], 1.0)},
                "w", lambda before, y, x: before + y * x,
                Msg("classifiers.rule.perceptron", i=i + 1),
            )]  # fmt: skip
        if model == "logistic":
            assert state.w is not None
            z = self.s * (self.X @ state.w + state.b)
            n = len(self.X)
            return [Rule(
                r"J = \frac{1}{n}\left(\sum_i \log(1 + e^{-y_i w^T x_i})"
                r" + \frac{1}{2C}\t{w}{\lVert w \rVert^2}\right)",
                r"@J = \frac{1}{@n}\left(@loss + \frac{@w}{2 \cdot @C}\right)",
                {"J": state.objective, "n": n, "loss": float(np.logaddexp(0, -z).sum()),
                 "w": float(state.w @ state.w), "C": self.p["C"]},
                "J", lambda n, loss, w, C: (loss + w / (2 * C)) / n,
                Msg("classifiers.rule.logistic"),
            )]  # fmt: skip
        i = int(np.abs(state.beta).argmax())
        if focus is not None and focus["key"] == "points" and int(focus["index"]) < len(self.X):
            i = int(focus["index"])
        if state.w is None or not np.isfinite(state.primal):
            score = float(self.decision(state, self.X[i : i + 1])[0])
            rules = [Rule(
                r"\t{f}{f(x)} = \sum_i \alpha_i y_i k(x_i, x) + b", r"@f = @s + @b",
                {"f": score, "s": score - state.b, "b": state.b}, "f", lambda s, b: s + b,
                Msg("classifiers.rule.kernel", i=i + 1),
            )]  # fmt: skip
        else:
            Z = self._features(self.X)
            score = float(self.decision(state, self.X[i : i + 1])[0])
            rules = [Rule(
                r"f(x) = w^T x + b, \quad \t{w}{w} = \sum_i \alpha_i y_i x_i",
                r"@f = @w^T @x + @b",
                {"f": score, "w": state.w, "x": Z[i], "b": state.b}, "f",
                lambda w, x, b: w @ x + b, Msg("classifiers.rule.plane", i=i + 1),
            )]  # fmt: skip
        if np.isfinite(state.primal):
            rules.append(Rule(
                r"\text{gap} = P(w, b) - D(\alpha) \ge 0", r"@gap = @P - @D",
                {"gap": state.objective, "P": state.primal, "D": state.dual}, "gap",
                lambda P, D: P - D, Msg("classifiers.rule.gap"),
            ))  # fmt: skip
        return rules

    def check(self, state: Step) -> list[Check]:
        """Compare scores with the sum over support vectors, or the loss summed anew."""
        if state.model is not None:
            Z, kernel = self._features(self.X), self.p["kernel"]
            inner = Z @ Z.T
            if self.p["model"] == "svm" and kernel == "rbf":
                squares = np.sum(Z**2, axis=1)
                inner = np.exp(-self.p["gamma"] * (squares[:, None] + squares - 2 * inner))
            elif self.p["model"] == "svm" and kernel == "poly":
                inner = (self.p["gamma"] * inner + 1.0) ** 2
            ours = self.decision(state, self.X)
            return [Check(Msg("classifiers.check.sum"), ours, inner @ state.beta + state.b,
                          1e-8 * max(1.0, float(np.abs(ours).max())))]  # fmt: skip
        assert state.w is not None
        z = self.s * (self.X @ state.w + state.b)
        if self.p["model"] == "perceptron":
            return [Check(Msg("classifiers.check.mistakes"), state.objective, np.sum(z <= 0))]
        loss = np.logaddexp(0, -z).sum() + state.w @ state.w / (2 * self.p["C"])
        return [Check(Msg("classifiers.check.loss"), state.objective, loss / len(z), 1e-9)]

    def script(self, actions: Sequence[Mapping[str, Any]], last: int) -> str:
        """Write the same run."""
        p = self.p
        head = "s = np.where(y == y.max(), 1.0, -1.0)\ntrace = []\n"
        if p["model"] == "perceptron":
            body = f"""
from kiso.linear_model import Perceptron
order = np.random.default_rng({self.seed}).permutation(len(X))
model, w, b, moved = Perceptron(eta0=1.0), np.zeros(2), 0.0, 0
trace = [dict(w=w, b=b, beta=np.zeros(len(X)), objective=len(X))]
while moved < {MAX_MISTAKES}:
    start = moved
    for i in order:
        if s[i] * (X[i] @ w + b) > 0 or moved >= {MAX_MISTAKES}:
            continue
        model.partial_fit(X[i : i + 1], s[i : i + 1], classes=np.unique(s))
        w, b, moved = model.coef_[0].copy(), float(model.intercept_[0]), moved + 1
        trace.append(dict(w=w, b=b, beta=np.zeros(len(X)), objective=np.sum(s * (X @ w + b) <= 0)))
    if moved == start:
        break
"""
        elif p["model"] == "logistic":
            body = f"""
from kiso.linear_model import LogisticRegression
trace = [dict(w=np.zeros(2), b=0.0, beta=np.zeros(len(X)), objective=np.log(2.0))]
for state in LogisticRegression(C={p["C"]!r}, tol=1e-8).steps(X, s):
    theta = state.theta[:, 0].copy()
    trace.append(dict(w=theta[:2], b=theta[2], beta=np.zeros(len(X)), objective=state.objective))
"""
        else:
            kernel = p["kernel"] if p["model"] == "svm" else "linear"
            extra = "X[:, 0] * X[:, 1]" if p["feature"] == "x1 x2" else "X[:, 0]**2 + X[:, 1]**2"
            lift = f"np.column_stack([X, {extra}])" if p["model"] == "lift" else "X"
            body = f"""
import warnings
from kiso.svm import SVC
warnings.simplefilter("ignore")  # each run is stopped before its end
Z, done = {lift}, -1
for steps in {SMO_STEPS[1:]!r}:
    model = SVC(C={p["C"]!r}, kernel={kernel!r}, gamma={p["gamma"]!r}, coef0=1.0, degree=2,
                max_iter=steps, tol=1e-6)
    *_, last = model.steps(Z, s)
    if int(last.n_steps[0]) == done:
        break
    done, beta = int(last.n_steps[0]), np.asarray(last.beta[0], float)
    model.fit(Z, s)
    trace.append(dict(w=beta @ Z if {kernel == "linear"} else np.zeros(0),
                      b=float(model.intercept_[0]), beta=beta, objective=last.gap))
"""
        return head + body + f"trace = trace[: {last} + 1]"


def _all_right(view: View, model: str) -> bool:
    scene = view.scene
    if scene.p["model"] != model or len(view.states) < 2:
        return False
    return bool(np.all(scene.s * scene.decision(view.state, scene.X) > 0))


def _few_vectors(view: View) -> bool:
    state, scene = view.state, view.scene
    return bool(view.done and scene.p["model"] == "svm" and scene.p["kernel"] == "linear"
                and 2 <= np.sum(np.abs(state.beta) > 1e-9) <= 3)  # fmt: skip


def _never_ends(view: View) -> bool:
    """A perceptron that still makes mistakes after as many as are shown."""
    return bool(view.scene.p["model"] == "perceptron" and view.done
                and len(view.states) > MAX_MISTAKES)  # fmt: skip


ClassifiersScene.tasks = (
    Task("separate", lambda view: _all_right(view, "perceptron") and view.done),
    Task("never", _never_ends),
    Task("three", _few_vectors),
    Task("lift", lambda view: _all_right(view, "lift")),
)

SCENE = ClassifiersScene
