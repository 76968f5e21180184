"""Powers as a tanh network that is constructed: what the step h wins, and what rounding takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np

from kiso.approximation import TanhNetwork, tanh_notes, tanh_powers

from .. import _marks as m
from .._marks import Axis, Picture
from .._scene import Check, Frame, Msg, Rule, Scene
from ._targets import DRAWN, numbered, place

Array = np.ndarray[Any, np.dtype[Any]]

LOWEST = 1e-8
STEPS = np.geomspace(LOWEST, 1.0, 97)
N_POINTS = 401
SUPER = "⁰¹²³⁴⁵⁶⁷⁸⁹"


@dataclass(frozen=True)
class Constructed:
    """The network at a step h.

    Attributes
    ----------
    h : float
    errors : ndarray of shape (n_outputs,)
        Largest |output − power| on [−1, 1], measured.
    coarser : ndarray of shape (n_outputs,)
        The same at 2h.
    """

    h: float
    errors: Array
    coarser: Array


class Construction:
    """The run: h is halved at every step."""

    def __init__(self, scene: Scene):
        p = self.p = scene.p
        self.key = (0, 2) if p["method"] == "four-neurons" else (p["highest"], int(p["order"]))
        self.powers = [1, 2, 3] if not self.key[0] else list(range(1, self.key[0] + 1))

    def states(self) -> Iterator[Constructed]:
        """Halve h from the slider's value down to rounding."""
        yield from self._from(float(self.p["h"]))

    def resume(self, state: Constructed, action: Mapping[str, Any]) -> Iterator[Constructed]:
        """Go on from the h to which the point was dragged."""
        yield from self._from(float(np.clip(action["to"][0], LOWEST, 1.0)))

    def _from(self, h: float) -> Iterator[Constructed]:
        while h >= LOWEST:
            yield Constructed(h, made(self.key, h).errors(N_POINTS),
                              made(self.key, 2 * h).errors(N_POINTS))  # fmt: skip
            h /= 2

    def trace(self, state: Constructed) -> Mapping[str, Any]:
        """The step and the errors of all outputs."""
        return {"h": state.h, "errors": state.errors}

    # --- pictures -----------------------------------------------------------------------------

    def frame(self, state: Constructed, focus: Mapping[str, Any] | None) -> Frame:
        """Outputs on their powers; errors against h with both laws."""
        net = made(self.key, state.h)
        n = len(self.powers)
        over = [numbered(focus, "out", n), numbered(focus, "err", n)]
        if focus is not None and focus["key"] == "others":
            over.append(min(int(focus["index"]), n - 1))
        k = next((j for j in over if j is not None), n - 1)
        at = place(focus, tuple(f"out{j}" for j in range(len(self.powers))), 0.7)
        y = net.values(DRAWN)
        marks: list[Any] = []
        for j, p in enumerate(self.powers):
            marks.append(m.line(f"power{p}", np.column_stack([DRAWN, DRAWN**p]), color="muted",
                                dash=True, width=1.2))  # fmt: skip
            marks.append(
                m.line(
                    f"out{j}",
                    np.column_stack([DRAWN, y[:, j]]),
                    color=j,
                    alpha=0.9 if j == k else 0.6,
                    term="y" if j == k else None,
                )
            )
            x = -0.9 + 0.12 * j
            marks.append(m.texts(f"name{j}", [[x, x**p + (0.12 if p % 2 == 0 else -0.12)]],
                                 [power(p)], color=j, align="center"))  # fmt: skip
        marks.append(m.points("probe", [[at, float(net.values(np.array([at]))[0, k])]], color=k,
                              size=6, term="y"))  # fmt: skip
        wall = bool(net.rounding[k] > net.truncation[k])
        title = Msg("approximation.wall" if wall else "approximation.slope", h=state.h,
                    power=power(self.powers[k]), error=float(state.errors[k]))  # fmt: skip
        left = Picture("outputs", marks, Axis(-1.0, 1.0, "x"), Axis(-1.25, 1.25, "y"),
                       title=Msg("approximation.outputs", units=net.n_units,
                                 weight=largest_weight(net)))  # fmt: skip
        facts = [(Msg("approximation.fact.power", power=power(self.powers[k])),
                  float(state.errors[k])),
                 (Msg("approximation.fact.units"), net.n_units),
                 (Msg("approximation.fact.weight"), largest_weight(net))]  # fmt: skip
        return Frame([left, self._curves(state, k, title)], self._rules(state, net, k, at), title,
                     facts=facts)  # fmt: skip

    def _curves(self, state: Constructed, k: int, title: Msg) -> Picture:
        errors, truncation, rounding = curves(self.key)
        marks: list[Any] = [
            m.line(
                "law",
                np.column_stack([STEPS, truncation[k]]),
                color="muted",
                dash=True,
                width=1.3,
                term="slope",
            ),
            m.line(
                "rounding",
                np.column_stack([STEPS, rounding[k]]),
                color="ink",
                dash=True,
                width=1.3,
                term="wall",
            ),
            m.rule_line("best", x=float(STEPS[errors[k].argmin()]), label="h*"),
        ]
        marks += [
            m.line(f"err{j}", np.column_stack([STEPS, np.maximum(errors[j], 1e-17)]), color=j,
                   alpha=1.0 if j == k else 0.5, width=2.0 if j == k else 1.3)
            for j in range(len(self.powers))
        ]  # fmt: skip
        places = np.column_stack([np.full(len(self.powers), state.h),
                                  np.maximum(state.errors, 1e-17)])  # fmt: skip
        marks.append(m.points("others", places, color=np.arange(len(self.powers)), size=3))
        marks.append(m.handle("h", places[[k]], color=k, along="x", size=8, names=["h"]))
        order = self.key[1]
        near, far = 10**-0.7, 10**-6.6
        at = [[near, 0.25 * np.interp(np.log(near), np.log(STEPS), truncation[k])],
              [far, 8 * np.interp(np.log(far), np.log(STEPS), rounding[k])]]  # fmt: skip
        q = self.powers[k] - 1 if self.powers[k] % 2 else self.powers[k]
        if self.key[0] == 0 and self.powers[k] == 2:
            q = 2
        names = [f"C h{raised(order)}", "u" if q == 0 else f"u / h{raised(q)}"]
        marks.append(m.texts("laws", at, names, align="left"))
        return Picture("errors", marks, Axis(LOWEST, 1.0, "h", log=True),
                       Axis(1e-17, 1e4, Msg("approximation.objectives.error"), log=True),
                       title=title)  # fmt: skip

    def _rules(self, state: Constructed, net: TanhNetwork, k: int, at: float) -> list[Rule]:
        layers: Any = net.network.layers
        w, b, V, d = layers[0].W[0], layers[0].b, layers[2].W, layers[2].b
        t = layers[1].forward(layers[0].forward(np.array([[at]]))[0])[0][0]
        j = int(np.abs(V[:, k]).argmax())
        rules = [
            Rule(
                r"\t{t}{t_j} = \tanh(\t{w}{w_j}\, \t{x}{x} + \t{b}{b_j})",
                r"@t = \tanh(@w \cdot @x + @b)",
                {"t": t[j], "w": w[j], "x": at, "b": b[j]}, "t",
                lambda w, x, b: np.tanh(w * x + b),
                Msg("approximation.rule.hidden", j=j + 1, n=net.n_units),
            ),
            Rule(
                rf"\t{{y}}{{y_{{{self.powers[k]}}}}} = \t{{v}}{{v}}^T \t{{t}}{{t}} + \t{{dk}}{{d}}",
                r"@y = @v^T @t + @dk",
                {"y": float(net.values(np.array([at]))[0, k]), "v": V[:, k], "t": t, "dk": d[k],
                 "V": V, "d": d}, "y",
                lambda v, t, dk, V, d: (t[None] @ V + d)[0, k],  # summed as the network sums
                Msg("approximation.rule.output", power=power(self.powers[k]), x=at),
            ),
        ]  # fmt: skip
        if state.errors[k] > 0 and state.coarser[k] > 0:
            rules.insert(0, Rule(
                r"q = \log_2 \frac{\t{coarser}{e(2h)}}{\t{error}{e(h)}}",
                r"@q = \log_2 \frac{@coarser}{@error}",
                {"q": np.log2(state.coarser[k]) - np.log2(state.errors[k]),
                 "coarser": state.coarser[k], "error": state.errors[k]}, "q",
                lambda coarser, error: np.log2(coarser / error),
                Msg("approximation.rule.order", order=self.key[1]),
            ))  # fmt: skip
        rules.append(Rule(
            r"e(h) \le \t{slope}{\text{truncation}} + \t{wall}{\text{rounding}}",
            r"@bound = @slope + @wall",
            {"bound": net.error_bound[k], "slope": net.truncation[k], "wall": net.rounding[k]},
            "bound", lambda slope, wall: slope + wall, Msg("approximation.rule.bound"),
        ))  # fmt: skip
        return rules

    # --- against others -----------------------------------------------------------------------

    def check(self, state: Constructed) -> list[Check]:
        """Compare with 120 digits of arithmetic, and those with the powers."""
        from mpmath import mpf, workdps

        net = made(self.key, state.h)
        x = [-0.9, 0.3, 0.7]
        exact = net.evaluate(x, 120)
        with workdps(120):
            off = [[float(row[j] - mpf(at) ** p) for j, p in enumerate(self.powers)]
                   for at, row in zip(x, exact, strict=True)]  # fmt: skip
        ours = net.values(np.array(x))
        return [
            Check(Msg("approximation.check.digits"), ours / net.rounding,
                  np.array(exact, float) / net.rounding, 1.0),
            Check(Msg("approximation.check.truncation"), off / net.truncation,
                  np.zeros(np.shape(off)), 1.0),
        ]  # fmt: skip

    def script(self, actions: Sequence[Mapping[str, Any]], last: int) -> str:
        """Write the same steps."""
        if self.key[0] == 0:
            head, call = "from kiso.approximation import tanh_notes", "tanh_notes(h=h)"
        else:
            head = "from kiso.approximation import tanh_powers"
            call = f"tanh_powers(range(1, {self.key[0] + 1}), h=h, order={self.key[1]})"
        text = f"""
{head}

def halve(h):
    trace = []
    while h >= {LOWEST}:
        trace.append(dict(h=h, errors={call}.errors({N_POINTS})))
        h /= 2
    return trace

trace = halve({float(self.p["h"])!r})
"""
        for action in actions:
            h = float(np.clip(action["to"][0], LOWEST, 1.0))
            text += f"trace = trace[: {action['t']}] + halve({h!r})\n"
        return text + f"trace = trace[: {last} + 1]"


@lru_cache(maxsize=512)
def made(key: tuple[int, int], h: float) -> TanhNetwork:
    """Return the network: (0, 2) the four neurons, or (highest power, order)."""
    if h != 1.0:  # the same construction at another step
        return replace(made(key, 1.0), h=Fraction(h))
    return tanh_notes(h=h) if not key[0] else tanh_powers(range(1, key[0] + 1), h=h, order=key[1])


@lru_cache(maxsize=16)
def curves(key: tuple[int, int]) -> tuple[Array, Array, Array]:
    """Measured errors, and the bounds of truncation and rounding, (n_outputs, n_steps) each."""
    errors = np.array([made(key, float(h)).errors(N_POINTS) for h in STEPS]).T
    law = made(key, 1.0).construction
    return errors, np.asarray(law.truncation(STEPS)), np.asarray(law.rounding(STEPS))


def largest_weight(net: TanhNetwork) -> float:
    """Return max |v|."""
    last: Any = net.network.layers[2]
    return float(np.abs(last.W).max())


def raised(n: int) -> str:
    """Return an exponent."""
    return "" if n == 1 else "".join(SUPER[int(c)] for c in str(n))


def power(p: int) -> str:
    """Return "x", "x²", …"""
    return f"x{raised(p)}"
