"""Gradient descent: a step along the negative gradient."""

from __future__ import annotations

from dataclasses import dataclass

from kiso._validation import Array

from ._rule import ElementwiseRule
from ._rule_loops import gradient_descent
from ._schedules import LearningRate

__all__ = ["GradientDescent"]


@dataclass(frozen=True)
class GradientDescent(ElementwiseRule):
    """Gradient descent.

    θ ← θ − η g.

    Parameters
    ----------
    learning_rate : float or Schedule, default 0.01
        η > 0, or a callable step → η (the first step is 0).
    check_finite : bool, default True
        Refuse NaN and infinite gradients before anything is changed.

    References
    ----------
    Cauchy (1847); Goodfellow et al. (2016), Deep Learning, section 4.3.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.optim import GradientDescent
    >>> rule, params = GradientDescent(0.1), {"w": np.array([1.0, -2.0])}
    >>> state = rule.init(params)
    >>> params, state = rule.update({"w": np.array([0.5, 0.5])}, state, params)
    >>> params["w"]
    array([ 0.95, -2.05])
    """

    learning_rate: LearningRate = 0.01

    def _move(self, p: Array, g: Array, slots: dict[str, Array], rate: float, step: int) -> None:
        gradient_descent(p, g, rate)
