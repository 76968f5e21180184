"""The modified Hausdorff distance between drawings, and the nearest drawing by it.

    h(A, B) = (1/|A|) Σ_{a ∈ A} min_{b ∈ B} ‖a − b‖,     d(A, B) = max(h(A, B), h(B, A))

for sets of points A, B: the places of ink, moved so that their mean is the origin (Dubuisson
& Jain 1994; the baseline that comes with Omniglot, Lake et al. 2015).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from kiso._compute.threads import map_rows
from kiso._gate import real_numbers
from kiso._validation import Array, Real

from ._hausdorff_loops import hausdorff_lane
from ._support import FewShotClassifier

__all__ = ["ModifiedHausdorffClassifier", "modified_hausdorff"]


@dataclass(frozen=True)
class PointSets:
    """Sets of points of the plane, one after the other."""

    rows: Array
    columns: Array
    start: Array  # set i is start[i] … start[i + 1] − 1

    @classmethod
    def of(cls, sets: Sequence[Array]) -> PointSets:
        """Put sets of shape (n_points, 2) together."""
        start = np.zeros(len(sets) + 1, np.intp)
        np.cumsum([len(points) for points in sets], out=start[1:])
        together = np.concatenate([np.empty((0, 2)), *sets])
        return cls(together[:, 0].copy(), together[:, 1].copy(), start)

    def __len__(self) -> int:
        """Return the number of sets."""
        return len(self.start) - 1

    @property
    def largest(self) -> int:
        """Points of the largest set."""
        return int(np.diff(self.start).max(initial=0))


def distances(A: PointSets, B: PointSets) -> Array:
    """Return d of each set of A to each of B; infinite where one of the two is empty."""
    out = np.empty((len(A), len(B)))
    room = max(A.largest, B.largest)

    def lane(sets: slice) -> None:
        hausdorff_lane(A.rows, A.columns, A.start, B.rows, B.columns, B.start,
                       sets.start, sets.stop, np.empty(room), out)  # fmt: skip

    map_rows(lane, len(A))
    return out


def modified_hausdorff(a: ArrayLike, b: ArrayLike) -> float:
    """Modified Hausdorff distance between two sets of points of the plane, as they are.

    d(A, B) = max(h(A, B), h(B, A)), where h(A, B) is the mean distance of the points of A
    to the nearest of B. Not a metric: the triangle inequality may fail.

    Parameters
    ----------
    a, b : array-like of shape (n_points, 2)

    Returns
    -------
    float
        In the unit of the coordinates.

    Raises
    ------
    ValueError
        If a set is empty or not of the plane, or holds NaN.

    References
    ----------
    M.-P. Dubuisson, A. K. Jain, "A modified Hausdorff distance for object matching", ICPR 1994.

    Examples
    --------
    >>> from kiso.few_shot import modified_hausdorff
    >>> modified_hausdorff([[0, 0], [0, 3]], [[4, 0]])
    4.5
    """
    sets = []
    for name, points in (("a", a), ("b", b)):
        array = real_numbers(points, name)
        if array.ndim != 2 or array.shape[1] != 2 or len(array) == 0:
            raise ValueError(f"{name}: shape {array.shape}; give (n_points, 2), one point or more")
        if not np.isfinite(array).all():
            raise ValueError(f"{name} contains NaN or infinity")
        sets.append(PointSets.of([array]))
    return float(distances(*sets)[0, 0])


class ModifiedHausdorffClassifier(FewShotClassifier, BaseEstimator):
    """The nearest example by the modified Hausdorff distance between places of ink.

    d(A, B) = max(h(A, B), h(B, A)) with h the mean distance of one drawing's points to the
    other's nearest, after both are moved to have their mean at the origin. Nothing is learned
    and nothing is random: `fit` takes its samples as the support set.

    Parameters
    ----------
    threshold : float, default=0.5
        Pixels above it are ink. Half the ink's value is what to give for other scales: 127
        for grey levels up to 255.
    image_shape : (height, width) or None, default=None
        Shape of the pictures where they come as rows of pixels.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Classes of the support set.
    example_class_ : ndarray of shape (n_examples,), int
    sample_shape_ : tuple of int
    n_features_in_ : int

    Raises
    ------
    ValueError
        For samples that are no pictures of one channel, an example without ink, or a picture
        without ink that is to be classified.

    References
    ----------
    M.-P. Dubuisson, A. K. Jain, "A modified Hausdorff distance for object matching", ICPR 1994.
    B. M. Lake, R. Salakhutdinov, J. B. Tenenbaum, "Human-level concept learning through
    probabilistic program induction", Science 350, 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.few_shot import ModifiedHausdorffClassifier
    >>> bar, dot = np.zeros((2, 7, 7))
    >>> bar[3], dot[3, 3] = 1, 1
    >>> model = ModifiedHausdorffClassifier().fit([bar, dot], ["bar", "dot"])
    >>> model.predict([np.roll(bar, 2, axis=0)])  # moved: the same drawing
    array(['bar'], dtype='<U3')
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "threshold": [Real],
        "image_shape": ["array-like", None],
    }

    def __init__(self, threshold: float = 0.5, *, image_shape: Sequence[int] | None = None):
        self.threshold = threshold
        self.image_shape = image_shape

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = self.image_shape is not None
        tags.input_tags.three_d_array = True
        return tags

    def fit(self, X: Any, y: Any) -> Self:
        """Take labelled pictures as the support set.

        Parameters
        ----------
        X : array-like of shape (n_samples, height, width), or (n_samples, n_pixels)
        y : array-like of shape (n_samples,)

        Returns
        -------
        self
        """
        self._validate_params()
        X, y = self._checked(X, y, reset=True, what="X")
        self._take(X, y)
        return self

    def _represent(self, X: Array) -> PointSets:
        if X.ndim == 4 and X.shape[1] == 1:
            X = X[:, 0]
        if X.ndim != 3:
            raise ValueError(
                f"X has samples of shape {X.shape[1:]}: give pictures (n, height, width), or say "
                "image_shape=(height, width) where they come as rows of pixels"
            )
        sets = []
        for i, picture in enumerate(X):
            points = np.argwhere(picture > self.threshold).astype(np.float64)
            if len(points) == 0:
                raise ValueError(
                    f"X[{i}] has no ink: no pixel is above threshold={self.threshold} (its "
                    f"largest is {picture.max():.3g})"
                )
            sets.append(points - points.mean(axis=0))
        return PointSets.of(sets)

    def _to_examples(self, Q: PointSets) -> Array:
        return distances(Q, self._examples)
