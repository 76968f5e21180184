"""Support vector regression."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import RegressorMixin

from kiso._gate import finite_targets
from kiso._validation import Array, Interval, Real, positive

from ._base import KernelMachine, Problem, SMOState
from ._smo import Machine

__all__ = ["SVR"]


class SVR(RegressorMixin, KernelMachine):
    r"""Support vector regression: a tube of radius ε, and what lies outside costs.

    Minimises

    .. math:: \tfrac12 \lVert w \rVert^2
              + \sum_i C_i \max(0, |y_i - w^\top \varphi(x_i) - b| - \varepsilon)

    through the dual; :math:`C_i` is C times the sample's weight.

    Parameters
    ----------
    kernel, degree, gamma, coef0, shrinking, cache_size, verbose
        As for `SVC`.
    tol : float, default=1e-3
        As for `SVC`; in the unit of y.
    C : float, default=1.0
        Cost of a deviation beyond ε, > 0.
    epsilon : float, default=0.1
        ε ≥ 0, in the unit of y.
    max_iter : int, default=-1
        Largest number of SMO steps; -1: 10,000,000.

    Attributes
    ----------
    support_ : ndarray of shape (n_SV,), int32
        Rows on the tube or outside.
    support_vectors_ : ndarray or csr matrix of shape (n_SV, n_features)
        Those rows; empty for a precomputed kernel.
    n_support_ : ndarray of shape (1,), int32
        How many there are.
    dual_coef_ : ndarray or csr matrix of shape (1, n_SV)
        α_i − α_i*; sparse where X is, as are `support_vectors_` and `coef_`.
    intercept_ : ndarray of shape (1,)
        b.
    coef_ : ndarray of shape (1, n_features)
        w; for the linear kernel alone.
    dual_gap_ : float
        Primal less dual objective: how far the fit can be from its optimum at most.
    fit_status_, n_iter_, objective_path_
        As for `SVC`; `n_iter_` is a number.

    References
    ----------
    Drucker et al. (1996), Support vector regression machines. Smola & Schölkopf (2004), A
    tutorial on support vector regression.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.svm import SVR
    >>> X = np.linspace(0, 6, 50)[:, None]
    >>> model = SVR(C=10, epsilon=0.05).fit(X, np.sin(X[:, 0]))
    >>> bool(np.abs(model.predict(X) - np.sin(X[:, 0])).max() < 0.052)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **KernelMachine._parameter_constraints,
        "C": [Interval(Real, 0, None, closed="right")],
        "epsilon": [positive(zero=True)],
    }

    def __init__(
        self,
        *,
        kernel: Any = "rbf",
        degree: int = 3,
        gamma: float | str = "scale",
        coef0: float = 0.0,
        tol: float = 1e-3,
        C: float = 1.0,
        epsilon: float = 0.1,
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
        self.C = C
        self.epsilon = epsilon
        self.shrinking = shrinking
        self.cache_size = cache_size
        self.verbose = verbose
        self.max_iter = max_iter

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the machine.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples; the Gram matrix (n_samples, n_samples) for a precomputed kernel.
        y : array-like of shape (n_samples,)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Factors of C; rows with a weight ≤ 0 are left out.

        Returns
        -------
        self
        """
        return self._fit(X, y, sample_weight=sample_weight)

    def _prepare(self, X: Any, y: Any = None, sample_weight: Any = None, **_: Any) -> Problem:
        X, z = self._validate(X, y=y, y_numeric=True)
        z = finite_targets(z)
        weight = self._weights(X, sample_weight)
        C = np.zeros(len(z))
        C[weight > 0] = self.C * weight[weight > 0]
        kernel, points = self._points(X)
        n, none = len(z), np.zeros(len(z))
        machine = Machine(
            segments=[0],
            rows=np.arange(n),
            row_of=np.concatenate([np.arange(n), np.arange(n)]),
            p=np.concatenate([self.epsilon - z, -self.epsilon - z]),
            lo=np.concatenate([none, -C]),
            hi=np.concatenate([C, none]),
            beta=np.zeros(2 * n),
            g=np.zeros(n),
        )
        return Problem(X, np.arange(n), points, kernel, [0, n], [machine], np.empty(0))

    def _fitted(self, problem: Problem, state: SMOState) -> dict[str, Any]:
        beta = state.beta[0].reshape(2, -1).sum(axis=0)
        support = np.flatnonzero(beta)
        return {
            "support_": support.astype(np.int32),
            "support_vectors_": self._kept_rows(problem.X, support),
            "n_support_": np.array([len(support)], np.int32),
            "dual_coef_": self._as_fitted(problem.X, beta[None, support]),
            "intercept_": state.intercepts,
            "dual_gap_": state.gap,
            "fit_status_": int(not state.converged),
            "n_iter_": int(state.n_steps[0]),
            "shape_fit_": problem.X.shape,
        }

    @property
    def coef_(self) -> Any:
        """w, for the linear kernel; (1, n_features)."""
        return self._linear_coef(self._dense_duals())

    def predict(self, X: Any) -> Array:
        """Give Σ (α_i − α_i*) k(x, x_i) + b of each row; (n_samples,)."""
        return self._sums(self._queries(X), self._dense_duals().T)[:, 0]

    def decision_gradient(self, X: Any) -> Array:
        """Give the gradient of the prediction in x of dense rows; (n_samples, n_features)."""
        return self._gradients(X, self._dense_duals().T)[:, 0]
