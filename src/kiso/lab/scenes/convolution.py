"""A filter slides, im2col fills its matrix, col2im gives back; and a small net, layer by layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.signal import correlate2d
from scipy.special import softmax

from kiso.nn import Affine, AveragePool, Conv2D, Flatten, MaxPool, ReLU, col2im, im2col

from .. import _marks as m
from .._controls import Action, Choice, Number
from .._marks import Axis, Picture
from .._scene import Check, Frame, Msg, Rule, Scene, Task, View
from ._digits import digits, script_of_network, stroke, trained

Array = np.ndarray[Any, np.dtype[Any]]

FILTERS = {
    "vertical-edge": [[1, 0, -1], [2, 0, -2], [1, 0, -1]],
    "horizontal-edge": [[1, 2, 1], [0, 0, 0], [-1, -2, -1]],
    "blur": [[0.25, 0.5, 0.25], [0.5, 1.0, 0.5], [0.25, 0.5, 0.25]],
    "sharpen": [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
}
SLIDES = ("sliding-filter", "adjoint")
NAMES: dict[Any, str] = {
    Conv2D: "conv",
    ReLU: "relu",
    MaxPool: "pool",
    Flatten: "flatten",
    Affine: "affine",
}


@dataclass(frozen=True)
class Step:
    """After k windows, or after k layers.

    Attributes
    ----------
    phase : str
    k : int
        Windows, or layers, so far.
    made : ndarray
        What they gave: outputs (0 where still missing), gradient, or the layer's output.
    value : float
        The number of this step.
    image : ndarray
        What the net looks at; the small image in the other views.
    drawn : bool
    """

    phase: str
    k: int
    made: Array
    value: float
    image: Array
    drawn: bool = False


class ConvolutionScene(Scene):
    """Convolution, its adjoint and pooling by numbers; a trained net on a digit."""

    name = "convolution"
    rows = (58, 59, 60, 61, 82, 84, 85, 86)
    controls = (
        Choice(name="view", default="sliding-filter", options=(*SLIDES, "pooling", "network")),
        Number(name="digit", default=0, low=0, high=299, whole=True),
        Choice(name="filter", default="vertical-edge", options=tuple(FILTERS),
               when=("view", SLIDES)),
        Number(name="stride", default=1, low=1, high=3, whole=True, when=("view", SLIDES)),
        Number(name="padding", default=0, low=0, high=2, whole=True, when=("view", SLIDES)),
        Number(name="dilation", default=1, low=1, high=2, whole=True, when=("view", SLIDES)),
        Choice(name="pool", default="max", options=("max", "mean"),
               when=("view", ("pooling",))),
        Number(name="pool_size", default=2, low=2, high=3, whole=True,
               when=("view", ("pooling",))),
        Number(name="pool_stride", default=2, low=1, high=3, whole=True,
               when=("view", ("pooling",))),
    )  # fmt: skip
    beside = {"stride": 2}
    objectives = ("value",)
    actions = (Action("clear", 0, when=("view", ("network",))),)
    keep_step = True

    def __init__(self, params: Mapping[str, Any], data: Any, seed: int):
        super().__init__(params, data, seed)
        self.digit = digits()[0][self.p["digit"], 0]  # (8, 8) in [0, 1]
        self.small = 16 * self.digit[1:7, 1:7]  # (6, 6), whole numbers
        self.x = self.small[None, None]
        self.w = np.array(FILTERS[self.p["filter"]], float)
        p = self.p
        self.how = {"stride": p["stride"], "padding": p["padding"], "dilation": p["dilation"]}
        self.conv = Conv2D(self.w[None, None], np.zeros(1), **self.how)
        pool = MaxPool if p["pool"] == "max" else AveragePool
        self.pool = pool(p["pool_size"], stride=p["pool_stride"])
        layer = self.pool if p["view"] == "pooling" else self.conv
        self.y, self.back = layer.forward(self.x)
        rng = np.random.default_rng(seed)
        self.dy = rng.integers(1, 5, self.y.shape) * rng.choice([-1.0, 1.0], self.y.shape)

    # --- steps ------------------------------------------------------------------------------

    def states(self) -> Iterator[Step]:
        """One window a step, or one layer a step."""
        if self.p["view"] == "network":
            yield from self._layers(self.digit, False, 0)
            return
        n = self.y.size
        for k in range(n + 1 if self.p["view"] != "pooling" else 2 * n + 1):
            yield self._windows(k)

    def _windows(self, k: int) -> Step:
        n, view = self.y.size, self.p["view"]
        if k == 0:
            made = self.x if view == "adjoint" else self.y
            return Step("start", 0, np.zeros_like(made[0, 0]), 0.0, self.small)
        if view == "adjoint":
            made = col2im(self._rows(k), self.x.shape, 3, **self.how)[0, 0]
            return Step("add", k, made, float(self.dy.flat[k - 1]), self.small)
        if view == "pooling" and k > n:
            made = self.back(first(self.dy, k - n))[0][0, 0]
            return Step("backward", k, made, float(self.dy.flat[k - n - 1]), self.small)
        made = first(self.y, k)[0, 0]
        return Step("forward" if view == "pooling" else "see", k, made,
                    float(self.y.flat[k - 1]), self.small)  # fmt: skip

    def _rows(self, k: int) -> Array:
        """∂C/∂col: row i is dy_i w, the first k of them."""
        return np.asarray(first(self.dy, k).reshape(-1, 1) * self.w.reshape(1, -1))

    @cached_property
    def net(self) -> Any:
        """The trained network."""
        return trained(self.seed)

    def _layers(self, image: Array, drawn: bool, at: int) -> Iterator[Step]:
        outputs = self._outputs(image)
        for k in range(at, len(outputs)):
            layers = self.net.layers
            phase = "input" if k == 0 else (
                NAMES[type(layers[k - 1])] if k <= len(layers) else "softmax")  # fmt: skip
            made = outputs[k]
            value = float(made.max() if phase == "softmax" else made.mean())
            yield Step(phase, k, made, value, image, drawn)

    def _outputs(self, image: Array) -> list[Array]:
        """The picture, what each layer gives, the probabilities."""
        a, outputs = image[None, None], [image[None]]
        for layer in self.net.layers:
            a = layer(a)
            outputs.append(a[0])
        return [*outputs, np.asarray(softmax(a[0]))]

    def resume(self, state: Step, action: Mapping[str, Any]) -> Iterator[Step]:
        """Draw on the picture, or begin with a blank one."""
        if self.p["view"] != "network" or action["kind"] not in ("draw", "clear"):
            yield from super().resume(state, action)
        yield from self._layers(changed(state.image, state.drawn, action), True, state.k)

    def objective(self, state: Step) -> Sequence[float]:
        """The number that this step makes."""
        return (state.value,)

    def trace(self, state: Step) -> Mapping[str, Any]:
        """What was made so far."""
        return {"phase": state.phase, "made": state.made, "value": state.value}

    # --- pictures ---------------------------------------------------------------------------

    def frame(self, state: Step, focus: Mapping[str, Any] | None) -> Frame:
        """The pictures of the view, with the window of this step framed."""
        view = self.p["view"]
        if view == "network":
            return self._net_frame(state, focus)
        pictures, rules = {"sliding-filter": self._sliding, "adjoint": self._adjoint,
                           "pooling": self._pooling}[view](state)  # fmt: skip
        summary = Msg(f"convolution.{view}.{state.phase}", k=state.k, n=self.y.size,
                      value=state.value)  # fmt: skip
        phase = "" if state.phase == "start" else state.phase
        return Frame(pictures, rules, summary, phase)

    def _window(self, k: int) -> Array:
        """Which pixels of the padded image the k-th window sees; k from 1."""
        pad = 0 if self.p["view"] == "pooling" else self.p["padding"]
        side = 6 + 2 * pad
        places = np.arange(side * side, dtype=float).reshape(1, 1, side, side)
        if self.p["view"] == "pooling":
            rows = im2col(places, self.p["pool_size"], stride=self.p["pool_stride"])
        else:
            rows = im2col(places, 3, stride=self.how["stride"], dilation=self.how["dilation"])
        marked = np.zeros(side * side, bool)
        if 0 < k <= len(rows):
            marked[rows[k - 1].astype(int)] = True
        return marked.reshape(side, side)

    def _row(self, n: int, k: int) -> Array:
        marked = np.zeros(n, bool)
        if 0 < k <= n:
            marked[k - 1] = True
        return marked

    def _sliding(self, state: Step) -> tuple[list[Picture], list[Rule]]:
        k, col = state.k, im2col(self.x, 3, **self.how)
        filled = np.where(np.arange(len(col))[:, None] < k, col, np.nan)
        rows = np.repeat(self._row(len(col), k)[:, None], 9, axis=1)
        output = masked(self.y[0, 0], k)
        pictures = [
            Picture("im2col", [m.matrix("col", filled, scale="blue", digits=0, marked=rows,
                                        low=0, high=16, columns=[f"{v:g}" for v in self.w.flat],
                                        term="x")],
                    title=Msg("convolution.im2col", rows=len(col), columns=9)),
            Picture("image", [m.matrix("image", np.pad(self.small, self.p["padding"]), term="x",
                                       scale="blue", digits=0, low=0, high=16,
                                       marked=self._window(k))],
                    title=Msg("convolution.image", side=6)),
            Picture("output", [m.matrix("output", output, digits=0, term="y",
                                        marked=self._row(output.size, k).reshape(output.shape))],
                    title=Msg("convolution.output", rows=output.shape[0],
                              columns=output.shape[1])),
        ]  # fmt: skip
        at = max(k - 1, 0)
        rule = Rule(
            rf"\t{{y}}{{y_{{{at + 1}}}}} = \sum_{{a,b}} \t{{w}}{{w_{{ab}}}}\, \t{{x}}{{x_{{ab}}}}",
            r"@y = \left\langle @w, @x \right\rangle",
            {"y": self.y.flat[at], "w": self.w, "x": col[at].reshape(3, 3)}, "y",
            lambda w, x: np.sum(w * x), Msg("convolution.rule.see", k=at + 1),
        )  # fmt: skip
        n, p, d, s = 6, self.p["padding"], self.p["dilation"], self.p["stride"]
        return pictures, [rule, Rule(
            r"\t{o}{\text{side}} = \left\lfloor \frac{n + 2p - d\,(3 - 1) - 1}{s} "
            r"\right\rfloor + 1",
            r"@o = \left\lfloor \frac{@n + 2 \cdot @p - @d \cdot 2 - 1}{@s} \right\rfloor + 1",
            {"o": np.shape(self.y)[2], "n": n, "p": p, "d": d, "s": s}, "o",
            lambda n, p, d, s: (n + 2 * p - 2 * d - 1) // s + 1, Msg("convolution.rule.side"),
        )]  # fmt: skip

    def _adjoint(self, state: Step) -> tuple[list[Picture], list[Rule]]:
        k, n = state.k, self.y.size
        rows = np.where(np.arange(n)[:, None] < k, self._rows(n), np.nan)
        marked = np.repeat(self._row(n, k)[:, None], 9, axis=1)
        pad = self.p["padding"]
        window = self._window(k)[pad : pad + 6, pad : pad + 6]
        dy = self.dy[0, 0]
        pictures = [
            Picture("rows", [m.matrix("rows", rows, digits=0, marked=marked, term="g",
                                      columns=[f"{v:g}" for v in self.w.flat])],
                    title=Msg("convolution.rows")),
            Picture("gradient", [m.matrix("gradient", state.made, digits=0, marked=window,
                                          term="dx")], title=Msg("convolution.gradient", k=k)),
            Picture("above", [m.matrix("above", dy, digits=0, term="dy",
                                       marked=self._row(n, k).reshape(dy.shape))],
                    title=Msg("convolution.above")),
        ]  # fmt: skip
        col = im2col(self.x, 3, **self.how)
        left = float(np.sum(col * self._rows(k)))
        rules = [Rule(
            r"\langle \t{col}{\mathrm{im2col}\, x}, \t{g}{g} \rangle = "
            r"\langle x, \t{dx}{\mathrm{col2im}\, g} \rangle",
            r"@left = @right",
            {"left": left, "right": float(np.sum(self.small * state.made))}, "left",
            lambda right: right, Msg("convolution.rule.adjoint", k=k),
        )]  # fmt: skip
        if k:
            rules.insert(0, Rule(
                rf"\t{{g}}{{g_{{{k}}}}} = \t{{dy}}{{\partial C / \partial y_{{{k}}}}}\; "
                r"\t{w}{w}", "@g = @dy\\, @w",
                {"g": self._rows(k)[k - 1].reshape(3, 3), "dy": state.value, "w": self.w}, "g",
                lambda dy, w: dy * w, Msg("convolution.rule.row", k=k),
            ))  # fmt: skip
        return pictures, rules

    def _pooling(self, state: Step) -> tuple[list[Picture], list[Rule]]:
        n, back = self.y.size, state.phase == "backward"
        k = state.k - n if back else state.k
        window = self._window(k)
        y = masked(self.y[0, 0], n if back else k)
        dx = state.made if back else np.full((6, 6), np.nan)
        at = self._row(n, k).reshape(y.shape)
        places = 0 if self.p["pool"] == "max" else 1
        small = m.matrix("image", self.small, scale="blue", digits=0, low=0, high=16,
                         marked=window, term="x")  # fmt: skip
        pictures = [
            Picture("image", [small], title=Msg("convolution.pool_image", size=self.p["pool_size"],
                                                stride=self.p["pool_stride"])),
            Picture("pooled", [m.matrix("pooled", y, scale="blue", digits=places, low=0, high=16,
                                        marked=at, term="y")],
                    title=Msg(f"convolution.pooled_{self.p['pool']}")),
            Picture("gradient", [m.matrix("gradient", dx, digits=places, marked=window & back,
                                          term="dx")],
                    title=Msg(f"convolution.routed_{self.p['pool']}")),
        ]  # fmt: skip
        size, largest = self.p["pool_size"], self.p["pool"] == "max"
        j = max(k - 1, 0)
        seen = im2col(self.x, size, stride=self.p["pool_stride"])[j].reshape(size, size)
        name = r"\max" if largest else r"\mathrm{mean}"
        rules = [Rule(
            rf"\t{{y}}{{y_{{{j + 1}}}}} = {name}_{{a,b}}\, \t{{x}}{{x_{{ab}}}}",
            rf"@y = {name} @x", {"y": self.y.flat[j], "x": seen}, "y",
            lambda x: np.max(x) if largest else np.mean(x),
            Msg("convolution.rule.pool", k=j + 1),
        )]  # fmt: skip
        if back:
            before = self.back(first(self.dy, k - 1))[0]
            parts = [im2col(a, size, stride=self.p["pool_stride"])[j].reshape(size, size)
                     for a in (state.made[None, None], before)]  # fmt: skip
            chosen = np.zeros(seen.size)
            chosen[seen.argmax()] = 1.0
            share = chosen.reshape(seen.shape) if largest else np.full(seen.shape, 1 / seen.size)
            rules.insert(0, Rule(
                rf"\t{{dx}}{{\frac{{\partial C}}{{\partial x}}}} \leftarrow "
                rf"\frac{{\partial C}}{{\partial x}} + "
                rf"\t{{dy}}{{\frac{{\partial C}}{{\partial y_{{{k}}}}}}}\, \t{{s}}{{S}}",
                "@dx = @before + @dy \\, @s",
                {"dx": parts[0], "before": parts[1], "dy": state.value, "s": share}, "dx",
                lambda before, dy, s: before + dy * s,
                Msg(f"convolution.rule.route_{self.p['pool']}", k=k),
            ))  # fmt: skip
        return pictures, rules

    def _net_frame(self, state: Step, focus: Mapping[str, Any] | None) -> Frame:
        outputs = self._outputs(state.image)
        p, a = outputs[-1], state.made
        answer = int(p.argmax())
        if a.ndim == 3:
            c = len(a)
            shown = m.images(
                "maps",
                a,
                columns=min(4, c),
                low=float(min(0.0, a.min())),
                high=float(a.max()) or 1.0,
                scale="diverging" if a.min() < 0 else "grey",
                names=[f"{i + 1}" for i in range(c)] if c > 1 else None,
                term="a",
            )
        elif a.size == 64:
            shown = m.images("maps", a.reshape(1, 4, 16), low=0.0, high=float(a.max()) or 1.0,
                             term="a")  # fmt: skip
        else:
            shown = m.matrix(
                "maps",
                a.reshape(2, 5),
                digits=2,
                term="a",
                scale="blue" if state.phase == "softmax" else "diverging",
            )
        order = np.arange(10)[::-1]
        bars = m.bars("p", p[order], names=[str(i) for i in order], horizontal=True, term="p",
                      color=np.where(order == answer, 1, 0))  # fmt: skip
        pictures = [
            Picture("input", [m.images("input", state.image[None], draw=True, low=0.0, high=1.0)],
                    title=Msg("convolution.draw")),
            Picture("maps", [shown], title=Msg(f"convolution.layer.{state.phase}",
                                               shape="\u00a0×\u00a0".join(map(str, a.shape)))),
            Picture("answer", [bars], Axis(0.0, 1.0, Msg("convolution.probability")),
                    Axis(-0.6, 9.6, ""), title=Msg("convolution.answer", digit=str(answer),
                                                   percent=100 * float(p.max()))),
        ]  # fmt: skip
        summary = Msg(f"convolution.network.{state.phase}", digit=str(answer),
                      percent=100 * float(p.max()), k=state.k)  # fmt: skip
        facts = [] if state.drawn else [
            (Msg("convolution.fact.true"), int(digits()[1][self.p["digit"]]))]  # fmt: skip
        c = int(focus["index"]) if focus is not None and focus["key"] == "maps" else -1
        return Frame(pictures, [self._layer_rule(state, outputs, c)], summary, facts=facts)

    def _layer_rule(self, state: Step, outputs: list[Array], c: int) -> Rule:
        """The rule of this layer, at its strongest output or for the one under the pointer."""
        k, a = state.k, state.made
        if k == 0:
            return Rule(r"\t{n}{n} = 8 \times 8", "@n = 8 \\times 8", {"n": a.size}, "n",
                        lambda: 64, Msg("convolution.rule.input"))  # fmt: skip
        before = outputs[k - 1]
        if a.ndim == 3:
            c = min(c, len(a) - 1) if c >= 0 else int(a.reshape(len(a), -1).max(axis=1).argmax())
            i, j = np.unravel_index(int(np.abs(a[c]).argmax()), a[c].shape)
            return self._map_rule(state.phase, k, before, a, c, int(i), int(j))
        c = min(c, a.size - 1) if c >= 0 else int(a.argmax())
        if state.phase == "flatten":
            return Rule(
                r"\t{a}{h_k} = a_{c,i,j}, \quad k = 4c + 2i + j", "@a = @x",
                {"a": a[c], "x": before[c // 4, c % 4 // 2, c % 2]}, "a", lambda x: x,
                Msg("convolution.rule.flatten", k=c),
            )  # fmt: skip
        if state.phase == "affine":
            layer = self.net.layers[k - 1]
            parts = before * layer.W[:, c]
            return Rule(
                rf"\t{{a}}{{z_{{{c}}}}} = \sum_i \t{{w}}{{w_i h_i}} + \t{{b}}{{b}}",
                "@a = @up + @down + @b",
                {"a": a[c], "up": parts[parts > 0].sum(), "down": parts[parts < 0].sum(),
                 "b": layer.b[c]}, "a", lambda up, down, b: up + down + b,
                Msg("convolution.rule.affine", k=c),
            )  # fmt: skip
        return Rule(
            rf"\t{{p}}{{p_{{{c}}}}} = \frac{{e^{{z_{{{c}}}}}}}{{\sum_j e^{{z_j}}}}",
            r"@p = \frac{e^{@z}}{@all}",
            {"p": a[c], "z": before[c], "all": np.exp(before).sum()}, "p",
            lambda z, **all: np.exp(z) / all["all"], Msg("convolution.rule.softmax", k=c),
        )  # fmt: skip

    def _map_rule(self, phase: str, k: int, before: Array, a: Array, c: int, i: int,
                  j: int) -> Rule:  # fmt: skip
        where = {"c": c + 1, "i": i + 1, "j": j + 1}
        if phase == "relu":
            return Rule(r"\t{a}{a} = \max(0, \t{z}{z})", r"@a = \max(0, @z)",
                        {"a": a[c, i, j], "z": before[c, i, j]}, "a", lambda z: max(0.0, z),
                        Msg("convolution.rule.relu", **where))  # fmt: skip
        if phase == "pool":
            seen = before[c, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
            return Rule(r"\t{a}{a} = \max \t{x}{x_{ab}}", r"@a = \max @x",
                        {"a": a[c, i, j], "x": seen}, "a", lambda x: np.max(x),
                        Msg("convolution.rule.max", **where))  # fmt: skip
        layer = self.net.layers[k - 1]
        seen = np.pad(before, ((0, 0), (1, 1), (1, 1)))[:, i : i + 3, j : j + 3]
        if len(before) == 1:
            return Rule(
                r"\t{a}{z} = \langle \t{w}{w}, \t{x}{x} \rangle + \t{b}{b}",
                r"@a = \left\langle @w, @x \right\rangle + @b",
                {"a": a[c, i, j], "w": layer.W[c, 0], "x": seen[0], "b": layer.b[c]}, "a",
                lambda w, x, b: np.sum(w * x) + b, Msg("convolution.rule.conv", **where),
            )  # fmt: skip
        return Rule(
            r"\t{a}{z} = \sum_c \t{s}{\langle w_c, x_c \rangle} + \t{b}{b}",
            r"@a = \mathbf{1}^T @s + @b",
            {"a": a[c, i, j], "s": (layer.W[c] * seen).sum(axis=(1, 2)), "b": layer.b[c]}, "a",
            lambda s, b: np.sum(s) + b, Msg("convolution.rule.channels", **where),
        )  # fmt: skip

    def check(self, state: Step) -> list[Check]:
        """Compare with SciPy, with unit images, with loops, and with the whole network."""
        view, k = self.p["view"], state.k
        if view == "network":
            whole = np.asarray(softmax(self.net(state.image[None, None])[0]))
            return [Check(Msg("convolution.check.whole"), self._outputs(state.image)[-1], whole,
                          1e-10)]  # fmt: skip
        if view == "sliding-filter":
            d, s = self.p["dilation"], self.p["stride"]
            w = np.zeros((2 * d + 1, 2 * d + 1))
            w[::d, ::d] = self.w
            whole = correlate2d(np.pad(self.small, self.p["padding"]), w, mode="valid")[::s, ::s]
            return [Check(Msg("convolution.check.scipy"), state.made, first(whole, k), 1e-9)]
        n = self.y.size
        done = first(self.dy, k if view == "adjoint" else k - n) if k else 0 * self.dy
        if view == "pooling" and k <= n:
            rows = im2col(self.x, self.p["pool_size"], stride=self.p["pool_stride"])
            values = rows.max(axis=1) if self.p["pool"] == "max" else rows.mean(axis=1)
            return [Check(Msg("convolution.check.windows"), state.made,
                          first(values.reshape(state.made.shape), k), 1e-9)]  # fmt: skip
        h = 1e-6
        moved = self.small + h * np.eye(36).reshape(36, 6, 6)
        layer = self.conv if view == "adjoint" else self.pool
        change = (layer(moved[:, None]) - self.y) / h
        by = (change * done).sum(axis=(1, 2, 3)).reshape(6, 6)
        if view == "pooling" and self.p["pool"] == "max":  # where two are largest, it has a corner
            by = naive_routing(self.small, done[0, 0], self.p["pool_size"], self.p["pool_stride"])
        return [Check(Msg("convolution.check.differences"), state.made, by, 1e-4)]

    def script(self, actions: Sequence[Mapping[str, Any]], last: int) -> str:
        """Write the same steps."""
        p, view = self.p, self.p["view"]
        text = f"""
