"""Many planes separate two classes; the perceptron finds any of them, the SVM always one.

Any (w, b) with yᵢ (w·xᵢ + b) > 0 for all i classifies the samples without error. Where the
perceptron ends depends on the order in which it meets them. The support vector machine
asks for the plane with the largest margin, of which there is one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.experiments import Check, Experiment, Outcome, at_least, at_most, close
from kiso.linear_model import Perceptron
from kiso.svm import SVC

if TYPE_CHECKING:
    from matplotlib.figure import Figure

N_SEEDS = 60
N_ORDERS = 5
PER_CLASS = 25


def run(seed: int) -> Outcome:
    """Fit perceptrons and machines on the same samples, in many orders."""
    rng = np.random.default_rng(seed)
    y = np.repeat([-1, 1], PER_CLASS)
    X = 0.7 * rng.standard_normal((len(y), 2)).clip(-1.8, 1.8) + 1.5 * y[:, None]
    perceptrons = np.array([perceptron(X, y, number) for number in range(N_SEEDS)])
    machines = np.array([machine(X, y, rng.permutation(len(y))) for _ in range(N_ORDERS)])
    data = {"X": X, "y": y, "perceptrons": perceptrons, "machines": machines}
    return Outcome(tuple(checks(**data)), data)


def perceptron(X: Any, y: Any, seed: int) -> Any:
    """(w, b) of unit ‖w‖ that the perceptron finds with this seed."""
    return unit(Perceptron(tol=None, max_iter=10_000, random_state=seed).fit(X, y))


def machine(X: Any, y: Any, order: Any) -> Any:
    """(w, b) of unit ‖w‖ of the hard-margin machine, the samples given in this order."""
    return unit(SVC(C=np.inf, kernel="linear", tol=1e-8).fit(X[order], y[order]))


def unit(model: Any) -> Any:
    """(w, b) scaled to unit ‖w‖, so that w·x + b is a distance."""
    plane = np.append(model.coef_[0], model.intercept_)
    return plane / np.linalg.norm(plane[:-1])


def distances(X: Any, y: Any, planes: Any) -> Any:
    """Signed distance of each sample from each plane, positive on its own side."""
    return y * (planes[:, :-1] @ X.T + planes[:, -1:])


def spread(planes: Any) -> float:
    """Largest angle between the normals of two planes, in degrees."""
    w = planes[:, :-1]
    sines = w[:, 0, None] * w[:, 1] - w[:, 1, None] * w[:, 0]
    return float(np.degrees(np.arctan2(np.abs(sines), w @ w.T)).max())


def checks(X: Any, y: Any, perceptrons: Any, machines: Any) -> list[Check]:
    """All separate; perceptrons differ, machines do not and have the widest margin."""
    margins = distances(X, y, perceptrons).min(axis=1)
    widest = float(distances(X, y, machines).min(axis=1).min())
    wrong = int((distances(X, y, np.vstack([perceptrons, machines])) <= 0).sum())
    n_different = len(np.unique(perceptrons.round(6), axis=0))
    return [
        close("samples on the wrong side of any plane", 0, wrong, atol=0),
        at_least(f"different planes from {N_SEEDS} perceptrons", 10, n_different),
        at_least("largest angle between two of them, degrees", 5.0, spread(perceptrons)),
        at_most(f"that of {N_ORDERS} machines, degrees", 0.05, spread(machines)),
        at_most("widest margin of a perceptron / the machine's", 1.0, margins.max() / widest),
        at_most("median margin of a perceptron / the machine's", 0.9,
                float(np.median(margins)) / widest),
    ]  # fmt: skip


def draw(outcome: Outcome) -> Figure:
    """Left: the planes. Right: how wide their margins are."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    X, y = outcome.data["X"], outcome.data["y"]
    across = np.array([-4.0, 4.0])
    for key, style in (
        ("perceptrons", {"color": "0.65", "lw": 0.7}),
        ("machines", {"color": "C3", "lw": 2.0}),
    ):
        for number, (w1, w2, b) in enumerate(outcome.data[key]):
            if abs(w2) > 1e-9:
                left.plot(across, -(b + w1 * across) / w2, **style,
                          label=key[:-1] if number == 0 else None)  # fmt: skip
    for sign, mark in ((-1, "o"), (1, "s")):
        left.plot(*X[y == sign].T, mark, ms=5)
    left.set(xlim=(-4, 4), ylim=(-4, 4), aspect="equal", xlabel="x₁", ylabel="x₂")
    left.set_title("Many planes separate")
    left.legend()
    right.hist(distances(X, y, outcome.data["perceptrons"]).min(axis=1), 15, color="0.65")
    right.axvline(distances(X, y, outcome.data["machines"]).min(), color="C3", lw=2)
    right.set(xlabel="distance of the nearest sample", ylabel="perceptrons")
    right.set_title("None has a wider margin than the machine")
    return figure


EXPERIMENT = Experiment(
    title="Many separating planes, and the one of the support vector machine",
    rows=(9,),
    claim="any (w, b) with yᵢ (w·xᵢ + b) > 0 separates: perceptrons from many seeds end in "
    "different planes, the machine of the largest margin in one",
    source="Goodfellow et al. (2016), Deep Learning, section 5.7.2; notes A p. 8; "
    "Cortes & Vapnik (1995), Support-vector networks",
    run=run,
    draw=draw,
)
