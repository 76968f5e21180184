"""Convolutional networks of LeNet's class: MNIST with and without shifts, Fashion-MNIST.

LeCun et al. (1998) report 0.95 % for LeNet-5 and 0.8 % with distorted images added. The
network here has 20 and 50 filters of 5×5, pooling by 2 and 500 units; augmentation moves
every image by up to two pixels each time it is seen.

Clothes need more. With 10,000 of the training images set aside (never the test images), and
half of the others mirrored each time they are seen, this network was right on 91.3 % of those
after 12 epochs; one with 32 and 64 filters of 5×5 on 92.4 % after 12; three convolutions of 3×3
on 92.2 % after 10; and the four of 3×3 that are taken here on 92.5 % after 6, 93.1 % after 8.
With these settings the whole was then run once, with seed 0: 0.71 % and 0.54 % error on MNIST
and 92.8 % of the clothes right, after 0.7, 1.3 and 3.6 minutes on two cores.
"""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.datasets import fetch_fashion_mnist, fetch_mnist
from kiso.experiments import Check, Experiment, Outcome, at_least, at_most
from kiso.inspection import plot_worst_images
from kiso.neural_network import ConvClassifier
from kiso.optim import Cosine

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LENET = "conv 20 5x5, relu, pool 2, conv 50 5x5, relu, pool 2, dense 500, relu, dropout 0.5"
FOUR = (
    "conv 32 3x3 same, relu, conv 32 3x3 same, relu, pool 2, "
    "conv 64 3x3 same, relu, conv 64 3x3 same, relu, pool 2, dense 256, relu, dropout 0.5"
)
RATE = 1e-3
MINUTES = 15.0


@dataclass(frozen=True)
class Form:
    """How much is learnt from, for how long, and what is asked of it."""

    n_train: int
    n_test: int
    epochs: int
    error: float  # of MNIST, per cent
    error_shifted: float  # with augmentation
    accuracy: float  # of Fashion-MNIST
    fashion: str  # its network
    fashion_epochs: int
    minutes: float = MINUTES
    batch_size: int = 128


FULL = Form(60_000, 10_000, 6, 0.95, 0.8, 0.92, FOUR, 8)
PART = Form(1_000, 1_000, 3, 15.0, 10.0, 0.70, LENET, 6, 1.0, 25)


def images(fetch: Any, split: str, n: int) -> tuple[Any, Any]:
    """The first n images (n, 1, 28, 28) in [0, 1], float32, and their classes."""
    pixels, labels = fetch(split)
    return pixels[:n].reshape(-1, 1, 28, 28).astype(np.float32) / 255, labels[:n]


def fitted(
    X: Any,
    y: Any,
    epochs: int,
    augmentation: str | None,
    seed: int,
    batch_size: int = 128,
    network: str = LENET,
) -> tuple[Any, float]:
    """The network after so many epochs of Adam on half a cosine, and the minutes it took."""
    steps = epochs * -(-len(X) // batch_size)
    model = ConvClassifier(
        network, augmentation=augmentation, batch_size=batch_size, max_iter=epochs,
        learning_rate_init=Cosine(RATE, steps), random_state=seed,
    )  # fmt: skip
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a given number of epochs, not convergence, ends it
        model.fit(X, y)
    return model, (time.perf_counter() - start) / 60


def measure(form: Form, seed: int) -> Outcome:
    """Train the three and count what they mistake."""
    checks: list[Check] = []
    X, y = images(fetch_mnist, "train", form.n_train)
    Q, truth = images(fetch_mnist, "test", form.n_test)
    plain, minutes = fitted(X, y, form.epochs, None, seed, form.batch_size)
    checks.append(at_most("MNIST: test error, %", form.error, percent_wrong(plain, Q, truth)))
    checks.append(at_most("minutes it took", form.minutes, minutes))
    moved, minutes = fitted(X, y, 2 * form.epochs, "shift 2", seed, form.batch_size)
    error = percent_wrong(moved, Q, truth)
    checks.append(at_most("MNIST with shifts: test error, %", form.error_shifted, error))
    checks.append(at_most("minutes it took", form.minutes, minutes))
    X, y = images(fetch_fashion_mnist, "train", form.n_train)
    F, classes = images(fetch_fashion_mnist, "test", form.n_test)
    fashion, minutes = fitted(
        X, y, form.fashion_epochs, "flip", seed, form.batch_size, form.fashion
    )
    checks.append(
        at_least("Fashion-MNIST: accuracy", form.accuracy, float(fashion.score(F, classes)))
    )
    checks.append(at_most("minutes it took", form.minutes, minutes))
    remark = f"{form.n_train:,} training and {form.n_test:,} test images; the last epoch counts."
    return Outcome(tuple(checks), {"model": moved, "images": Q, "truth": truth}, remark)


def percent_wrong(model: Any, X: Any, y: Any) -> float:
    """Test error in per cent."""
    return 100 * (1 - float(model.score(X, y)))


def draw(outcome: Outcome) -> Figure:
    """The confusion matrix of MNIST, and the images that are most wrong."""
    model, Q, truth = (outcome.data[name] for name in ("model", "images", "truth"))
    return plot_worst_images(model, Q, truth)


EXPERIMENT = Experiment(
    title="A network of LeNet's class on MNIST and Fashion-MNIST",
    rows=(66, 82),
    claim="At most 0.95 % error, 0.8 % with shifted images, Fashion-MNIST 92 %, each in at most "
    "15 minutes on two cores",
    source="LeCun et al. (1998), Gradient-based learning applied to document recognition",
    run=partial(measure, FULL),
    draw=draw,
    slow=True,
    needs=("mnist", "fashion-mnist"),
)
