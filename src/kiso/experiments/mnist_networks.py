"""Three networks on MNIST, beside what was published of them.

    784-30-10      sigmoids to the end, ½‖y − a‖², one step for ten images (Nielsen): about 95 %
    784-300-100-10 two hidden layers (LeCun et al. 1998): 3.05 % error
    784-800-10     cross-entropy (Simard et al. 2003): 1.6 % error

Pixels are divided by 255; nothing else is done to them. The last two are trained by what is
usual today (momentum, a learning rate that falls to 0; rectifiers and dropout for the third),
so that they may do better than their models did, and should not do worse.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.datasets import fetch_mnist
from kiso.experiments import Check, Experiment, Outcome, at_least, at_most
from kiso.losses import Loss, SoftmaxCrossEntropy, SquaredError
from kiso.nn import Affine, Dropout, Network, ReLU, train
from kiso.optim import Cosine, GradientDescent, Momentum, Rule

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SMALL, DEEP, WIDE = "784-30-10", "784-300-100-10", "784-800-10"


@dataclass(frozen=True)
class Form:
    """How much of MNIST is used, how long, and which test errors (%) are expected of it."""

    n_train: int
    n_test: int
    n_epochs: Mapping[str, int]
    bounds: Mapping[str, float]


FULL = Form(
    60_000, 10_000,
    n_epochs={SMALL: 30, DEEP: 20, WIDE: 40},
    bounds={SMALL: 5.5, DEEP: 3.05, WIDE: 1.6},
)  # fmt: skip
PART = Form(
    6_000, 2_000,
    n_epochs={SMALL: 10, DEEP: 6, WIDE: 5},
    bounds={SMALL: 12.0, DEEP: 10.5, WIDE: 9.5},
)  # fmt: skip


@dataclass(frozen=True)
class Recipe:
    """A network and how it is trained."""

    network: Network
    loss: Loss
    rule: Rule
    batch_size: int


def recipe(name: str, n_steps: Any, rng: np.random.Generator) -> Recipe:
    """Return one of the three; `n_steps(batch_size)` is how long it will be trained."""
    options: dict[str, Any] = {"random_state": rng, "dtype": np.float32}
    sizes = [int(n) for n in name.split("-")]
    if name == SMALL:
        network = Network.dense(sizes, activation="sigmoid", output="sigmoid", **options)
        return Recipe(network, SquaredError(), GradientDescent(3.0), 10)
    rule = Momentum(Cosine(0.1, n_steps(100)), alpha=0.9)
    if name == DEEP:
        network = Network.dense(sizes, activation="tanh", **options)
    else:
        first = Affine.create(sizes[0], sizes[1], init="he", **options)
        last = Affine.create(sizes[1], sizes[2], init="glorot", **options)
        network = Network([Dropout(0.2), first, ReLU(), Dropout(0.5), last])
    return Recipe(network, SoftmaxCrossEntropy(), rule, 100)


def rows(split: Any, n: int) -> tuple[Any, Any]:
    """Return the first n images of a split as rows of numbers in [0, 1], and their digits."""
    images, labels = fetch_mnist(split)
    return images[:n].reshape(n, -1).astype(np.float32) / np.float32(255), labels[:n].astype(int)


def errors_by_epoch(name: str, n_epochs: int, training: Any, test: Any, seed: int) -> Any:
    """Test error in per cent after each epoch."""
    rng = np.random.default_rng(seed)
    (X, y), (Q, truth) = training, test
    r = recipe(name, lambda size: n_epochs * -(-len(X) // size), rng)
    target: Any = y if name != SMALL else np.eye(10, dtype=np.float32)[y]
    states = train(r.network, r.loss, (X, target), r.rule, n_epochs=n_epochs,
                   batch_size=r.batch_size, random_state=rng)  # fmt: skip
    errors = [100 * float(np.mean(r.network(Q).argmax(axis=1) != truth)) for _ in states]
    return np.array(errors)


def checks_of(form: Form, errors: Mapping[str, Any]) -> list[Check]:
    """The last test error of each network against its bound."""
    what = f"test error, %, {form.n_train:,} images"
    checks = [at_most(f"{name}: {what}", form.bounds[name], float(errors[name][-1]), digits=3)
              for name in (SMALL, DEEP, WIDE)]  # fmt: skip
    gain = float(errors[SMALL][-1] / errors[WIDE][-1])
    return [*checks, at_least("error of 30 units / error of 800 units", 1.1, gain)]


def measure(form: Form, seed: int) -> Outcome:
    """Train the three networks and count what they mistake."""
    data = rows("train", form.n_train), rows("test", form.n_test)
    errors = {name: errors_by_epoch(name, n, *data, seed) for name, n in form.n_epochs.items()}
    remark = (
        f"{form.n_train:,} training and {form.n_test:,} test images; the state after the last "
        "epoch counts, not the best of them."
    )
    return Outcome(tuple(checks_of(form, errors)), {"errors": errors}, remark)


def run(seed: int) -> Outcome:
    """All of MNIST."""
    return measure(FULL, seed)


def draw(outcome: Outcome) -> Figure:
    """Test error by epoch."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.subplots()
    for name, errors in outcome.data["errors"].items():
        axes.plot(np.arange(1, len(errors) + 1), errors, "o-", ms=3, label=name)
    axes.set(xlabel="epoch", ylabel="test error, %", yscale="log", title="MNIST")
    axes.legend()
    return figure


EXPERIMENT = Experiment(
    title="MNIST: networks of 30, of 300 and 100, and of 800 hidden units",
    rows=(66,),
    claim="30 sigmoid units are right on about 95 %; 300-100 units err on at most 3.05 %, "
    "800 with the cross-entropy on at most 1.6 %",
    source="Nielsen, Neural networks and deep learning; LeCun et al. (1998); Simard et al. (2003)",
    run=run,
    draw=draw,
    slow=True,
    needs=("mnist",),
)
