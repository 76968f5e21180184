"""A network that is trained, and back-propagation by numbers on one sample."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.special import expit, logsumexp, softmax

from kiso.losses import SoftmaxCrossEntropy, SquaredError
from kiso.nn import Affine, Dropout, Network, TrainStatus, check_gradients, train
from kiso.optim import Adam, GradientDescent, Momentum, Nesterov

from .. import _marks as m
from .._controls import Choice, Flag, Layers, Number
from .._marks import Picture
from .._scene import Check, DataSpec, Frame, Msg, Rule, Scene, Task, View
from ._plane import grid_of, plane_axes

Array = np.ndarray[Any, np.dtype[Any]]

SLOPES: dict[str, tuple[str, Callable[[Array], Array], Callable[[Array], Array]]] = {
    # name in formulas, σ(z), σ'(z)
    "sigmoid": (r"\sigma", expit, lambda z: expit(z) * (1 - expit(z))),
    "tanh": (r"\tanh", np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "relu": (r"\mathrm{relu}", lambda z: np.maximum(z, 0), lambda z: (z > 0).astype(float)),
    "leaky_relu": (
        r"\mathrm{lrelu}",
        lambda z: np.where(z > 0, z, 0.01 * z),
        lambda z: np.where(z > 0, 1.0, 0.01),
    ),
}
RULES = {"gradient-descent": GradientDescent, "momentum": Momentum, "nesterov": Nesterov,
         "adam": Adam}  # fmt: skip
CLOSE = 100  # steps a state up to which every step is looked at


@dataclass(frozen=True)
class Step:
    """Where training stands, or a sub-step of back-propagation on one sample."""

    n: int  # steps taken
    vector: Array  # all parameters
    before: Array | None  # before the last step
    loss: float
    phase: str = "train"  # "sample", "forward", "backward", "update"
    layer: int = 1
    sample: int = 0
    diverged: bool = False


class NetworkScene(Scene):
    """Layers and units are added and removed; every weight can be looked at."""

    name = "network"
    rows = (32, 33, 35, 47, 51, 54, 55, 56, 57, 62, 64, 74, 79)
    data = DataSpec(("circles", "xor", "moons", "spiral", "blobs", "oil-wells", "oil-wells-11"),
                    n=160, classes=4)  # fmt: skip
    controls = (
        Choice(name="view", default="training", options=("training", "by-numbers")),
        Layers(name="hidden_layer_sizes", default=[4, 3]),
        Choice(name="activation", default="tanh", options=tuple(SLOPES)),
        Choice(name="loss", default="cross-entropy", options=("cross-entropy", "squared-error")),
        Choice(name="init", default="glorot", options=("glorot", "he", "normal")),
        Choice(name="rule", default="gradient-descent", options=tuple(RULES)),
        Number(name="learning_rate", default=0.3, low=1e-4, high=10, log=True),
        Number(name="batch_size", default=1000, low=1, high=1000, whole=True, log=True,
               when=("view", ("training",))),
        Flag(name="replace", default=False, when=("view", ("training",))),
        Number(name="every", default=10, low=1, high=10_000, whole=True, log=True,
               when=("view", ("training",))),
        Number(name="n_steps", default=5000, low=100, high=1_000_000, whole=True, log=True,
               when=("view", ("training",))),
        Number(name="weight_decay", default=0.0, low=0.0, high=0.1, step=0.001,
               when=("view", ("training",))),
        Number(name="dropout", default=0.0, low=0.0, high=0.8, step=0.05,
               when=("view", ("training",))),
        Number(name="noise", default=0.0, low=0.0, high=1.0, step=0.05),
    )  # fmt: skip
    presets = {
        name: {
            "data": {"set": data},
            "params": {
                "hidden_layer_sizes": [2, 3], "activation": "sigmoid", "loss": "squared-error",
                "init": "normal", "learning_rate": 0.05, "batch_size": 1, "replace": True,
                "every": 10_000, "n_steps": 1_000_000,
            },
        }
        for name, data in (("higham-higham", "oil-wells"), ("eleventh-point", "oil-wells-11"))
    }  # fmt: skip
    beside = {"rule": "adam", "learning_rate": 0.03}
    objectives = ("loss",)
    log_objective = True
    max_states = 1001
    keep_step = False
    edits_go_on = True

    def __init__(self, params: Mapping[str, Any], data: Any, seed: int):
        super().__init__(params, data, seed)
        self.n_outputs = max(2, int(self.y.max()) + 1)
        self.T = np.eye(self.n_outputs)[self.y]
        rng = np.random.default_rng(seed)
        self.Z = inputs(self.X)
        self.noisy = self.Z + self.p["noise"] * rng.standard_normal(self.Z.shape)

    # --- the network ------------------------------------------------------------------------

    @property
    def sizes(self) -> list[int]:
        """Units of all layers."""
        return [2, *self.p["hidden_layer_sizes"], self.n_outputs]

    @property
    def squared(self) -> bool:
        """Whether the loss is the squared error of sigmoids."""
        return bool(self.p["loss"] == "squared-error")

    @property
    def output(self) -> str:
        """The activation of the last layer."""
        return "sigmoid" if self.squared else "softmax"

    @cached_property
    def loss(self) -> Any:
        """The loss, a mean over samples."""
        return SquaredError() if self.squared else SoftmaxCrossEntropy()

    def make(self, vector: Array | None = None, *, dropout: bool = False) -> Network:
        """Return the network, with these parameters where they are given."""
        made = Network.dense(
            self.sizes, activation=self.p["activation"], init=self.p["init"],
            output="sigmoid" if self.squared else None, random_state=self.seed,
        )  # fmt: skip
        if dropout and self.p["dropout"] > 0:
            made = with_dropout(made, self.p["dropout"], len(self.sizes) - 2)
        if vector is not None:
            made.set_vector(vector)
        return made

    def value(self, network: Network) -> float:
        """Return the mean loss over the points."""
        return float(self.loss.value(network(self.noisy), self.targets))

    @property
    def targets(self) -> Array:
        """What the loss takes: one-hot rows, or class numbers."""
        return self.T if self.squared else self.y

    # --- states -----------------------------------------------------------------------------

    def states(self) -> Iterator[Step]:
        """Train from the seed's weights."""
        network = self.make(dropout=True)
        yield from self._begin(network)

    def resume(self, state: Step, action: Mapping[str, Any]) -> Iterator[Step]:
        """Go on with these weights and the points that were edited."""
        if action["kind"] != "edit":
            yield from super().resume(state, action)
        network = self.make(dropout=True)
        if state.vector.shape == network.vector.shape:
            network.set_vector(state.vector)
        yield from self._begin(network)

    def _begin(self, network: Network) -> Iterator[Step]:
        if self.p["view"] == "by-numbers":
            yield from self._by_numbers(network)
            return
        p = self.p
        yield Step(0, network.vector, None, self.value(network))
        close = p["every"] <= CLOSE
        before = network.vector
        for state in train(
            network, self.loss, (self.noisy, self.targets), RULES[p["rule"]](p["learning_rate"]),
            n_steps=p["n_steps"], batch_size=p["batch_size"], replace=p["replace"],
            every=1 if close else p["every"], weight_decay=p["weight_decay"],
            random_state=self.seed,
        ):  # fmt: skip
            ended = state.status is not TrainStatus.RUNNING
            if not close or state.n_iter % p["every"] == 0 or ended:
                diverged = state.status is TrainStatus.DIVERGED
                vector = network.vector
                if not np.isfinite(vector).all():
                    vector = before
                shown = self.value(self.make(vector))
                yield Step(state.n_iter, vector, before if close else None, shown,
                           diverged=diverged)  # fmt: skip
            before = network.vector

    def _by_numbers(self, network: Network) -> Iterator[Step]:
        last = len(self.sizes)
        rule = RULES[self.p["rule"]](self.p["learning_rate"])
        memory = rule.init(network.parameters)
        order = np.random.default_rng(self.seed)
        for n in range(self.max_states):
            i = int(order.integers(len(self.Z)))
            vector, loss = network.vector, self.value(network)
            yield Step(n, vector, None, loss, "sample", 1, i)
            for layer in range(2, last + 1):
                yield Step(n, vector, None, loss, "forward", layer, i)
            for layer in range(last, 1, -1):
                yield Step(n, vector, None, loss, "backward", layer, i)
            _, slopes = network.loss_and_gradients(
                self.noisy[i : i + 1], self.targets[i : i + 1], self.loss
            )
            params, memory = rule.update(slopes, memory, network.parameters)
            network.set_vector(network.flatten(params))
            yield Step(n + 1, network.vector, vector, self.value(network), "update", last, i)

    def objective(self, state: Step) -> Sequence[float]:
        """The mean loss over all points."""
        return (state.loss,)

    def trace(self, state: Step) -> Mapping[str, Any]:
        """All parameters, the loss, the sub-step."""
        return {"n": state.n, "vector": state.vector, "loss": state.loss, "phase": state.phase,
                "layer": state.layer, "sample": state.sample}  # fmt: skip

    # --- pictures ---------------------------------------------------------------------------

    def frame(self, state: Step, focus: Mapping[str, Any] | None) -> Frame:
        """The network with what each unit gives, and the plane as it divides it."""
        network = self.make(state.vector)
        x, y = plane_axes(self.X, self.points)
        wrong = np.argmax(network(self.Z), axis=1) != self.y
        title = self._title(state, int(wrong.sum()))
        plane = self._plane(network, state, x, y, title)
        facts: list[tuple[Msg, Any]] = [
            (Msg("network.fact.steps"), state.n),
            (Msg("network.fact.wrong"), int(wrong.sum())),
            (Msg("network.fact.parameters"), network.n_parameters),
        ]
        if self.squared:
            total = float(np.sum((network(self.Z) - self.T) ** 2))
            facts.append((Msg("network.fact.total"), total))
        return Frame([self._graph(network, state, x, y), plane],
                     self._rules(network, state, focus), title,
                     "" if state.phase == "train" else state.phase, diverged=state.diverged,
                     facts=facts)  # fmt: skip

    def _title(self, state: Step, wrong: int) -> Msg:
        if state.phase == "train":
            key = "network.diverged" if state.diverged else "network.train"
            return Msg(key, n=state.n, loss=state.loss, wrong=wrong)
        return Msg(f"network.{state.phase}", layer=state.layer, sample=state.sample + 1, n=state.n)

    def _plane(self, network: Network, state: Step, x: Any, y: Any, title: Msg) -> Picture:
        places, extent = grid_of(x, y, 64)
        out = network(inputs(places, self.X))
        p = out if self.squared else softmax(out, axis=1)
        if self.n_outputs == 2:
            ground = m.field_of("p", (p[:, 1] - p[:, 0]).reshape(64, 64), extent,
                                scale="diverging", low=-1.0, high=1.0, alpha=0.75)  # fmt: skip
        else:
            ground = m.field_of("p", p.argmax(axis=1).reshape(64, 64), extent, scale="classes",
                                alpha=0.3)  # fmt: skip
        marks = [ground]
        if self.n_outputs == 2:
            marks.append(m.contours("boundary", (p[:, 1] - p[:, 0]).reshape(64, 64), extent, [0.0],
                                    color="ink", width=2))  # fmt: skip
        marks.append(m.points("points", self.X, color=self.y, data=True, term="x",
                              size=8 if len(self.X) < 20 else None))  # fmt: skip
        if state.phase != "train":
            marks.append(m.points("sample", self.X[state.sample], color="ink", shape="ring",
                                  size=10))  # fmt: skip
        return Picture("plane", marks, x, y, title=title, equal=True, edit=True)

    def _graph(self, network: Network, state: Step, x: Any, y: Any) -> Picture:
        affine = [layer for layer in network.layers if isinstance(layer, Affine)]
        places, _ = grid_of(x, y, 22)
        seen = network.trace(inputs(places, self.X))
        maps = [_scaled(self._activity(seen, k), k == 1) for k in range(1, len(self.sizes) + 1)]
        units = deltas = None
        active: int | None = None
        if state.phase != "train":
            one = self._one(network, state)
            shown = state.layer if state.phase == "forward" else len(self.sizes)
            known = 1 if state.phase == "sample" else shown
            units = [self._activity(one, k)[0] if k <= known
                     else np.full(self.sizes[k - 1], np.nan)
                     for k in range(1, len(self.sizes) + 1)]  # fmt: skip
            if state.phase in ("backward", "update"):
                deltas = [None, *(one.delta[k][0] if k >= state.layer or state.phase == "update"
                                  else None for k in range(2, len(self.sizes) + 1))]  # fmt: skip
            active = state.layer - 1 if state.phase != "update" else None
        names = [["x₁", "x₂"], *([""] * n for n in self.sizes[1:-1]),
                 [f"{k + 1}" for k in range(self.n_outputs)]]  # fmt: skip
        mark = m.network("net", [layer.W for layer in affine], maps=np.concatenate(maps),
                         units=units, deltas=deltas, active=active, names=names,
                         backward=state.phase == "backward")  # fmt: skip
        return Picture("net", [mark], title=Msg("network.net", n=network.n_parameters))

    def _activity(self, seen: Any, layer: int) -> Array:
        last = layer == len(self.sizes)
        a: Array = seen.a[layer]
        return softmax(a, axis=1) if last and not self.squared else a

    def _one(self, network: Network, state: Step) -> Any:
        i = slice(state.sample, state.sample + 1)
        return network.trace(self.noisy[i], self.targets[i], self.loss)

    # --- the rule ---------------------------------------------------------------------------

    def _rules(
        self, network: Network, state: Step, focus: Mapping[str, Any] | None
    ) -> list[Rule]:  # fmt: skip
        affine = [layer for layer in network.layers if isinstance(layer, Affine)]
        self._seen = state.sample
        if state.phase == "forward":
            return self._forward(self._one(network, state), affine, state.layer, None)
        if state.phase == "backward":
            return [self._backward(self._one(network, state), affine, state.layer)]
        if state.phase == "update":
            return self._update_of_sample(state)
        layer, unit = self._unit(focus)
        i = int(focus["index"]) if focus and focus["key"] == "points" else state.sample
        one = network.trace(self.Z[min(i, len(self.Z) - 1)][None])
        rules = self._forward(one, affine, layer, unit)
        update = self._update(network, state, focus)
        if update is not None:
            rules.insert(0, update)
        return [*rules, self._cost(network, state)]

    def _unit(self, focus: Mapping[str, Any] | None) -> tuple[int, int]:
        """Return the layer (from 1) and the unit that the pointer is over, not an input."""
        if focus and focus["key"] == "unit":
            index = int(focus["index"])
            for layer, n in enumerate(self.sizes, 1):
                if index < n:
                    return (layer, index) if layer > 1 else (2, 0)
                index -= n
        return 2, 0

    def _symbols(self, layer: int) -> tuple[str, Callable[[Array], Array], Callable[..., Array]]:
        if layer < len(self.sizes):
            return SLOPES[self.p["activation"]]
        return SLOPES["sigmoid"] if self.squared else (r"\mathrm{softmax}", _softmax, np.ones_like)

    def _forward(
        self, one: Any, affine: list[Affine], layer: int, unit: int | None
    ) -> list[Rule]:  # fmt: skip
        W, b = affine[layer - 2].W.T, affine[layer - 2].b
        below, z = one.a[layer - 1][0], one.z[layer][0]
        a = self._activity(one, layer)[0]
        sigma, compute, _ = self._symbols(layer)
        up, down = f"^{{({layer})}}", f"^{{({layer - 1})}}"
        j = "" if unit is None else f"_{{{unit + 1}}}"
        whole = layer == len(self.sizes) and not self.squared
        if unit is not None:
            W, b, z = W[unit : unit + 1], b[unit : unit + 1], z[unit : unit + 1]
            if not whole:
                a = a[unit : unit + 1]
        first = Rule(
            rf"\t{{z}}{{z{up}{j}}} = \t{{W}}{{W{up}{j}}}\,\t{{x}}{{a{down}}} + \t{{b}}{{b{up}{j}}}",
            "@z = @W @x + @b", {"z": z, "W": W, "x": below, "b": b}, "z",
            lambda W, x, b: W @ x + b, Msg("network.rule.forward", layer=layer),
        )  # fmt: skip
        if whole:
            z, j = one.z[layer][0], ""
        return [first, Rule(
            rf"\t{{a}}{{a{up}{j}}} = {sigma}(\t{{z}}{{z{up}{j}}})", rf"@a = {sigma}\,@z",
            {"a": a, "z": z}, "a", lambda z: compute(z),
        )]  # fmt: skip

    def _backward(self, one: Any, affine: list[Affine], layer: int) -> Rule:
        up, above = f"^{{({layer})}}", f"^{{({layer + 1})}}"
        delta, last = one.delta[layer][0], layer == len(self.sizes)
        sigma, _, slope = self._symbols(layer)
        if last and not self.squared:
            target = np.eye(self.n_outputs)[self.y[self._seen]]
            return Rule(
                rf"\t{{d}}{{\delta{up}}} = \t{{p}}{{a{up}}} - \t{{y}}{{y}}", "@d = @p - @y",
                {"d": delta, "p": self._activity(one, layer)[0], "y": target}, "d",
                lambda p, y: p - y, Msg("network.rule.last"),
            )  # fmt: skip
        s = slope(one.z[layer][0])
        if last:
            return Rule(
                rf"\t{{d}}{{\delta{up}}} = \t{{s}}{{\sigma'(z{up})}} \circ "
                rf"(\t{{p}}{{a{up}}} - \t{{y}}{{y}})", r"@d = @s \circ \left(@p - @y\right)",
                {"d": delta, "s": s, "p": one.a[layer][0], "y": self.T[self._seen]}, "d",
                lambda s, p, y: s * (p - y), Msg("network.rule.last"),
            )  # fmt: skip
        return Rule(
            rf"\t{{d}}{{\delta{up}}} = \t{{s}}{{{sigma}'(z{up})}} \circ "
            rf"\t{{W}}{{(W{above})^\top}} \t{{e}}{{\delta{above}}}",
            r"@d = @s \circ \left(@W @e\right)",
            {"d": delta, "s": s, "W": affine[layer - 1].W, "e": one.delta[layer + 1][0]}, "d",
            lambda s, W, e: s * (W @ e), Msg("network.rule.carried", layer=layer),
        )  # fmt: skip

    _seen = 0  # the sample of the frame being drawn

    def _update_of_sample(self, state: Step) -> list[Rule]:
        before = self.make(state.before)
        one = self._one(before, state)
        rules = []
        _, slopes = before.loss_and_gradients(
            self.noisy[state.sample][None], self.targets[state.sample][None], self.loss
        )
        flat = [g for g in slopes["layers"] if g] if isinstance(slopes, dict) else slopes
        for layer in range(len(self.sizes), 1, -1):
            g = _gradients(flat, layer - 2)
            up, down = f"^{{({layer})}}", f"^{{({layer - 1})}}"
            rules.append(Rule(
                rf"\t{{g}}{{\partial C/\partial W{up}}} = \t{{d}}{{\delta{up}}} "
                rf"\t{{x}}{{(a{down})^\top}}", r"@g = @d\,@x^\top",
                {"g": g["W"].T, "d": one.delta[layer][0], "x": one.a[layer - 1][0]}, "g",
                lambda d, x: np.outer(d, x), Msg("network.rule.gradient", layer=layer),
            ))  # fmt: skip
            rules.append(Rule(
                rf"\t{{h}}{{\partial C/\partial b{up}}} = \t{{d}}{{\delta{up}}}", "@h = @d",
                {"h": g["b"], "d": one.delta[layer][0]}, "h", lambda d: d,
            ))  # fmt: skip
        return rules

    def _update(
        self, network: Network, state: Step, focus: Mapping[str, Any] | None
    ) -> Rule | None:  # fmt: skip
        """The step of one weight, where the gradient is that of all points and η is fixed."""
        p = self.p
        plain = p["rule"] == "gradient-descent" and p["batch_size"] >= len(self.X)
        if state.before is None or not plain or p["dropout"] or p["replace"] or state.diverged:
            return None
        before = self.make(state.before)
        _, slopes = before.loss_and_gradients(self.noisy, self.targets, self.loss)
        g = before.flatten(slopes)
        n_weights = sum(a * b for a, b in zip(self.sizes, self.sizes[1:], strict=False))
        chosen = int(focus["index"]) if focus and focus["key"] == "weight" else int(
            np.abs(g[:n_weights]).argmax())  # fmt: skip
        chosen = min(chosen, n_weights - 1)
        layer, i, j = self._weight(chosen)
        name = rf"W^{{({layer})}}_{{{j + 1}{i + 1}}}"
        terms = {"w": network.vector[chosen], "u": state.before[chosen], "eta": p["learning_rate"],
                 "g": g[chosen], "l": p["weight_decay"]}  # fmt: skip
        return Rule(
            rf"\t{{w}}{{{name}}} \leftarrow \t{{u}}{{{name}}} - \t{{eta}}{{\eta}} "
            rf"\left(\t{{g}}{{\partial C / \partial {name}}} + \t{{l}}{{\lambda}} {name}\right)",
            r"@w = @u - @eta \left(@g + @l \cdot @u\right)", terms, "w",
            lambda u, eta, g, l: u - eta * (g + l * u), Msg("network.rule.update"),  # noqa: E741
        )  # fmt: skip

    def _weight(self, index: int) -> tuple[int, int, int]:
        """Return layer (from 2), row and column in `Affine.W` of a weight's number."""
        for layer, (n_in, n_out) in enumerate(zip(self.sizes, self.sizes[1:], strict=False), 2):
            if index < n_in * n_out:
                return layer, index // n_out, index % n_out
            index -= n_in * n_out
        raise IndexError(index)

    def _cost(self, network: Network, state: Step) -> Rule:
        out = network(self.noisy)
        if self.squared:
            each = 0.5 * np.sum((out - self.T) ** 2, axis=1)
            symbols = r"\t{C}{C} = \frac1{\t{n}{m}} \sum_i \tfrac12 \lVert y_i - a_i \rVert^2"
        else:
            each = logsumexp(out, axis=1) - out[np.arange(len(out)), self.y]
            symbols = r"\t{C}{C} = -\frac1{\t{n}{m}} \sum_i \log a_{i,y_i}"
        return Rule(
            symbols, r"@C = \frac{1}{@n} \cdot @s",
            {"C": state.loss, "n": len(each), "s": float(each.sum())}, "C",
            lambda n, s: s / n, Msg("network.rule.cost"),
        )  # fmt: skip

    def check(self, state: Step) -> list[Check]:
        """Prove the gradient, number by number, against complex steps and differences."""
        network = self.make(state.vector)
        some = slice(state.sample, state.sample + 1) if state.phase != "train" else slice(0, 8)
        report = check_gradients(network, self.noisy[some], loss=self.loss,
                                 target=self.targets[some])  # fmt: skip
        return [Check(Msg("network.check.gradient"), report.error, 0.0, 1e-6)]

    def script(self, actions: Sequence[Mapping[str, Any]], last: int) -> str:
        """Write the same run as calls of `train`, or of `loss_and_gradients`."""
        from ._network_script import script

        return script(self, actions, last)


