"""Loss functions: value and gradient, stateless.

Every loss is a frozen dataclass with `value`, `gradient` and `value_and_gradient` of
(prediction, target, sample_weight), and a `reduction`. Predictions are scores or logits,
never probabilities; the first axis counts samples.
"""

from ._cross_entropy import KLDivergence, SigmoidCrossEntropy, SoftmaxCrossEntropy
from ._loss import Loss
from ._margin import Hinge, ModifiedHuber, SquaredHinge
from ._regression import (
    AbsoluteError,
    EpsilonInsensitive,
    Huber,
    Poisson,
    SquaredEpsilonInsensitive,
    SquaredError,
)

__all__ = [
    "AbsoluteError",
    "EpsilonInsensitive",
    "Hinge",
    "Huber",
    "KLDivergence",
    "Loss",
    "ModifiedHuber",
    "Poisson",
    "SigmoidCrossEntropy",
    "SoftmaxCrossEntropy",
    "SquaredEpsilonInsensitive",
    "SquaredError",
    "SquaredHinge",
]
