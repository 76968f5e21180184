"""Neural networks with explicit back-propagation: a forward pass returns its backward pass."""

from ._activations import GELU, Activation, LeakyReLU, ReLU, Sigmoid, Softplus, Tanh, activation
from ._affine import Affine
from ._check_gradients import ArrayCheck, GradientReport, check_gradients
from ._containers import Parallel, Residual, Sequential
from ._dropout import Dropout
from ._flatten import Flatten
from ._initialise import Glorot, He, Initialiser, Normal, Orthogonal, Zeros, initialiser
from ._layer import Backward, Layer, Shape, ShapeError
from ._network import Network
from ._normalise import BatchNorm, LayerNorm
from ._run import Run
from ._softmax import Softmax
from ._trace import Trace
from ._train import TrainState, TrainStatus, train
from ._weights import WeightsError

__all__ = [
    "GELU",
    "Activation",
    "Affine",
    "ArrayCheck",
    "Backward",
    "BatchNorm",
    "Dropout",
    "Flatten",
    "Glorot",
    "GradientReport",
    "He",
    "Initialiser",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "Network",
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
    "Softmax",
    "Softplus",
    "Tanh",
    "Trace",
    "TrainState",
    "TrainStatus",
    "WeightsError",
    "Zeros",
    "activation",
    "check_gradients",
    "initialiser",
    "train",
]
