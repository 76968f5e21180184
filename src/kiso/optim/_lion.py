"""Lion: the sign of a momentum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kiso._validation import Array

from ._check import check_real
from ._rule import ElementwiseRule
from ._rule_loops import lion
from ._schedules import LearningRate

__all__ = ["Lion"]


@dataclass(frozen=True)
class Lion(ElementwiseRule):
    """Lion (evolved sign momentum).

    θ ← (1 − η λ) θ − η sign(β₁ m + (1 − β₁) g);  m ← β₂ m + (1 − β₂) g.

    Parameters
    ----------
    learning_rate : float or Schedule, default 1e-4
        η > 0, or a callable step → η (the first step is 0).
    beta1 : float, default 0.9
        β₁, the weight of the past in the sign; in [0, 1).
    beta2 : float, default 0.99
        β₂, how slowly the momentum forgets; in [0, 1).
    weight_decay : float, default 0.0
        λ, not negative.
    check_finite : bool, default True
        Refuse NaN and infinite gradients before anything is changed.

    References
    ----------
    Chen et al. (2023), Symbolic discovery of optimization algorithms, program 1.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.optim import Lion
    >>> rule, params = Lion(0.1), {"w": np.array([1.0, -2.0])}
    >>> state = rule.init(params)
    >>> params, state = rule.update({"w": np.array([0.5, 0.5])}, state, params)
    >>> params["w"]
    array([ 0.9, -2.1])
    """

    learning_rate: LearningRate = 1e-4
    beta1: float = 0.9
    beta2: float = 0.99
    weight_decay: float = 0.0

    slot_names: ClassVar[tuple[str, ...]] = ("m",)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_real("beta1", self.beta1, least=0, below=1)
        check_real("beta2", self.beta2, least=0, below=1)
        check_real("weight_decay", self.weight_decay, least=0)

    def _move(self, p: Array, g: Array, slots: dict[str, Array], rate: float, step: int) -> None:
        shrink = 1.0 - rate * self.weight_decay
        lion(p, g, slots["m"], rate, self.beta1, self.beta2, shrink)
