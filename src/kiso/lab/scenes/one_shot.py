"""One-shot learning: twenty characters, one drawing of each; which one is the query?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from kiso.datasets import available, fetch_omniglot_runs
from kiso.few_shot import ModifiedHausdorffClassifier, NearestExampleClassifier

from .. import _marks as m
from .._controls import Action, Choice, Number
from .._drawings import SIDE, WAYS, make_drawings
from .._marks import Axis, Picture
from .._scene import Check, Frame, Msg, Rule, Scene, Task, View

Array = np.ndarray[Any, np.dtype[Any]]

HAUSDORFF = "modified-hausdorff"
ENOUGH = 30  # pixels of ink that make a drawing


@dataclass(frozen=True)
class Asked:
    """A query and what is answered.

    Attributes
    ----------
    number : int
        Queries of the other hand so far.
    query : ndarray of shape (35, 35)
        1 where there is ink.
    distances : ndarray of shape (20,)
        To the examples; empty while there is no ink.
    answer : int
        The nearest example; -1 while there is no ink.
    truth : int
        What it is; -1 for a drawing of the user.
    wrong : int
        Queries of the other hand answered wrongly.
    """

    number: int
    query: Array
    distances: Array
    answer: int
    truth: int
    wrong: int


class OneShotScene(Scene):
    """The nearest example by the modified Hausdorff distance, or pixel by pixel."""

    name = "one-shot"
    rows = (90,)
    controls = (
        Choice(name="characters", default="made", options=("made", "omniglot")),
        Number(name="wobble", default=0.8, low=0.0, high=2.0, step=0.1,
               when=("characters", ("made",))),
        Choice(name="model", default=HAUSDORFF, options=(HAUSDORFF, "cosine", "euclidean")),
    )  # fmt: skip
    actions = (Action("clear", steps=0),)
    beside = {"model": "cosine"}
    objectives = ("error",)
    keep_step = True

    @cached_property
    def drawings(self) -> tuple[Array, Array, Array]:
        """Examples (20, 35, 35), queries and what they are."""
        if self.p["characters"] == "made":
            return make_drawings(self.p["wobble"], self.seed)
        if not available("omniglot-runs"):
            raise ValueError("Omniglot is not in the data folder: call "
                             "kiso.datasets.fetch_omniglot_runs() once, or choose the characters "
                             "made for this scene")  # fmt: skip
        run = fetch_omniglot_runs()[self.seed % 20]
        return coarse(run.support), coarse(run.queries), run.labels

    @cached_property
    def model(self) -> Any:
        """The classifier, with one example of each character."""
        kind = self.p["model"]
        made: Any = (
            ModifiedHausdorffClassifier() if kind == HAUSDORFF else NearestExampleClassifier(kind)
        )
        return made.fit(self.drawings[0], np.arange(WAYS))

    def states(self) -> Iterator[Asked]:
        """Ask one drawing of the other hand after the other."""
        yield from self._from(0, 0)

    def _from(self, number: int, wrong: int) -> Iterator[Asked]:
        _, queries, truth = self.drawings
        for i in range(number, WAYS):
            asked = self._ask(queries[i], i + 1, int(truth[i]), wrong)
            wrong = asked.wrong
            yield asked

    def _ask(self, query: Array, number: int, truth: int, wrong: int) -> Asked:
        if not query.any():
            return Asked(number, query, np.empty(0), -1, truth, wrong)
        distances = np.asarray(self.model.distances(query[None])[0])
        answer = int(self.model.predict(query[None])[0])
        return Asked(number, query, distances, answer, truth, wrong + (0 <= truth != answer))

    def resume(self, state: Asked, action: Mapping[str, Any]) -> Iterator[Asked]:
        """Ask what the user draws; on a drawing of the other hand it begins with a blank."""
        if action["kind"] not in ("draw", "clear"):
            yield from super().resume(state, action)
        query = np.zeros((SIDE, SIDE))
        before = state.wrong - (0 <= state.truth != state.answer)
        if action["kind"] == "draw":
            if state.truth < 0:
                query = state.query.copy()
            for i, j in action["pixels"]:
                if 0 <= int(i) < SIDE and 0 <= int(j) < SIDE:
                    query[int(i) : int(i) + 2, int(j) : int(j) + 2] = 1.0  # as thick as theirs
        number = state.number - (state.truth >= 0)
        yield self._ask(query, number, -1, before)
        yield from self._from(number, before)

    def objective(self, state: Asked) -> Sequence[float]:
        """Share of the other hand's drawings that are answered wrongly."""
        return (state.wrong / max(state.number, 1),)

    def trace(self, state: Asked) -> Mapping[str, Any]:
        """The query, distances and the answer."""
        return {"query": state.query, "distances": state.distances, "answer": state.answer,
                "wrong": state.wrong}  # fmt: skip

    # --- pictures ---------------------------------------------------------------------------

    def frame(self, state: Asked, focus: Mapping[str, Any] | None) -> Frame:
        """The query, the examples with their distances, and the query laid over one of them."""
        chosen = state.answer
        if focus is not None and focus["key"] == "examples" and int(focus["index"]) < WAYS:
            chosen = int(focus["index"])
        query = Picture("query", [m.images("query", state.query[None], low=0.0, high=1.0, draw=True,
                                           term="A")],
                        title=Msg("one-shot.query"))  # fmt: skip
        name = "blank" if state.answer < 0 else "yours" if state.truth < 0 else \
            "right" if state.truth == state.answer else "wrong"  # fmt: skip
        title = Msg(f"one-shot.{name}", answer=state.answer + 1, truth=state.truth + 1,
                    d=float(state.distances.min()) if state.answer >= 0 else 0.0)  # fmt: skip
        pictures = [self._examples(state, title), query, self._overlay(state, chosen)]
        facts: list[tuple[Msg, Any]] = [
            (Msg("one-shot.fact.wrong", n=state.number), state.wrong),
        ]
        if state.answer >= 0:
            near = np.sort(state.distances)
            facts += [(Msg("one-shot.fact.nearest"), float(near[0])),
                      (Msg("one-shot.fact.second"), float(near[1]))]  # fmt: skip
        return Frame(pictures, self._rules(state, chosen), title, facts=facts)

    def _examples(self, state: Asked, title: Msg) -> Picture:
        colors = np.full(WAYS, -1)
        marked = np.zeros(WAYS, bool)
        if state.answer >= 0:
            colors[state.answer] = 0 if state.truth in (-1, state.answer) else 1
            marked[state.answer] = True
        if state.truth >= 0:
            colors[state.truth] = 0
        names = [f"{k + 1}" if state.answer < 0 else f"{k + 1}: {short(state.distances[k])}"
                 for k in range(WAYS)]  # fmt: skip
        grid = m.images("examples", self.drawings[0], columns=0, names=names, low=0.0, high=1.0,
                        colors=colors, marked=marked, term="d")  # fmt: skip
        return Picture("examples", [grid], title=title, wide=1.4)

    def _overlay(self, state: Asked, k: int) -> Picture:
        reach = SIDE / 2 + 1.0
        axes = (
            Axis(-reach, reach, Msg("one-shot.column")),
            Axis(-reach, reach, Msg("one-shot.row")),
        )
        if k < 0:
            return Picture("overlay", [], *axes, title=Msg("one-shot.nothing"), equal=True)
        a, b = places(state.query), places(self.drawings[0][k])
        title = Msg("one-shot.overlay", k=k + 1)
        marks: list[Any] = []
        if self.p["model"] == HAUSDORFF:
            a, b = a - a.mean(axis=0), b - b.mean(axis=0)
            to_b, to_a = nearest(a, b)[1], nearest(b, a)[1]
            there, back = np.hstack([a, b[to_b]]), np.hstack([b, a[to_a]])
            marks = [m.segments("there", flipped(there), color=1, alpha=0.6, term="ab"),
                     m.segments("back", flipped(back), color=0, alpha=0.5, term="ba")]  # fmt: skip
        else:
            a, b = a - (SIDE - 1) / 2, b - (SIDE - 1) / 2
        marks += [m.points("b", flipped(b), color=0, shape="square", size=2.6, term="B"),
                  m.points("a", flipped(a), color=1, size=2.2, term="A")]  # fmt: skip
        return Picture("overlay", marks, *axes, title=title, equal=True)

    # --- rules ------------------------------------------------------------------------------

    def _rules(self, state: Asked, k: int) -> list[Rule]:
        if state.answer < 0:
            return [Rule(r"\t{n}{n} = |A|", r"@n = @ink", {"n": 0, "ink": 0}, "n",
                         lambda ink: ink, Msg("one-shot.rule.blank"))]  # fmt: skip
        a, b = places(state.query), places(self.drawings[0][k])
        d, caption = float(state.distances[k]), Msg(f"one-shot.rule.{self.p['model']}", k=k + 1)
        near = np.sort(state.distances)[:3]
        classes = np.argsort(state.distances, kind="stable")[:3]
        rules = [Rule(
            r"\t{answer}{\hat y} = \arg\min_k \t{d}{d(A, B_k)}",
            r"@answer = \arg\min @d", {"answer": state.answer + 1, "d": near}, "answer",
            lambda d: classes[np.argmin(d)] + 1, Msg("one-shot.rule.answer"),
        )]  # fmt: skip
        if self.p["model"] == HAUSDORFF:
            a, b = a - a.mean(axis=0), b - b.mean(axis=0)
            ab, ba = nearest(a, b)[0], nearest(b, a)[0]
            rules = [
                Rule(r"d(\t{A}{A}, \t{B}{B}) = \max\bigl(\t{ab}{h(A, B)}, \t{ba}{h(B, A)}\bigr)",
                     r"@d = \max(@ab, @ba)",
                     {"d": d, "ab": float(ab.mean()), "ba": float(ba.mean())}, "d",
                     lambda ab, ba: max(ab, ba), caption),
                Rule(r"\t{ab}{h(A, B)} = \frac{1}{|A|} \sum_{a \in A} \min_{b \in B} "
                     r"\lVert a - b \rVert", r"@ab = \frac{1}{@n} \cdot @way",
                     {"ab": float(ab.mean()), "n": len(a), "way": float(ab.sum())}, "ab",
                     lambda n, way: way / n, Msg("one-shot.rule.mean")),
                *rules,
            ]  # fmt: skip
        else:
            both = int(np.sum((state.query > 0) & (self.drawings[0][k] > 0)))
            terms = {"d": d, "both": both, "a": len(a), "b": len(b)}
            if self.p["model"] == "cosine":
                first = Rule(
                    r"d = 1 - \frac{\t{both}{|A \cap B|}}{\sqrt{\t{A}{|A|} \cdot \t{B}{|B|}}}",
                    r"@d = 1 - \frac{@both}{\sqrt{@a \cdot @b}}", terms, "d",
                    lambda both, a, b: 1 - both / np.sqrt(a * b), caption,
                )  # fmt: skip
            else:
                first = Rule(
                    r"d = \sqrt{\t{A}{|A|} + \t{B}{|B|} - 2\, \t{both}{|A \cap B|}}",
                    r"@d = \sqrt{@a + @b - 2 \cdot @both}", terms, "d",
                    lambda both, a, b: np.sqrt(a + b - 2 * both), caption,
                )  # fmt: skip
            rules.insert(0, first)
        return rules

    def check(self, state: Asked) -> list[Check]:
        """Compare all distances with SciPy's."""
        from scipy.spatial.distance import cdist

        if state.answer < 0:
            return []
        a, examples = places(state.query), self.drawings[0]
        if self.p["model"] == HAUSDORFF:
            a = a - a.mean(axis=0)
            others = []
            for example in examples:
                b = places(example)
                table = cdist(a, b - b.mean(axis=0))
                others.append(max(table.min(axis=1).mean(), table.min(axis=0).mean()))
        else:
            flat = examples.reshape(WAYS, -1)
            others = cdist(state.query.reshape(1, -1), flat, self.p["model"])[0]
        return [Check(Msg("one-shot.check.scipy"), state.distances, others, 1e-9)]

    def script(self, actions: Sequence[Mapping[str, Any]], last: int) -> str:
        """Write the same queries."""
        p = self.p
        model = "ModifiedHausdorffClassifier()" if p["model"] == HAUSDORFF \
            else f"NearestExampleClassifier({p['model']!r})"  # fmt: skip
        if p["characters"] == "made":
            load = f"""
from kiso.lab import make_drawings
examples, queries, truth = make_drawings({p["wobble"]!r}, seed={self.seed})"""
        else:
            load = f"""
from kiso.datasets import fetch_omniglot_runs
run = fetch_omniglot_runs()[{self.seed % 20}]
coarse = lambda x: x.reshape(-1, 35, 3, 35, 3).any(axis=(2, 4)).astype(float)
examples, queries, truth = coarse(run.support), coarse(run.queries), run.labels"""
        text = f"""
from kiso.few_shot import {model.partition("(")[0]}
{load}
model = {model}.fit(examples, np.arange(20))

def ask(query, number, truth, wrong):
    made = dict(query=query, distances=[], answer=-1, wrong=wrong, number=number, truth=truth)
    if query.any():
        made["distances"] = model.distances(query[None])[0]
        made["answer"] = model.predict(query[None])[0]
        made["wrong"] += int(0 <= truth != made["answer"])
    return made

def rest(trace, number, wrong):
    for i in range(number, 20):
        trace.append(ask(queries[i], i + 1, truth[i], wrong))
        wrong = trace[-1]["wrong"]
    return trace

trace = rest([], 0, 0)
"""
        for action in actions:
            pixels = [list(map(int, pixel)) for pixel in action.get("pixels", [])
                      if all(0 <= int(v) < SIDE for v in pixel)]  # fmt: skip
            text += f"""
old = trace[{action["t"]}]
mine = old["query"].copy() if old["truth"] < 0 and {action["kind"] == "draw"} else np.zeros((35, 35))
for i, j in {pixels!r}:
    mine[i : i + 2, j : j + 2] = 1.0
number = old["number"] - (old["truth"] >= 0)
wrong = old["wrong"] - int(0 <= old["truth"] != old["answer"])
trace = rest([*trace[: {action["t"]}], ask(mine, number, -1, wrong)], number, wrong)
"""  # noqa: E501
        return (
            text
            + f"""
keys = ("query", "distances", "answer", "wrong")
trace = [{{key: state[key] for key in keys}} for state in trace[: {last} + 1]]"""
        )


