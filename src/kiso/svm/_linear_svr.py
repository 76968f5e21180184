"""LinearSVR: a linear function with a tube around it that costs nothing."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.extmath import safe_sparse_dot
from sklearn.utils.validation import check_is_fitted

from kiso._gate import check_sample_weight, finite_targets, validate_data
from kiso._validation import FLOATS, Array, RandomState, StrOptions, positive

from ._linear_base import LinearMachines, LinearSVMState, Problem
from ._linear_machines import Dual

__all__ = ["LinearSVR"]


class LinearSVR(RegressorMixin, LinearMachines):
    r"""Linear support vector regression.

    With :math:`f(x) = w^\top x + b`, a = `intercept_scaling` and weights :math:`s_i` of the
    samples it minimises

    .. math:: \tfrac12\big(\|w\|^2 + (b/a)^2\big) + C \sum_i s_i\,\ell(y_i - f(x_i)),

    :math:`\ell(r) = \max(0, |r| - \epsilon)` ('epsilon_insensitive') or its square: errors
    of up to ε cost nothing, and samples within that tube have no say.

    Parameters
    ----------
    epsilon : float, default=0.0
        ε >= 0, in the unit of y.
    tol : float, default=1e-4
        The fit stops when `dual_gap_` is at most `tol`/100 of the objective.
    C : float, default=1.0
        Price of an error, > 0 and finite.
    loss : str, default='epsilon_insensitive'
        ℓ, see above: 'epsilon_insensitive' or 'squared_epsilon_insensitive'.
    fit_intercept : bool, default=True
        Whether there is an intercept b.
    intercept_scaling : float, default=1.0
        a; the larger, the less the intercept is penalised.
    dual : 'auto' or bool, default='auto'
        True: coordinate descent in the dual. False: Newton's method in the primal, for the
        squared loss. 'auto' as in `LinearSVC`.
    verbose : int, default=0
        Without effect; use a callback such as `sklearn.callback.ProgressBar`.
    random_state : int, RandomState, Generator or None, default=None
        Order of the samples in coordinate descent. None is a fixed one.
    max_iter : int, default=1000
        Largest number of epochs or Newton steps.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
        w; of the data's precision.
    intercept_ : ndarray of shape (1,)
        b; zero without an intercept.
    dual_gap_ : float
        The certificate: the objective is at most this far above the least one.
    n_iter_ : int
        Epochs or Newton steps done.
    objective_path_ : ndarray of shape (n_steps,)
        The objective after each step.
    n_features_in_, feature_names_in_
        Number and names of the features.

    Raises
    ------
    ValueError
        On a parameter outside its range, on `dual=False` without a squared loss.

    Warns
    -----
    ConvergenceWarning
        When `max_iter` was not enough, with the gap that is left.
    UserWarning
        When the sizes of features differ by a factor of 10⁸.

    References
    ----------
    Drucker, Burges, Kaufman, Smola & Vapnik (1997), Support vector regression machines.
    Ho & Lin (2012), Large-scale linear support vector regression.

    Examples
    --------
    >>> from kiso.svm import LinearSVR
    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [1.0, 3.0, 5.0, 70.0]  # an outlier
    >>> model = LinearSVR(C=10, intercept_scaling=10).fit(X, y)
    >>> model.predict([[0.5], [1.5]]).round(2)
    array([2., 4.])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **LinearMachines._parameter_constraints,
        "epsilon": [positive(zero=True)],
        "loss": [StrOptions({"epsilon_insensitive", "squared_epsilon_insensitive"})],
    }

    def __init__(
        self,
        *,
        epsilon: float = 0.0,
        tol: float = 1e-4,
        C: float = 1.0,
        loss: str = "epsilon_insensitive",
        fit_intercept: bool = True,
        intercept_scaling: float = 1.0,
        dual: bool | str = "auto",
        verbose: int = 0,
        random_state: RandomState = None,
        max_iter: int = 1000,
    ):
        self.epsilon = epsilon
        self.tol = tol
        self.C = C
        self.loss = loss
        self.fit_intercept = fit_intercept
        self.intercept_scaling = intercept_scaling
        self.dual = dual
        self.verbose = verbose
        self.random_state = random_state
        self.max_iter = max_iter

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights >= 0, which multiply C.

        Returns
        -------
        self : LinearSVR
            The fitted estimator.
        """
        return self._fit(X, y, sample_weight=sample_weight)

    def predict(self, X: Any) -> Array:
        """Give f(x) = w·x + b of each sample.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse="csr", dtype=FLOATS, reset=False)
        return np.asarray(safe_sparse_dot(X, self.coef_, dense_output=True) + self.intercept_)

    def _prepare(self, X: Any, y: Any = None, sample_weight: Any = None, **_: Any) -> Problem:
        X, y = validate_data(
            self, X, y, accept_sparse="csr", dtype=FLOATS, order="C", y_numeric=True
        )
        weights = check_sample_weight(
            sample_weight, X, dtype=np.float64, copy=True, ensure_non_negative=True
        )
        t = finite_targets(y)
        u = float(self.C) * weights
        dual = Dual.of(t, u, float(self.epsilon), squared=self._squared, one_sided=False)
        return Problem(self._data(X), [dual])

    def _fitted(self, problem: Problem, state: LinearSVMState) -> dict[str, Any]:
        fitted = super()._fitted(problem, state)
        return {**fitted, "coef_": fitted["coef_"][0]}
