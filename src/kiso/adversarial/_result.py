"""What an attack gives: the changed images, whether they deceive, how far they went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kiso._validation import Array
from kiso.inspection._images import as_picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["AttackResult", "attack_inputs", "judged"]


@dataclass(frozen=True)
class AttackResult:
    """Images before and after an attack.

    Attributes
    ----------
    originals, images : ndarray of shape (n_samples, ...)
    before, after : ndarray of shape (n_samples,)
        The labels that the model gives them.
    success : ndarray of bool, shape (n_samples,)
        Whether `after` differs from the true label; with a target, whether it is the target.
    """

    originals: Array
    images: Array
    before: Array
    after: Array
    success: Array

    @property
    def success_rate(self) -> float:
        """Share of all samples given; those mistaken from the start count."""
        return float(np.mean(self.success))

    @property
    def norms(self) -> dict[str, Array]:
        """Of each change: "l0" (entries changed), "l2" and "linf"."""
        change = (self.images - self.originals).reshape(len(self.images), -1)
        return {
            "l0": np.count_nonzero(change, axis=1),
            "l2": np.linalg.norm(change, axis=1),
            "linf": np.abs(change).max(axis=1),
        }

    def plot(self, *, image_shape: tuple[int, int, int] | None = None, n: int = 5) -> Figure:
        """Draw original, change (grey is none) and result of the first `n` samples.

        Parameters
        ----------
        image_shape : (channels, height, width) or None, default=None
            Of a row; not needed where the images have four axes.
        n : int, default=5
        """
        from matplotlib.figure import Figure

        shape = self.images.shape[1:] if self.images.ndim == 4 else image_shape
        if shape is None:
            raise ValueError("image_shape=None: give (channels, height, width) of a row")
        n = min(n, len(self.images))
        figure = Figure(figsize=(6, 2 * n), layout="constrained")
        grid = figure.subplots(n, 3, squeeze=False)
        for i in range(n):
            change = self.images[i] - self.originals[i]
            change = 0.5 + 0.5 * change / max(float(np.abs(change).max()), 1e-12)
            shown = (self.originals[i], change, self.images[i])
            titles = (str(self.before[i]), "change", str(self.after[i]))
            for axes, image, title in zip(grid[i], shown, titles, strict=True):
                axes.imshow(as_picture(image.reshape(shape)), cmap="gray", vmin=0, vmax=1)
                axes.set(title=title, xticks=[], yticks=[])
        return figure


def judged(model: Any, originals: Array, images: Array, y: Array, target: Any) -> AttackResult:
    """Ask the model about the images."""
    before, after = model.predict(originals), model.predict(images)
    success = after != y if target is None else after == target
    return AttackResult(originals, images, before, after, success)


def attack_inputs(X: Any, y: Any, bounds: tuple[float, float]) -> tuple[Array, Array]:
    """Check images, labels and range; integers become float64."""
    X, y = np.asarray(X), np.asarray(y)
    X = X if X.dtype in (np.float32, np.float64) else X.astype(np.float64)
    lo, hi = bounds
    if not lo < hi:
        raise ValueError(f"bounds={bounds}: give (lowest, highest)")
    if X.ndim < 2 or not len(X) or y.shape != (len(X),):
        raise ValueError(f"X of shape {X.shape}, y of shape {y.shape}: give a label a sample")
    if not (X.min() >= lo and X.max() <= hi):
        raise ValueError(f"X goes from {X.min():g} to {X.max():g}, outside bounds={bounds}")
    return X, y