from sklearn.datasets import load_digits
shown = np.random.default_rng(0).permutation(1797)[:300]
image = load_digits().data[shown[{p["digit"]}]].reshape(8, 8) / 16.0
trace = []
"""
        if view == "network":
            return text + self._net_script(actions, last)
        text += f"x = 16 * image[None, None, 1:7, 1:7]\nw = np.array({self.w.tolist()!r})\n"
        if view == "pooling":
            kind = "MaxPool" if p["pool"] == "max" else "AveragePool"
            text += f"from kiso.nn import {kind}\n"
            text += f"layer = {kind}({p['pool_size']}, stride={p['pool_stride']})\n"
        else:
            how = ", ".join(f"{k}={v}" for k, v in self.how.items())
            text += f"from kiso.nn import Conv2D, col2im\nhow = dict({how})\n"
            text += "layer = Conv2D(w[None, None], np.zeros(1), **how)\n"
        text += f"""y, back = layer.forward(x)
rng = np.random.default_rng({self.seed})
dy = rng.integers(1, 5, y.shape) * rng.choice([-1.0, 1.0], y.shape)

def first(a, k):
    return np.where(np.arange(a.size).reshape(a.shape) < k, a, 0.0)

def note(phase, made, value):
    trace.append(dict(phase=phase, made=made[0, 0], value=value))

