"""Momentum: the step is a decaying sum of past gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kiso._validation import Array

from ._check import check_real
from ._rule import ElementwiseRule
from ._rule_loops import momentum
from ._schedules import LearningRate

__all__ = ["Momentum"]


@dataclass(frozen=True)
class Momentum(ElementwiseRule):
    """Gradient descent with (heavy ball) momentum.

    v ← α v − η g;  θ ← θ + v.

    With a rate that changes the two usual forms differ: here η is inside the velocity, as in
    the texts, so that old gradients keep the rate of their step. With `rate_outside` it is
    v ← α v + g;  θ ← θ − η v, as in PyTorch: a change of the rate acts at once on all of v.

    Parameters
    ----------
    learning_rate : float or Schedule, default 0.01
        η > 0, or a callable step → η (the first step is 0).
    alpha : float, default 0.9
        α, the share of the velocity that is kept; in [0, 1).
    rate_outside : bool, default False
        Multiply the velocity, not the gradient, by η (PyTorch's ``SGD(momentum=α)``).
    check_finite : bool, default True
        Refuse NaN and infinite gradients before anything is changed.

    References
    ----------
    Polyak (1964); Goodfellow et al. (2016), Deep Learning, equations 8.15 and 8.16.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.optim import Momentum
    >>> rule, params = Momentum(0.1), {"w": np.array([1.0, -2.0])}
    >>> state = rule.init(params)
    >>> params, state = rule.update({"w": np.array([0.5, 0.5])}, state, params)
    >>> params["w"]
    array([ 0.95, -2.05])
    """

    learning_rate: LearningRate = 0.01
    alpha: float = 0.9
    rate_outside: bool = False

    slot_names: ClassVar[tuple[str, ...]] = ("v",)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_real("alpha", self.alpha, least=0, below=1)

    def _move(self, p: Array, g: Array, slots: dict[str, Array], rate: float, step: int) -> None:
        v = slots["v"]
        if not self.rate_outside:
            momentum(p, g, v, rate, self.alpha)
            return
        kind = p.dtype.type
        v *= kind(self.alpha)
        v += g
        p -= kind(rate) * v
