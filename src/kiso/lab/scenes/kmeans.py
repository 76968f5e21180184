"""k-means: assign each point to its nearest centre, move each centre to the mean of its points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kiso.cluster import KMeans, LloydState, SeedingState

from .. import _marks as m
from .._controls import Choice, Number
from .._marks import Picture
from .._scene import Check, DataSpec, Frame, Msg, Rule, Scene, Task, View
from ._plane import plane_axes

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Step:
    """A half-step of Lloyd's algorithm: "seeds", "assign" or "move"."""

    phase: str
    centers: Array
    labels: Array | None  # None before the first assignment
    before: Array  # the centres before a move
    n_changed: int
    inertia: float
    settled: bool = False


class KMeansScene(Scene):
    """Lloyd's algorithm by half-steps, from seeds; centres can be dragged."""

    name = "kmeans"
    rows = (16, 17, 18)
    data = DataSpec(("blobs", "uniform", "moons", "circles", "houses"), n=240)
    controls = (
        Number(name="n_clusters", default=4, low=1, high=6, whole=True),
        Choice(name="init", default="random", options=("random", "k-means++")),
        Number(name="max_iter", default=100, low=1, high=300, whole=True, log=True),
    )
    beside = {"init": "k-means++"}
    objectives = ("inertia",)
    edits_go_on = True

    def _model(self, init: Any) -> KMeans:
        k = self.p["n_clusters"]
        if len(self.X) < k:
            raise ValueError(f"{len(self.X)} points are fewer than n_clusters={k}: add points")
        return KMeans(k, init=init, n_init=1, max_iter=self.p["max_iter"], tol=0.0,
                      random_state=self.seed)  # fmt: skip

    def states(self) -> Iterator[Step]:
        """Take the seeds from the library, then its iterations as assign and move."""
        steps = self._model(self.p["init"]).steps(self.X)
        first = next(state for state in steps if isinstance(state, LloydState))
        yield Step("seeds", first.centers, None, first.centers, 0, first.inertia)
        yield from self._halves(first, steps)

    def _halves(self, first: LloydState, steps: Iterator[Any]) -> Iterator[Step]:
        yield Step("assign", first.centers, first.labels, first.centers, first.n_changed,
                   first.inertia, first.settled)  # fmt: skip
        last = first
        for state in steps:
            if isinstance(state, SeedingState):
                continue
            yield Step("move", state.centers, last.labels, last.centers, 0,
                       phi(self.X, state.centers, last.labels))  # fmt: skip
            yield Step("assign", state.centers, state.labels, last.centers, state.n_changed,
                       state.inertia, state.settled)  # fmt: skip
            last = state

    def resume(self, state: Step, action: Mapping[str, Any]) -> Iterator[Step]:
        """Go on from centres that were dragged, or with points that were edited."""
        centers = np.array(state.centers)
        if action["kind"] == "center":
            centers[int(action["index"])] = np.asarray(action["to"], float)
        elif action["kind"] != "edit":
            yield from super().resume(state, action)
        steps = self._model(centers).steps(self.X)
        first = next(steps)
        assert isinstance(first, LloydState)
        yield from self._halves(first, steps)

    def objective(self, state: Step) -> Sequence[float]:
        """φ."""
        return (state.inertia,)

    def trace(self, state: Step) -> Mapping[str, Any]:
        """Centres, labels and φ."""
        labels = np.full(len(self.X), -1) if state.labels is None else state.labels
        return {"phase": state.phase, "centers": state.centers, "labels": labels,
                "inertia": state.inertia}  # fmt: skip

    # --- pictures ---------------------------------------------------------------------------

    def frame(self, state: Step, focus: Mapping[str, Any] | None) -> Frame:
        """Points, membership lines, Voronoi cells, centres; the rule of this half-step."""
        k = len(state.centers)
        counts = np.bincount(state.labels, minlength=k) if state.labels is not None else None
        x, y = plane_axes(self.X, self.points)
        marks = [_cells(state.centers, (x.low, x.high, y.low, y.high))]
        color: Any = "muted"
        if state.labels is not None:
            color = state.labels
            own = state.centers[state.labels]
            marks.append(m.segments("membership", np.hstack([self.X, own]), color=state.labels,
                                    alpha=0.28, term="d"))  # fmt: skip
        marks.append(m.points("points", self.X, color=color, data=True, term="x"))
        if state.phase == "move":
            moved = state.centers - state.before
            marks.append(m.arrows("moved", np.hstack([state.before, moved]), color="ink"))
        empty = None if counts is None else counts == 0
        marks.append(m.handle("center", state.centers, color=np.arange(k), hollow=empty, term="c",
                              names=[f"c{j + 1}" for j in range(k)]))  # fmt: skip
        facts: list[tuple[Msg, Any]] = [(Msg("kmeans.fact.inertia"), state.inertia)]
        if counts is not None:
            facts.append((Msg("kmeans.fact.empty"), int(np.sum(counts == 0))))
        if state.phase == "assign":
            facts.append((Msg("kmeans.fact.changed"), state.n_changed))
        title = Msg("kmeans.settled" if state.settled else f"kmeans.{state.phase}",
                    phi=state.inertia, n=state.n_changed, k=k)  # fmt: skip
        picture = Picture("plane", marks, x, y, title=title, equal=self.points.source == ""
                          if self.points else True, edit=True)  # fmt: skip
        return Frame([picture], self._rules(state, focus), title, state.phase, facts=facts)

    def _rules(self, state: Step, focus: Mapping[str, Any] | None) -> list[Rule]:
        on_center = focus is not None and focus["key"] == "center"
        j = int(focus["index"]) if on_center and focus else 0
        if state.labels is not None and not on_center:
            j = int(np.bincount(state.labels).argmax())
        i = int(focus["index"]) if focus is not None and focus["key"] in ("points", "membership") \
            and int(focus["index"]) < len(self.X) else 0  # fmt: skip
        if state.phase == "move":
            if focus is not None and not on_center:
                j = int(state.labels[i])  # type: ignore[index]
            return [self._mean(state, j)]
        return [self._nearest(state, i), self._total(state)]

    def _mean(self, state: Step, j: int) -> Rule:
        own = self.X[state.labels == j]
        if not len(own):
            return self._nearest(state, 0)
        return Rule(
            rf"\t{{c}}{{c_{{{j + 1}}}}} \leftarrow \frac{{1}}{{\t{{n}}{{|C_{{{j + 1}}}|}}}}"
            rf"\sum_{{i \in C_{{{j + 1}}}}} \t{{x}}{{x_i}}",
            r"@c = \frac{1}{@n} @s",
            {"c": state.centers[j], "n": len(own), "s": own.sum(axis=0)},
            "c", lambda n, s: s / n, Msg("kmeans.rule.move", j=j + 1, n=len(own)),
        )  # fmt: skip

    def _nearest(self, state: Step, i: int) -> Rule:
        d = np.sum((self.X[i] - state.centers) ** 2, axis=1)
        nearest = int(d.argmin()) if state.labels is None else int(state.labels[i])
        return Rule(
            r"\t{a}{a_i} = \arg\min_j \t{d}{\lVert x_i - c_j \rVert^2}",
            r"@a = \arg\min_j @d",
            {"a": nearest + 1, "d": d}, "a", lambda d: np.argmin(d) + 1,
            Msg("kmeans.rule.assign", i=i + 1, a=nearest + 1),
        )  # fmt: skip

    def _total(self, state: Step) -> Rule:
        labels = self._nearest_of_all(state.centers) if state.labels is None else state.labels
        k = len(state.centers)
        parts = np.bincount(labels, np.sum((self.X - state.centers[labels]) ** 2, axis=1), k)
        terms = {f"p{j + 1}": float(parts[j]) for j in range(k)}
        return Rule(
            r"\varphi = \sum_j \sum_{i \in C_j} \lVert x_i - c_j \rVert^2",
            r"@phi = " + " + ".join(f"@{name}" for name in terms),
            {"phi": state.inertia, **terms}, "phi", lambda **p: sum(p.values()),
            Msg("kmeans.rule.phi"),
        )  # fmt: skip

    def _nearest_of_all(self, centers: Array) -> Array:
        return np.argmin(((self.X[:, None] - centers) ** 2).sum(axis=2), axis=1)

    def check(self, state: Step) -> list[Check]:
        """Compare with scikit-learn's k-means from the same centres, and φ with its sum."""
        from sklearn.cluster import KMeans as Reference

        checks = [
            Check(Msg("kmeans.check.phi"), state.inertia,
                  phi(self.X, state.centers, self._nearest_of_all(state.centers)
                      if state.labels is None else state.labels), 1e-8 * state.inertia + 1e-12)
        ]  # fmt: skip
        if state.phase == "assign":
            k = len(state.centers)
            after = Reference(k, init=state.before, n_init=1, max_iter=1, tol=0).fit(self.X)
            labels = after.predict(self.X) if np.any(state.before != state.centers) else None
            if labels is not None and len(np.unique(np.asarray(state.labels))) == k:
                checks.append(Check(Msg("kmeans.check.sklearn"), state.centers,
                                    after.cluster_centers_, 1e-8))  # fmt: skip
        return checks

    def script(self, actions: Sequence[Mapping[str, Any]], last: int) -> str:
        """Write the same run as a loop over `KMeans.steps`."""
        p = self.p
        text = f"""
from kiso.cluster import KMeans, LloydState

def half_steps(X, init, trace, seeds):
    model = KMeans({p["n_clusters"]}, init=init, n_init=1, max_iter={p["max_iter"]}, tol=0.0,
                   random_state={self.seed})
    last = None
    for state in model.steps(X):
        if not isinstance(state, LloydState):
            continue
        if last is None and seeds:
            trace.append(dict(phase="seeds", centers=state.centers, labels=np.full(len(X), -1),
                              inertia=state.inertia))
        elif last is not None:
            inertia = np.sum((X - state.centers[last.labels]) ** 2)
            trace.append(dict(phase="move", centers=state.centers, labels=last.labels,
                              inertia=inertia))
        trace.append(dict(phase="assign", centers=state.centers, labels=state.labels,
                          inertia=state.inertia))
        last = state
    return trace

trace = half_steps(X, {p["init"]!r}, [], seeds=True)
"""
        for action in actions:
            t = action["t"]
            text += f"\ncenters = trace[{t}]['centers'].copy()\n"
            if action["kind"] == "center":
                text += f"centers[{action['index']}] = {list(action['to'])!r}\n"
            for edit in action.get("edits", ()):
                text += edit_line(edit)
            text += f"trace = half_steps(X, centers, trace[:{t}], seeds=False)\n"
        return text + f"trace = trace[: {last} + 1]"


