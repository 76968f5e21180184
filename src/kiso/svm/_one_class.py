"""The support of a distribution by a one-class machine."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import OutlierMixin

from kiso._validation import Array, Interval, Real

from ._base import KernelMachine, Problem, SMOState
from ._gram_cache import GramCache, Request
from ._smo import Machine

__all__ = ["OneClassSVM"]


class OneClassSVM(OutlierMixin, KernelMachine):
    r"""One-class machine: a region that holds most of the data.

    Minimises, over w and ρ,

    .. math:: \tfrac12 \lVert w \rVert^2 - \nu n \rho
              + \sum_i w_i \max(0, \rho - w^\top \varphi(x_i))

    (with sample weights w_i, n is their sum). ν bounds the share of outliers from above
    and that of support vectors from below.

    Parameters
    ----------
    kernel, degree, gamma, coef0, tol, shrinking, cache_size, verbose, max_iter
        As for `SVC`.
    nu : float, default=0.5
        ν, between 0 (excluded) and 1.

    Attributes
    ----------
    support_, support_vectors_, n_support_, dual_coef_, intercept_, dual_gap_, coef_
        As for `SVR`.
    fit_status_, n_iter_, objective_path_
        As for `SVR`; `dual_coef_` holds α_i ≥ 0.
    offset_ : ndarray of shape (1,)
        ρ; `decision_function` is `score_samples` less this.

    References
    ----------
    Schölkopf et al. (2001), Estimating the support of a high-dimensional distribution.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.svm import OneClassSVM
    >>> X = np.array([[0.0], [0.44], [0.45], [0.46], [1.0]])
    >>> OneClassSVM(gamma="auto").fit(X).predict(X)
    array([-1,  1,  1,  1, -1])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **KernelMachine._parameter_constraints,
        "nu": [Interval(Real, 0, 1, closed="right")],
    }

    def __init__(
        self,
        *,
        kernel: Any = "rbf",
        degree: int = 3,
        gamma: float | str = "scale",
        coef0: float = 0.0,
        tol: float = 1e-3,
        nu: float = 0.5,
        shrinking: bool = True,
        cache_size: float = 200,
        verbose: bool = False,
        max_iter: int = -1,
    ) -> None:
        self.kernel = kernel
        self.degree = degree
        self.gamma = gamma
        self.coef0 = coef0
        self.tol = tol
        self.nu = nu
        self.shrinking = shrinking
        self.cache_size = cache_size
        self.verbose = verbose
        self.max_iter = max_iter

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Fit the machine.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples; the Gram matrix (n_samples, n_samples) for a precomputed kernel.
        y : ignored
        sample_weight : array-like of shape (n_samples,), default=None
            Weights; rows with a weight ≤ 0 are left out.

        Returns
        -------
        self
        """
        return self._fit(X, None, sample_weight=sample_weight)

    def _prepare(self, X: Any, y: Any = None, sample_weight: Any = None, **_: Any) -> Problem:
        X = self._validate(X)
        weight = self._weights(X, sample_weight)
        kernel, points = self._points(X)
        n = len(weight)
        mass = np.cumsum(weight)  # the first rows carry ν of all weight: a feasible start
        beta = np.clip(self.nu * mass[-1] - (mass - weight), 0.0, weight)
        g = np.zeros(n)
        start = np.flatnonzero(beta)
        GramCache(kernel, points, [0, n], 0.0).add(0, [Request(start, beta[start], g)])
        machine = Machine(
            segments=[0],
            rows=np.arange(n),
            row_of=np.arange(n),
            p=np.zeros(n),
            lo=np.zeros(n),
            hi=weight.astype(np.float64),
            beta=beta,
            g=g,
        )
        return Problem(X, np.arange(n), points, kernel, [0, n], [machine], np.empty(0))

    def _fitted(self, problem: Problem, state: SMOState) -> dict[str, Any]:
        beta = state.beta[0]
        support = np.flatnonzero(beta)
        return {
            "support_": support.astype(np.int32),
            "support_vectors_": self._kept_rows(problem.X, support),
            "n_support_": np.array([len(support)], np.int32),
            "dual_coef_": self._as_fitted(problem.X, beta[None, support]),
            "intercept_": state.intercepts,
            "offset_": -state.intercepts,
            "dual_gap_": state.gap,
            "fit_status_": int(not state.converged),
            "n_iter_": int(state.n_steps[0]),
            "shape_fit_": problem.X.shape,
        }

    @property
    def coef_(self) -> Any:
        """w, for the linear kernel; (1, n_features)."""
        return self._linear_coef(self._dense_duals())

    def decision_function(self, X: Any) -> Array:
        """Give Σ α_i k(x, x_i) − ρ of each row, positive inside; (n_samples,)."""
        return self._sums(self._queries(X), self._dense_duals().T)[:, 0]

    def score_samples(self, X: Any) -> Array:
        """Give Σ α_i k(x, x_i) of each row; (n_samples,)."""
        return self.decision_function(X) + self.offset_

    def predict(self, X: Any) -> Array:
        """Give 1 for rows inside, −1 for outliers; (n_samples,)."""
        return np.where(self.decision_function(X) > 0, 1, -1)

    def decision_gradient(self, X: Any) -> Array:
        """Give the gradient of `decision_function` in x of dense rows."""
        return self._gradients(X, self._dense_duals().T)[:, 0]
