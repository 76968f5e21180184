"""An adversarial patch: one piece of picture that makes a classifier say what it should not.

p ← argmin E over images x and places T of  C(A(p, x, T), target),  C = −log p(target | ·),
with p kept within the bounds. A is linear in p (`_placement.py`), so the gradient is that of
the classifier in its input, taken back by the adjoint. Nothing of the target has to be seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from kiso._validation import Array, RandomState, check_generator
from kiso.base import State
from kiso.optim import Adam

from ._gradient import class_codes, loss_gradient
from ._network import as_model
from ._placement import Range, disc, draw_placement
from ._result import AttackResult, attack_inputs, judged

__all__ = ["PatchResult", "PatchState", "adversarial_patch", "apply_patch", "patch_steps"]

Shape = tuple[int, int, int]
SCALES, ROTATIONS = (0.8, 1.2), (-20.0, 20.0)


@dataclass(frozen=True, kw_only=True)
class PatchState(State):
    """The patch after a step.

    Attributes
    ----------
    patch : ndarray of shape (channels, height, width)
    objective : float
        Of the images of this step, before it: the mean of −log p(target), where the model
        has probabilities; else the share that is not taken for the target.
    """

    patch: Array


@dataclass(frozen=True)
class PatchResult(AttackResult):
    """Images with the patch, and the patch.

    Attributes
    ----------
    patch : ndarray of shape (channels, height, width)
    objective_path : ndarray of shape (n_steps,)
    """

    patch: Array
    objective_path: Array


def patch_steps(
    model: Any,
    X: Any,
    *,
    target: Any,
    size: int | tuple[int, int],
    image_shape: Shape | None = None,
    shape: str = "square",
    scales: Range = SCALES,
    rotations: Range = ROTATIONS,
    n_steps: int = 200,
    batch_size: int = 64,
    learning_rate: float = 0.05,
    bounds: tuple[float, float] = (0, 1),
    random_state: RandomState = None,
) -> Iterator[PatchState]:
    """Improve a patch step by step: the states of `adversarial_patch`, with its parameters.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.adversarial import patch_steps
    >>> from kiso.linear_model import LogisticRegression
    >>> X = np.linspace(0, 1, 5)[:, None] * np.ones(16)
    >>> model = LogisticRegression(C=10).fit(X, [0, 0, 0, 1, 1])
    >>> steps = patch_steps(model, X[:2], target=1, size=2, image_shape=(1, 4, 4), n_steps=3)
    >>> [state.n_iter for state in steps]
    [1, 2, 3]
    """
    X, _ = attack_inputs(X, np.full(len(X), target), bounds)
    image = _image_shape(X, image_shape)
    mask = _mask(size, image, shape, scales, rotations).astype(X.dtype)
    for name, count in (("n_steps", n_steps), ("batch_size", batch_size)):
        if count < 1:
            raise ValueError(f"{name}={count}: give at least 1")
    model = as_model(model)
    class_codes(model, [target])
    rng, rule = check_generator(random_state), Adam(learning_rate)

    def states() -> Iterator[PatchState]:
        lo, hi = bounds
        patch = rng.uniform(lo, hi, (image[0], *mask.shape)).astype(X.dtype)
        memory, size = rule.init({"patch": patch}), min(batch_size, len(X))
        for n_iter in range(1, n_steps + 1):
            x = X[rng.choice(len(X), size, replace=False)]
            at = draw_placement(size, mask, image[1:], rng, scales=scales, rotations=rotations)
            y = at.apply(x.reshape(-1, *image), patch).reshape(x.shape)
            dy = loss_gradient(model, y, np.full(size, target)).reshape(-1, *image)
            gradient = at.adjoint(dy).astype(patch.dtype) / size
            moved, memory = rule.update({"patch": gradient}, memory, {"patch": patch})
            patch = np.clip(moved["patch"], lo, hi).astype(X.dtype)
            yield PatchState(n_iter=n_iter, objective=_objective(model, y, target), patch=patch,
                             converged=n_iter == n_steps)  # fmt: skip

    return states()


def adversarial_patch(
    model: Any,
    X: Any,
    y: Any,
    *,
    target: Any,
    size: int | tuple[int, int],
    image_shape: Shape | None = None,
    shape: str = "square",
    scales: Range = SCALES,
    rotations: Range = ROTATIONS,
    n_steps: int = 200,
    batch_size: int = 64,
    learning_rate: float = 0.05,
    bounds: tuple[float, float] = (0, 1),
    random_state: RandomState = None,
) -> PatchResult:
    """Find a patch that makes the model answer `target` wherever it lies.

    The mean of C(A(p, x, T), target) over images x and placements T falls by Adam on p, from
    noise; p is clipped to the bounds. The result shows X with the patch at places that are
    drawn anew; `apply_patch` lays it on other images.

    Parameters
    ----------
    model, X, y
        As for `loss_gradient`; y are the true labels. Images of the target itself count as
        successes, so leave them out.
    target : label
        The answer wanted.
    size : int or (height, width)
        Of the patch, in pixels, at scale 1.
    image_shape : (channels, height, width) or None, default=None
        Of a row; not needed where X has four axes.
    shape : {"square", "disc"}, default="square"
    scales : (float, float), default=(0.8, 1.2)
        Smallest and largest scale.
    rotations : (float, float), default=(-20, 20)
        Degrees, clockwise.
    n_steps : int, default=200
    batch_size : int, default=64
        Images a step, each with its own placement.
    learning_rate : float, default=0.05
        Of Adam, in units of the pixels.
    bounds : (float, float), default=(0, 1)
    random_state : int, Generator, RandomState or None, default=None

    Returns
    -------
    PatchResult

    Raises
    ------
    ValueError
        If the patch is larger than the images, or an argument out of range.

    References
    ----------
    Brown, Mané, Roy, Abadi & Gilmer (2017), Adversarial patch.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.adversarial import adversarial_patch
    >>> from kiso.linear_model import LogisticRegression
    >>> X = np.linspace(0, 1, 40)[:, None] * np.ones(16)
    >>> y = (X[:, 0] > 0.5).astype(int)
    >>> model = LogisticRegression(C=10).fit(X, y)
    >>> result = adversarial_patch(model, X[15:20], y[15:20], target=1, size=2,
    ...                            image_shape=(1, 4, 4), random_state=0)
    >>> result.patch.shape, result.success_rate
    ((1, 2, 2), 1.0)
    """
    X, y = attack_inputs(X, y, bounds)
    rng = check_generator(random_state)
    states = list(
        patch_steps(
            model, X, target=target, size=size, image_shape=image_shape, shape=shape,
            scales=scales, rotations=rotations, n_steps=n_steps, batch_size=batch_size,
            learning_rate=learning_rate, bounds=bounds, random_state=rng,
        )
    )  # fmt: skip
    patch = states[-1].patch
    images = apply_patch(X, patch, image_shape=image_shape, shape=shape, scales=scales,
                         rotations=rotations, random_state=rng)  # fmt: skip
    found = judged(as_model(model), X, images, y, target)
    path = np.array([state.objective for state in states])
    return PatchResult(**vars(found), patch=patch, objective_path=path)


def apply_patch(
    X: Any,
    patch: Any,
    *,
    image_shape: Shape | None = None,
    shape: str = "square",
    scales: Range = SCALES,
    rotations: Range = ROTATIONS,
    random_state: RandomState = None,
) -> Array:
    """Lay a patch on images, each time at a place, scale and rotation of its own.

    Parameters
    ----------
    X : array-like of shape (n_samples, channels, height, width) or (n_samples, n_features)
    patch : array-like of shape (channels, height, width)
    image_shape, shape, scales, rotations, random_state
        As for `adversarial_patch`.

    Returns
    -------
    ndarray of the shape of X

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.adversarial import apply_patch
    >>> apply_patch(np.zeros((1, 1, 2, 2)), np.ones((1, 2, 2)), scales=(1, 1), rotations=(0, 0))
    array([[[[1., 1.],
             [1., 1.]]]])
    """
    X = np.asarray(X)
    X = X if X.dtype in (np.float32, np.float64) else X.astype(np.float64)
    image, patch = _image_shape(X, image_shape), np.asarray(patch, dtype=X.dtype)
    if patch.ndim != 3 or len(patch) != image[0]:
        raise ValueError(f"patch of shape {patch.shape}: give ({image[0]}, height, width)")
    mask = _mask(patch.shape[1:], image, shape, scales, rotations).astype(X.dtype)
    rng = check_generator(random_state)
    at = draw_placement(len(X), mask, image[1:], rng, scales=scales, rotations=rotations)
    return at.apply(X.reshape(-1, *image), patch).reshape(X.shape).astype(X.dtype, copy=False)


def _image_shape(X: Array, given: Shape | None) -> Shape:
    shape = X.shape[1:] if X.ndim == 4 else given
    if shape is None or len(shape) != 3 or np.prod(shape) != X[0].size:
        raise ValueError(f"image_shape={given}: give (channels, height, width) of a row")
    return shape[0], shape[1], shape[2]


def _mask(size: int | tuple[int, ...], image: Shape, shape: str, *ranges: Range) -> Array:
    """Check what describes the patch and its placement; return its mask."""
    pair = (size, size) if isinstance(size, int | np.integer) else tuple(size)
    if len(pair) != 2 or not all(1 <= k <= m for k, m in zip(pair, image[1:], strict=True)):
        raise ValueError(f"size={size}: give 1 to {image[1]} × 1 to {image[2]}, the images' own")
    if shape not in ("square", "disc"):
        raise ValueError(f"shape={shape!r}: give 'square' or 'disc'")
    for name, (lo, hi) in zip(("scales", "rotations"), ranges, strict=True):
        if not lo <= hi or (name == "scales" and not lo > 0):
            raise ValueError(f"{name}=({lo}, {hi}): give (least, largest), scales above 0")
    return np.ones(pair) if shape == "square" else disc((int(pair[0]), int(pair[1])))


def _objective(model: Any, X: Array, target: Any) -> float:
    if not hasattr(model, "predict_proba"):
        return float(np.mean(model.predict(X) != target))
    p = model.predict_proba(X)[:, class_codes(model, [target])[0]]
    return float(-np.log(np.maximum(p, np.finfo(p.dtype).tiny)).mean())