def inputs(X: Array, like: Array | None = None) -> Array:
    """Return points as the network takes them: standardised where they are large."""
    like = X if like is None else like
    if np.abs(like).max() <= 10:
        return X
    return (X - like.mean(axis=0)) / np.maximum(like.std(axis=0), 1e-12)


def with_dropout(network: Network, p: float, n_hidden: int) -> Network:
    """Return the network with dropout after each hidden activation."""
    layers, seen = [], 0
    for layer in network.layers:
        layers.append(layer)
        if not isinstance(layer, Affine) and seen < n_hidden:
            layers.append(Dropout(p))
            seen += 1
    return Network(layers)


def _scaled(a: Array, first: bool) -> Array:
    """Return (units, 22, 22) in [-1, 1]: what each unit gives over the plane."""
    low = 0.0 if not first and a.min() >= 0 and a.max() <= 1 else None
    b = 2 * a - 1 if low is not None else a / (np.abs(a).max(axis=0) + 1e-12)
    return b.T.reshape(-1, 22, 22)


def _softmax(z: Array) -> Array:
    return np.asarray(softmax(z))


def _gradients(flat: Any, number: int) -> Mapping[str, Array]:
    """Return {"W", "b"} of the number-th affine layer from gradients nested as parameters."""
    found: list[Mapping[str, Array]] = []

    def walk(tree: Any) -> None:
        if isinstance(tree, Mapping) and "W" in tree:
            found.append(tree)
        elif isinstance(tree, Mapping):
            for part in tree.values():
                walk(part)
        elif isinstance(tree, list | tuple):
            for part in tree:
                walk(part)

    walk(flat)
    return found[number]


