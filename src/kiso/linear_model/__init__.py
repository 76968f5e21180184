"""Linear models: scikit-learn's names, kiso's speed, and every fit open to inspection."""

from ._least_squares import LinearRegression
from ._local import LocallyWeightedRegression
from ._logistic import LogisticRegression
from ._ridge import Ridge

__all__ = ["LinearRegression", "LocallyWeightedRegression", "LogisticRegression", "Ridge"]
