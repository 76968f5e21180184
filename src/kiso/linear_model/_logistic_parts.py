"""The objective of logistic regression on rows in parts: `Objective` of each part, added up.

f, ∇f and ∇²f are sums over rows but for the penalty, which is added once. One evaluation is one
pass over the parts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from kiso._parts import Part, Parts, add
from kiso._validation import Array

from ._logistic_objective import Evaluation, Objective

__all__ = ["Labels", "ObjectiveOfParts", "labels_of"]


@dataclass(frozen=True)
class Labels:
    """How labels become classes and weights.

    Attributes
    ----------
    classes : ndarray of shape (K,)
        Sorted.
    scale : ndarray of shape (K,), float64
        What the weight of a row of each class is multiplied by, so that all sum to 1.
    """

    classes: Array
    scale: Array

    def objective(self, part: Part, *, intercept: bool) -> Objective:
        """The objective of a part, without the penalty."""
        codes = np.searchsorted(self.classes, part.y).astype(np.intp, copy=False)
        s = self.scale[codes]
        if part.weight is not None:
            s = s * part.weight
        return Objective(part.X, codes, s, len(self.classes), intercept, l2=0.0)


def labels_of(rows: Parts) -> tuple[Array, Array]:
    """Find the classes, sorted, and the weight of each."""
    return rows.sum_of(_labels_of_part, merge=_all_labels)


def _labels_of_part(part: Part) -> tuple[Array, Array]:
    classes, codes = np.unique(part.y, return_inverse=True)
    return classes, np.bincount(codes, weights=part.weight).astype(np.float64)


def _all_labels(one: tuple[Array, Array], other: tuple[Array, Array]) -> tuple[Array, Array]:
    classes, codes = np.unique(np.concatenate([one[0], other[0]]), return_inverse=True)
    return classes, np.bincount(codes, weights=np.concatenate([one[1], other[1]]))


@dataclass(frozen=True)
class ObjectiveOfParts(Objective):
    """`Objective` where X is `Parts`; y and s lie in the parts, and are empty here.

    Attributes
    ----------
    labels : Labels
    """

    labels: Labels = Labels(np.empty(0), np.empty(0))

    @property
    def n_rows(self) -> int:
        return int(self.X.n_rows)

    def subset(self, rows: Array) -> Objective:
        """Return the objective of some of the rows alone; they are brought here."""
        found = self.labels.objective(self.X.take(rows), intercept=self.intercept)
        return replace(found, s=found.s / found.s.sum(), l2=self.l2)

    def value_gradient(self, theta: Array) -> Evaluation:
        """Give f and ∇f at θ, in one pass."""
        return self._penalised(self._sum("value_gradient", theta), theta)

    def hessian(self, theta: Array) -> Evaluation:
        """Give f, ∇f and ∇²f at θ, in one pass."""
        found = self._penalised(self._sum("hessian", theta), theta)
        assert found.hessian is not None
        self._add_penalty(found.hessian)
        return found

    def class_hessians(self, theta: Array) -> list[Array]:
        """Compute the K diagonal blocks of ∇²f, each (p, p)."""
        blocks = [np.array(block) for block in self._sum("class_hessians", theta)]
        for block in blocks:
            self._add_penalty(block)
        return blocks

    def diagonal(self, theta: Array) -> Array:
        """Compute the diagonal of ∇²f, shape (p, K)."""
        D = np.array(self._sum("diagonal", theta))
        D[: self.X.shape[1]] += self.l2
        return D

    def _sum(self, what: str, theta: Array) -> Any:
        return self.X.sum_of(_of_part, what, theta, self.labels, self.intercept, merge=_merged)

    def _penalised(self, at: Evaluation, theta: Array) -> Evaluation:
        w, gradient = theta[: self.X.shape[1]], at.gradient.copy()
        gradient[: len(w)] += self.l2 * w
        value = at.value + 0.5 * self.l2 * float(np.vdot(w, w))
        hessian = None if at.hessian is None else at.hessian.copy()
        return Evaluation(value, gradient, at.worst, hessian)


def _of_part(part: Part, what: str, theta: Array, labels: Labels, intercept: bool) -> Any:
    found = getattr(labels.objective(part, intercept=intercept), what)(theta)
    return tuple(found) if isinstance(found, list) else found


def _merged(one: Any, other: Any) -> Any:
    if not isinstance(one, Evaluation):
        return add(one, other)
    hessian = None if one.hessian is None else one.hessian + other.hessian
    worst = max(one.worst, other.worst)
    return Evaluation(one.value + other.value, one.gradient + other.gradient, worst, hessian)
