"""Linear models: scikit-learn's names, kiso's speed, and every fit open to inspection.

An estimator's modules load when it is first named, so that nobody who wants one pays for all.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._bayes import BayesianLinearRegression
    from ._least_squares import LinearRegression
    from ._local import LocallyWeightedRegression
    from ._logistic import LogisticRegression
    from ._logistic_cv import LogisticRegressionCV
    from ._perceptron import Perceptron
    from ._ridge import Ridge
    from ._ridge_classifier import RidgeClassifier
    from ._ridge_cv import RidgeClassifierCV, RidgeCV
    from ._sgd import SGDClassifier
    from ._sgd_regressor import SGDRegressor

_HOMES = {
    "BayesianLinearRegression": "_bayes",
    "LinearRegression": "_least_squares",
    "LocallyWeightedRegression": "_local",
    "LogisticRegression": "_logistic",
    "LogisticRegressionCV": "_logistic_cv",
    "Perceptron": "_perceptron",
    "Ridge": "_ridge",
    "RidgeCV": "_ridge_cv",
    "RidgeClassifier": "_ridge_classifier",
    "RidgeClassifierCV": "_ridge_cv",
    "SGDClassifier": "_sgd",
    "SGDRegressor": "_sgd_regressor",
}

__all__ = [
    "BayesianLinearRegression",
    "LinearRegression",
    "LocallyWeightedRegression",
    "LogisticRegression",
    "LogisticRegressionCV",
    "Perceptron",
    "Ridge",
    "RidgeCV",
    "RidgeClassifier",
    "RidgeClassifierCV",
    "SGDClassifier",
    "SGDRegressor",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
