"""Gradient descent and its relatives, side by side on one surface."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from kiso.optim import (
    LBFGS,
    Adam,
    GradientDescent,
    Himmelblau,
    LbfgsMemory,
    Logistic,
    Momentum,
    Nesterov,
    Newton,
    Quadratic,
    Rosenbrock,
    Status,
    descent,
    minimize,
    newton_direction,
    stochastic_descent,
    with_replacement,
)

from .. import _marks as m
from .._controls import Choice, Many, Number
from .._marks import Axis, Picture
from .._scene import Check, DataSpec, Frame, Msg, Rule, Scene, Task, View
from ._plane import grid_of, plane_axes

Array = np.ndarray[Any, np.dtype[Any]]

METHODS = ("gradient-descent", "momentum", "nesterov", "adam", "newton", "l-bfgs")
FIRST_ORDER = METHODS[:4]
BOXES = {  # where each surface is looked at, and where a run begins
    "quadratic": ((-4.0, 4.0, -4.0, 4.0), (-3.2, 2.4)),
    "rosenbrock": ((-2.0, 2.0, -1.0, 3.0), (-1.2, 1.0)),
    "himmelblau": ((-5.0, 5.0, -5.0, 5.0), (0.0, -4.0)),
    "logistic": ((-2.0, 6.0, -2.0, 6.0), (-1.0, -1.0)),
}
LAST = 1500
L2 = 0.02


@dataclass(frozen=True)
class Place:
    """Where one method stands, and what it remembers (v of momentum, m and v of Adam)."""

    x: Array
    value: float
    gradient: Array  # at x; of the batch where there are batches
    before: Place | None = field(default=None, repr=False)
    memory: tuple[Array, ...] = ()
    walk: list[Array] = field(default_factory=list, repr=False)  # shared: the first n + 1 are ours
    status: Status = Status.RUNNING
    n: int = 0

    @property
    def over(self) -> bool:
        """Whether the method has stopped."""
        return self.status is not Status.RUNNING

    @property
    def diverged(self) -> bool:
        """Whether something was not finite."""
        return self.status in (Status.NON_FINITE_VALUE, Status.NON_FINITE_GRADIENT)


class DescentScene(Scene):
    """Several methods take a step each; the start can be dragged."""

    name = "gradient-descent"
    rows = (50, 51, 52, 67, 78)
    data = DataSpec(("two-blobs", "moons", "uniform"), n=80, classes=2)
    controls = (
        Choice(name="surface", default="quadratic", options=tuple(BOXES)),
        Number(name="condition", default=10.0, low=1, high=100, log=True,
               when=("surface", ("quadratic",))),
        Many(name="methods", default=["gradient-descent", "momentum", "adam"], options=METHODS),
        Number(name="learning_rate", default=0.1, low=1e-4, high=3.0, log=True),
        Number(name="alpha", default=0.8, low=0.0, high=0.99, step=0.01),
        Number(name="batch_size", default=200, low=1, high=200, whole=True, log=True,
               when=("surface", ("logistic",))),
    )  # fmt: skip
    beside = {"learning_rate": 0.19}
    objectives = METHODS
    log_objective = True
    max_states = LAST + 1

    @cached_property
    def surface(self) -> Any:
        """The function that is minimised."""
        kind = self.p["surface"]
        if kind == "quadratic":
            return Quadratic([1.0, self.p["condition"]], random_state=self.seed)
        if kind == "logistic":
            if len(np.unique(self.y)) > 2:
                raise ValueError("the logistic loss takes two classes")
            return Logistic(self.X, (self.y > 0).astype(int), L2)
        return Rosenbrock() if kind == "rosenbrock" else Himmelblau()

    def method(self, name: str) -> Any:
        """Return a method with the parameters of the controls."""
        rate, alpha = self.p["learning_rate"], self.p["alpha"]
        made = {"gradient-descent": GradientDescent(rate), "momentum": Momentum(rate, alpha),
                "nesterov": Nesterov(rate, alpha), "adam": Adam(rate), "newton": Newton(),
                "l-bfgs": LBFGS()}  # fmt: skip
        return made[name]

    def noisy(self, name: str) -> bool:
        """Whether a method sees batches."""
        full = self.p["batch_size"] >= len(self.X)
        return self.p["surface"] == "logistic" and not full and name in FIRST_ORDER

    # --- states -----------------------------------------------------------------------------

    def states(self) -> Iterator[dict[str, Place]]:
        """Begin at the customary place."""
        yield from self._walk(np.array(BOXES[self.p["surface"]][1]))

    def resume(self, state: Any, action: Mapping[str, Any]) -> Iterator[dict[str, Place]]:
        """Begin anew where the start was dragged to."""
        if action["kind"] != "start":
            yield from super().resume(state, action)
        yield from self._walk(np.asarray(action["to"], float))

    def _walk(self, start: Array) -> Iterator[dict[str, Place]]:
        runs = {name: self._places(name, start) for name in self.p["methods"]}
        now = {name: next(run) for name, run in runs.items()}
        yield now
        while not all(place.over for place in now.values()):
            now = {name: now[name] if now[name].over else next(runs[name]) for name in runs}
            yield now

    def _places(self, name: str, start: Array) -> Iterator[Place]:
        place: Place | None = None
        for x, value, gradient, status, n in self._raw(name, start):
            if place is None:
                place = Place(x, value, gradient, memory=(np.zeros(2), np.zeros(2)), walk=[x])
            elif status is not Status.RUNNING and n == place.n:
                place = replace(place, status=status)  # the last point once more
            else:
                memory = self._memory(name, place)
                place.walk.append(x)
                place = Place(x, value, gradient, replace(place, before=None), memory, place.walk,
                              status, n)  # fmt: skip
            yield place

    def _raw(self, name: str, start: Array) -> Iterator[tuple[Any, ...]]:
        f = self.surface
        if not self.noisy(name):
            for s in descent(f, start, method=self.method(name), max_iter=LAST, tol=1e-8):
                yield s.x, s.objective, s.gradient, s.status, s.n_iter
            return
        labels = (self.y > 0).astype(int)

        def loss(w: Array, rows: Array) -> tuple[float, Array]:
            return Logistic(self.X[rows], labels[rows], L2)(w)

        batches = list(with_replacement(len(self.X), self.p["batch_size"], n_steps=LAST,
                                        random_state=self.seed))  # fmt: skip
        seen = [loss(start, batches[0].rows)[1]]
        yield start, f.value(start), seen[0], Status.RUNNING, 0
        steps = stochastic_descent(loss, start, batches, self.method(name))
        for step in steps:
            ahead = batches[min(step.n_iter, LAST - 1)].rows
            yield (
                step.params,
                f.value(step.params),
                loss(step.params, ahead)[1],
                step.status,
                step.n_iter,
            )

    def _memory(self, name: str, place: Place) -> tuple[Array, ...]:
        """What the method remembers after the step from this place, by its formula."""
        g, (a, b) = place.gradient, place.memory
        if name in ("momentum", "nesterov"):
            return self.p["alpha"] * a - self.p["learning_rate"] * g, b
        if name == "adam":
            return 0.9 * a + 0.1 * g, 0.999 * b + 0.001 * g**2
        return a, b

    def objective(self, state: dict[str, Place]) -> Sequence[float]:
        """F less its least value, for each method."""
        least = self.surface.minimum
        return [state[n].value - least if n in state else np.nan for n in METHODS]

    def trace(self, state: dict[str, Place]) -> Mapping[str, Any]:
        """The place and value of each method."""
        return {f"{name}.{key}": value for name, place in state.items()
                for key, value in (("x", place.x), ("value", place.value))}  # fmt: skip

    # --- pictures ---------------------------------------------------------------------------

    @cached_property
    def _map(self) -> list[dict[str, Any]]:
        """The surface from above, as levels of log(1 + f − least)."""
        box = BOXES[self.p["surface"]][0]
        places, extent = grid_of(Axis(*box[:2]), Axis(*box[2:]), 90)
        values = np.array([self.surface.value(x) for x in places]).reshape(90, 90)
        scaled = np.log1p(np.maximum(values - self.surface.minimum, 0) * 8)
        levels = np.linspace(0, scaled.max(), 14)[1:-1]
        return [m.field_of("surface", -scaled, extent, scale="blue", alpha=0.35),
                m.contours("levels", scaled, extent, levels, alpha=0.5)]  # fmt: skip

    def frame(self, state: dict[str, Place], focus: Mapping[str, Any] | None) -> Frame:
        """The paths on the surface; the rule of the method under the pointer."""
        box = BOXES[self.p["surface"]][0]
        name = self._chosen(state, focus)
        marks = list(self._map)
        marks.append(m.points("minima", self.surface.minimizers, shape="cross", color="ink",
                              size=6, label=Msg("gradient-descent.minimum")))  # fmt: skip
        names = [n for n in METHODS if n in state]
        for n in names:
            number = METHODS.index(n)
            path = _path(state[n])
            label = n if len(path) > 1 else None
            marks.append(m.line(f"path:{n}", path, color=number, width=2.0, label=label))
            marks.append(m.points(f"at:{n}", state[n].x, color=number, size=7, term="x"))
        marks.append(self._arrow(name, state[name], box))
        first = _path(state[names[0]])[0]
        marks.append(m.handle("start", first, color="ink", shape="ring", size=6))
        picture = Picture("plane", marks, Axis(*box[:2], "θ₁"), Axis(*box[2:], "θ₂"),
                          title=self._title(state), equal=True, wide=1.6)  # fmt: skip
        pictures = [picture]
        if self.p["surface"] == "logistic":
            pictures.append(self._points(state, name))
        facts = [(Msg("gradient-descent.fact", method=n), state[n].value) for n in names]
        return Frame(pictures, self._rules(name, state[name]), self._title(state),
                     hints=self._hints, diverged=any(p.diverged for p in state.values()),
                     facts=facts)  # fmt: skip

    def _chosen(self, state: dict[str, Place], focus: Mapping[str, Any] | None) -> str:
        key = str(focus["key"]).partition(":")[2] if focus else ""
        return key if key in state else next(n for n in METHODS if n in state)

    def _title(self, state: dict[str, Place]) -> Msg:
        for n, place in state.items():
            if place.diverged:
                return Msg("gradient-descent.diverged", method=n, t=place.n)
        least = self.surface.minimum
        best = min(state, key=lambda n: state[n].value)
        key = "over" if all(p.over for p in state.values()) else "leads"
        return Msg(f"gradient-descent.{key}", method=best, gap=state[best].value - least)

    def _arrow(self, name: str, place: Place, box: tuple[float, ...]) -> dict[str, Any]:
        g = place.gradient
        size = float(np.linalg.norm(g))
        shown = -g * min(self.p["learning_rate"], 0.25 * (box[1] - box[0]) / size) if size else g
        return m.arrows("gradient", np.concatenate([place.x, shown]), color="ink", term="g",
                        label=Msg("gradient-descent.gradient"))  # fmt: skip

    def _points(self, state: dict[str, Place], name: str) -> Picture:
        x, y = plane_axes(self.X, self.points)
        w = state[name].x
        far = 20 * np.array([-w[1], w[0]]) / (np.linalg.norm(w) or 1)
        marks = [m.points("points", self.X, color=(self.y > 0).astype(int), data=True),
                 m.line("boundary", [-far, far], color="ink", term="x")]  # fmt: skip
        return Picture("points", marks, x, y, title=Msg("gradient-descent.boundary", method=name),
                       equal=True, edit=True)  # fmt: skip

    @cached_property
    def edge(self) -> float | None:
        """2/λmax: above it gradient descent leaves the minimum."""
        if self.p["surface"] not in ("quadratic", "logistic"):
            return None
        hessian = self.surface.hessian(self.surface.minimizers[0])
        return float(2 / np.linalg.eigvalsh(hessian)[-1])

    @cached_property
    def _hints(self) -> dict[str, list[tuple[float, str]]]:
        return {} if self.edge is None else {"learning_rate": [(self.edge, "2/λmax")]}

    # --- the rule ---------------------------------------------------------------------------

    def _rules(self, name: str, place: Place) -> list[Rule]:
        old = place.before
        if old is None:
            return [Rule(
                r"\lVert \t{g}{\nabla f} \rVert = \sqrt{\partial_1 f^2 + \partial_2 f^2}",
                r"@n = \lVert @g \rVert",
                {"n": float(np.hypot(*place.gradient)), "g": place.gradient},
                "n", lambda g: np.sqrt(np.sum(g**2)), Msg("gradient-descent.rule.start"),
            )]  # fmt: skip
        rate, alpha = self.p["learning_rate"], self.p["alpha"]
        terms: dict[str, Any] = {"x": place.x, "z": old.x, "eta": rate, "g": old.gradient}
        caption = Msg(f"gradient-descent.rule.{name}")
        if name == "gradient-descent":
            return [Rule(
                r"\t{x}{\theta_{t}} = \t{z}{\theta_{t-1}} - \t{eta}{\eta}\,\t{g}{g}",
                "@x = @z - @eta @g", terms, "x", lambda z, eta, g: z - eta * g, caption,
            )]  # fmt: skip
        if name == "momentum":
            return [Rule(
                r"\t{x}{\theta_{t}} = \t{z}{\theta_{t-1}} + \t{a}{\alpha}\,\t{v}{v_{t-1}}"
                r" - \t{eta}{\eta}\,\t{g}{g}",
                "@x = @z + @a @v - @eta @g", {**terms, "a": alpha, "v": old.memory[0]}, "x",
                lambda z, a, v, eta, g: z + a * v - eta * g, caption,
            )]  # fmt: skip
        if name == "nesterov":
            return [Rule(
                r"\t{x}{\theta_{t}} = \t{z}{\theta_{t-1}} + \t{a}{\alpha}\,\t{v}{v_t}"
                r" - \t{eta}{\eta}\,\t{g}{g}",
                "@x = @z + @a @v - @eta @g", {**terms, "a": alpha, "v": place.memory[0]}, "x",
                lambda z, a, v, eta, g: z + a * v - eta * g, caption,
            )]  # fmt: skip
        if name == "adam":
            mean, square = place.memory
            t = place.n
            adam = {"x": place.x, "z": old.x, "eta": rate, "m": mean / (1 - 0.9**t),
                    "v": square / (1 - 0.999**t)}  # fmt: skip
            return [Rule(
                r"\t{x}{\theta_{t}} = \t{z}{\theta_{t-1}} - \t{eta}{\eta}\,"
                r"\frac{\t{m}{\hat m}}{\sqrt{\t{v}{\hat v}} + \varepsilon}",
                r"@x = @z - @eta\,@m \oslash \Bigl(\sqrt{@v} + 10^{-8}\Bigr)", adam, "x",
                lambda z, eta, m, v: z - eta * m / (np.sqrt(v) + 1e-8), caption,
            )]  # fmt: skip
        d = self._direction(name, place)
        s = float((place.x - old.x) @ d / (d @ d)) if d @ d else 0.0
        return [Rule(
            r"\t{x}{\theta_{t}} = \t{z}{\theta_{t-1}} + \t{s}{s}\,\t{d}{d}",
            "@x = @z + @s @d", {"x": place.x, "z": old.x, "s": s, "d": d}, "x",
            lambda z, s, d: z + s * d, caption,
        )]  # fmt: skip

    def _direction(self, name: str, place: Place) -> Array:
        old = place.before
        assert old is not None
        if name == "newton":
            return newton_direction(old.gradient, self.surface.hessian(old.x))
        path = _path(place)[:-1]
        memory = LbfgsMemory(LBFGS().memory)
        slopes = [self.surface.gradient(x) for x in path]
        for i in range(len(path) - 1):
            memory.push(path[i + 1] - path[i], slopes[i + 1] - slopes[i])
        return memory.direction(old.gradient)

    def check(self, state: dict[str, Place]) -> list[Check]:
        """Compare gradients with central differences, and the end with SciPy's minimum."""
        name = next(n for n in METHODS if n in state)
        place = state[name]
        checks = []
        if not self.noisy(name) and np.abs(place.x).max() < 100:
            steps = 1e-5 * np.eye(2)
            f = self.surface.value
            slope = [(f(place.x + h) - f(place.x - h)) / 2e-5 for h in steps]
            size = 1 + float(np.abs(place.gradient).max())
            checks.append(Check(Msg("gradient-descent.check.difference"), place.gradient, slope,
                                1e-5 * size))  # fmt: skip
        found = minimize(self.surface, np.array(BOXES[self.p["surface"]][1]), method="scipy:BFGS")
        gap = np.linalg.norm(self.surface.minimizers - found.x, axis=1).min()
        checks.append(Check(Msg("gradient-descent.check.scipy"), gap, 0.0, 1e-3))
        return checks

    def script(self, actions: Sequence[Mapping[str, Any]], last: int) -> str:
        """Write the same run as calls of `descent`."""
        p = self.p
        starts = [(0, list(BOXES[p["surface"]][1])), *((a["t"], list(a["to"])) for a in actions)]
        surface = {
            "quadratic": f"Quadratic([1.0, {p['condition']!r}], random_state={self.seed})",
            "rosenbrock": "Rosenbrock()", "himmelblau": "Himmelblau()",
            "logistic": f"Logistic(X, (y > 0).astype(int), {L2})",
        }[p["surface"]]  # fmt: skip
        rate, alpha = p["learning_rate"], p["alpha"]
        made = {"gradient-descent": f"GradientDescent({rate!r})",
                "momentum": f"Momentum({rate!r}, {alpha!r})",
                "nesterov": f"Nesterov({rate!r}, {alpha!r})", "adam": f"Adam({rate!r})",
                "newton": "Newton()", "l-bfgs": "LBFGS()"}  # fmt: skip
        methods = ", ".join(f"{n!r}: {made[n]}" for n in p["methods"])
        noisy = [n for n in p["methods"] if self.noisy(n)]
        return f"""
from itertools import islice
from kiso.optim import *

f = {surface}
methods = {{{methods}}}
noisy = {noisy!r}

def places(name, start, n):
    if name not in noisy:
        steps = descent(f, start, method=methods[name], max_iter={LAST}, tol=1e-8)
        return [(s.x, s.objective) for s in islice(steps, n)]
    batches = with_replacement(len(X), {p["batch_size"]}, n_steps={LAST},
                               random_state={self.seed})
    loss = lambda w, rows: Logistic(X[rows], (y[rows] > 0).astype(int), {L2})(w)
    steps = stochastic_descent(loss, start, batches, methods[name])
    return [(start, f.value(start)), *((s.params, f.value(s.params)) for s in islice(steps, n - 1))]

trace = []
for t, start in {starts!r}:
    n = {last} + 1 - t
    runs = {{name: places(name, np.array(start), n) for name in methods}}
    runs = {{name: run + [run[-1]] * (n - len(run)) for name, run in runs.items()}}
    trace[t:] = [{{f"{{name}}.{{key}}": value for name, run in runs.items()
                  for key, value in zip(("x", "value"), run[i])}} for i in range(n)]
"""


