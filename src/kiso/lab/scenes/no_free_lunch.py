"""No free lunch: every learner on every target of three bits, one target after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import product
from typing import Any

import numpy as np

from kiso.inference import Bernoulli, LinearGaussian
from kiso.neighbors import KNeighborsClassifier

from .. import _marks as m
from .._controls import Choice, Number
from .._marks import Picture
from .._scene import Check, Frame, Msg, Rule, Scene, Task, View

Array = np.ndarray[Any, np.dtype[Any]]

X = np.array(list(product([0.0, 1.0], repeat=3)))  # the whole input space
N = len(X)
TARGETS = np.array(list(product([0, 1], repeat=N)))  # (256, 8)
HALF = 0.5 - 1e-9  # a tie is a one, whatever the rounding

LEARNERS: dict[str, Callable[[Array, Array, Array], Array]] = {
    "nearest": lambda seen, t, new: KNeighborsClassifier(1).fit(seen, t).predict(new),
    "least-squares": lambda seen, t, new: LinearGaussian().fit(seen, t).predict(new) >= HALF,
    "majority": lambda seen, t, new: np.full(len(new), Bernoulli().fit(t).probs_[0] >= HALF),
    "opposite": lambda seen, t, new: np.full(len(new), Bernoulli().fit(t).probs_[0] < HALF),
}
SCRIPTS = {
    "nearest": ("from kiso.neighbors import KNeighborsClassifier",
                "KNeighborsClassifier(1).fit(X[seen], t).predict(X[rest])"),
    "least-squares": ("from kiso.inference import LinearGaussian",
                      "LinearGaussian().fit(X[seen], t).predict(X[rest]) >= 0.5 - 1e-9"),
    "majority": ("from kiso.inference import Bernoulli",
                 "np.full(len(rest), Bernoulli().fit(t).probs_[0] >= 0.5 - 1e-9)"),
    "opposite": ("from kiso.inference import Bernoulli",
                 "np.full(len(rest), Bernoulli().fit(t).probs_[0] < 0.5 - 1e-9)"),
}  # fmt: skip


@dataclass(frozen=True)
class Tried:
    """After some targets.

    Attributes
    ----------
    n : int
        How many have been tried.
    target : int
        The last one, as a row of `TARGETS`.
    wrong : int
        Wrong answers on it, off the training set.
    total : int
        Wrong answers on all so far.
    """

    n: int
    target: int
    wrong: int
    total: int


class NoFreeLunchScene(Scene):
    """All 2^|X| targets as cells, coloured by the error off the training set."""

    name = "no-free-lunch"
    rows = (83,)
    controls = (
        Choice(name="learner", default="nearest", options=tuple(LEARNERS)),
        Number(name="n_train", default=5, low=1, high=7, whole=True),
        Choice(name="targets", default="all", options=("all", "linear")),
    )
    beside = {"learner": "opposite"}
    objectives = ("mean",)
    keep_step = True

    @cached_property
    def seen(self) -> Array:
        """The training set, drawn by the seed."""
        rng = np.random.default_rng(self.seed)
        return np.sort(rng.choice(N, self.p["n_train"], replace=False))

    @cached_property
    def rest(self) -> Array:
        """What is off the training set."""
        return np.setdiff1d(np.arange(N), self.seen)

    @cached_property
    def answers(self) -> dict[tuple[int, ...], Array]:
        """What is answered off the training set, for each labelling of it."""
        learner = LEARNERS[self.p["learner"]]
        return {labels: np.asarray(learner(X[self.seen], np.array(labels), X[self.rest]), int)
                for labels in product([0, 1], repeat=len(self.seen))}  # fmt: skip

    def answer(self, target: Array) -> Array:
        """Return what is answered off the training set when this is the target."""
        return self.answers[tuple(int(v) for v in target[self.seen])]

    def error(self, target: Array) -> float:
        """Return the share of wrong answers off the training set."""
        return float(np.mean(self.answer(target) != target[self.rest]))

    @cached_property
    def order(self) -> Array:
        """The targets that count, in an order of the seed."""
        these = np.arange(len(TARGETS))
        if self.p["targets"] == "linear":
            these = these[linear_targets()]
        return np.random.default_rng(self.seed + 1).permutation(these)

    def states(self) -> Iterator[Tried]:
        """Try one target more at each step."""
        total = 0
        for n, index in enumerate(self.order, 1):
            target = TARGETS[index]
            wrong = int(np.sum(self.answer(target) != target[self.rest]))
            total += wrong
            yield Tried(n, int(index), wrong, total)

    def mean(self, state: Tried) -> float:
        """Mean error off the training set so far."""
        return state.total / (state.n * len(self.rest))

    def objective(self, state: Tried) -> Sequence[float]:
        """Mean error off the training set over the targets so far."""
        return (self.mean(state),)

    def trace(self, state: Tried) -> Mapping[str, Any]:
        """The target and the counts."""
        return {"target": TARGETS[state.target], "wrong": state.wrong, "mean": self.mean(state)}

    # --- pictures ---------------------------------------------------------------------------

    @cached_property
    def errors(self) -> Array:
        """The error on every target."""
        return np.array([self.error(target) for target in TARGETS])

    def partner(self, index: int) -> int:
        """The target that agrees on the training set and nowhere else."""
        other = 1 - TARGETS[index]
        other[self.seen] = TARGETS[index][self.seen]
        return int(other @ 2 ** np.arange(N - 1, -1, -1))

    def frame(self, state: Tried, focus: Mapping[str, Any] | None) -> Frame:
        """Cells of targets; the truth table of the last one."""
        shown = state.target
        if focus is not None and focus["key"] == "targets" and int(focus["index"]) < len(TARGETS):
            shown = int(focus["index"])
        cells = np.full(len(TARGETS), np.nan)
        tried = self.order[: state.n]
        cells[tried] = 2 * self.errors[tried] - 1
        marked = np.zeros(len(TARGETS), bool)
        marked[[shown, self.partner(shown)]] = True
        done = state.n == len(self.order)
        mean = self.mean(state)
        title = Msg(f"no-free-lunch.{'done' if done else 'tried'}", n=state.n, mean=mean,
                    of=len(self.order))  # fmt: skip
        side = int(np.sqrt(len(TARGETS)))
        grid = m.matrix("targets", cells.reshape(side, side), text=False, low=-1.0, high=1.0,
                        marked=marked.reshape(side, side),
                        label=Msg("no-free-lunch.cell"))  # fmt: skip
        pictures = [Picture("grid", [grid], title=title, wide=1.5), self._table(shown)]
        facts = [(Msg("no-free-lunch.fact.mean"), mean),
                 (Msg("no-free-lunch.fact.off"), len(self.rest)),
                 (Msg("no-free-lunch.fact.wrong"), state.wrong)]  # fmt: skip
        return Frame(pictures, self._rules(state, shown), title, facts=facts)

    def _table(self, index: int) -> Picture:
        target = TARGETS[index]
        values = np.full((N, 3), np.nan)
        values[:, 0] = target
        values[self.seen, 1] = target[self.seen]
        values[self.rest, 2] = self.answer(target)
        wrong = np.zeros((N, 3), bool)
        wrong[self.rest, 2] = self.answer(target) != target[self.rest]
        table = m.matrix("table", values, low=-1.0, high=1.0, digits=0,
                         rows=["".join(str(int(v)) for v in x) for x in X],
                         columns=["f", "D", "ŷ"], marked=wrong)  # fmt: skip
        title = Msg("no-free-lunch.table", wrong=int(wrong.sum()), of=len(self.rest))
        return Picture("table", [table], title=title)

    def _rules(self, state: Tried, shown: int) -> list[Rule]:
        target, partner = TARGETS[shown], TARGETS[self.partner(shown)]
        wrong = int(np.sum(self.answer(target) != target[self.rest]))
        before = state.total - state.wrong
        k = len(self.rest)
        rules = [
            Rule(
                r"\t{e}{e(f)} = \frac{\#\{x \notin D : \hat y(x) \ne f(x)\}}{|X| - |D|}",
                r"@e = \frac{@wrong}{@k}", {"e": self.error(target), "wrong": wrong, "k": k}, "e",
                lambda wrong, k: wrong / k, Msg("no-free-lunch.rule.error"),
            ),
            Rule(
                r"\t{e}{e(f)} + \t{partner}{e(\bar f)} = 1",
                r"@e + @partner = @one",
                {"e": self.error(target), "partner": self.error(partner), "one": 1.0}, "one",
                lambda e, partner: e + partner, Msg("no-free-lunch.rule.partner"),
            ),
        ]  # fmt: skip
        if state.n > 1:
            rules.append(Rule(
                r"\t{mean}{\bar e} \leftarrow \bar e + \frac{\t{last}{e(f)} - \bar e}{n}",
                r"@mean = @before + \frac{@last - @before}{@n}",
                {"mean": self.mean(state), "before": before / ((state.n - 1) * k),
                 "last": state.wrong / k, "n": state.n}, "mean",
                lambda before, last, n: before + (last - before) / n,
                Msg("no-free-lunch.rule.mean"),
            ))  # fmt: skip
        return rules

    def check(self, state: Tried) -> list[Check]:
        """Compare answers with their definitions, and the end with one half."""
        target = TARGETS[state.target]
        answer = naive(self.p["learner"], self.seen, target[self.seen], self.rest)
        checks = [Check(Msg("no-free-lunch.check.naive"), self.answer(target), answer)]
        if state.n == len(TARGETS):
            checks.append(Check(Msg("no-free-lunch.check.half"), self.mean(state), 0.5, 0.0))
        return checks

    def script(self, actions: Sequence[Mapping[str, Any]], last: int) -> str:
        """Write the same targets."""
        p = self.p
        load, call = SCRIPTS[p["learner"]]
        keep = ""
        if p["targets"] == "linear":
            keep = """
