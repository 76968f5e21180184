"""Linear models: scikit-learn's names, kiso's speed, and every fit open to inspection."""

from ._bayes import BayesianLinearRegression
from ._least_squares import LinearRegression
from ._local import LocallyWeightedRegression
from ._logistic import LogisticRegression
from ._perceptron import Perceptron
from ._ridge import Ridge
from ._sgd import SGDClassifier
from ._sgd_regressor import SGDRegressor

__all__ = [
    "BayesianLinearRegression",
    "LinearRegression",
    "LocallyWeightedRegression",
    "LogisticRegression",
    "Perceptron",
    "Ridge",
    "SGDClassifier",
    "SGDRegressor",
]
