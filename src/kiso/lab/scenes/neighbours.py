"""k nearest neighbours of a query, a tree that grows split by split, and cells that stay empty."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from kiso.neighbors import KNeighborsClassifier
from kiso.tree import DecisionTreeClassifier

from .. import _marks as m
from .._controls import Choice, Number
from .._marks import Axis, Picture
from .._scene import Check, DataSpec, Frame, Msg, Rule, Scene, Task, View
from ._plane import grid_of, plane_axes

Array = np.ndarray[Any, np.dtype[Any]]

GRID = 60
MAX_LEAVES = 24
N_QUERIES = 25
CURSE_ROWS = 1000  # points thrown into the cells of the unit cube


@dataclass(frozen=True)
class Step:
    """A query among its neighbours, or a tree of so many leaves.

    Attributes
    ----------
    query : ndarray of shape (2,)
    neighbours : ndarray of shape (k,)
        Rows, nearest first; empty for a tree.
    distances : ndarray of shape (k,)
    answer : int
        The class at the query.
    n_leaves : int
        0 for neighbours.
    error : float
        Share of the points that are answered wrongly.
    model : object
    """

    query: Array
    neighbours: Array
    distances: Array
    answer: int
    n_leaves: int
    error: float
    model: Any


class NeighboursScene(Scene):
    """Local rules: what is near, or what lies in the same box, decides."""

    name = "neighbours"
    rows = (23, 24, 25, 26, 27, 28, 29)
    data = DataSpec(("moons", "two-blobs", "circles", "xor", "spiral"), n=120, classes=2)
    controls = (
        Choice(name="model", default="k-NN", options=("k-NN", "tree")),
        Number(name="n_neighbors", default=3, low=1, high=40, whole=True,
               when=("model", ("k-NN",))),
        Choice(name="labels", default="given", options=("given", "x2 > x1")),
        Number(name="dimensions", default=2, low=1, high=6, whole=True),
    )  # fmt: skip
    beside = {"model": "tree"}
    objectives = ("error",)
    keep_step = True

    def _prepare(self) -> None:
        self.t = self.y if self.p["labels"] == "given" else (self.X[:, 1] > self.X[:, 0]) * 1
        if len(np.unique(self.t)) < 2:
            raise ValueError("give points of two classes: choose the class of a click")

    def states(self) -> Iterator[Step]:
        """Move the query around the middle, or let the tree have one leaf more."""
        self._prepare()
        if self.p["model"] == "k-NN":
            k = min(self.p["n_neighbors"], len(self.X))
            model = KNeighborsClassifier(k).fit(self.X, self.t)
            error = 1.0 - float(model.score(self.X, self.t))
            middle, reach = self.X.mean(axis=0), 0.7 * np.ptp(self.X, axis=0) / 2
            for angle in np.linspace(0, 2 * np.pi, N_QUERIES):
                query = middle + reach * np.array([np.cos(angle), np.sin(angle)])
                yield self._near(query, model, error)
        else:
            middle = self.X.mean(axis=0)
            for leaves in range(2, MAX_LEAVES + 1):
                tree = DecisionTreeClassifier(max_leaf_nodes=leaves, random_state=self.seed)
                tree.fit(self.X, self.t)
                if leaves > 2 and tree.get_n_leaves() < leaves:
                    return  # every leaf is pure
                error = 1.0 - float(tree.score(self.X, self.t))
                yield Step(middle, np.empty(0, int), np.empty(0),
                           int(tree.predict(middle[None])[0]), int(tree.get_n_leaves()), error,
                           tree)  # fmt: skip

    def _near(self, query: Array, model: Any, error: float) -> Step:
        distances, rows = model.kneighbors(query[None])
        return Step(query, rows[0], distances[0], int(model.predict(query[None])[0]), 0, error,
                    model)  # fmt: skip

    def resume(self, state: Step, action: Mapping[str, Any]) -> Iterator[Step]:
        """Ask at the place to which the query was dragged."""
        if action["kind"] != "query" or state.n_leaves:
            yield from super().resume(state, action)
        yield self._near(np.asarray(action["to"], float), state.model, state.error)

    def objective(self, state: Step) -> Sequence[float]:
        """Share of wrong answers on the points."""
        return (state.error,)

    def trace(self, state: Step) -> Mapping[str, Any]:
        """The query, its neighbours, the answer."""
        return {"query": state.query, "neighbours": state.neighbours, "answer": state.answer,
                "leaves": state.n_leaves, "error": state.error}  # fmt: skip

    # --- pictures ---------------------------------------------------------------------------

    def frame(self, state: Step, focus: Mapping[str, Any] | None) -> Frame:
        """Regions, points, the query with its neighbours; cells of a cube."""
        x, y = plane_axes(self.X, self.points)
        grid, extent = grid_of(x, y, GRID)
        regions = state.model.predict(grid).reshape(GRID, GRID)
        marks = [m.field_of("regions", regions, extent, scale="classes", alpha=0.16)]
        if self.p["labels"] != "given":
            low, high = max(x.low, y.low), min(x.high, y.high)
            marks.append(m.line("truth", [[low, low], [high, high]], color="ink", dash=True))
        if not state.n_leaves:
            ends = np.hstack([np.tile(state.query, (len(state.neighbours), 1)),
                              self.X[state.neighbours]])  # fmt: skip
            marks.append(m.segments("near", ends, color="ink", width=1.5, term="votes"))
            marks.append(m.points("chosen", self.X[state.neighbours], color="ink", shape="ring",
                                  size=9))  # fmt: skip
        marks.append(m.points("points", self.X, color=self.t, data=True, term="x"))
        if not state.n_leaves:
            marks.append(m.handle("query", [state.query], color=state.answer, names=["x"]))
        votes = int(np.sum(self.t[state.neighbours] == state.answer))
        title = (
            Msg("neighbours.tree", leaves=state.n_leaves, error=100 * state.error)
            if state.n_leaves
            else Msg("neighbours.near", k=len(state.neighbours), votes=votes)
        )
        plane = Picture("plane", marks, x, y, title=title, equal=True, edit=True, wide=1.3)
        facts: list[tuple[Msg, Any]] = [(Msg("neighbours.fact.error"), state.error)]
        return Frame([plane, self._cells()], self._rules(state), title, facts=facts)

    def _cells(self) -> Picture:
        """Occupied share of 10^d cells by a fixed number of points, measured and expected."""
        known = _occupied_shares()
        d = np.arange(1, 7)
        share = np.log10([known[int(k)] for k in d])
        expected = np.log10(1 - (1 - 10.0**-d) ** CURSE_ROWS)
        now = self.p["dimensions"]
        marks = [
            m.line("expected", np.column_stack([d, expected]), color="muted",
                   label=Msg("neighbours.expected")),
            m.points("measured", np.column_stack([d, share]), color=0, size=5),
            m.points("now", [[now, share[now - 1]]], color=1, size=8),
        ]  # fmt: skip
        title = Msg("neighbours.cells", n=CURSE_ROWS, cells=10**now, share=100 * known[now])
        return Picture("cells", marks, Axis(0.7, 6.4, Msg("neighbours.controls.dimensions")),
                       Axis(-3.4, 0.3, Msg("neighbours.occupied")), title=title)  # fmt: skip

    def _rules(self, state: Step) -> list[Rule]:
        if state.n_leaves:
            n = len(self.t)
            return [Rule(
                r"\text{error} = \frac{\t{wrong}{\#\{i : f(x_i) \ne y_i\}}}{n}",
                r"@error = \frac{@wrong}{@n}",
                {"error": state.error, "n": n,
                 "wrong": int(np.sum(state.model.predict(self.X) != self.t))},
                "error", lambda wrong, n: wrong / n, Msg("neighbours.rule.tree"),
            )]  # fmt: skip
        first = self.X[state.neighbours[0]]
        votes = self.t[state.neighbours]
        counts = np.array([np.sum(votes == c) for c in np.unique(self.t)])
        classes = np.unique(self.t)
        return [
            Rule(
                r"\t{votes}{n_c} = \#\{i \in N_k(x) : y_i = c\}, \quad "
                r"\t{answer}{\hat y} = \arg\max_c n_c",
                r"@answer = \arg\max_c @votes", {"answer": state.answer, "votes": counts},
                "answer", lambda votes: classes[np.argmax(votes)],
                Msg("neighbours.rule.vote", k=len(votes)),
            ),
            Rule(
                r"\t{d}{d_1} = \lVert \t{x}{x} - x_{(1)} \rVert", r"@d = \lVert @x - @first \rVert",
                {"d": state.distances[0], "x": state.query, "first": first}, "d",
                lambda x, first: float(np.linalg.norm(x - first)), Msg("neighbours.rule.distance"),
            ),
        ]  # fmt: skip

    def check(self, state: Step) -> list[Check]:
        """Compare distances with all of them sorted; a tree's answers with scikit-learn's."""
        if state.n_leaves:
            proba = state.model.predict_proba(self.X).argmax(axis=1)
            wrong = np.mean(np.unique(self.t)[proba] != self.t)
            return [Check(Msg("neighbours.check.tree"), state.error, wrong, 1e-12)]
        every = np.sort(np.linalg.norm(self.X - state.query, axis=1))
        k = len(state.distances)
        return [Check(Msg("neighbours.check.sorted"), state.distances, every[:k], 1e-9)]

    def script(self, actions: Sequence[Mapping[str, Any]], last: int) -> str:
        """Write the same queries, or the same trees."""
        head = "trace = []\n"
        if self.p["labels"] != "given":
            head += "y = (X[:, 1] > X[:, 0]) * 1\n"
        if self.p["model"] == "k-NN":
            text = (
                head
                + f"""
