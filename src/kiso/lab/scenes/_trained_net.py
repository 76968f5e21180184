"""A tanh network with one hidden layer is trained on a function by L-BFGS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kiso.losses import SquaredError
from kiso.nn import Network
from kiso.optim import LBFGS, LbfgsMemory, descent

from .. import _marks as m
from .._marks import Axis, Picture
from .._scene import Check, Frame, Msg, Rule, Scene
from ._targets import DRAWN, FINE, TARGETS, axes, largest, numbered, place, script_of

Array = np.ndarray[Any, np.dtype[Any]]

X = np.linspace(-1, 1, 201)[:, None]
MAX_ITER = 900
TOL = 1e-10


@dataclass(frozen=True)
class Trained:
    """The network after some iterations.

    Attributes
    ----------
    n : int
    vector : ndarray
        w, b, v, d of h(x) = Σ v_j tanh(w_j x + b_j) + d, as `Network.vector` has them.
    loss : float
        ½ mean (h − f)² on 201 points.
    error : float
        Largest, over the interval.
    before : ndarray or None
        The parameters an iteration earlier.
    direction : ndarray or None
        p = −H∇ of the last iteration.
    rate : float
        s of the last iteration, from its line search.
    """

    n: int
    vector: Array
    loss: float
    error: float
    before: Array | None = None
    direction: Array | None = None
    rate: float = 0.0


class Training:
    """The run: an iteration a step."""

    def __init__(self, scene: Scene):
        self.p, self.seed, self.target = scene.p, scene.seed, TARGETS[scene.p["target"]]
        self.y = np.asarray(self.target.f(X), float)
        self.units: int = self.p["units"]

    def network(self, vector: Array | None = None) -> Network:
        """Return the network; at first slopes are N(0, 4²) and the steps lie in [−1, 1]."""
        made = Network.dense([1, self.units, 1], activation="tanh", random_state=self.seed)
        if vector is None:
            rng = np.random.default_rng(self.seed)
            first: Any = made.layers[0]
            first.W[...] = 4 * rng.standard_normal((1, self.units))
            first.b[...] = -first.W[0] * rng.uniform(-1, 1, self.units)
        else:
            made.set_vector(vector)
        return made

    def parts(self, vector: Array) -> tuple[Array, Array, Array, float]:
        """Return w, b, v and d."""
        layers: Any = self.network(vector).layers
        return layers[0].W[0], layers[0].b, layers[2].W[:, 0], float(layers[2].b[0])

    def states(self) -> Iterator[Trained]:
        """Descend from the seed's weights."""
        network, loss = self.network(), SquaredError()

        def value_and_gradient(vector: Array) -> tuple[float, Array]:
            network.set_vector(vector)
            value, gradients = network.loss_and_gradients(X, self.y, loss)
            return float(value), network.flatten(gradients)

        start = network.vector
        memory = LbfgsMemory(LBFGS().memory)
        before, slope = start, value_and_gradient(start)[1]
        yield Trained(0, start, value_and_gradient(start)[0], self._error(start))
        for state in descent(value_and_gradient, start, method=LBFGS(), max_iter=MAX_ITER,
                             tol=TOL):  # fmt: skip
            if state.n_iter == 0 or np.array_equal(state.x, before):
                continue
            p, step = memory.direction(slope), state.x - before
            yield Trained(state.n_iter, state.x, float(state.objective), self._error(state.x),
                          before, p, float(step @ p / (p @ p)))  # fmt: skip
            memory.push(step, state.gradient - slope)
            before, slope = state.x, state.gradient

    def _error(self, vector: Array) -> float:
        h = self.network(vector)
        return self.target.error(lambda x: h(x[:, None])[:, 0])

    def trace(self, state: Trained) -> Mapping[str, Any]:
        """Parameters, loss and largest error."""
        return {"iteration": state.n, "parameters": state.vector, "loss": state.loss,
                "error": state.error}  # fmt: skip

    # --- pictures -----------------------------------------------------------------------------

    def frame(self, state: Trained, focus: Mapping[str, Any] | None) -> Frame:
        """The network on its target, the steps of its units, and what is left."""
        w, b, v, _ = self.parts(state.vector)
        h = self.network(state.vector)
        at = place(focus, ("fit", "target"), 0.0)
        chosen = numbered(focus, "unit", len(v))
        if chosen is None:
            chosen = int(np.abs(v).argmax())
        marks = [
            *self.target.marks(),
            m.line("fit", np.column_stack([DRAWN, h(DRAWN[:, None])[:, 0]]), color=1, term="h"),
            m.points("probe", [[at, h(np.array([[at]]))[0, 0]]], color=1, size=6, term="h"),
        ]
        title = Msg("approximation.trained", units=len(v), error=state.error)
        pictures = [Picture("fit", marks, *axes(), title=title), self._units(w, b, v, chosen)]
        facts: list[tuple[Msg, Any]] = [
            (largest(self.target.jump), state.error),
            (Msg("approximation.fact.numbers"), 3 * len(v) + 1),
        ]
        if self.target.slope is not None:
            slope = h.input_gradient(FINE[:, None])[:, 0]
            off = float(np.abs(slope - self.target.slope(FINE)).max())
            facts.append((Msg("approximation.fact.slope"), off))
        return Frame(pictures, self._rules(state, at, chosen), title, facts=facts)

    def _units(self, w: Array, b: Array, v: Array, chosen: int) -> Picture:
        waves = v * np.tanh(DRAWN[:, None] * w + b)
        reach = max(0.5, 1.1 * float(np.percentile(np.abs(waves), 98)))
        marks = [
            m.line(f"unit{j}", np.column_stack([DRAWN, waves[:, j]]), width=2.5 if j == chosen
                   else 1.2, color=0 if j == chosen else "muted", term="t" if j == chosen else None)
            for j in range(len(v))
        ]  # fmt: skip
        marks.append(m.rule_line("zero", y=0.0))
        return Picture("units", marks, Axis(-1.0, 1.0, "x"), Axis(-reach, reach, "vⱼ tanh(wⱼx+bⱼ)"),
                       title=Msg("approximation.units", units=len(v)))  # fmt: skip

    def _rules(self, state: Trained, at: float, j: int) -> list[Rule]:
        w, b, v, d = self.parts(state.vector)
        t = np.tanh(w * at + b)
        rules = [
            Rule(
                r"\t{h}{h(x)} = \sum_j \t{v}{v_j}\, \t{t}{t_j} + d", r"@h = @v^T @t + @d",
                {"h": self.network(state.vector)(np.array([[at]]))[0, 0], "v": v, "t": t, "d": d},
                "h", lambda v, t, d: v @ t + d, Msg("approximation.rule.network", x=at),
            ),
            Rule(
                r"\t{t}{t_j} = \tanh(w_j \t{x}{x} + b_j)", r"@t = \tanh(@w \cdot @x + @b)",
                {"t": t[j], "w": w[j], "x": at, "b": b[j]}, "t",
                lambda w, x, b: np.tanh(w * x + b), Msg("approximation.rule.unit", j=j + 1),
            ),
        ]  # fmt: skip
        if state.before is not None and state.direction is not None:
            numbered: Any = self.network(np.arange(len(state.vector), dtype=float)).layers
            index = int(numbered[2].W[j, 0])  # where v_j stands in the vector
            rules.insert(0, Rule(
                r"\t{v}{v_j} \leftarrow v_j + \t{rate}{s}\, p_j, \quad p = -H \nabla C",
                r"@v = @old + @rate \cdot @p",
                {"v": state.vector[index], "old": state.before[index], "rate": state.rate,
                 "p": state.direction[index]}, "v", lambda old, rate, p: old + rate * p,
                Msg("approximation.rule.lbfgs", j=j + 1),
            ))  # fmt: skip
        return rules

    # --- against others -----------------------------------------------------------------------

    def check(self, state: Trained) -> list[Check]:
        """Compare the loss with its formula, and a slope with a complex step."""
        w, b, v, d = self.parts(state.vector)
        off = np.tanh(X * w + b) @ v + d - self.y[:, 0]
        network = self.network(state.vector)
        _, gradients = network.loss_and_gradients(X, self.y, SquaredError())
        numbered: Any = self.network(np.arange(len(state.vector), dtype=float)).layers
        ours = network.flatten(gradients)[numbered[0].b.astype(int)]
        slopes = []
        for j in range(len(b)):
            shifted = b.astype(complex)
            shifted[j] += 1e-30j
            value = 0.5 * np.mean((np.tanh(X * w + shifted) @ v + d - self.y[:, 0]) ** 2)
            slopes.append(value.imag / 1e-30)
        return [
            Check(Msg("approximation.check.loss"), state.loss, 0.5 * np.mean(off**2), 1e-10),
            Check(Msg("approximation.check.complex"), ours, slopes, 1e-9),
        ]

    def script(self, actions: Sequence[Mapping[str, Any]], last: int) -> str:
        """Write the same iterations."""
        return f"""
from kiso.losses import SquaredError
from kiso.nn import Network
from kiso.optim import LBFGS, descent
{script_of(self.p["target"])}
X = np.linspace(-1, 1, 201)[:, None]
network = Network.dense([1, {self.units}, 1], activation="tanh", random_state={self.seed})
rng, first = np.random.default_rng({self.seed}), network.layers[0]
first.W[...] = 4 * rng.standard_normal((1, {self.units}))
first.b[...] = -first.W[0] * rng.uniform(-1, 1, {self.units})

def value_and_gradient(vector):
    network.set_vector(vector)
    value, gradients = network.loss_and_gradients(X, np.asarray(f(X), float), SquaredError())
    return float(value), network.flatten(gradients)

def shown(n, vector, loss):
    network.set_vector(vector)
    return dict(iteration=n, parameters=vector, loss=loss,
                error=error(lambda x: network(x[:, None])[:, 0]))

start = network.vector
trace = [shown(0, start, value_and_gradient(start)[0])]
for state in descent(value_and_gradient, start, method=LBFGS(), max_iter={MAX_ITER}, tol={TOL!r}):
    if len(trace) > {last}:
        break
    if state.n_iter and not np.array_equal(state.x, trace[-1]["parameters"]):
        trace.append(shown(state.n_iter, state.x, state.objective))
"""