note("start", np.zeros_like({"x" if view == "adjoint" else "y"}), 0.0)
for k in range(1, y.size + 1):
"""
        if view == "adjoint":
            text += """    g = first(dy, k).reshape(-1, 1) * w.reshape(1, -1)
    note("add", col2im(g, x.shape, 3, **how), dy.flat[k - 1])
"""
        else:
            phase = "forward" if view == "pooling" else "see"
            text += f"    note({phase!r}, first(y, k), y.flat[k - 1])\n"
        if view == "pooling":
            text += """for k in range(1, y.size + 1):
    note("backward", back(first(dy, k))[0], dy.flat[k - 1])
"""
        return text + f"trace = trace[: {last} + 1]"

    def _net_script(self, actions: Sequence[Mapping[str, Any]], last: int) -> str:
        text = script_of_network(self.seed) + f"""
from scipy.special import softmax
names = {[NAMES[type(layer)] for layer in self.net.layers]!r}

def run(image, at):
    a, found = image[None, None], [("input", image[None])]
    for name, layer in zip(names, net.layers):
        a = layer(a)
        found.append((name, a[0]))
    found.append(("softmax", softmax(a[0])))
    for phase, made in found[at:]:
        value = made.max() if phase == "softmax" else made.mean()
        trace.append(dict(phase=phase, made=made, value=value))

