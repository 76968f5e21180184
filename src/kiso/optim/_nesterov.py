"""Nesterov's momentum: the gradient is that of the place where the velocity leads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kiso._validation import Array

from ._check import check_real
from ._rule import ElementwiseRule
from ._rule_loops import nesterov
from ._schedules import LearningRate

__all__ = ["Nesterov"]


@dataclass(frozen=True)
class Nesterov(ElementwiseRule):
    """Nesterov's accelerated gradient, written for the gradient at the parameters themselves.

    v ← α v − η g;  θ ← θ + α v − η g.

    With φ = θ − α v this is Nesterov's v ← α v − η ∇f(φ + α v), φ ← φ + v: the parameters
    kept here are the looked-ahead ones, so that the caller never has to look ahead. With
    `rate_outside` it is v ← α v + g;  θ ← θ − η (g + α v), as in PyTorch: the same while the
    rate is constant.

    Parameters
    ----------
    learning_rate : float or Schedule, default 0.01
        η > 0, or a callable step → η (the first step is 0).
    alpha : float, default 0.9
        α, the share of the velocity that is kept; in [0, 1).
    rate_outside : bool, default False
        Multiply the velocity, not the gradient, by η (PyTorch's ``SGD(nesterov=True)``).
    check_finite : bool, default True
        Refuse NaN and infinite gradients before anything is changed.

    References
    ----------
    Nesterov (1983); Sutskever et al. (2013), equations 3 and 4; Bengio et al. (2012).

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.optim import Nesterov
    >>> rule, params = Nesterov(0.1), {"w": np.array([1.0, -2.0])}
    >>> state = rule.init(params)
    >>> params, state = rule.update({"w": np.array([0.5, 0.5])}, state, params)
    >>> params["w"]
    array([ 0.905, -2.095])
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
            nesterov(p, g, v, rate, self.alpha)
            return
        kind = p.dtype.type
        v *= kind(self.alpha)
        v += g
        p -= kind(rate) * (g + kind(self.alpha) * v)
