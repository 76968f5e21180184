"""Gradient clipping: no step is longer, or no number of it larger, than one allows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from kiso._validation import Array

from ._check import check_real
from ._transform import GradientTransform
from ._tree import Tree, leaves_of

__all__ = ["ClipNorm", "ClipValue", "global_norm"]


def global_norm(tree: Tree) -> float:
    """Return the Euclidean norm of all numbers of a tree taken together.

    It neither overflows nor underflows where the norm itself does not.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.optim import global_norm
    >>> global_norm({"W": np.array([[3e200]]), "b": [np.array([4e200])]})
    5e+200
    """
    return _norm(leaves_of(tree))


def _norm(leaves: list[Array]) -> float:
    largest = max((float(np.max(np.abs(leaf), initial=0.0)) for leaf in leaves), default=0.0)
    if largest == 0.0 or not math.isfinite(largest):
        return largest
    scaled = (np.divide(leaf, largest, dtype=np.float64).ravel() for leaf in leaves)
    return largest * math.sqrt(math.fsum(float(part @ part) for part in scaled))


@dataclass(frozen=True)
class ClipNorm(GradientTransform):
    """Clip by global norm: g ← g · min(1, c/‖g‖), over all parameters together.

    The direction stays; only the length is limited.

    Parameters
    ----------
    rule : Rule
        Takes the step.
    max_norm : float, default 1.0
        c, positive.

    References
    ----------
    Pascanu et al. (2013); Goodfellow et al. (2016), Deep Learning, equation 10.49.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.optim import ClipNorm, GradientDescent
    >>> rule, w = ClipNorm(GradientDescent(1.0), max_norm=1.0), np.zeros(2)
    >>> w, state = rule.update(np.array([3.0, -4.0]), rule.init(w), w)
    >>> w
    array([-0.6,  0.8])
    """

    max_norm: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_real("max_norm", self.max_norm, above=0)

    def _transform(self, grads: list[Array], params: list[Array], out: list[Array]) -> None:
        norm = _norm(grads)
        scale = min(1.0, self.max_norm / norm) if norm > 0 else 1.0
        for g, into in zip(grads, out, strict=True):
            np.multiply(g, into.dtype.type(scale), out=into)


@dataclass(frozen=True)
class ClipValue(GradientTransform):
    """Clip by value: each number of g into [−c, c]. The direction may change.

    Parameters
    ----------
    rule : Rule
        Takes the step.
    max_value : float, default 1.0
        c, positive.

    References
    ----------
    Goodfellow et al. (2016), Deep Learning, section 10.11.1.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.optim import ClipValue, GradientDescent
    >>> rule, w = ClipValue(GradientDescent(1.0), max_value=1.0), np.zeros(2)
    >>> w, state = rule.update(np.array([3.0, -0.5]), rule.init(w), w)
    >>> w
    array([-1. ,  0.5])
    """

    max_value: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_real("max_value", self.max_value, above=0)

    def _transform(self, grads: list[Array], params: list[Array], out: list[Array]) -> None:
        for g, into in zip(grads, out, strict=True):
            np.clip(g, -self.max_value, self.max_value, out=into)