from kiso.neighbors import KNeighborsClassifier
model = KNeighborsClassifier(min({self.p["n_neighbors"]}, len(X))).fit(X, y)
error = 1.0 - model.score(X, y)
middle, reach = X.mean(axis=0), 0.7 * np.ptp(X, axis=0) / 2

def ask(query):
    rows = model.kneighbors(query[None])[1][0]
    return dict(query=query, neighbours=rows, answer=model.predict(query[None])[0], leaves=0,
                error=error)

for angle in np.linspace(0, 2 * np.pi, {N_QUERIES}):
    trace.append(ask(middle + reach * np.array([np.cos(angle), np.sin(angle)])))
"""
            )
            for action in actions:
                to = list(action["to"])
                text += f"trace = [*trace[: {action['t']}], ask(np.array({to!r}))]\n"
        else:
            text = (
                head
                + f"""
from kiso.tree import DecisionTreeClassifier
middle = X.mean(axis=0)
for leaves in range(2, {MAX_LEAVES} + 1):
    tree = DecisionTreeClassifier(max_leaf_nodes=leaves, random_state={self.seed}).fit(X, y)
    if leaves > 2 and tree.get_n_leaves() < leaves:
        break
    trace.append(dict(query=middle, neighbours=[], answer=tree.predict(middle[None])[0],
                      leaves=tree.get_n_leaves(), error=1.0 - tree.score(X, y)))
