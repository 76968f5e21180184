"""MNIST's digits, made by a GAN and read by a convolutional network.

What a picture of samples cannot say a classifier of real digits can: of how many samples it
is sure, and whether all ten classes are among them. An entropy of ln 10 = 2.303 over the
classes is that of ten equal shares; a generator that has settled on a few digits gives less.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.datasets import fetch_mnist
from kiso.experiments import Experiment, Outcome, at_least, at_most
from kiso.inference import entropy
from kiso.neural_network import GAN, ConvClassifier, plot_gan
from kiso.nn import Affine, BatchNorm, Flatten, Layer, LeakyReLU, Network, Reshape, Tanh
from kiso.optim import Adam, Cosine

if TYPE_CHECKING:
    from matplotlib.figure import Figure

N_LATENT, N_SAMPLES, SURE = 64, 1_000, 0.9
N_JUDGED = 15_000  # images that the judge learns from; it is asked about others
RATE, N_STEPS = 5e-4, 15_000
JUDGE = "conv 8 5x5, relu, pool 2, conv 16 5x5, relu, pool 2, dense 64, relu"


def digits() -> tuple[Any, Any]:
    """Images (n, 1, 28, 28) in [0, 1], float32, and their labels."""
    images, labels = fetch_mnist("train")
    return images.reshape(-1, 1, 28, 28).astype(np.float32) / 255, labels


def hidden(sizes: Sequence[int], normalise: bool, rng: Any, dtype: Any) -> list[Layer]:
    """Affine layers with leaky rectifiers, normalised over the batch or not."""
    layers: list[Layer] = []
    for n_in, n_out in pairwise(sizes):
        layers.append(Affine.create(n_in, n_out, init="he", random_state=rng, dtype=dtype))
        if normalise:
            layers.append(BatchNorm(n_out, dtype=dtype))
        layers.append(LeakyReLU(0.2))
    return layers


def generator(rng: Any, dtype: Any) -> Network:
    """64 → 256 → 512 → an image in (−1, 1)."""
    last = Affine.create(512, 784, random_state=rng, dtype=dtype)
    layers = hidden([N_LATENT, 256, 512], True, rng, dtype)
    return Network([*layers, last, Tanh(), Reshape((1, 28, 28))])


def discriminator(rng: Any, dtype: Any) -> Network:
    """An image → 512 → 256 → a number."""
    last = Affine.create(256, 1, random_state=rng, dtype=dtype)
    return Network([Flatten(), *hidden([784, 512, 256], False, rng, dtype), last])


def told(judge: Any, images: Any) -> tuple[float, float]:
    """Share of images that the judge is sure of, and the entropy over its classes."""
    p = judge.predict_proba(images)
    shares = np.bincount(np.argmax(p, axis=1), minlength=10) / len(p)
    return float(np.mean(p.max(axis=1) > SURE)), float(entropy(shares))


def measure(n_steps: int, seed: int) -> Outcome:
    """Train the judge on real digits, the GAN on all of them, and let the first read the second."""
    images, labels = digits()
    judge = ConvClassifier(JUDGE, max_iter=3, random_state=seed)
    gan = GAN(generator, discriminator, n_latent=N_LATENT, batch_size=64, gradient_penalty=0.1,
              averaging=0.999, rule=Adam(Cosine(RATE, n_steps), beta1=0.5), max_iter=n_steps,
              every=max(1, n_steps // 6), random_state=seed)  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # three epochs; what the GAN lacks is measured here
        judge.fit(images[:N_JUDGED], labels[:N_JUDGED])
        path = []
        for state in gan.steps(2 * images - 1):
            made = (gan.sample(N_SAMPLES, random_state=seed) + 1) / 2
            path.append((state.n_iter, *told(judge, made)))
    held_out = images[-10_000:]
    sure, classes = path[-1][1:]
    checks = (
        at_least("judge: accuracy on 10,000 images it has not seen", 0.96,
                 float(judge.score(held_out, labels[-10_000:]))),
        at_least("samples that the judge is sure of (p > 0.9)", 0.4, sure),
        at_least("entropy over their classes, in nats; ln 10 = 2.303", 2.2, classes),
        at_least("coverage of the data", 0.8, gan.coverage_),
        at_most("noise that the judge is sure of", sure - 0.1,
                told(judge, np.random.default_rng(seed).random((500, 1, 28, 28), np.float32))[0]),
    )  # fmt: skip
    data = {"gan": gan, "images": images, "path": np.array(path)}
    return Outcome(
        checks, data, f"Of real digits the judge is sure of {told(judge, held_out)[0]:.0%}."
    )


def draw(outcome: Outcome) -> Figure:
    """Left: real digits. Middle: made ones. Right: what the judge says on the way."""
    from matplotlib.figure import Figure

    gan, images, path = (outcome.data[name] for name in ("gan", "images", "path"))
    figure = Figure(figsize=(14, 4.8), layout="constrained")
    real, made, course = figure.subplots(1, 3)
    rows = images[:64, 0].reshape(8, 8, 28, 28).transpose(0, 2, 1, 3).reshape(224, 224)
    real.imshow(rows, cmap="gray_r")
    real.set(xticks=[], yticks=[], title="MNIST")
    plot_gan(gan, 2 * images[:1] - 1, made).set_title("made")
    course.plot(path[:, 0], path[:, 1], "o-", label=f"share with p > {SURE}")
    course.plot(path[:, 0], path[:, 2] / np.log(10), "s-", label="entropy over classes / ln 10")
    course.set(xlabel="steps", ylim=(0, 1.05))
    course.legend()
    return figure


EXPERIMENT = Experiment(
    title="MNIST's digits, made by a GAN and read by a convolutional network",
    rows=(91,),
    claim="In at most 15 minutes on two cores: all ten digits, and 40 % of the samples such "
    "that a classifier of real digits is sure of them (bounds of kiso's own)",
    source="Goodfellow et al. (2014), section 5, figure 2a; Salimans et al. (2016) for the judge",
    run=partial(measure, N_STEPS),
    draw=draw,
    slow=True,
    needs=("mnist",),
)
