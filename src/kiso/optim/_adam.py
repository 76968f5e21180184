"""Adam: momentum over a running scale, both freed of their zero start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kiso._validation import Array

from ._check import check_real
from ._rule import ElementwiseRule
from ._rule_loops import adam
from ._schedules import LearningRate

__all__ = ["Adam"]


@dataclass(frozen=True)
class Adam(ElementwiseRule):
    """Adam.

    m ← β₁ m + (1 − β₁) g;  v ← β₂ v + (1 − β₂) g²;
    θ ← θ − η m̂ / (√v̂ + ε)  with m̂ = m/(1 − β₁ᵗ), v̂ = v/(1 − β₂ᵗ).

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
    check_finite : bool, default True
        Refuse NaN and infinite gradients before anything is changed.

    References
    ----------
    Kingma & Ba (2015), algorithm 1.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.optim import Adam
    >>> rule, params = Adam(0.1), {"w": np.array([1.0, -2.0])}
    >>> state = rule.init(params)
    >>> params, state = rule.update({"w": np.array([0.5, 0.5])}, state, params)
    >>> params["w"]
    array([ 0.9, -2.1])
    """

    learning_rate: LearningRate = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8

    slot_names: ClassVar[tuple[str, ...]] = ("m", "v")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_real("beta1", self.beta1, least=0, below=1)
        check_real("beta2", self.beta2, least=0, below=1)
        check_real("eps", self.eps, above=0)

    def _move(self, p: Array, g: Array, slots: dict[str, Array], rate: float, step: int) -> None:
        m, v = slots["m"], slots["v"]
        adam(p, g, m, v, rate, self.beta1, self.beta2, self.eps, 1.0, step)