def _separates(name: str, share: float = 0.97) -> Callable[[View], bool]:
    def solved(view: View) -> bool:
        scene, state = view.scene, view.state
        if scene.points.set != name or len(scene.X) < 60 or len(scene.p["hidden_layer_sizes"]) > 2:
            return False
        right = np.argmax(scene.make(state.vector)(scene.Z), axis=1) == scene.y
        return bool(right.mean() >= share)

    return solved


def _dead(view: View) -> bool:
    """Whether a rectifier is zero at every point after it has been trained."""
    scene, state = view.scene, view.state
    if scene.p["activation"] != "relu" or state.n == 0:
        return False
    seen = scene.make(state.vector).trace(scene.Z)
    return any(bool(np.any(np.all(seen.z[k] <= 0, axis=0))) for k in range(2, len(scene.sizes)))


def _wells(view: View) -> bool:
    """Whether Σ‖y − a‖² of the oil wells is below 10⁻²."""
    scene, state = view.scene, view.state
    known = scene.points.set in ("oil-wells", "oil-wells-11") and len(scene.X) >= 10
    return bool(known and scene.squared and 2 * len(scene.X) * state.loss < 1e-2)


NetworkScene.tasks = (
    Task("xor", _separates("xor")),
    Task("dead", _dead),
    Task("oil-wells", _wells),
    Task("spiral", _separates("spiral")),
)

SCENE = NetworkScene
