"""Multilayer perceptrons and convolutional networks: scikit-learn's estimators over `kiso.nn`."""

from ._conv_classifier import ConvClassifier
from ._gan import GAN
from ._gan_pictures import animate_gan, plot_gan
from ._mlp_classifier import MLPClassifier
from ._mlp_regressor import MLPRegressor

__all__ = ["GAN", "ConvClassifier", "MLPClassifier", "MLPRegressor", "animate_gan", "plot_gan"]