run(image, 0)
"""  # fmt: skip
        image, drawn = self.digit, False
        for action in actions:
            image, drawn = changed(image, drawn, action), True
            text += f"del trace[{action['t']}:]\n"
            text += f"run(np.array({image.tolist()!r}), {action['t']})\n"
        return text + f"trace = trace[: {last} + 1]"


def changed(image: Array, drawn: bool, action: Mapping[str, Any]) -> Array:
    """Return the picture after a stroke; the first stroke begins on a blank one."""
    if not drawn or action["kind"] == "clear":
        image = np.zeros_like(image)
    return image if action["kind"] == "clear" else stroke(image, action["pixels"])


def first(a: Array, k: int) -> Array:
    """Return the first k numbers, and zeros."""
    return np.where(np.arange(a.size).reshape(a.shape) < k, a, 0.0)


def masked(a: Array, k: int) -> Array:
    """Return the first k numbers, and nothing."""
    return np.where(np.arange(a.size).reshape(a.shape) < k, a, np.nan)


def naive_routing(x: Array, dy: Array, size: int, stride: int) -> Array:
    """Give each window's gradient to its first largest pixel, by loops."""
    dx = np.zeros_like(x)
    for o in range(dy.shape[0]):
        for q in range(dy.shape[1]):
            window = x[o * stride : o * stride + size, q * stride : q * stride + size]
            a, b = divmod(int(window.argmax()), size)
            dx[o * stride + a, q * stride + b] += dy[o, q]
    return dx


def _same_size(view: View) -> bool:
    scene = view.scene
    return bool(scene.p["view"] == "sliding-filter" and view.done
                and scene.y.shape == scene.x.shape)  # fmt: skip


def _thrice(view: View) -> bool:
    """A pixel that is the largest of three windows at least."""
    scene, state = view.scene, view.state
    if scene.p["view"] != "pooling" or scene.p["pool"] != "max" or not view.done:
        return False
    counts = scene.back(np.ones_like(scene.y))[0]
    return bool(state.phase == "backward" and counts.max() >= 3)


def _own(view: View) -> bool:
    state = view.state
    return bool(state.drawn and state.phase == "softmax" and state.value >= 0.9)


def _wrong(view: View) -> bool:
    """A digit that was not drawn, and that the net takes for another."""
    scene, state = view.scene, view.state
    true = digits()[1][scene.p["digit"]]
    return bool(state.phase == "softmax" and not state.drawn and state.made.argmax() != true)


ConvolutionScene.tasks = (
    Task("same", _same_size),
    Task("adjoint", lambda view: view.scene.p["view"] == "adjoint" and view.done),
    Task("thrice", _thrice),
    Task("own", _own),
    Task("wrong", _wrong),
)

SCENE = ConvolutionScene
