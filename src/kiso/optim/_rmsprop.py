"""RMSProp: AdaGrad that forgets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kiso._validation import Array

from ._check import check_real
from ._rule import ElementwiseRule
from ._rule_loops import rmsprop
from ._schedules import LearningRate

__all__ = ["RMSProp"]


@dataclass(frozen=True)
class RMSProp(ElementwiseRule):
    """RMSProp.

    r ← ρ r + (1 − ρ) g²;  θ ← θ − η g / (√r + ε).

    ρ is what PyTorch calls ``alpha``, whose default there is 0.99, and η there is 0.01:
    ``torch.optim.RMSprop(p, lr, alpha=rho, eps=eps)`` takes the same steps.

    Parameters
    ----------
    learning_rate : float or Schedule, default 0.001
        η > 0, or a callable step → η (the first step is 0).
    rho : float, default 0.9
        ρ, how slowly the mean of squares forgets; in [0, 1).
    eps : float, default 1e-8
        Added to the root, so that nothing is divided by zero; positive.
    check_finite : bool, default True
        Refuse NaN and infinite gradients before anything is changed.

    References
    ----------
    Tieleman & Hinton (2012); Goodfellow et al. (2016), algorithm 8.5.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.optim import RMSProp
    >>> rule, params = RMSProp(0.1), {"w": np.array([1.0, -2.0])}
    >>> state = rule.init(params)
    >>> params, state = rule.update({"w": np.array([0.5, 0.5])}, state, params)
    >>> params["w"]
    array([ 0.684, -2.316])
    """

    learning_rate: LearningRate = 0.001
    rho: float = 0.9
    eps: float = 1e-8

    slot_names: ClassVar[tuple[str, ...]] = ("r",)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_real("rho", self.rho, least=0, below=1)
        check_real("eps", self.eps, above=0)

    def _move(self, p: Array, g: Array, slots: dict[str, Array], rate: float, step: int) -> None:
        rmsprop(p, g, slots["r"], rate, self.rho, self.eps)
