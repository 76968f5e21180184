"""No free lunch: over all targets, every learner errs on half of what it has not seen.

On a finite input space with all 2^|X| targets equally likely, whatever was seen says nothing
of the rest: for each way of filling it in right there is one of filling it in wrong. So the
mean error off the training set is exactly 1/2, for a sensible learner, a foolish one, and
one that does the opposite. Over targets with structure the sensible one wins.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.experiments import Check, Experiment, Outcome, at_most
from kiso.inference import Bernoulli, LinearGaussian

if TYPE_CHECKING:
    from matplotlib.figure import Figure

N_BITS, N_TRAIN, N_SETS = 3, 5, 3
X = np.array(list(product([0.0, 1.0], repeat=N_BITS)))  # (8, 3): the whole input space

Learner = Callable[[Any, Any, Any], Any]


def majority(X_train: Any, y_train: Any, X_new: Any) -> Any:
    """The more frequent label of the training set."""
    return np.full(len(X_new), float(Bernoulli().fit(y_train).probs_[0] >= 0.5))


def minority(X_train: Any, y_train: Any, X_new: Any) -> Any:
    """The opposite of the majority."""
    return 1 - majority(X_train, y_train, X_new)


def nearest(X_train: Any, y_train: Any, X_new: Any) -> Any:
    """The label of the nearest training point, the first of equals."""
    distance = np.abs(X_new[:, None] - X_train[None]).sum(axis=2)
    return y_train[distance.argmin(axis=1)]


def linear(X_train: Any, y_train: Any, X_new: Any) -> Any:
    """Least squares, cut at one half."""
    return (LinearGaussian().fit(X_train, y_train).predict(X_new) >= 0.5).astype(float)


LEARNERS: dict[str, Learner] = {
    "nearest neighbour": nearest,
    "least squares": linear,
    "majority": majority,
    "the opposite of the majority": minority,
}


def off_training_errors(learner: Learner, train: Any) -> Any:
    """Wrong predictions off the training set for each of the 2^|X| targets, shape (256,)."""
    rest = np.setdiff1d(np.arange(len(X)), train)
    learned = {  # what a learner says depends on the labels that it has seen alone
        seen: learner(X[train], np.array(seen), X[rest])
        for seen in product([0.0, 1.0], repeat=len(train))
    }
    targets = map(np.array, product([0.0, 1.0], repeat=len(X)))
    return np.array([np.sum(learned[tuple(t[train])] != t[rest]) for t in targets])


def is_threshold(target: Any) -> bool:
    """Whether a target is a line's two sides: 1 where wᵀx > c, with w of −1, 0 and 1."""
    for w in product([-1, 0, 1], repeat=N_BITS):
        score = X @ w
        for cut in np.arange(-3.5, 4):
            if np.array_equal(score > cut, target == 1):
                return True
    return False


def run(seed: int) -> Outcome:
    """Enumerate all targets for each learner and several training sets."""
    rng = np.random.default_rng(seed)
    sets = [np.sort(rng.choice(len(X), N_TRAIN, replace=False)) for _ in range(N_SETS)]
    n_rest = len(X) - N_TRAIN
    targets = [np.array(t) for t in product([0.0, 1.0], repeat=len(X))]
    simple = np.array([is_threshold(t) for t in targets])
    checks: list[Check] = []
    over_all, over_simple, spread = {}, {}, {}
    for name, learner in LEARNERS.items():
        wrong = np.array([off_training_errors(learner, train) for train in sets])
        worst = max(abs(int(2 * w.sum()) - n_rest * len(w)) for w in wrong)
        mean = int(wrong.sum()) / (n_rest * wrong.size)  # whole numbers: exact
        checks.append(
            Check(f"mean off-training error, {name}", "0.5 exactly, each training set", mean,
                  worst == 0)
        )  # fmt: skip
        over_all[name], spread[name] = mean, wrong[0] / n_rest
        over_simple[name] = float(wrong[:, simple].mean() / n_rest)
    checks.append(
        at_most("error of least squares over linear threshold targets", 0.4,
                over_simple["least squares"])
    )  # fmt: skip
    data = {"all": over_all, "simple": over_simple, "spread": spread}
    return Outcome(tuple(checks), data)


def draw(outcome: Outcome) -> Figure:
    """Mean error over all targets beside that over the linear ones; and its spread."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 4.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    at = np.arange(len(LEARNERS))
    left.bar(at - 0.2, outcome.data["all"].values(), 0.4, label="all 256 targets")
    left.bar(at + 0.2, outcome.data["simple"].values(), 0.4, label="linear threshold targets")
    left.axhline(0.5, color="black", ls="--", lw=1)
    left.set_xticks(at, [name.replace(" of ", "\nof ") for name in LEARNERS], fontsize=8)
    left.set(ylabel="mean error off the training set", title="Equal over all, not over some")
    left.set_ylim(0, 0.85)
    left.legend(loc="upper left")
    n_rest = len(X) - N_TRAIN
    for i, (name, errors) in enumerate(outcome.data["spread"].items()):
        counts = np.bincount(np.rint(errors * n_rest).astype(int), minlength=n_rest + 1)
        right.bar(np.arange(n_rest + 1) + 0.18 * (i - 1.5), counts, 0.18, label=name)
    right.set_xticks(range(n_rest + 1))
    right.set(
        xlabel=f"wrong among the {n_rest} points not seen", ylabel="targets",
        title="The same spread for every learner",
    )  # fmt: skip
    right.set_ylim(0, 140)
    right.legend(fontsize=8, loc="upper right")
    return figure


EXPERIMENT = Experiment(
    title="No free lunch: over all targets every learner is right half the time",
    rows=(83,),
    claim="The mean error off the training set over all 2^|X| targets is exactly 0.5",
    source="Wolpert (1996), The lack of a priori distinctions between learning algorithms; "
    "Goodfellow et al. (2016), Deep Learning, section 5.2.1",
    run=run,
    draw=draw,
)
