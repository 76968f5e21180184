"""Polynomials through more and more points of a function."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import comb
from typing import Any

import numpy as np

from kiso.approximation import interpolate

from .. import _marks as m
from .._marks import Axis, Picture
from .._scene import Check, Frame, Msg, Rule, Scene
from ._targets import DRAWN, FINE, TARGETS, axes, largest, place, script_of

Array = np.ndarray[Any, np.dtype[Any]]

DEGREES = {"equispaced": np.arange(2, 42, 2), "chebyshev": np.arange(2, 82, 2)}
# at equal distances rounding has the say soon after degree 40
RHO = (1 + np.sqrt(26)) / 5  # of Runge's function, whose poles are ±i/5


@dataclass(frozen=True)
class Interpolant:
    """The polynomial of a degree.

    Attributes
    ----------
    degree : int
    error : float
        Largest, over the interval.
    worst : float
        Where it is.
    before : float
        The error two degrees before; NaN at first.
    """

    degree: int
    error: float
    worst: float
    before: float


class Interpolation:
    """The run: a degree a step."""

    def __init__(self, scene: Scene):
        self.p, self.target = scene.p, TARGETS[scene.p["target"]]
        self.nodes: Any = scene.p["nodes"]

    def polynomial(self, degree: int) -> Any:
        """Return the library's interpolant."""
        return interpolate(self.target.f, degree, nodes=self.nodes)

    def states(self) -> Iterator[Interpolant]:
        """Degrees 2, 4, …"""
        before = float("nan")
        for degree in DEGREES[self.nodes]:
            h = self.polynomial(int(degree))
            off = np.where(self.target.counted, np.abs(h(FINE) - self.target.f(FINE)), 0.0)
            error = self.target.error(h)
            yield Interpolant(int(degree), error, float(FINE[off.argmax()]), before)
            before = error

    def trace(self, state: Interpolant) -> Mapping[str, Any]:
        """Degree and error."""
        return {"degree": state.degree, "error": state.error}

    # --- pictures -----------------------------------------------------------------------------

    def frame(self, state: Interpolant, focus: Mapping[str, Any] | None) -> Frame:
        """The polynomial through its points; errors of both kinds of points by degree."""
        h = self.polynomial(state.degree)
        x = self._points(state.degree)
        at = place(focus, ("fit", "target"), state.worst)
        at = at if np.min(np.abs(at - x)) > 1e-9 else at + 0.0025 * (1 if at < 0 else -1)
        marks = [
            *self.target.marks(),
            m.line("fit", np.column_stack([DRAWN, h(DRAWN)]), color=1, term="p"),
            m.points("nodes", np.column_stack([x, self.target.f(x)]), color=0, size=4, term="x"),
            m.points("probe", [[at, float(h(at))]], color=1, size=6, term="p"),
        ]  # fmt: skip
        grows = state.before == state.before and state.error > state.before
        title = Msg(f"approximation.{self.nodes}.{'worse' if grows else 'better'}",
                    n=state.degree, error=state.error)  # fmt: skip
        pictures = [Picture("fit", marks, *axes(), title=title), self._errors(state)]
        facts = [(largest(self.target.jump), state.error),
                 (Msg("approximation.fact.numbers"), state.degree + 1)]  # fmt: skip
        return Frame(pictures, self._rules(state, x, at, focus), title, facts=facts)

    def _points(self, degree: int) -> Array:
        j = np.arange(degree + 1)
        if self.nodes == "chebyshev":
            return np.asarray(np.cos((j + 0.5) * np.pi / (degree + 1)))
        return np.asarray(2 * j / degree - 1)

    def _errors(self, state: Interpolant) -> Picture:
        marks = []
        for number, nodes in enumerate(("chebyshev", "equispaced")):
            curve = np.column_stack([DEGREES[nodes], _errors_by_degree(self.p["target"], nodes)])
            marks.append(m.line(nodes, curve, color=number, alpha=1.0 if nodes == self.nodes
                                else 0.55, label=Msg(f"approximation.{nodes}")))  # fmt: skip
        if self.p["target"] == "runge":
            n = DEGREES["chebyshev"]
            law = np.column_stack([n, RHO ** -n.astype(float)])
            marks.append(m.line("law", law, color="muted", dash=True, width=1.2))
            marks.append(m.texts("rho", [[26.0, 5e-4]], ["ρ⁻ⁿ"], color="muted", align="right"))
        marks.append(m.points("now", [[state.degree, state.error]], size=7,
                              color=0 if self.nodes == "chebyshev" else 1))  # fmt: skip
        title = Msg(f"approximation.degrees.{self.p['target']}")
        return Picture("errors", marks, Axis(0.0, 84.0, Msg("approximation.degree")),
                       Axis(1e-8, 1e8, Msg("approximation.objectives.error"), log=True),
                       title=title)  # fmt: skip

    def _rules(
        self, state: Interpolant, x: Array, at: float, focus: Mapping[str, Any] | None
    ) -> list[Rule]:
        n, chosen = state.degree, 0
        if focus is not None and focus["key"] == "nodes":
            chosen = min(int(focus["index"]), n)
        terms = self._weights(n) / (at - x)
        rules = [Rule(
            r"\t{p}{p(x)} = \frac{\sum_j w_j\, \t{f}{f(x_j)} / (x - x_j)}{\sum_j w_j / (x - x_j)}",
            r"@p = \frac{@above}{@below}",
            {"p": float(self.polynomial(n)(at)), "above": float(terms @ self.target.f(x)),
             "below": float(terms.sum())}, "p", lambda above, below: above / below,
            Msg("approximation.rule.barycentric", x=at, n=n + 1),
        )]  # fmt: skip
        if self.nodes == "chebyshev":
            rules.append(Rule(
                r"\t{x}{x_j} = \cos \frac{(j + \frac12)\pi}{n + 1}",
                r"@x = \cos \frac{(@j + \frac12)\pi}{@n + 1}",
                {"x": x[chosen], "j": chosen, "n": n}, "x",
                lambda j, n: np.cos((j + 0.5) * np.pi / (n + 1)),
                Msg("approximation.rule.chebyshev"),
            ))  # fmt: skip
        else:
            rules.append(Rule(
                r"\t{x}{x_j} = \frac{2j}{n} - 1", r"@x = \frac{2 \cdot @j}{@n} - 1",
                {"x": x[chosen], "j": chosen, "n": n}, "x", lambda j, n: 2 * j / n - 1,
                Msg("approximation.rule.equispaced"),
            ))  # fmt: skip
        if state.before == state.before:
            rules.append(Rule(
                r"r = \Bigl(\frac{\t{now}{e_n}}{\t{then}{e_{n-2}}}\Bigr)^{1/2}",
                r"@r = \Bigl(\frac{@now}{@then}\Bigr)^{1/2}",
                {"r": np.sqrt(state.error / state.before), "now": state.error,
                 "then": state.before}, "r", lambda now, then: np.sqrt(now / then),
                Msg("approximation.rule.rate", rate=1 / RHO),
            ))  # fmt: skip
        return rules

    def _weights(self, degree: int) -> Array:
        j = np.arange(degree + 1)
        sign = np.where(j % 2, -1.0, 1.0)
        if self.nodes == "chebyshev":
            return np.asarray(sign * np.sin((j + 0.5) * np.pi / (degree + 1)))
        return np.asarray(sign * np.array([float(comb(degree, int(k))) for k in j]))

    # --- against others -----------------------------------------------------------------------

    def check(self, state: Interpolant) -> list[Check]:
        """Compare with Lagrange's formula in fractions: exact through the same points."""
        x = self._points(state.degree)
        ours = float(self.polynomial(state.degree)(state.worst))
        exact = lagrange(x, np.asarray(self.target.f(x), float), state.worst)
        return [Check(Msg("approximation.check.lagrange"), ours, exact,
                      1e-6 * max(1.0, abs(exact)))]  # fmt: skip

    def script(self, actions: Sequence[Mapping[str, Any]], last: int) -> str:
        """Write the same degrees."""
        return f"""
from kiso.approximation import interpolate
{script_of(self.p["target"])}
trace = []
for degree in range(2, {2 * last + 4}, 2):
    h = interpolate(f, degree, nodes={self.nodes!r})
    trace.append(dict(degree=degree, error=error(h)))
"""


@lru_cache(maxsize=12)
def _errors_by_degree(name: str, nodes: Any) -> Array:
    """Largest error at each of `DEGREES`."""
    f = TARGETS[name].f
    return np.array([TARGETS[name].error(interpolate(f, int(n), nodes=nodes))
                     for n in DEGREES[nodes]])  # fmt: skip


def lagrange(x: Array, values: Array, at: float) -> float:
    """Return Σ_j f_j Π_{k≠j} (at − x_k)/(x_j − x_k), without rounding."""
    nodes, place_ = [Fraction(float(v)) for v in x], Fraction(at)
    whole = Fraction(1)
    for node in nodes:
        whole *= place_ - node
    if whole == 0:
        return float(values[nodes.index(place_)])
    total = Fraction(0)
    for j, node in enumerate(nodes):
        down = Fraction(1)
        for k, other in enumerate(nodes):
            if k != j:
                down *= node - other
        total += Fraction(float(values[j])) * whole / ((place_ - node) * down)
    return float(total)
