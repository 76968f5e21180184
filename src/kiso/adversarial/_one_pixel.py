"""One pixel, found by differential evolution, deceives a classifier; no gradient is needed.

A candidate is (row, column, value of each channel) in [0, 1]; v = a + F (b − c) of three
candidates replaces its parent where the model is less sure of the truth.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kiso._validation import Array, RandomState, check_generator

from ._gradient import class_codes
from ._network import as_model
from ._result import AttackResult, attack_inputs, judged

__all__ = ["one_pixel"]

MUTATION = 0.5  # F


def one_pixel(
    model: Any,
    X: Any,
    y: Any,
    *,
    image_shape: tuple[int, int, int] | None = None,
    target: Any = None,
    population: int = 50,
    n_generations: int = 20,
    bounds: tuple[float, float] = (0, 1),
    random_state: RandomState = None,
) -> AttackResult:
    """Change one pixel of each image so that the model errs.

    Parameters
    ----------
    model : fitted classifier
        With `predict_proba` or `decision_function`.
    X : array-like of shape (n_samples, channels, height, width) or (n_samples, n_features)
    y : array-like of shape (n_samples,)
        True labels.
    image_shape : (channels, height, width) or None, default=None
        Of a row; not needed where X has four axes.
    target : label or None, default=None
        The answer wanted; None is any but y.
    population, n_generations : int, default=50, 20
    bounds : (float, float), default=(0, 1)
    random_state : int, Generator, RandomState or None, default=None

    Returns
    -------
    AttackResult

    References
    ----------
    Su, Vargas & Sakurai (2019), One pixel attack for fooling deep neural networks.
    """
    X, y = attack_inputs(X, y, bounds)
    model = as_model(model)
    if not (hasattr(model, "predict_proba") or hasattr(model, "decision_function")):
        raise TypeError(f"{type(model).__name__}: needs predict_proba or decision_function")
    shape = X.shape[1:] if X.ndim == 4 else image_shape
    if shape is None or len(shape) != 3 or np.prod(shape) != X[0].size:
        raise ValueError(f"image_shape={image_shape}: give (channels, height, width) of a row")
    if population < 4 or n_generations < 0:
        raise ValueError(f"population={population}: give at least 4; n_generations at least 0")
    if getattr(model, "decision_function_shape", "ovr") == "ovo" and len(model.classes_) > 2:
        raise ValueError("decision_function_shape='ovo': give a model with 'ovr', a score a class")
    rng = check_generator(random_state)
    aim = y if target is None else np.broadcast_to(target, y.shape)
    sign = 1.0 if target is None else -1.0
    images = X.copy()
    for i, code in enumerate(class_codes(model, aim)):
        image = X[i].reshape(shape)

        def changed(genes: Array, image: Array = image, i: int = i) -> Array:
            return _changed(image, genes, bounds).reshape(-1, *X[i].shape)

        genes = rng.random((population, 2 + shape[0]))
        cost = sign * _sureness(model, changed(genes), code)
        for _ in range(n_generations):
            a, b, c = (rng.permutation(population) for _ in range(3))
            trial = np.clip(genes[a] + MUTATION * (genes[b] - genes[c]), 0, 1)
            new = sign * _sureness(model, changed(trial), code)
            better = new < cost
            genes[better], cost[better] = trial[better], new[better]
        images[i] = changed(genes[[cost.argmin()]])[0]
    return judged(model, X, images, y, target)


def _changed(image: Array, genes: Array, bounds: tuple[float, float]) -> Array:
    """Copies of an image, one a candidate, each with its pixel."""
    _, height, width = image.shape
    copies = np.repeat(image[None], len(genes), axis=0)
    rows = np.minimum((genes[:, 0] * height).astype(int), height - 1)
    columns = np.minimum((genes[:, 1] * width).astype(int), width - 1)
    lo, hi = bounds
    copies[np.arange(len(genes)), :, rows, columns] = lo + (hi - lo) * genes[:, 2:]
    return copies


def _sureness(model: Any, images: Array, code: int) -> Array:
    """How much the model holds with a class: its probability, or its score over the best."""
    if hasattr(model, "predict_proba"):
        probability: Array = model.predict_proba(images)[:, code]
        return probability
    scores = model.decision_function(images)
    if scores.ndim == 1:
        return scores if code == 1 else -scores
    return scores[:, code] - np.delete(scores, code, axis=1).max(axis=1)
