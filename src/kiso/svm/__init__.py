"""Support vector machines: kernels, the dual by SMO, the primal for linear machines."""

from ._base import SMOState
from ._kernels import RBF, Function, Kernel, Linear, Min, Polynomial, Precomputed, Sigmoid
from ._linear_base import LinearSVMState
from ._linear_svc import LinearSVC
from ._linear_svr import LinearSVR
from ._one_class import OneClassSVM
from ._svc import SVC
from ._svr import SVR

__all__ = [
    "RBF",
    "SVC",
    "SVR",
    "Function",
    "Kernel",
    "Linear",
    "LinearSVC",
    "LinearSVMState",
    "LinearSVR",
    "Min",
    "OneClassSVM",
    "Polynomial",
    "Precomputed",
    "SMOState",
    "Sigmoid",
]
