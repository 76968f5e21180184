"""What the linear-Gaussian models share: p(y | x) = N(y; xᵀ w + b, σ²).

Validation that costs no pass over the data, prediction, the likelihood.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_is_fitted

from kiso._gate import check_array, check_sample_weight, finite_targets, validate_data
from kiso._parts import is_parted, parts_of
from kiso._validation import FLOATS, Array
from kiso.base import IterativeEstimator, State

from ._moments import is_sparse

ProblemT = TypeVar("ProblemT")
StateT = TypeVar("StateT", bound=State)


class LinearGaussianModel(
    RegressorMixin, IterativeEstimator[ProblemT, StateT], Generic[ProblemT, StateT]
):
    """Base of the regressions with Gaussian noise: `coef_`, `intercept_`, `sigma_`."""

    coef_: Array
    intercept_: Any
    sigma_: Any

    def _validate(self, X: Any, y: Any, sample_weight: Any, **accept: Any) -> tuple[Any, ...]:
        """Return X, Y (n, t), weights or None, and whether y had one dimension.

        Dense X is not yet searched for NaN and infinity: the moments show them without
        another pass over the data (`_refuse_non_finite`). Rows in parts come back as they are,
        with their targets and weights in them; Y is empty then.
        """
        if is_parted(X) or is_parted(y):
            options = {"accept_sparse": False, "multi_output": True, **accept}
            options["accept_sparse"] = bool(options["accept_sparse"])
            rows = parts_of(X, y, sample_weight, estimator=self, targets="numbers", **options)
            return rows, np.empty((0, max(rows.form.n_targets, 1))), None, rows.form.one_target
        X, y = validate_data(
            self,
            X,
            y,
            dtype=FLOATS,
            y_numeric=True,
            ensure_all_finite=is_sparse(X),
            **{"multi_output": True, **accept},
        )
        weights = None
        if sample_weight is not None:
            weights = check_sample_weight(
                sample_weight, X, dtype=np.float64, ensure_non_negative=True
            )
        Y = finite_targets(y)
        return X, Y.reshape(len(Y), -1), weights, y.ndim == 1

    def _refuse_non_finite(self, X: Any) -> None:
        """Raise scikit-learn's error if there is a NaN or an infinity."""
        check_array(X, dtype=FLOATS, estimator=self, input_name="X")

    def predict(self, X: Any) -> Array:
        """Return the mean of y at each row, X w + b.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_targets)
        """
        check_is_fitted(self)
        X = validate_data(
            self,
            X,
            reset=False,
            dtype=FLOATS,
            accept_sparse=["csr", "csc", "coo"],
            ensure_all_finite=is_sparse(X),
        )
        with np.errstate(all="ignore"):
            y = X @ self.coef_.T + self.intercept_
        if not np.isfinite(y).all():  # any NaN or infinity in X ends up here
            self._refuse_non_finite(X)
        return y

    def log_likelihood(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the log-likelihood of data under the fitted model, with noise `sigma_`.

        Σ wᵢ log N(yᵢ; xᵢᵀ w + b, σ²) = −(W/2) log(2 π σ²) − Σ wᵢ (yᵢ − xᵢᵀ w − b)² / (2 σ²),
        with W = Σ wᵢ; summed over targets (CS229, part I, section 3; Goodfellow 5.5.1).

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
        sample_weight : array-like of shape (n_samples,), default=None
            How often each row counts.

        Returns
        -------
        float
            In nats; the sum over rows, not the mean. A fit without residuals (`sigma_`
            zero) gives infinity on data that it fits and −infinity on others.
        """
        predicted = self.predict(X)
        y = check_array(y, ensure_2d=False, dtype=np.float64, input_name="y")
        if y.shape != predicted.shape:
            raise ValueError(f"y has shape {y.shape}; predictions have {predicted.shape}")
        w = np.ones(len(y))
        if sample_weight is not None:
            w = check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        rss = w @ ((y - predicted) ** 2).reshape(len(y), -1)
        variance = np.atleast_1d(np.square(self.sigma_, dtype=np.float64))
        with np.errstate(divide="ignore", invalid="ignore"):
            misfit = np.where(rss == 0, 0.0, rss / variance)
            terms = -0.5 * w.sum() * np.log(2 * np.pi * variance) - 0.5 * misfit
        # a perfect model of other data: −log σ → ∞ is outdone by rss / σ² → ∞
        return float(np.where(np.isinf(misfit), -np.inf, terms).sum())