def linear(f):  # 1 where w'x > c
    return any(np.array_equal(X @ w > c, f == 1)
               for w in product([-1, 0, 1], repeat=3) for c in np.arange(-3.5, 4))

these = these[[linear(f) for f in targets]]"""
        return f"""
from itertools import product
{load}
X = np.array(list(product([0.0, 1.0], repeat=3)))  # the whole input space
targets = np.array(list(product([0, 1], repeat=8)))
seen = np.sort(np.random.default_rng({self.seed}).choice(8, {p["n_train"]}, replace=False))
rest = np.setdiff1d(np.arange(8), seen)
these = np.arange(len(targets))
{keep}

trace, total = [], 0
for n, i in enumerate(np.random.default_rng({self.seed + 1}).permutation(these)[: {last} + 1], 1):
    t = targets[i][seen]
    answer = {call}
    wrong = np.sum(answer != targets[i][rest])
    total += wrong
    trace.append(dict(target=targets[i], wrong=wrong, mean=total / (n * len(rest))))
"""


@lru_cache(maxsize=1)
def linear_targets() -> Array:
    """Which of `TARGETS` are 1 on one side of a plane wᵀx = c with w of −1, 0 and 1."""
    sides = [X @ w > c for w in product([-1, 0, 1], repeat=3) for c in np.arange(-3.5, 4)]
    known = {tuple(side.astype(int)) for side in sides}
    return np.array([tuple(target) in known for target in TARGETS])


def naive(learner: str, seen: Array, labels: Array, rest: Array) -> Array:
    """Return the same answers from their definitions."""
    if learner == "nearest":
        distance = np.abs(X[rest][:, None] - X[seen][None]).sum(axis=2)
        return np.asarray(labels[distance.argmin(axis=1)])
    if learner == "least-squares":
        middle, mean = X[seen].mean(axis=0), labels.mean()
        w = np.linalg.pinv(X[seen] - middle) @ (labels - mean)
        return np.asarray((X[rest] - middle) @ w + mean >= HALF, int)
    more = 2 * int(labels.sum()) >= len(labels)
    return np.full(len(rest), int(more if learner == "majority" else not more))


def _complete(view: View) -> bool:
    return bool(view.state.n == len(view.scene.order))


NoFreeLunchScene.tasks = (
    Task("fooled", lambda view: len(view.scene.rest) >= 3 and len(view.states) > 1
         and view.state.wrong == len(view.scene.rest)),
    Task("half", lambda view: view.state.n == len(TARGETS) and view.scene.mean(view.state) == 0.5),
    Task("structure", lambda view: _complete(view) and view.scene.mean(view.state) < 0.35),
    Task("worse", lambda view: _complete(view) and view.scene.mean(view.state) > 0.55),
)  # fmt: skip

SCENE = NoFreeLunchScene
