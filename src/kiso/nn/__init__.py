"""Neural networks with explicit back-propagation: a forward pass returns its backward pass."""

from ._pictures import plot_feature_maps, plot_im2col
from .gan.game import Game
from .gan.gradient_penalty import gradient_penalty
from .gan.loop import AdversarialLoop, Position
from .gan.losses import GAME_LOSSES, GameLoss
from .gan.play import GameState, GameStatus, adversarial_loop, play
from .layers.activations import (
    ELU,
    GELU,
    Activation,
    LeakyReLU,
    ReLU,
    Sigmoid,
    SiLU,
    Softplus,
    Tanh,
    activation,
)
from .layers.affine import Affine
from .layers.affine_augment import RandomAffine
from .layers.attention import MultiHeadAttention
from .layers.augment import RandomCrop, RandomFlip, RandomShift
from .layers.containers import Parallel, Residual, Sequential
from .layers.convolution import Conv2D, ConvTranspose2D
from .layers.convolution_1d import Conv1D, convolution_matrix
from .layers.dropout import Dropout
from .layers.embedding import Embedding
from .layers.flatten import Flatten, Reshape
from .layers.graph import Add, Concatenate, Graph, Multiply
from .layers.im2col import col2im, im2col
from .layers.initialise import Glorot, He, Initialiser, Normal, Orthogonal, Zeros, initialiser
from .layers.layer import Backward, Layer, Shape, ShapeError
from .layers.normalise import BatchNorm, GroupNorm, LayerNorm
from .layers.plain import plain
from .layers.pooling import AveragePool, GlobalAveragePool, MaxPool
from .layers.pooling_1d import AveragePool1D, GlobalAveragePool1D, MaxPool1D
from .layers.recurrent import GRU, LSTM, RNN
from .layers.run import Run
from .layers.softmax import Softmax
from .layers.spectral import Spectral
from .layers.tangent import TangentBackward, affine_tangent, tangent
from .layers.upsample import Upsample
from .training.adversarial_examples import AdversarialTraining
from .training.check_gradients import ArrayCheck, GradientReport, check_gradients
from .training.network import Network
from .training.onnx import emit_onnx, to_onnx
from .training.torch_weights import load_torch
from .training.trace import Trace
from .training.train import TrainState, TrainStatus, train
from .training.weights import WeightsError

__all__ = [
    "ELU",
    "GAME_LOSSES",
    "GELU",
    "GRU",
    "LSTM",
    "RNN",
    "Activation",
    "Add",
    "AdversarialLoop",
    "AdversarialTraining",
    "Affine",
    "ArrayCheck",
    "AveragePool",
    "AveragePool1D",
    "Backward",
    "BatchNorm",
    "Concatenate",
    "Conv1D",
    "Conv2D",
    "ConvTranspose2D",
    "Dropout",
    "Embedding",
    "Flatten",
    "Game",
    "GameLoss",
    "GameState",
    "GameStatus",
    "GlobalAveragePool",
    "GlobalAveragePool1D",
    "Glorot",
    "GradientReport",
    "Graph",
    "GroupNorm",
    "He",
    "Initialiser",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "MaxPool",
    "MaxPool1D",
    "MultiHeadAttention",
    "Multiply",
    "Network",
    "Normal",
    "Orthogonal",
    "Parallel",
    "Position",
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
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Spectral",
    "TangentBackward",
    "Tanh",
    "Trace",
    "TrainState",
    "TrainStatus",
    "Upsample",
    "WeightsError",
    "Zeros",
    "activation",
    "adversarial_loop",
    "affine_tangent",
    "check_gradients",
    "col2im",
    "convolution_matrix",
    "emit_onnx",
    "gradient_penalty",
    "im2col",
    "initialiser",
    "load_torch",
    "plain",
    "play",
    "plot_feature_maps",
    "plot_im2col",
    "tangent",
    "to_onnx",
    "train",
]
