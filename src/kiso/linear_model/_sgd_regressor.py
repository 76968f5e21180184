"""SGDRegressor; the steps are in _stochastic and _minibatch."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_is_fitted

from kiso._gate import finite_targets, validate_data
from kiso._validation import FLOATS, Array, RandomState, StrOptions

from ._sgd_base import EPOCHS, PENALTY, STEPS, StochasticModel
from ._stochastic import Score, Targets

__all__ = ["SGDRegressor"]

_LOSSES = {"squared_error", "huber", "epsilon_insensitive", "squared_epsilon_insensitive"}


class SGDRegressor(RegressorMixin, StochasticModel):
    r"""Linear regression trained by (mini-batch) stochastic gradient descent.

    With weights :math:`c_i` and r = `l1_ratio`, it descends

    .. math:: E(w, b) = \frac1n \sum_i c_i\,\ell(y_i,\, w^\top x_i + b)
              + \alpha\Big(\frac{1-r}{2}\|w\|_2^2 + r\|w\|_1\Big).

    Parameters
    ----------
    loss : str, default='squared_error'
        'squared_error', 'huber', 'epsilon_insensitive' or 'squared_epsilon_insensitive':
        ½(p − y)², and so on; see `kiso.losses` for the formulas.
    penalty, alpha, l1_ratio, fit_intercept, max_iter, tol, shuffle, verbose, epsilon
        As for `SGDClassifier`.
    random_state, eta0, early_stopping, validation_fraction, n_iter_no_change, warm_start
        As for `SGDClassifier`.
    average, batch_size, rule
        As for `SGDClassifier`; early stopping looks at R².
    learning_rate : str, default='invscaling'
        As for `SGDClassifier`; 'pa1' and 'pa2' with loss='epsilon_insensitive' only.
    power_t : float, default=0.25
        Exponent of 'invscaling', >= 0.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
        w; of the data's precision.
    intercept_ : ndarray of shape (1,)
        b.
    n_iter_, t_, objective_path_, n_features_in_, feature_names_in_
        As for `SGDClassifier`.

    See Also
    --------
    SGDClassifier : The same for labels, with the details.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.linear_model import SGDRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((1000, 2))
    >>> y = X @ [1.0, -2.0] + 3.0
    >>> model = SGDRegressor(penalty=None, tol=1e-9, random_state=0).fit(X, y)
    >>> model.coef_.round(3), model.intercept_.round(3)
    (array([ 1., -2.]), array([3.]))
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "loss": [StrOptions(_LOSSES)],
        **PENALTY,
        **EPOCHS,
        **STEPS,
    }

    def __init__(
        self,
        loss: str = "squared_error",
        *,
        penalty: str | None = "l2",
        alpha: float = 0.0001,
        l1_ratio: float | None = 0.15,
        fit_intercept: bool = True,
        max_iter: int = 1000,
        tol: float | None = 1e-3,
        shuffle: bool = True,
        verbose: int = 0,
        epsilon: float = 0.1,
        random_state: RandomState = None,
        learning_rate: str = "invscaling",
        eta0: float = 0.01,
        power_t: float = 0.25,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 5,
        warm_start: bool = False,
        average: bool | int = False,
        batch_size: int = 1,
        rule: Any = None,
    ):
        self.loss = loss
        self.penalty = penalty
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.shuffle = shuffle
        self.verbose = verbose
        self.epsilon = epsilon
        self.random_state = random_state
        self.learning_rate = learning_rate
        self.eta0 = eta0
        self.power_t = power_t
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.warm_start = warm_start
        self.average = average
        self.batch_size = batch_size
        self.rule = rule

    def fit(
        self,
        X: Any,
        y: Any,
        coef_init: Any = None,
        intercept_init: Any = None,
        sample_weight: Any = None,
    ) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,)
            Targets.
        coef_init : array-like of shape (n_features,), default=None
            Weights to start from; None for zeros, or the last ones with `warm_start`.
        intercept_init : array-like of shape (1,), default=None
            Intercept to start from.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples.

        Returns
        -------
        self : SGDRegressor
            The fitted estimator.
        """
        return self._fit(
            X,
            y,
            coef_init=coef_init,
            intercept_init=intercept_init,
            sample_weight=sample_weight,
        )

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Go once through the samples that are given, starting from where the model stands.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Some of the samples.
        y : array-like of shape (n_samples,)
            Their targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples.

        Returns
        -------
        self : SGDRegressor
            The fitted estimator.
        """
        self._partial_fit(X, y, None, sample_weight)
        return self

    def predict(self, X: Any) -> Array:
        """Give X·coef_ + intercept_.

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
        predicted: Array = X @ self.coef_ + self.intercept_
        return predicted

    def _pa_loss(self) -> str:
        return "epsilon_insensitive"

    def _learn(self, y: Array, weight: Array, *, partial: bool, classes: Any) -> Targets:
        return Targets(finite_targets(y).astype(weight.dtype), weight)

    def _scorer(self, X: Any, targets: Targets, rows: Array) -> Score:
        from sklearn.metrics import r2_score

        held_out, y = X[rows], targets.y[rows]
        weight = targets.weight[rows] if targets.weight.size else None

        def r2(output: int, coef: Array, intercept: float) -> float:
            return float(r2_score(y, held_out @ coef + intercept, sample_weight=weight))

        return r2

    def _fitted(self, problem: Any, state: Any) -> dict[str, Any]:
        fitted = super()._fitted(problem, state)
        return {**fitted, "coef_": state.coef[0]}
