"""Descent: update rules, schedules, full-batch methods, sampling, test functions."""

from ._adagrad import AdaGrad
from ._adam import Adam
from ._adamw import AdamW
from ._gradient_descent import GradientDescent
from ._lion import Lion
from ._momentum import Momentum
from ._nesterov import Nesterov
from ._rmsprop import RMSProp
from ._rule import NonFiniteGradientError, Rule, RuleState
from ._schedules import (
    Constant,
    Cosine,
    InverseTime,
    LearningRate,
    OneCycle,
    Schedule,
    StepDecay,
    WarmUp,
)

__all__ = [
    "AdaGrad",
    "Adam",
    "AdamW",
    "Constant",
    "Cosine",
    "GradientDescent",
    "InverseTime",
    "LearningRate",
    "Lion",
    "Momentum",
    "Nesterov",
    "NonFiniteGradientError",
    "OneCycle",
    "RMSProp",
    "Rule",
    "RuleState",
    "Schedule",
    "StepDecay",
    "WarmUp",
]
