"""Neural networks with explicit back-propagation: a forward pass returns its backward pass."""

from ._activations import GELU, Activation, LeakyReLU, ReLU, Sigmoid, Softplus, Tanh, activation
from ._adversary import AdversarialTraining
from ._affine import Affine
from ._affine_augment import RandomAffine
from ._augment import RandomCrop, RandomFlip, RandomShift
from ._check_gradients import ArrayCheck, GradientReport, check_gradients
from ._containers import Parallel, Residual, Sequential
from ._convolution import Conv2D, ConvTranspose2D
from ._convolution_1d import Conv1D, convolution_matrix
from ._dropout import Dropout
from ._flatten import Flatten, Reshape
from ._game import Game, GameState, GameStatus, play
from ._game_losses import GAME_LOSSES, GameLoss
from ._gradient_penalty import gradient_penalty
from ._im2col import col2im, im2col
from ._initialise import Glorot, He, Initialiser, Normal, Orthogonal, Zeros, initialiser
from ._layer import Backward, Layer, Shape, ShapeError
from ._network import Network
from ._normalise import BatchNorm, LayerNorm
from ._pictures import plot_feature_maps, plot_im2col
from ._pooling import AveragePool, GlobalAveragePool, MaxPool
from ._run import Run
from ._softmax import Softmax
from ._spectral import Spectral
from ._tangent import TangentBackward, affine_tangent, tangent
from ._trace import Trace
from ._train import TrainState, TrainStatus, train
from ._weights import WeightsError

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
