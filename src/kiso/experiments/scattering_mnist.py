"""MNIST from 1,000 training images: a linear classifier on scattering, and on pixels.

The classifier is the same: least squares on the ten indicators with a ridge penalty, features
standardised, the penalty chosen by cross-validation on the training rows. Pixels are given a
second chance with logistic regression, and the better of the two counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.model_selection import StratifiedKFold

from kiso.datasets import fetch_mnist
from kiso.experiments import Check, Experiment, Outcome, at_least, at_most
from kiso.linear_model import LogisticRegression, Ridge
from kiso.scattering import ScatteringTransform

if TYPE_CHECKING:
    from matplotlib.figure import Figure

N_TRAIN, N_TEST = 1000, 10_000
ALPHAS = (30.0, 300.0, 3000.0)
FOLDS = 3


def run(seed: int) -> Outcome:
    """Draw the training images, compute features, fit and count mistakes on the test images."""
    rng = np.random.default_rng(seed)
    images, y = fetch_mnist("train")
    chosen = rng.choice(len(y), N_TRAIN, replace=False)
    X, y = images[chosen].astype(np.float32) / 255, y[chosen]
    queries, truth = (rows[:N_TEST] for rows in fetch_mnist("test"))
    Q = queries.astype(np.float32) / 255
    scattering = ScatteringTransform(n_scales=2, n_orientations=6).fit(X)
    sets = {
        "pixels": (X.reshape(N_TRAIN, -1), Q.reshape(len(Q), -1)),
        "scattering": (scattering.transform(X), scattering.transform(Q)),
    }
    errors = {
        name: 100 * float(np.mean(predictions(A, y, B, seed) != truth))
        for name, (A, B) in sets.items()
    }
    logistic = LogisticRegression(C=0.1, max_iter=500).fit(sets["pixels"][0], y)
    errors["pixels, logistic"] = 100 * float(np.mean(logistic.predict(sets["pixels"][1]) != truth))
    maps = scattering.transform(X[:1]).reshape(scattering.output_shape_)
    remark = (
        f"{len(truth):,} test images; {sets['scattering'][0].shape[1]:,} features of "
        f"{len(scattering.paths_)} paths against {sets['pixels'][0].shape[1]} pixels."
    )
    data = {"errors": errors, "image": X[0], "maps": maps}
    return Outcome(tuple(checks_of(errors)), data, remark)


def predictions(X: Any, y: Any, Q: Any, seed: int) -> Any:
    """Digits of new rows, with the penalty that cross-validation chooses."""
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    wrong = [
        np.mean([np.mean(fitted(X[a], y[a], X[b], alpha) != y[b]) for a, b in folds.split(X, y)])
        for alpha in ALPHAS
    ]
    return fitted(X, y, Q, ALPHAS[int(np.argmin(wrong))])


def fitted(X: Any, y: Any, Q: Any, alpha: float) -> Any:
    """Fit on standardised rows, and classify others."""
    mean, spread = X.mean(axis=0), X.std(axis=0)
    scale = 1 / np.maximum(spread, 0.1 * spread.max())  # what hardly varies is not blown up
    model = Ridge(alpha).fit((X - mean) * scale, np.eye(10, dtype=X.dtype)[y])
    return model.predict((Q - mean) * scale).argmax(axis=1)


def checks_of(errors: Any) -> list[Check]:
    """The error with scattering, and how many times it goes into that with pixels."""
    pixels = min(errors["pixels"], errors["pixels, logistic"])
    return [
        at_most("scattering: test error, %", 5.5, errors["scattering"], digits=2),
        at_least("pixels, the better classifier: test error, %", 10.0, pixels, digits=2),
        at_least("error with pixels / error with scattering", 2.5, pixels / errors["scattering"],
                 digits=2),
    ]  # fmt: skip


def draw(outcome: Outcome) -> Figure:
    """Draw the errors, an image, and some of its features."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4), layout="constrained")
    halves: Any = figure.subfigures(1, 2, width_ratios=[1, 2])
    left, right = halves
    axes = left.subplots()
    errors = outcome.data["errors"]
    axes.bar(list(errors), list(errors.values()))
    axes.set(ylabel="test error, %", title=f"linear, {N_TRAIN:,} training images")
    maps = outcome.data["maps"]
    shown = [outcome.data["image"], *maps[:: len(maps) // 14][:14]]
    for ax, picture in zip(right.subplots(3, 5).ravel(), shown, strict=False):
        ax.imshow(picture, cmap="gray_r")
        ax.set(xticks=[], yticks=[])
    return figure


EXPERIMENT = Experiment(
    title="MNIST from 1,000 images: a linear classifier on scattering and on pixels",
    rows=(68,),
    claim="On two layers of wavelets and moduli a linear classifier of 1,000 training images errs "
    "several times less often than on pixels",
    source="Bruna & Mallat (2013), section 4.1; the bounds are kiso's own",
    run=run,
    draw=draw,
    needs=("mnist",),
)
