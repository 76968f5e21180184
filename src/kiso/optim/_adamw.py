"""AdamW: Adam whose weight decay is not divided by the running scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kiso._validation import Array

from ._check import check_real
from ._rule import ElementwiseRule
from ._rule_loops import adam
from ._schedules import LearningRate

__all__ = ["AdamW"]


@dataclass(frozen=True)
class AdamW(ElementwiseRule):
    """Adam with decoupled weight decay.

    θ ← (1 − η λ) θ − η m̂ / (√v̂ + ε),  m̂ and v̂ as in `Adam`.

    Parameters
    ----------
    learning_rate : float or Schedule, default 0.001
        η > 0, or a callable step → η (the first step is 0).
    beta1 : float, default 0.9
        β₁, how slowly the mean of gradients forgets; in [0, 1).
    beta2 : float, default 0.999
        β₂, how slowly the mean of squares forgets; in [0, 1).
    eps : float, default 1e-8
        Added to the root, so that nothing is divided by zero; positive.
    weight_decay : float, default 0.01
        λ, not negative.
    check_finite : bool, default True
        Refuse NaN and infinite gradients before anything is changed.

    References
    ----------
    Loshchilov & Hutter (2019), algorithm 2.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.optim import AdamW
    >>> rule, params = AdamW(0.1), {"w": np.array([1.0, -2.0])}
    >>> state = rule.init(params)
    >>> params, state = rule.update({"w": np.array([0.5, 0.5])}, state, params)
    >>> params["w"]
    array([ 0.899, -2.098])
    """

    learning_rate: LearningRate = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    weight_decay: float = 0.01

    slot_names: ClassVar[tuple[str, ...]] = ("m", "v")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_real("beta1", self.beta1, least=0, below=1)
        check_real("beta2", self.beta2, least=0, below=1)
        check_real("eps", self.eps, above=0)
        check_real("weight_decay", self.weight_decay, least=0)

    def _move(self, p: Array, g: Array, slots: dict[str, Array], rate: float, step: int) -> None:
        m, v = slots["m"], slots["v"]
        shrink = 1.0 - rate * self.weight_decay
        adam(p, g, m, v, rate, self.beta1, self.beta2, self.eps, shrink, step)
