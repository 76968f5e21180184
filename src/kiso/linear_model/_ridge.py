"""Ridge regression: least squares with weight decay, the MAP estimate under a Gaussian prior."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from kiso._validation import RANDOM_STATE, Array, Integral, StrOptions, positive

from ._moments import is_sparse
from ._penalised import LinearState, PenalisedLeastSquares, Problem

# what each of scikit-learn's solvers stands for here
METHODS = {
    "auto": "auto",
    "cholesky": "normal",
    "svd": "orthogonal",
    "lsqr": "gradient",
    "sparse_cg": "gradient",
    "sag": "gradient",
    "saga": "gradient",
    "lbfgs": "nonnegative",
}


class Ridge(PenalisedLeastSquares):
    """Least squares with an L2 penalty: MAP under Gaussian noise and a Gaussian prior.

    Minimises Σ wᵢ (yᵢ − xᵢᵀ w − b)² + α ‖w‖². With noise variance σ² this is the mode of
    the posterior under w ~ N(0, (σ²/α) I) and a flat prior on b, which is not penalised
    (Goodfellow, Bengio & Courville, section 5.6.1, eq. 5.79).

    Parameters
    ----------
    alpha : float or array-like of shape (n_targets,), default=1.0
        Penalty, ≥ 0; one for each target where an array is given.
    fit_intercept : bool, default=True
        Whether there is an intercept b, which is never penalised.
    copy_X : bool, default=True
        Accepted for scikit-learn's sake; X is never written to.
    max_iter : int, default=None
        Largest number of steps of an iterative solver. None: ten times the smaller
        dimension of X, at least 1000 (15,000 for `positive` on sparse data).
    tol : float, default=1e-4
        Iterative solvers: relative size of the gradient at which to stop.
    solver : {"auto", "svd", "cholesky", "lsqr", "sparse_cg", "sag", "saga", "lbfgs"}, \
            default="auto"
        The minimiser is unique (α > 0), so a solver is a matter of cost alone:

        - "cholesky": normal equations, of the smaller of the two sides (the dual where
          there are fewer rows than columns), with a condition estimate; what cannot be
          trusted is solved as by "svd";
        - "svd": orthogonal triangle and singular value decomposition; dense data;
        - "sparse_cg": conjugate gradient for least squares (CGLS); "lsqr" has the same
          iterates in exact arithmetic and is the same code; "sag" and "saga" are taken to
          mean it;
        - "lbfgs": only with `positive=True`;
        - "auto": "cholesky" for dense data and for sparse data of up to 1024 columns,
          else "sparse_cg".
    positive : bool, default=False
        Whether coefficients have to be ≥ 0; solver "auto" or "lbfgs". Dense data are
        solved by an active-set method, sparse data by L-BFGS-B.
    random_state : int, RandomState instance, default=None
        Accepted for scikit-learn's sake; nothing here is random.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features)
    intercept_ : float or ndarray of shape (n_targets,)
    sigma_ : float or ndarray of shape (n_targets,)
        √(Σ wᵢ rᵢ² / Σ wᵢ): the noise's standard deviation that maximises the likelihood
        given the coefficients, in units of y.
    n_iter_ : ndarray of shape (n_targets,) or None
        Steps of an iterative solver; None for direct ones.
    solver_ : str
        What was used in the end: "cholesky", "svd", "sparse_cg", "lsqr", "nnls" or
        "lbfgs".
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
    objective_path_ : ndarray of shape (n_steps,)
        Penalised sum of squares after each step.

    Raises
    ------
    ValueError
        For a negative α, as many α as there are not targets, a solver that does not go
        with `positive` or with sparse data, NaN or infinity, negative weights.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.linear_model import Ridge
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> y = np.array([0.0, 1.0, 2.0, 3.0])
    >>> model = Ridge(alpha=5.0).fit(X, y)      # Sxy / (Sxx + α) = 5 / 10
    >>> model.coef_.round(6), round(float(model.intercept_), 6)
    (array([0.5]), 0.75)
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "alpha": [positive(zero=True), "array-like"],
        "fit_intercept": ["boolean"],
        "copy_X": ["boolean"],
        "max_iter": [positive(Integral), None],
        "tol": [positive(zero=True)],
        "solver": [StrOptions(set(METHODS))],
        "positive": ["boolean"],
        "random_state": RANDOM_STATE,
    }

    def __init__(
        self,
        alpha: Any = 1.0,
        *,
        fit_intercept: bool = True,
        copy_X: bool = True,
        max_iter: int | None = None,
        tol: float = 1e-4,
        solver: str = "auto",
        positive: bool = False,
        random_state: Any = None,
    ):
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.copy_X = copy_X
        self.max_iter = max_iter
        self.tol = tol
        self.solver = solver
        self.positive = positive
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
        sample_weight : float or array-like of shape (n_samples,), default=None
            How often each row counts; non-negative.

        Returns
        -------
        self
        """
        return self._fit(X, y, sample_weight=sample_weight)

    def _prepare(  # type: ignore[override]
        self, X: Any, y: Any = None, sample_weight: Any = None
    ) -> Problem:
        X, Y, weights, one_target = self._validate(X, y, sample_weight, accept_sparse="csr")
        method = self._method(sparse=is_sparse(X))
        return self._problem(X, Y, weights, one_target, self._alphas(Y.shape[1]), method)

    def _method(self, *, sparse: bool) -> str:
        if self.positive and self.solver not in {"auto", "lbfgs"}:
            raise ValueError(
                f"solver={self.solver!r} does not support positive fitting: "
                "give solver='auto' or 'lbfgs', or positive=False"
            )
        if self.solver == "lbfgs" and not self.positive:
            raise ValueError(
                "solver='lbfgs' can be used only when positive=True: give another solver"
            )
        if self.solver == "svd" and sparse:
            raise ValueError(
                "solver='svd' does not support sparse X: give 'auto', 'cholesky' or 'sparse_cg'"
            )
        return "nonnegative" if self.positive else METHODS[self.solver]

    def _alphas(self, n_targets: int) -> Array:
        alphas = np.asarray(self.alpha, dtype=np.float64).ravel()
        if len(alphas) not in {1, n_targets}:
            raise ValueError(
                "Number of targets and number of penalties do not correspond: "
                f"alpha has {len(alphas)} entries, y has {n_targets} targets"
            )
        if not (np.isfinite(alphas) & (alphas >= 0)).all():
            raise ValueError(f"alpha={self.alpha!r}: penalties are finite and ≥ 0")
        return np.broadcast_to(alphas, n_targets).copy()

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = self.solver != "svd"
        return tags

    def _fitted(self, problem: Problem, state: LinearState) -> dict[str, Any]:
        lsqr = self.solver == "lsqr" and state.solver == "sparse_cg"
        return {
            **self._shaped(problem, state, flat=True),
            "n_iter_": state.n_iter_target,
            "solver_": "lsqr" if lsqr else state.solver,
        }
