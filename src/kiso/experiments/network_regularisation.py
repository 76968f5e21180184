"""A network that overfits, and three ways to hold it: weight decay, dropout, stopping early.

Digits of 8×8 pixels, 200 to learn from, two fifths of their labels random; one hidden layer of 200
rectifiers, enough to learn them all by heart. As each measure gets stronger,

    weight decay   ∇C + λ W           training loss rises, loss on new images falls and rises
    dropout        units left out     the same
    epochs         fewer              the same

Early stopping on validation images finds the bottom of the last without looking at the test.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.datasets import load_digits

from kiso.experiments import Check, Experiment, Outcome, at_least, at_most
from kiso.losses import SoftmaxCrossEntropy
from kiso.nn import Affine, Dropout, Network, ReLU, train
from kiso.optim import Adam

if TYPE_CHECKING:
    from matplotlib.figure import Figure

N_TRAIN, N_VALID, WIDTH, N_EPOCHS, BATCH = 200, 300, 200, 120, 50
WRONG = 0.4  # share of training labels drawn at random
DECAYS = (0.0, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0)
DROPPED = (0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.98)
PATIENCE = 10
LOSS = SoftmaxCrossEntropy()


def run(seed: int) -> Outcome:
    """Walk the three paths; stop early once."""
    sets = digits(np.random.default_rng(seed))
    decay = np.array([trained(sets, seed, decay=decay)[-1] for decay in DECAYS])
    dropout = np.array([trained(sets, seed, dropped=share)[-1] for share in DROPPED])
    epochs = trained(sets, seed)
    stopped = trained(sets, seed, patience=PATIENCE)
    checks = [
        *path_checks("weight decay", DECAYS, decay),
        *path_checks("dropout", DROPPED, dropout),
        *path_checks("epochs", np.arange(1, len(epochs) + 1)[::-1], epochs[::-1]),
        *stopping_checks(epochs, stopped),
    ]
    data = {"decay": decay, "dropout": dropout, "epochs": epochs, "stopped": stopped}
    remark = (
        f"{N_TRAIN} training images, {WRONG:.0%} of their labels drawn at random; the test labels "
        "are right. Losses are mean cross-entropies. Dropout with probability p keeps the mean by "
        "a factor 1 − p at prediction (here 1/(1 − p) in training); version 1 of Higham & Higham "
        "has p."
    )
    return Outcome(tuple(checks), data, remark)


def digits(rng: np.random.Generator) -> Any:
    """Return training (with wrong labels), validation and test sets."""
    X, y = load_digits(return_X_y=True)
    order = rng.permutation(len(y))
    X, y = X[order] / 16, y[order]
    changed = rng.permutation(N_TRAIN)[: round(WRONG * N_TRAIN)]
    y[changed] = rng.integers(10, size=len(changed))
    ends = [N_TRAIN, N_TRAIN + N_VALID]
    return list(zip(np.split(X, ends), np.split(y, ends), strict=True))


def trained(
    sets: Any, seed: int, *, decay: float = 0.0, dropped: float = 0.0, patience: int | None = None
) -> Any:
    """Losses on training and test images after each epoch (after the last: of the best kept)."""
    rng = np.random.default_rng(seed)
    layers = [
        Affine.create(64, WIDTH, init="he", random_state=rng),
        ReLU(),
        Affine.create(WIDTH, 10, random_state=rng),
    ]
    if dropped:
        layers.insert(2, Dropout(dropped))
    network = Network(layers)
    (X, y), validation, (Q, truth) = sets
    states = train(
        network, LOSS, (X, y), Adam(3e-3), n_epochs=N_EPOCHS, batch_size=BATCH,
        weight_decay=decay, random_state=rng, patience=patience,
        validation=validation if patience else None,
    )  # fmt: skip
    return np.array([[LOSS.value(network(X), y), LOSS.value(network(Q), truth)] for _ in states])


def path_checks(name: str, strengths: Any, losses: Any) -> list[Check]:
    """The U on new images, and what holding back costs on those learned from."""
    best = int(losses[:, 1].argmin())
    at = f"at {strengths[best]:.3g}"
    return [
        at_least(f"{name}: test loss with none / the best, {at}", 1.08,
                 float(losses[0, 1] / losses[best, 1]), digits=3),
        at_least(f"{name}: test loss with the most / the best", 1.5,
                 float(losses[-1, 1] / losses[best, 1]), digits=3),
        at_least(f"{name}: training loss with the best / with none", 2.0,
                 float(losses[best, 0] / losses[0, 0]), digits=3),
    ]  # fmt: skip


def stopping_checks(epochs: Any, stopped: Any) -> list[Check]:
    """Early stopping ends long before the last epoch, near the bottom."""
    return [
        at_most("early stopping: epochs / all epochs", 0.7, len(stopped) / len(epochs), digits=2),
        at_most("early stopping: test loss / the least of any epoch", 1.1,
                float(stopped[-1, 1] / epochs[:, 1].min()), digits=3),
    ]  # fmt: skip


def draw(outcome: Outcome) -> Figure:
    """Draw the three paths."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 3.8), layout="constrained")
    paths = (
        ("decay", "weight decay λ", [max(d, DECAYS[1] / 3) for d in DECAYS]),
        ("dropout", "share of units dropped", DROPPED),
        ("epochs", "epochs", np.arange(1, len(outcome.data["epochs"]) + 1)),
    )
    for ax, (key, label, strengths) in zip(figure.subplots(1, 3, sharey=True), paths, strict=True):
        for k, name in enumerate(("training", "test")):
            ax.plot(strengths, outcome.data[key][:, k], ".-", label=name)
        ax.set(xlabel=label, yscale="log", xscale="log" if key == "decay" else "linear")
    figure.axes[0].set_ylabel("cross-entropy")
    figure.axes[2].axvline(len(outcome.data["stopped"]), color="black", ls=":", label="stopped")
    figure.axes[2].legend()
    return figure


EXPERIMENT = Experiment(
    title="Networks: overfitting, weight decay, dropout, early stopping",
    rows=(61, 81),
    claim="Along each of the three the training loss only rises with the strength, and the loss on "
    "new images is a U whose bottom is below that of the free network",
    source="Memo; Goodfellow, Bengio & Courville, sections 7.1, 7.8 and 7.12; Higham & Higham "
    "(2019), section 7",
    run=run,
    draw=draw,
)