def coarse(images: Array) -> Array:
    """Return drawings of 105 × 105 as 35 × 35: ink where any of nine pixels has it."""
    return images.reshape(-1, SIDE, 3, SIDE, 3).any(axis=(2, 4)).astype(float)


def places(image: Array) -> Array:
    """Return rows and columns of ink, (n, 2)."""
    return np.argwhere(image > 0.5).astype(float)


def nearest(a: Array, b: Array) -> tuple[Array, Array]:
    """Return how far each point of a is from b, and from which point."""
    table = np.linalg.norm(a[:, None] - b[None], axis=2)
    return table.min(axis=1), table.argmin(axis=1)


def flipped(rows: Array) -> Array:
    """Return (row, column) pairs as (x, y), y upwards."""
    out = np.empty_like(rows)
    out[:, ::2], out[:, 1::2] = rows[:, 1::2], -rows[:, ::2]
    return out


def short(value: float) -> str:
    """Return three digits."""
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"


def _mine(view: View) -> bool:
    """A drawing of the user, with enough ink."""
    return bool(view.state.truth < 0 and view.state.query.sum() >= ENOUGH)


def _clear(view: View) -> bool:
    near = np.sort(view.state.distances)
    return _mine(view) and bool(near[0] < 0.6 * near[1])


def _between(view: View) -> bool:
    near = np.sort(view.state.distances)
    return _mine(view) and bool(near[1] < 1.03 * near[0])


def _asked_all(view: View) -> bool:
    return bool(view.state.number == WAYS and view.state.truth >= 0)


OneShotScene.tasks = (
    Task("all", _asked_all),
    Task("clear", _clear),
    Task("between", _between),
    Task("pixels", lambda view: _asked_all(view) and view.scene.p["model"] != HAUSDORFF
         and view.state.wrong > WAYS // 2),
)  # fmt: skip

SCENE = OneShotScene
