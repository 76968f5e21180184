"""A network that generalises fits random labels just as well, and then knows nothing.

Zhang et al. (2017): the networks that reach 50 to 86 % on new CIFAR-10 images with true labels
reach 99 to 100 % on the training images when the labels are drawn at random, and chance, 10 %,
on new ones. So neither the number of parameters nor the training error says whether a network
generalises. The small form: handwritten digits of 8×8 pixels, one hidden layer.

    labels      training    new images
    true        100 %       far above chance
    random      100 %       10 %, after more epochs
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.datasets import load_digits

from kiso.experiments import Check, Experiment, Outcome, at_least, at_most, close
from kiso.losses import SoftmaxCrossEntropy
from kiso.nn import Network, train
from kiso.optim import Adam

if TYPE_CHECKING:
    from matplotlib.figure import Figure

N_TRAIN, WIDTH, MAX_EPOCHS = 600, 256, 200
SHARES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)  # of the labels that are drawn at random
FITTED = 0.999


def run(seed: int) -> Outcome:
    """Train until the labels are fitted, for more and more random ones."""
    rng = np.random.default_rng(seed)
    X, y = load_digits(return_X_y=True)
    order = rng.permutation(len(y))
    X, y = X[order] / 16, y[order]
    curves = {share: curve(X, y, share, rng) for share in SHARES}
    remark = (
        f"{N_TRAIN} training images and {Network.dense([64, WIDTH, 10]).n_parameters:,} "
        "parameters. Of the test images chance is 10 %, whatever was learned by heart."
    )
    return Outcome(tuple(checks_of(curves)), {"curves": curves}, remark)


def curve(X: Any, y: Any, share: float, rng: np.random.Generator) -> Any:
    """(training accuracy, test accuracy) after each epoch until the labels are fitted."""
    labels = y[:N_TRAIN].copy()
    changed = rng.permutation(N_TRAIN)[: round(share * N_TRAIN)]
    labels[changed] = rng.integers(10, size=len(changed))
    network = Network.dense([64, WIDTH, 10], activation="relu", init="he", random_state=rng)
    states = train(network, SoftmaxCrossEntropy(), (X[:N_TRAIN], labels), Adam(3e-3),
                   n_epochs=MAX_EPOCHS, batch_size=50, random_state=rng)  # fmt: skip
    accuracies = []
    for _ in states:
        found = network(X).argmax(axis=1)
        right = np.mean(found[:N_TRAIN] == labels), np.mean(found[N_TRAIN:] == y[N_TRAIN:])
        accuracies.append(right)
        if right[0] >= FITTED:
            break
    return np.array(accuracies)


def checks_of(curves: Any) -> list[Check]:
    """Compare what was reached at the end, and how long it took."""
    last = np.array([curves[share][-1] for share in SHARES])
    epochs = np.array([len(curves[share]) for share in SHARES])
    return [
        at_least("training accuracy, least over the shares of random labels", FITTED,
                 float(last[:, 0].min())),
        at_least("true labels: test accuracy", 0.94, float(last[0, 1]), digits=3),
        close("random labels: test accuracy", 0.10, float(last[-1, 1]), atol=0.04),
        at_most("the more random labels, the less is known: largest rise of test accuracy", 0.01,
                float(np.diff(last[:, 1]).max()), digits=2),
        at_most("epochs to fit random labels / true labels", 20.0, float(epochs[-1] / epochs[0]),
                digits=3),
    ]  # fmt: skip


def draw(outcome: Outcome) -> Figure:
    """Draw training accuracy by epoch, and what is left on new images."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.5, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    curves = outcome.data["curves"]
    for share, accuracies in curves.items():
        left.plot(np.arange(1, len(accuracies) + 1), accuracies[:, 0], label=f"{share:.0%}")
    left.set(xlabel="epoch", ylabel="training accuracy", title="labels drawn at random")
    left.legend()
    shares = 100 * np.array(list(curves))
    right.plot(shares, [a[-1, 0] for a in curves.values()], "o-", label="training")
    right.plot(shares, [a[-1, 1] for a in curves.values()], "o-", label="new images")
    right.axhline(0.1, color="black", ls=":", lw=1, label="chance")
    right.set(xlabel="labels drawn at random, %", ylabel="accuracy", ylim=(0, 1.05))
    right.legend()
    return figure


EXPERIMENT = Experiment(
    title="Random labels are fitted as well as true ones",
    rows=(73,),
    claim="A network that generalises fits random labels to 100 %, and is at chance on new images",
    source="Zhang et al. (2017), Understanding deep learning requires rethinking generalization; "
    "Higham & Higham (2019), section 8",
    run=run,
    draw=draw,
)
