"""Neural networks with explicit back-propagation: a forward pass returns its backward pass."""

from ._activations import GELU, Activation, LeakyReLU, ReLU, Sigmoid, Softplus, Tanh, activation
from ._affine import Affine
from ._containers import Parallel, Residual, Sequential
from ._initialise import Glorot, He, Initialiser, Normal, Orthogonal, Zeros, initialiser
from ._layer import Backward, Layer, Shape, ShapeError
from ._run import Run

__all__ = [
    "GELU",
    "Activation",
    "Affine",
    "Backward",
    "Glorot",
    "He",
    "Initialiser",
    "Layer",
    "LeakyReLU",
    "Normal",
    "Orthogonal",
    "Parallel",
    "ReLU",
    "Residual",
    "Run",
    "Sequential",
    "Shape",
    "ShapeError",
    "Sigmoid",
    "Softplus",
    "Tanh",
    "Zeros",
    "activation",
    "initialiser",
]
