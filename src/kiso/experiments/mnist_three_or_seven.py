"""Logistic regression tells a written 3 from a 7, but for 1.6 % of the test images.

Goodfellow, Shlens & Szegedy (2015) train logistic regression on these two digits before
they fool it. The pixels are divided by 255; nothing else is done to them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.datasets import fetch_mnist
from kiso.experiments import Check, Experiment, Outcome
from kiso.linear_model import LogisticRegression

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CLAIMED, SLACK = 1.6, 0.3  # per cent; 2,038 test images: one standard error is 0.28


def digits(split: Any) -> tuple[Any, Any]:
    """Load the threes and sevens of a split, as rows of numbers in [0, 1]."""
    images, labels = fetch_mnist(split)
    chosen = (labels == 3) | (labels == 7)
    return images[chosen].reshape(int(chosen.sum()), -1) / 255.0, labels[chosen]


def error_check(error: float) -> Check:
    """Compare a test error, in per cent, with the published one."""
    return Check(
        "test error, 3 against 7, %", f"{CLAIMED} ± {SLACK}", error, abs(error - CLAIMED) <= SLACK
    )


def run(seed: int) -> Outcome:
    """Fit on the training images, count mistakes on the test images."""
    X, y = digits("train")
    model = LogisticRegression(random_state=seed).fit(X, y)
    images, truth = digits("test")
    wrong = model.predict(images) != truth
    data = {
        "weights": model.coef_.reshape(28, 28),
        "wrong": images[wrong][:10].reshape(-1, 28, 28),
        "labels": truth[wrong][:10],
    }
    remark = f"{len(y):,} training images, C = 1; {wrong.sum()} of {len(truth):,} mistaken."
    return Outcome((error_check(100 * float(np.mean(wrong))),), data, remark)


def draw(outcome: Outcome) -> Figure:
    """The weights as a picture, and the first test images that are mistaken."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4), layout="constrained")
    halves: Any = figure.subfigures(1, 2, width_ratios=[1, 2])
    left, right = halves
    axes = left.subplots()
    weights = outcome.data["weights"]
    size = float(np.abs(weights).max())
    axes.imshow(weights, cmap="coolwarm", vmin=-size, vmax=size)
    axes.set(title="weights: red says 7, blue says 3", xticks=[], yticks=[])
    for axes, image, label in zip(
        right.subplots(2, 5).ravel(), outcome.data["wrong"], outcome.data["labels"], strict=False
    ):
        axes.imshow(image, cmap="gray_r")
        axes.set(title=f"a {label}", xticks=[], yticks=[])
    return figure


EXPERIMENT = Experiment(
    title="MNIST, 3 against 7: logistic regression errs on 1.6 %",
    rows=(8,),
    claim="Logistic regression on MNIST's threes and sevens has a test error of 1.6 %",
    source="Goodfellow, Shlens & Szegedy (2015), Explaining and harnessing adversarial examples",
    run=run,
    draw=draw,
    needs=("mnist",),
)
