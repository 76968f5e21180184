"""Estimators for the race that misbehave in one way each."""

import time
import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin

from kiso.base import IterativeEstimator, State


@dataclass(frozen=True, kw_only=True)
class MeanState(State):
    mean: float


class Stepping(RegressorMixin, IterativeEstimator):
    """Predicts the mean after `n_steps` steps of `pause` seconds each."""

    _parameter_constraints = {}

    def __init__(self, n_steps=3, pause=0.0, shift=0.0, interrupt=False):
        self.n_steps = n_steps
        self.pause = pause
        self.shift = shift
        self.interrupt = interrupt

    def fit(self, X, y):
        return self._fit(X, y)

    def _prepare(self, X, y=None, **kwargs):
        self.n_features_in_ = X.shape[1]
        return float(np.mean(y))

    def _max_steps(self):
        return self.n_steps

    def _iterate(self, mean):
        for i in range(1, self.n_steps + 1):
            if self.interrupt and i == 2:
                raise KeyboardInterrupt
            time.sleep(self.pause)
            yield MeanState(
                n_iter=i, objective=1.0 / i, mean=mean + self.shift, converged=i == self.n_steps
            )

    def _fitted(self, mean, state):
        return {"mean_": state.mean}

    def predict(self, X):
        return np.full(X.shape[0], self.mean_)


class Failing(RegressorMixin, BaseEstimator):
    def fit(self, X, y):
        raise RuntimeError("the matrix is on strike\nand says so at length")


class Exploding(RegressorMixin, BaseEstimator):
    """Predicts infinity: there is no score of that."""

    def fit(self, X, y):
        self.fitted_ = True
        return self

    def predict(self, X):
        return np.full(X.shape[0], np.inf)


class Warning_(RegressorMixin, BaseEstimator):  # noqa: N801
    def fit(self, X, y):
        warnings.warn("all is not well", UserWarning, stacklevel=2)
        self.mean_ = np.mean(y)
        return self

    def predict(self, X):
        return np.full(X.shape[0], self.mean_)


class Picky(RegressorMixin, BaseEstimator):
    """Fails for bad=True; its score grows with `strength`."""

    def __init__(self, bad=False, strength=0.0):
        self.bad = bad
        self.strength = strength

    def fit(self, X, y):
        if self.bad:
            raise ValueError("bad is bad")
        self.x_ = X[:, 0]
        self.slope_ = self.strength * np.polyfit(X[:, 0], y, 1)[0]
        self.mean_ = np.mean(y)
        return self

    def predict(self, X):
        return self.mean_ + self.slope_ * X[:, 0]


class Recorder(RegressorMixin, BaseEstimator):
    """Keeps the training sets of all fits."""

    seen: list = []

    def fit(self, X, y):
        type(self).seen.append((np.array(X), np.array(y)))
        self.mean_ = np.mean(y)
        return self

    def predict(self, X):
        return np.full(X.shape[0], self.mean_)


class Overwhelmed(RegressorMixin, BaseEstimator):
    """Fails above so many rows."""

    def __init__(self, most=50):
        self.most = most

    def fit(self, X, y):
        if len(X) > self.most:
            raise ValueError("too much")
        self.mean_ = np.mean(y)
        return self

    def predict(self, X):
        return np.full(X.shape[0], self.mean_)
