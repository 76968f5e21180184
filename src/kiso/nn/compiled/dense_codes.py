"""What `dense_loops.py` understands: rules and activations as numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from kiso._validation import Array
from kiso.optim import Adam, GradientDescent, Momentum, Nesterov
from kiso.optim._tree import leaves_of

from ..layers.activations import GELU, LeakyReLU, ReLU, Sigmoid, Softplus, Tanh
from ..layers.affine import Affine
from ..training.network import Network
from . import activation_loops as codes_of
from . import dense_loops as loops

__all__ = ["RULES", "hyper_of", "is_known", "layer_codes"]

RULES: dict[type, int] = {
    GradientDescent: loops.DESCENT,
    Momentum: loops.MOMENTUM,
    Nesterov: loops.NESTEROV,
    Adam: loops.ADAM,
}
_ACTIVATIONS: dict[type, int] = {
    Sigmoid: codes_of.SIGMOID,
    Tanh: codes_of.TANH,
    ReLU: codes_of.RELU,
    LeakyReLU: codes_of.LEAKY_RELU,
    Softplus: codes_of.SOFTPLUS,
    GELU: codes_of.GELU,
}


_PASSES = ("forward", "loss_and_gradients")


def is_known(rule: Any) -> bool:
    """Whether the compiled loops take steps of this rule."""
    return type(rule) in RULES and not getattr(rule, "rate_outside", False)


def hyper_of(rule: Any) -> Array:
    """Return what a rule has beside its rate."""
    names = ("beta1", "beta2", "eps") if type(rule) is Adam else ("alpha",)
    return np.array([getattr(rule, name, 0.0) for name in names], np.float64)


def layer_codes(network: Network) -> tuple[Array, Array]:
    """Return the code and the leak of the activation after each affine layer; empty if none."""
    if any(getattr(type(network), name) is not getattr(Network, name) for name in _PASSES):
        return np.empty(0, np.intp), np.empty(0)
    codes: list[int] = []
    leaks: list[float] = []
    free = False  # an affine layer stands before that has no activation yet
    for layer in network:
        if type(layer) is Affine:
            codes.append(codes_of.LINEAR)
            leaks.append(0.0)
        elif type(layer) in _ACTIVATIONS and free:
            codes[-1] = _ACTIVATIONS[type(layer)]
            leaks[-1] = getattr(layer, "negative_slope", 0.0)
        else:
            codes = []
            break
        free = type(layer) is Affine
    leaves = leaves_of(network.parameters)
    apart = len(leaves) == 2 * len(codes)  # no layer stands twice
    if not apart or min(leaks, default=0.0) < 0 or len({leaf.dtype for leaf in leaves}) != 1:
        codes = []
    return np.array(codes, np.intp), np.array(leaks if codes else [], np.float64)
