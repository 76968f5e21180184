"""AdaGrad: each number has its own rate, smaller the more it has moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kiso._validation import Array

from ._check import check_real
from ._rule import ElementwiseRule
from ._rule_loops import adagrad
from ._schedules import LearningRate

__all__ = ["AdaGrad"]


@dataclass(frozen=True)
class AdaGrad(ElementwiseRule):
    """AdaGrad.

    r ← r + g²;  θ ← θ − η g / (√r + ε).

    Parameters
    ----------
    learning_rate : float or Schedule, default 0.01
        η > 0, or a callable step → η (the first step is 0).
    eps : float, default 1e-10
        Added to the root, so that nothing is divided by zero; positive.
    check_finite : bool, default True
        Refuse NaN and infinite gradients before anything is changed.

    References
    ----------
    Duchi, Hazan & Singer (2011); Goodfellow et al. (2016), algorithm 8.4.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.optim import AdaGrad
    >>> rule, params = AdaGrad(0.1), {"w": np.array([1.0, -2.0])}
    >>> state = rule.init(params)
    >>> params, state = rule.update({"w": np.array([0.5, 0.5])}, state, params)
    >>> params["w"]
    array([ 0.9, -2.1])
    """

    learning_rate: LearningRate = 0.01
    eps: float = 1e-10

    slot_names: ClassVar[tuple[str, ...]] = ("r",)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_real("eps", self.eps, above=0)

    def _move(self, p: Array, g: Array, slots: dict[str, Array], rate: float, step: int) -> None:
        adagrad(p, g, slots["r"], rate, self.eps)
