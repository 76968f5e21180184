"""A step of .25 along the sign of the gradient: linear classifiers of digits are all wrong.

Goodfellow, Shlens & Szegedy (2015): pixels in [0, 1], x + ε sign ∇ₓC, clipped. The paper does
not say of which images the error is counted; here it is of all test images.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.adversarial import fgsm
from kiso.datasets import fetch_mnist
from kiso.experiments import Check, Experiment, Outcome, at_least, close
from kiso.linear_model import LogisticRegression

if TYPE_CHECKING:
    from matplotlib.figure import Figure

EPS = 0.25
TRAIN = 6000  # images that the softmax regression sees; 3 against 7 has all of them


def digits(split: Any) -> tuple[Any, Any]:
    """Load a split as rows of numbers in [0, 1]."""
    images, labels = fetch_mnist(split)
    return images.reshape(len(images), -1) / 255.0, labels


def checks_of(clean: float, binary: float, softmax: float) -> tuple[Check, ...]:
    """Compare errors, in per cent, with the published ones (99 and 99.9 are approximate)."""
    return (
        close("3 against 7: error, clean, %", 1.6, clean, atol=0.3),
        at_least("3 against 7: error after FGSM, %", 98.5, binary),
        at_least("ten digits, softmax: error after FGSM, %", 99.5, softmax),
    )


def run(seed: int) -> Outcome:
    """Fit both models, attack all test images."""
    X, y = digits("train")
    images, truth = digits("test")
    two, test_two = np.isin(y, (3, 7)), np.isin(truth, (3, 7))
    binary = LogisticRegression(random_state=seed).fit(X[two], y[two])
    softmax = LogisticRegression(C=0.1, random_state=seed).fit(X[:TRAIN], y[:TRAIN])
    clean = 100 * float(np.mean(binary.predict(images[test_two]) != truth[test_two]))
    small = fgsm(binary, images[test_two], truth[test_two], eps=EPS)
    large = fgsm(softmax, images, truth, eps=EPS)
    sure = float(softmax.predict_proba(large.images).max(axis=1)[large.success].mean())
    checks = checks_of(clean, 100 * small.success_rate, 100 * large.success_rate)
    remark = (
        f"Softmax from {TRAIN:,} images; its mean confidence where it errs: {100 * sure:.1f} %."
    )
    return Outcome(checks, {"result": large}, remark)


def draw(outcome: Outcome) -> Figure:
    """Original, change and result of the first test images."""
    figure: Figure = outcome.data["result"].plot(image_shape=(1, 28, 28), n=4)
    return figure


EXPERIMENT = Experiment(
    title="FGSM on MNIST: a step of .25 makes linear classifiers err on nearly all images",
    rows=(70,),
    claim="ε = .25: softmax regression errs on 99.9 %; 3 against 7 goes from 1.6 % to 99 %",
    source="Goodfellow, Shlens & Szegedy (2015), Explaining and harnessing adversarial examples",
    run=run,
    draw=draw,
    needs=("mnist",),
)
