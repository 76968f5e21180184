"""Neural networks with explicit back-propagation: a forward pass returns its backward pass."""

from ._pictures import plot_feature_maps, plot_im2col
from .gan.game import Game
from .gan.gradient_penalty import gradient_penalty
from .gan.losses import GAME_LOSSES, GameLoss
from .gan.play import GameState, GameStatus, play
from .layers.activations import (
    GELU,
    Activation,
    LeakyReLU,
    ReLU,
    Sigmoid,
    Softplus,
    Tanh,
    activation,
)
from .layers.affine import Affine
from .layers.affine_augment import RandomAffine
from .layers.augment import RandomCrop, RandomFlip, RandomShift
from .layers.containers import Parallel, Residual, Sequential
from .layers.convolution import Conv2D, ConvTranspose2D
from .layers.convolution_1d import Conv1D, convolution_matrix
from .layers.dropout import Dropout
from .layers.flatten import Flatten, Reshape
from .layers.im2col import col2im, im2col
from .layers.initialise import Glorot, He, Initialiser, Normal, Orthogonal, Zeros, initialiser
from .layers.layer import Backward, Layer, Shape, ShapeError
from .layers.normalise import BatchNorm, LayerNorm
from .layers.pooling import AveragePool, GlobalAveragePool, MaxPool
from .layers.run import Run
from .layers.softmax import Softmax
from .layers.spectral import Spectral
from .layers.tangent import TangentBackward, affine_tangent, tangent
from .training.adversarial_examples import AdversarialTraining
from .training.check_gradients import ArrayCheck, GradientReport, check_gradients
from .training.network import Network
from .training.trace import Trace
from .training.train import TrainState, TrainStatus, train
from .training.weights import WeightsError

__all__ = [
    "GAME_LOSSES",
    "GELU",
    "Activation",
    "AdversarialTraining",
    "Affine",
    "ArrayCheck",
    "AveragePool",
    "Backward",
    "BatchNorm",
    "Conv1D",
    "Conv2D",
    "ConvTranspose2D",
    "Dropout",
    "Flatten",
    "Game",
    "GameLoss",
    "GameState",
    "GameStatus",
    "GlobalAveragePool",
    "Glorot",
    "GradientReport",
    "He",
    "Initialiser",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "MaxPool",
    "Network",
    "Normal",
    "Orthogonal",
    "Parallel",
    "RandomAffine",
    "RandomCrop",
    "RandomFlip",
    "RandomShift",
    "ReLU",
    "Reshape",
    "Residual",
    "Run",
    "Sequential",
    "Shape",
    "ShapeError",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Spectral",
    "TangentBackward",
    "Tanh",
    "Trace",
    "TrainState",
    "TrainStatus",
    "WeightsError",
    "Zeros",
    "activation",
    "affine_tangent",
    "check_gradients",
    "col2im",
    "convolution_matrix",
    "gradient_penalty",
    "im2col",
    "initialiser",
    "play",
    "plot_feature_maps",
    "plot_im2col",
    "tangent",
    "train",
]
