"""Descent: update rules, schedules, full-batch methods, sampling, test functions.

Update rules move any nesting of arrays by gradients (`rule.init`, `rule.update`) and
train whatever has gradients; `descent` and `minimize` find the minimum of a smooth
function, `stochastic_descent` that of a mean over samples.
"""

from ._adagrad import AdaGrad
from ._adam import Adam
from ._adamw import AdamW
from ._clipping import ClipNorm, ClipValue, global_norm
from ._functions import Beale, Himmelblau, Logistic, Objective, Quadratic, Rosenbrock
from ._gradient_descent import GradientDescent
from ._groups import Groups
from ._lbfgs import LBFGS, LbfgsMemory
from ._line_search import Backtracking, ExactQuadratic, Fixed, StrongWolfe
from ._lion import Lion
from ._minimize import DescentState, Result, descent, minimize
from ._momentum import Momentum
from ._nesterov import Nesterov
from ._newton import Newton, newton_direction
from ._plots import plot_trajectories
from ._problem import Status
from ._rmsprop import RMSProp
from ._rule import NonFiniteGradientError, Rule, RuleState
from ._sampling import Batch, full_batch, with_replacement, without_replacement
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
from ._steepest import SteepestDescent, steepest_direction
from ._stochastic import StochasticState, stochastic_descent
from ._weight_decay import WeightDecay

__all__ = [
    "LBFGS",
    "AdaGrad",
    "Adam",
    "AdamW",
    "Backtracking",
    "Batch",
    "Beale",
    "ClipNorm",
    "ClipValue",
    "Constant",
    "Cosine",
    "DescentState",
    "ExactQuadratic",
    "Fixed",
    "GradientDescent",
    "Groups",
    "Himmelblau",
    "InverseTime",
    "LbfgsMemory",
    "LearningRate",
    "Lion",
    "Logistic",
    "Momentum",
    "Nesterov",
    "Newton",
    "NonFiniteGradientError",
    "Objective",
    "OneCycle",
    "Quadratic",
    "RMSProp",
    "Result",
    "Rosenbrock",
    "Rule",
    "RuleState",
    "Schedule",
    "Status",
    "SteepestDescent",
    "StepDecay",
    "StochasticState",
    "StrongWolfe",
    "WarmUp",
    "WeightDecay",
    "descent",
    "full_batch",
    "global_norm",
    "minimize",
    "newton_direction",
    "plot_trajectories",
    "steepest_direction",
    "stochastic_descent",
    "with_replacement",
    "without_replacement",
]