def edit_line(edit: Sequence[Any]) -> str:
    """Return the line of a script that makes an edit of X."""
    if edit[0] == "add":
        return f"X = np.vstack([X, [{edit[1]!r}, {edit[2]!r}]])\n"
    if edit[0] == "move":
        return f"X[{edit[1]}] = [{edit[2]!r}, {edit[3]!r}]\n"
    return f"X = np.delete(X, {edit[1]}, axis=0)\n"


def phi(X: Array, centers: Array, labels: Array) -> float:
    """Return Σ ‖x_i − c_{a_i}‖²."""
    return float(np.sum((X - centers[labels]) ** 2))


def _cells(centers: Array, extent: tuple[float, float, float, float]) -> dict[str, Any]:
    """Return the Voronoi cells as a field of classes."""
    u, v = np.linspace(*extent[:2], 100), np.linspace(*extent[2:], 100)
    x, y = (u - centers[:, :1]) ** 2, (v - centers[:, 1:]) ** 2  # (k, 100) each
    nearest = np.argmin(y[:, :, None] + x[:, None, :], axis=0)
    return m.field_of("cells", nearest, extent, scale="classes", alpha=0.10)


def _stuck(view: View) -> bool:
    """Whether the run has ended far above the best of twenty runs from k-means++ seeds."""
    state, scene = view.state, view.scene
    if not state.settled:
        return False
    best = KMeans(len(state.centers), n_init=20, random_state=0).fit(scene.X).inertia_
    return bool(state.inertia > 1.2 * best)


def _empty(view: View) -> bool:
    labels = view.state.labels
    return labels is not None and len(np.unique(labels)) < len(view.state.centers)


def _quick(view: View) -> bool:
    moves = sum(state.phase == "move" for state in view.states)
    return bool(view.state.settled and moves <= 1 and len(view.state.centers) >= 3)


KMeansScene.tasks = (
    Task("end", lambda view: bool(view.state.settled)),
    Task("quick", _quick),
    Task("bad-minimum", _stuck),
    Task("empty", _empty),
)

SCENE = KMeansScene