"""
            )
        return text + f"trace = trace[: {last} + 1]"


@lru_cache(maxsize=1)
def _occupied_shares() -> dict[int, float]:
    """Share of the 10^d cells of the unit cube that hold a point, for d = 1 … 6."""
    points = np.random.default_rng(0).random((CURSE_ROWS, 6))
    shares = {}
    for d in range(1, 7):
        cells = (points[:, :d] * 10).astype(int) @ 10 ** np.arange(d)
        shares[d] = len(np.unique(cells)) / 10.0**d
    return shares


def _tie(view: View) -> bool:
    """A query whose neighbours are of both classes, half and half or nearly."""
    state, scene = view.state, view.scene
    if state.n_leaves or len(state.neighbours) < 3 or len(view.states) < 2:
        return False
    share = np.mean(scene.t[state.neighbours] == state.answer)
    return bool(share <= 0.67)


def _staircase(view: View) -> bool:
    """A tree for x2 > x1 of at least eight leaves that is still wrong somewhere."""
    scene = view.scene
    return bool(scene.p["labels"] != "given" and view.state.n_leaves >= 8)


def _blind(view: View) -> bool:
    """More neighbours than help: over a fifth of the points are answered wrongly."""
    return bool(not view.state.n_leaves and view.state.error > 0.2)


NeighboursScene.tasks = (
    Task("around", lambda view: view.done),
    Task("tie", _tie),
    Task("staircase", _staircase),
    Task("blind", _blind),
    Task("empty", lambda view: view.scene.p["dimensions"] >= 4),
)

SCENE = NeighboursScene
