"""Weight decay: pull the parameters towards zero, through the gradient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kiso._validation import Array

from ._check import check_real
from ._transform import GradientTransform

__all__ = ["WeightDecay"]


@dataclass(frozen=True)
class WeightDecay(GradientTransform):
    """L2 penalty as weight decay: the inner rule sees g + λ θ.

    That is the gradient of J(θ) + (λ/2)‖θ‖². For gradient descent it is the same as
    shrinking θ by 1 − ηλ; for the adaptive rules it is not (the pull is divided by the
    running scale too): the decoupled form is the `weight_decay` of `AdamW` and `Lion`.

    Parameters
    ----------
    rule : Rule
        Takes the step.
    decay : float, default 1e-4
        λ, not negative.

    References
    ----------
    Goodfellow et al. (2016), Deep Learning, equation 7.5; Loshchilov & Hutter (2019).

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.optim import GradientDescent, WeightDecay
    >>> rule, w = WeightDecay(GradientDescent(0.1), decay=0.5), np.array([2.0])
    >>> w, state = rule.update(np.array([1.0]), rule.init(w), w)
    >>> w
    array([1.8])
    """

    decay: float = 1e-4

    def __post_init__(self) -> None:
        super().__post_init__()
        check_real("decay", self.decay, least=0)

    def _transform(self, grads: list[Array], params: list[Array], out: list[Array]) -> None:
        for g, p, into in zip(grads, params, out, strict=True):
            np.multiply(p, into.dtype.type(self.decay), out=into)
            into += g
