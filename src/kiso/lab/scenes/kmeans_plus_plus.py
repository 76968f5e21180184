"""k-means++: the next centre is a point drawn with probability D² / Σ D²."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from kiso.cluster import KMeans, LloydState, SeedingState

from .. import _marks as m
from .._controls import Number
from .._marks import Axis, Picture
from .._scene import Check, DataSpec, Frame, Msg, Rule, Scene, Task, View
from ._plane import plane_axes

Array = np.ndarray[Any, np.dtype[Any]]

N_RUNS = 20  # of each kind of seeds, to compare where they end


@dataclass(frozen=True)
class Step:
    """Centres chosen so far ("seeds"), or the end of Lloyd's iterations from them ("end")."""

    phase: str
    centers: Array
    closest: Array  # D² of each point to the nearest centre
    inertia: float
    chosen: int  # the point that became the last centre


class PlusPlusScene(Scene):
    """The seeds of k-means++ one by one, then where they lead."""

    name = "kmeans-plus-plus"
    rows = (19,)
    data = DataSpec(("blobs", "uniform", "moons", "circles", "houses"), n=240)
    controls = (Number(name="n_clusters", default=4, low=1, high=6, whole=True),)
    beside = {"n_clusters": 6}
    objectives = ("inertia",)

    def _model(self, init: str, seed: int) -> KMeans:
        k = self.p["n_clusters"]
        if len(np.unique(self.X, axis=0)) < k:
            raise ValueError(f"{len(self.X)} points are fewer than n_clusters={k}: add points")
        return KMeans(k, init=init, n_init=1, random_state=seed)

    def states(self) -> Iterator[Step]:
        """Take the seeds as the library draws them, then the end of its run."""
        last: Any = None
        for state in self._model("k-means++", self.seed).steps(self.X):
            if isinstance(state, SeedingState):
                yield Step("seeds", state.centers, state.closest, state.inertia,
                           int(state.indices[-1]))  # fmt: skip
            last = state
        assert isinstance(last, LloydState)
        closest = np.sum((self.X - last.centers[last.labels]) ** 2, axis=1)
        yield Step("end", last.centers, closest, last.inertia, -1)

    def objective(self, state: Step) -> Sequence[float]:
        """φ."""
        return (state.inertia,)

    def trace(self, state: Step) -> Mapping[str, Any]:
        """Centres and φ."""
        return {"phase": state.phase, "centers": state.centers, "inertia": state.inertia}

    # --- pictures ---------------------------------------------------------------------------

    def frame(self, state: Step, focus: Mapping[str, Any] | None) -> Frame:
        """Points as large and deep as their probability; where twenty runs end."""
        x, y = plane_axes(self.X, self.points)
        k = len(state.centers)
        share = state.closest / max(float(state.closest.max()), 1e-300)
        marks: list[Any] = []
        if state.phase == "seeds":
            marks.append(m.points("points", self.X, value=share, size=3 + 7 * np.sqrt(share),
                                  data=True, term="d"))  # fmt: skip
            if k > 1:
                marks.append(m.points("chosen", self.X[[state.chosen]], color=1, size=13,
                                      shape="ring"))  # fmt: skip
        else:
            labels = np.argmin(((self.X[:, None] - state.centers) ** 2).sum(axis=2), axis=1)
            marks.append(m.points("points", self.X, color=labels, data=True, term="d"))
        marks.append(m.points("centers", state.centers, color=np.arange(k), shape="diamond", size=9,
                              names=[f"c{j + 1}" for j in range(k)]))  # fmt: skip
        likely = 100 * float(state.closest.max() / max(state.closest.sum(), 1e-300))
        title = Msg(f"kmeans-plus-plus.{state.phase}", k=k, phi=state.inertia, p=likely)
        pictures = [
            Picture("plane", marks, x, y, title=title, edit=True, wide=1.4,
                    equal=self.points is not None and self.points.source == ""),
            self._ends(state),
        ]  # fmt: skip
        facts = [
            (Msg("kmeans-plus-plus.fact.inertia"), state.inertia),
            (Msg("kmeans-plus-plus.fact.largest"), float(np.sqrt(state.closest.max()))),
        ]
        return Frame(pictures, self._rules(state, focus), title, state.phase, facts=facts)

    @cached_property
    def _fits(self) -> dict[str, Array]:
        """φ at the end of twenty runs from each kind of seeds."""
        return {
            init: np.array([self._model(init, s).fit(self.X).inertia_ for s in range(N_RUNS)])
            for init in ("k-means++", "random")
        }

    def _ends(self, state: Step) -> Picture:
        ends = self._fits
        best = min(float(v.min()) for v in ends.values())
        high = max(float(v.max()) for v in ends.values())
        room = 0.08 * max(high - best, 0.05 * best)
        low, marks = best - 1.2 * room, []
        for j, (init, values) in enumerate(ends.items()):
            spread = np.linspace(-0.22, 0.22, N_RUNS)
            marks.append(m.points(f"ends-{init}", np.column_stack([j + spread, values]), color=j,
                                  size=5))  # fmt: skip
            mean = float(values.mean())
            marks.append(m.segments(f"mean-{init}", [[j - 0.3, mean, j + 0.3, mean]], color=j,
                                    width=2))  # fmt: skip
            marks.append(m.texts(f"name-{init}", [[j, low]], [init], align="center"))
        if state.phase == "end":
            marks.append(m.rule_line("this", y=state.inertia, label=Msg("kmeans-plus-plus.this")))
        share = 100 * float(np.mean(ends["random"] > 1.1 * best))
        return Picture("ends", marks, Axis(-0.6, 1.6), Axis(best - 2 * room, high + room, "φ"),
                       title=Msg("kmeans-plus-plus.ends", n=N_RUNS, bad=share))  # fmt: skip

    def _rules(self, state: Step, focus: Mapping[str, Any] | None) -> list[Rule]:
        d = state.closest
        i = int(d.argmax())
        if focus is not None and focus["key"] == "points" and int(focus["index"]) < len(d):
            i = int(focus["index"])
        nearest = state.centers[np.argmin(((self.X[i] - state.centers) ** 2).sum(axis=1))]
        rules = [Rule(
            r"\t{d}{D_i^2} = \min_j \lVert \t{x}{x_i} - c_j \rVert^2",
            r"@d = \lVert @x - @c \rVert^2",
            {"d": d[i], "x": self.X[i], "c": nearest}, "d",
            lambda x, c: float(np.sum((x - c) ** 2)), Msg("kmeans-plus-plus.rule.d", i=i + 1),
        )]  # fmt: skip
        if state.phase == "seeds" and state.inertia > 0:
            rules.append(Rule(
                r"P(c_{k+1} = x_i) = \frac{\t{d}{D_i^2}}{\sum_l D_l^2}", r"@p = \frac{@d}{@phi}",
                {"p": d[i] / d.sum(), "d": d[i], "phi": state.inertia}, "p",
                lambda d, phi: d / phi, Msg("kmeans-plus-plus.rule.p", i=i + 1),
            ))  # fmt: skip
        return rules

    def check(self, state: Step) -> list[Check]:
        """Compare φ and D² with distances computed one by one."""
        d = ((self.X[:, None] - state.centers) ** 2).sum(axis=2).min(axis=1)
        return [Check(Msg("kmeans-plus-plus.check.phi"), state.inertia, d.sum(),
                      1e-8 * max(1.0, float(d.sum())))]  # fmt: skip

    def script(self, actions: Sequence[Mapping[str, Any]], last: int) -> str:
        """Write the same run."""
        return f"""
from kiso.cluster import KMeans, SeedingState
model = KMeans({self.p["n_clusters"]}, init="k-means++", n_init=1, random_state={self.seed})
trace = []
for state in model.steps(X):
    if isinstance(state, SeedingState):
        trace.append(dict(phase="seeds", centers=state.centers, inertia=state.inertia))
trace.append(dict(phase="end", centers=state.centers, inertia=state.inertia))
trace = trace[: {last} + 1]"""


def _apart(view: View) -> bool:
    """Every blob got one seed: no pair of seeds is nearer than half the largest distance."""
    c = view.state.centers
    if view.state.phase != "seeds" or len(c) < max(4, view.scene.p["n_clusters"]):
        return False
    d = np.sqrt(((c[:, None] - c) ** 2).sum(axis=2))[np.triu_indices(len(c), 1)]
    return bool(d.min() > 0.45 * d.max())


def _unlucky(view: View) -> bool:
    """A run of k-means++ that still ends 10 % above the best."""
    best = min(float(v.min()) for v in view.scene._fits.values())
    return bool(view.state.phase == "end" and view.state.inertia > 1.1 * best)


def _farther(view: View) -> bool:
    """An outlier that the next draw takes with probability one half."""
    d = view.state.closest
    moved = view.scene.points is not None and len(view.states) > 1
    return bool(moved and view.state.phase == "seeds" and d.max() > 0.5 * d.sum() > 0)


PlusPlusScene.tasks = (
    Task("end", lambda view: view.state.phase == "end"),
    Task("apart", _apart),
    Task("unlucky", _unlucky),
    Task("outlier", _farther),
)

SCENE = PlusPlusScene