def _path(place: Place) -> Array:
    return np.array(place.walk[: place.n + 1])


def _begins_to_diverge(view: View) -> bool:
    """Whether gradient descent grows, at a rate within 3 % of the edge."""
    place, edge = view.state.get("gradient-descent"), view.scene.edge
    if (
        place is None
        or edge is None
        or len(view.states) < 20
        or view.scene.noisy("gradient-descent")
    ):
        return False
    values = [state["gradient-descent"].value for state in view.states[-10:]]
    return bool(values[-1] > values[0] and view.scene.p["learning_rate"] < 1.03 * edge)


def _diverged(view: View) -> bool:
    return any(place.diverged for place in view.state.values())


def _valley(view: View) -> bool:
    """Whether a method of first order has come to Rosenbrock's minimum."""
    return view.scene.p["surface"] == "rosenbrock" and any(
        n in view.state and view.state[n].value < 1e-3 for n in FIRST_ORDER
    )


def _quick(view: View) -> bool:
    """Whether momentum is at the minimum of a badly conditioned bowl, long before descent."""
    if view.scene.p["surface"] != "quadratic" or view.scene.p["condition"] < 50:
        return False
    place, plain = view.state.get("momentum"), view.state.get("gradient-descent")
    return bool(place and plain and place.value < 1e-6 and plain.value > 1e3 * place.value)


DescentScene.tasks = (
    Task("edge", _begins_to_diverge),
    Task("diverge", _diverged),
    Task("momentum", _quick),
    Task("valley", _valley),
)

SCENE = DescentScene
