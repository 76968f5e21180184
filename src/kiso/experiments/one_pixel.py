"""One pixel changes what a small convolutional network says of a photograph.

Differential evolution looks for place and colour; no gradient is used. Su, Vargas & Sakurai
report that one pixel deceives networks for CIFAR-10 on roughly 68 to 74 % of the images,
according to the version of the paper. That number is of large networks, trained on all
images, and of a search of far more candidates; this network learns from a part of the images
and each search is short. So what is checked is that the effect is there, with bounds of
kiso's own, and the distance to the published share is measured and said.

The share depends on the training: with 2,000 images in the place of 4,000, and 50 attacked, it
was 12 % and 24 % (seeds 0 and 1), the first of which is below the bound of 15 %.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.adversarial import AttackResult, one_pixel
from kiso.datasets import fetch_cifar10
from kiso.experiments import Check, Experiment, Outcome, at_least, close, untestable
from kiso.neural_network import ConvClassifier

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LAYERS = "conv 16 5x5, relu, pool 2, conv 32 5x5, relu, pool 2, dense 64, relu"
TRAIN, EPOCHS, ATTACKED = 4_000, 7, 40
POPULATION, GENERATIONS = 50, 10
PUBLISHED = (68, 74)  # per cent


def photographs(split: Any, n: int) -> tuple[Any, Any]:
    """At most n images, their pixels in [0, 1]."""
    images, labels = fetch_cifar10(split, part=True)
    return images[:n].astype(np.float32) / np.float32(255), labels[:n]


def random_pixels(X: Any, rng: np.random.Generator) -> Any:
    """Give one pixel of each image, anywhere, a colour out of [0, 1]."""
    images = X.copy()
    n, channels, height, width = X.shape
    places = rng.integers(height, size=n), rng.integers(width, size=n)
    images[np.arange(n), :, *places] = rng.random((n, channels))
    return images


def checks_of(share: float, control: float, pixels: int, n: int) -> tuple[Check, ...]:
    """Shares in per cent of n images, all of them right before.

    That the search does what chance does not is checked by McNemar's idea in its simplest form: the
    difference has to exceed three of its standard errors.
    """
    low, high = PUBLISHED
    p, q = share / 100, control / 100
    error = 100 * float(np.sqrt((p * (1 - p) + q * (1 - q)) / n + 1e-12))
    return (
        close("pixels changed in an image, at most", 1, pixels, atol=0),
        at_least("searched for − random pixel, in standard errors", 3.0, (share - control) / error),
        untestable(f"one pixel deceives: % of {n} images", f"{low} to {high}, large networks",
                   f"{share:.0f} ± {100 * float(np.sqrt(p * (1 - p) / n)):.0f}"),
    )  # fmt: skip


def run(seed: int) -> Outcome:
    """Attack forty images."""
    return measure(seed, ATTACKED)


def measure(seed: int, n: int) -> Outcome:
    """Train, take n test images that are right, look for a pixel in each."""
    X, y = photographs("train", TRAIN)
    images, truth = photographs("test", 1_000)
    model = ConvClassifier(
        LAYERS, max_iter=EPOCHS, batch_size=50, learning_rate_init=0.002, random_state=seed
    ).fit(X, y)
    right = model.predict(images) == truth
    Q, t = images[right][:n], truth[right][:n]
    attacked = one_pixel(
        model, Q, t, population=POPULATION, n_generations=GENERATIONS, random_state=seed
    )
    random = random_pixels(Q, np.random.default_rng(seed))
    control = 100 * float(np.mean(model.predict(random) != t))
    share = 100 * attacked.success_rate
    pixels = int((attacked.images != attacked.originals).any(axis=1).sum(axis=(1, 2)).max())
    low, high = PUBLISHED
    remark = (
        f"{share:.0f} % of {len(Q)} images that were right, a random pixel {control:.0f} %. "
        f"Published: roughly {low} to {high} %; this run {_distance(share)}. It is another "
        f"network, right on {100 * right.mean():.0f} % of the test images after {len(X):,} "
        f"training images, and a search of {POPULATION * (GENERATIONS + 1):,} candidates an "
        "image: neither confirms nor refutes that number."
    )
    return Outcome(
        checks_of(share, control, pixels, len(Q)), {"result": _deceived(attacked)}, remark
    )


def _distance(share: float) -> str:
    low, high = PUBLISHED
    if low <= share <= high:
        return "lies within"
    return f"is {low - share:.0f} below" if share < low else f"is {share - high:.0f} above"


def _deceived(result: AttackResult) -> AttackResult:
    """The images that deceived first, for the picture."""
    order = np.argsort(~result.success, kind="stable")
    return AttackResult(
        result.originals[order], result.images[order], result.before[order],
        result.after[order], result.success[order],
    )  # fmt: skip


def draw(outcome: Outcome) -> Figure:
    """Original, change and result of images that one pixel deceives."""
    figure: Figure = outcome.data["result"].plot(n=4)
    return figure


EXPERIMENT = Experiment(
    title="One pixel and a small network for CIFAR-10",
    rows=(70,),
    claim="A pixel that is searched for changes the answer on many images, a random one on few",
    source="Su, Vargas & Sakurai (2019), One pixel attack",
    run=run,
    draw=draw,
    needs=("cifar10-part",),
)
