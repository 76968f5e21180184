"""Locally weighted regression: a least-squares fit of its own for every query."""

from __future__ import annotations

from numbers import Integral
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from kiso._compute.threads import block_rows, blocks
from kiso._gate import check_sample_weight, finite_targets, validate_data
from kiso._parts import TakesParts
from kiso._validation import (
    FLOATS,
    RANDOM_STATE,
    Array,
    Interval,
    RandomState,
    Real,
    StrOptions,
    check_generator,
    positive,
)

from ._local_solver import LocalFit, arrange, choose_tau, metric_root, robust_weights, shifted


class LocallyWeightedRegression(TakesParts, MultiOutputMixin, RegressorMixin, BaseEstimator):
    r"""Locally weighted regression (LWR, LOESS): a least-squares fit around each query.

    To predict at x, rows near x get more weight in a least-squares fit, and that fit is
    evaluated at x only:

    .. math::

        w^{(i)} = \exp\left(-\frac{\|x^{(i)} - x\|^2}{2\tau^2}\right), \qquad
        \theta(x) = (X^T W X)^{-1} X^T W y, \qquad f(x) = t(x)^T \theta(x)

    with W = diag(w) and X the rows' terms t: the constant, with ``degree=1`` the features,
    with ``degree=2`` also their squares and products. The weights look like a Gaussian
    density but are not probabilities: nothing is random in them and they need not sum to 1.
    Unlike linear regression, it has to keep the training rows to predict.

    Parameters
    ----------
    tau : float or "loo", default="loo"
        Bandwidth τ > 0, in the unit of the features: the width of the Gaussian, the radius
        of the tricube. "loo" takes the one with the least leave-one-out squared error,
        looked for on a geometric grid of 16 values, from the median distance between
        nearest rows to ten times the extent of the data, and then by golden section
        around the best of these. Not used where `frac` is given.
    degree : {0, 1, 2}, default=1
        Degree of the local polynomial; 0 is the weighted mean of Nadaraya and Watson.
    kernel : {"gaussian", "tricube"}, default="gaussian"
        "gaussian" as above; "tricube" is (1 − (‖x⁽ⁱ⁾ − x‖/τ)³)³ within τ and 0 outside, the
        kernel of LOWESS.
    frac : float or None, default=None
        In (0, 1]: the bandwidth at x is the distance of the k-th nearest training row, k =
        frac · n_samples rounded down, at least 2, as in LOWESS. None: τ is the same
        everywhere.
    precision : array-like of shape (n_features, n_features) or (n_features,), default=None
        Σ⁻¹, symmetric positive semi-definite (or its diagonal): distances are
        (x⁽ⁱ⁾ − x)ᵀΣ⁻¹(x⁽ⁱ⁾ − x), and τ is in their unit. None is the identity.
    robust_iterations : int, default=0
        Rounds of the bisquare reweighting of LOWESS: after each fit at all training rows a
        row's weight is multiplied by (1 − (e/6s)²)², its residual e against s, the median
        of all |e| (norms, where there are several outputs), and is 0 beyond 6s. τ is chosen
        before.
    loo_rows : int or None, default=1000
        Leave-one-out errors are measured at this many rows, drawn at random where there
        are more, always against all other rows. None: at every row.
    random_state : int, RandomState, Generator or None, default=None
        Draws these rows.

    Attributes
    ----------
    tau_ : float or None
        The bandwidth in use; None where `frac` sets one for each query.
    loo_taus_, loo_errors_ : ndarray of shape (n_tried,)
        With ``tau="loo"``: every bandwidth that was tried, ascending, and its mean squared
        leave-one-out residual (weighted by `sample_weight`, mean over outputs). No row is
        refitted: the residual is e⁽ⁱ⁾ / (1 − h⁽ⁱ⁾), h the diagonal of the hat matrix.
    robust_weights_ : ndarray of shape (n_samples,)
        With `robust_iterations`: the final bisquare weights.
    n_features_in_, feature_names_in_ :
        As everywhere in scikit-learn.

    Notes
    -----
    Limits. τ → ∞ gives ordinary least squares. τ → 0 leaves XᵀWX singular; what is
    predicted then, and wherever a neighbourhood has fewer distinct rows than the
    polynomial has terms, is the fit of the terms that can be told apart: they are taken
    in the order 1, features, products, and one that is a combination of those before it
    (to a share of 1e-11 of its mean square) is left out. So a neighbourhood of one point
    gives its mean, and a tricube without a row in reach gives the mean of the nearest
    rows. Gaussian weights are taken relative to the largest, so a query far from all rows
    is no special case, and rows which are together lighter than a rounding of the nearest
    one are left out.

    Cost. A query visits the rows in reach: within τ (tricube), or about 10 τ (Gaussian).
    With one feature and many queries Gaussian sums come from cells of rows, so that a
    query costs the same whatever the number of rows (equal to the sums to 1e-12).

    References
    ----------
    CS229 lecture notes, part I, section 3 (locally weighted linear regression).
    W. S. Cleveland, "Robust locally weighted regression and smoothing scatterplots",
    Journal of the American Statistical Association 74, 1979.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.linear_model import LocallyWeightedRegression
    >>> X = np.linspace(0, 6, 61)[:, None]
    >>> y = np.sin(X[:, 0])
    >>> model = LocallyWeightedRegression(tau=0.2).fit(X, y)
    >>> model.predict([[1.55], [3.0]])
    array([0.98, 0.14])
    >>> model.local_coef([[3.0]])  # θ(x): near π the sine falls at a slope of nearly −1
    array([[ 3.05..., -0.97...]])
    """

    _parameter_constraints = {
        "tau": [positive(), StrOptions({"loo"})],
        "degree": [Interval(Integral, 0, 2, closed="both")],
        "kernel": [StrOptions({"gaussian", "tricube"})],
        "frac": [Interval(Real, 0, 1, closed="right"), None],
        "precision": ["array-like", None],
        "robust_iterations": [positive(Integral, zero=True)],
        "loo_rows": [positive(Integral), None],
        "random_state": RANDOM_STATE,
    }

    tau_: float | None
    loo_taus_: Array
    loo_errors_: Array
    robust_weights_: Array
    n_features_in_: int

    def __init__(
        self,
        tau: float | str = "loo",
        *,
        degree: int = 1,
        kernel: str = "gaussian",
        frac: float | None = None,
        precision: Any = None,
        robust_iterations: int = 0,
        loo_rows: int | None = 1000,
        random_state: RandomState = None,
    ):
        self.tau = tau
        self.degree = degree
        self.kernel = kernel
        self.frac = frac
        self.precision = precision
        self.robust_iterations = robust_iterations
        self.loo_rows = loo_rows
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Keep the rows, arranged for queries; choose τ; find the robust weights.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), default=None
            Multiplies the kernel weights. A row of weight 0 is as good as absent.

        Returns
        -------
        self
        """
        self._validate_params()
        X, y = validate_data(self, X, y, dtype=FLOATS, multi_output=True, y_numeric=True)
        weight = check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        if self.frac is not None and not isinstance(self.tau, str):
            raise ValueError(
                f"tau={self.tau!r} and frac={self.frac!r}: give one of them, "
                "leave tau at 'loo' where frac sets the bandwidth"
            )
        Y = finite_targets(y).astype(X.dtype, copy=False).reshape(len(X), -1)
        root = metric_root(self.precision, X.shape[1])
        rows, self._order = arrange(X, Y, weight, root)
        self._fit_local = LocalFit(rows, root, self.kernel, self.degree)
        self._n_samples, self._single_output = len(X), y.ndim == 1
        self._choose_bandwidth()
        self._reweight()
        return self

    def _choose_bandwidth(self) -> None:
        """Set τ, or with `frac` the number of neighbours (else 0)."""
        n = self._order.size
        self._k = 0
        for name in ("loo_taus_", "loo_errors_"):
            self.__dict__.pop(name, None)
        if self.frac is not None:
            # as statsmodels: 0.3 · 10 is 2.9999999999999996
            self._k = min(max(int(self.frac * n + 1e-10), 2), n)
            self.tau_ = None
        elif isinstance(self.tau, str):
            picked = np.arange(n)
            if self.loo_rows is not None and n > self.loo_rows:
                rng = check_generator(self.random_state)
                picked = np.sort(rng.choice(n, self.loo_rows, replace=False))
            self.tau_, self.loo_taus_, self.loo_errors_ = choose_tau(self._fit_local, picked)
        else:
            self.tau_ = float(self.tau)

    def _reweight(self) -> None:
        self.__dict__.pop("robust_weights_", None)
        if self.robust_iterations == 0:
            return
        fit = self._fit_local
        robust = robust_weights(fit, self._tau, self._k, self.robust_iterations)
        fit.rows = fit.rows._replace(weight=fit.rows.weight * robust)
        self.robust_weights_ = np.ones(self._n_samples)
        self.robust_weights_[self._order] = robust

    @property
    def _tau(self) -> float:
        return 1.0 if self.tau_ is None else self.tau_

    def _queries(self, X: Any) -> Array:
        check_is_fitted(self)
        return validate_data(self, X, dtype=FLOATS, reset=False)

    def predict(self, X: Any) -> Array:
        """Fit at each row of X and evaluate the fit there.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_features)

        Returns
        -------
        ndarray of shape (n_queries,) or (n_queries, n_outputs), in the training dtype
        """
        Q = self._queries(X)
        values = self._fit_local.at(Q, self._tau, self._k)[0]
        values = values.astype(self._fit_local.rows.X.dtype, copy=False)
        return values[:, 0] if self._single_output else values

    def local_coef(self, X: Any, *, about: str = "origin") -> Array:
        """Coefficients θ(x) of the local polynomial at each row of X.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_features)
        about : {"origin", "query"}, default="origin"
            "origin": of the polynomial in x, as the text writes it. "query": of the
            polynomial in x − query, whose constant is the prediction, and whose next
            coefficients are the local slopes.

        Returns
        -------
        ndarray of shape (n_queries, n_terms) or (n_queries, n_terms, n_outputs)
            The terms in the order of `sklearn.preprocessing.PolynomialFeatures`: 1, x₁ …
            x_d, x₁², x₁x₂ … x_d². A term that was left out has coefficient 0 about the
            point around which the neighbourhood was fitted.
        """
        Q = self._queries(X)
        if about not in ("origin", "query"):
            raise ValueError(f"about={about!r}: give 'origin' or 'query'")
        _, _, thetas, centres = self._fit_local.at(Q, self._tau, self._k, coef=True)
        thetas = shifted(thetas, (Q if about == "query" else 0.0) - centres)
        return thetas[:, :, 0] if self._single_output else thetas

    def local_weights(self, X: Any) -> Array:
        """Weight of every training row at each row of X.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_features)

        Returns
        -------
        ndarray of shape (n_queries, n_samples)
            The kernel's w⁽ⁱ⁾, as the formula has it, times the row's own weight: its
            `sample_weight` relative to the largest, and its robust weight.
        """
        Q = self._queries(X)
        fit = self._fit_local
        out = np.zeros((len(Q), self._n_samples))
        Z = np.asarray(fit.coordinates(Q), dtype=np.float64)
        for block in blocks(slice(0, len(Q)), block_rows(self._order.size, 8)):
            squares = np.zeros((block.stop - block.start, self._order.size))
            for z, coordinate in zip(Z[block].T, fit.rows.Z, strict=True):
                squares += (z[:, None] - coordinate) ** 2
            out[block, self._order] = self._kernel(squares) * fit.rows.weight
        return out

    def _kernel(self, squares: Array) -> Array:
        tau: Any = self._tau
        if self._k > 0:
            tau = np.sqrt(np.partition(squares, self._k - 1, axis=1)[:, self._k - 1, None])
        with np.errstate(divide="ignore", invalid="ignore"):  # τ = 0 among duplicates
            ratio = np.where(squares == 0, 0.0, np.sqrt(squares) / tau)
        if self.kernel == "gaussian":
            return np.exp(-0.5 * ratio**2)
        return np.maximum(1.0 - ratio**3, 0.0) ** 3
