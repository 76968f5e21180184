"""Logistic regression, binary and multinomial; what it minimises is in _logistic_objective."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from scipy.special import expit, log_expit, log_softmax, softmax
from sklearn.utils import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets

from kiso._compute import costs
from kiso._compute.threads import TakesJobs
from kiso._gate import check_sample_weight, validate_data
from kiso._linear_classifier import LinearClassifier
from kiso._parts import is_parted, parts_of
from kiso._validation import (
    FLOATS,
    RANDOM_STATE,
    Array,
    Hidden,
    Integral,
    Interval,
    RandomState,
    Real,
    StrOptions,
    check_generator,
    positive,
)
from kiso.base import IterativeEstimator

from ._logistic_curvature import Sampled, sample_size
from ._logistic_objective import Objective
from ._logistic_parts import Labels, ObjectiveOfParts, labels_of
from ._logistic_proximal import MAX_FEATURES, least_subgradient, proximal_newton
from ._logistic_solvers import LogisticState, lbfgs, newton

__all__ = ["LogisticRegression"]

_SMOOTH_ONLY = {"lbfgs", "newton-cg", "newton-cholesky", "sag"}
_SOLVERS = {"auto", "lbfgs", "liblinear", "newton-cg", "newton-cholesky", "sag", "saga"}


@dataclass(frozen=True)
class _Problem:
    objective: Objective
    alpha: float  # the L1 penalty, in the objective's scale
    start: Array
    rng: np.random.Generator

    @property
    def unpenalised(self) -> bool:
        return self.alpha == 0.0 and self.objective.l2 == 0.0


class LogisticRegression(TakesJobs, LinearClassifier, IterativeEstimator[_Problem, LogisticState]):
    r"""Logistic regression: class probabilities from a linear score.

    For two classes :math:`p(y=1\mid x) = \sigma(w^\top x + b)`, with
    :math:`\sigma(z) = 1/(1+e^{-z})`; for K classes
    :math:`p(y=k\mid x) = \mathrm{softmax}(Wx + b)_k`. Maximum likelihood with a penalty:
    with row weights :math:`s_i`, :math:`S = \sum_i s_i` and r = `l1_ratio`, it minimises

    .. math:: \frac1S \sum_i s_i\,[-\log p(y_i\mid x_i)]
              + \frac{1}{C S}\Big(\frac{1-r}{2}\|W\|_2^2 + r\,\|W\|_1\Big).

    The intercept is never penalised. There is no closed form, unlike in linear regression.

    Parameters
    ----------
    penalty : {'l1', 'l2', 'elasticnet', None}, default='deprecated'
        For code written for older scikit-learn: 'l2' means `l1_ratio=0`, 'l1'
        `l1_ratio=1`, 'elasticnet' the `l1_ratio` that is given, None `C=np.inf`.
    C : float, default=1.0
        Inverse strength of the penalty, > 0; `np.inf` for none.
    l1_ratio : float, default=0.0
        Share of the L1 penalty, between 0 (L2 alone) and 1 (L1 alone).
    dual : bool, default=False
        Without effect, as the solution is the same; for scikit-learn's signature.
    tol : float, default=1e-4
        The fit stops when the largest entry, in absolute value, of the gradient of the
        objective above (a mean over samples, as in scikit-learn; with L1 of its least
        subgradient) is at most this, and so is, for a smooth objective, the estimated
        distance from the minimum, ½ gᵀH⁻¹g. It also stops where rounding hides any
        further decrease.
    fit_intercept : bool, default=True
        Whether there is an intercept b.
    intercept_scaling : float, default=1
        Without effect, as the intercept is not penalised; for scikit-learn's signature.
    class_weight : dict or 'balanced', default=None
        Weights of the classes, multiplied with the samples'; 'balanced' makes the total
        weight of every class the same.
    random_state : int, RandomState, Generator or None, default=None
        Chooses the rows from which a first guess of the curvature is taken; it moves
        the solution within `tol` only. None is a fixed choice: fits repeat exactly.
    solver : str, default='auto'
        'auto', 'newton-cholesky', 'lbfgs', 'newton-cg', 'liblinear', 'sag' or 'saga'.
        'newton-cholesky' is Newton's method (IRLS) with the exact Hessian; 'lbfgs' is
        L-BFGS on top of a curvature that is factored from a sample of the rows; with an
        L1 penalty it is always proximal Newton. 'auto' takes the fastest: Newton where
        rows and parameters are few, else L-BFGS. The other names are accepted for
        scikit-learn's sake and mean 'auto': they have the same solution. As there,
        'lbfgs', 'sag' and 'newton-...' refuse an L1 penalty.
    max_iter : int, default=100
        Largest number of steps of the solver; 0 leaves the model where it starts.
    verbose : int, default=0
        Without effect; use a callback such as `sklearn.callback.ProgressBar`.
    warm_start : bool, default=False
        Whether to start from the last solution, where it has the same classes and
        features.
    n_jobs : None or int, default=None
        Without effect: all cores given to the process are used.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        w, or W; of the data's precision.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        b; zeros without an intercept.
    n_iter_ : ndarray of shape (1,)
        Steps done.
    gradient_norm_ : float
        Largest entry of the gradient (with L1 the least subgradient) where it stopped.
    objective_path_ : ndarray of shape (n_steps,)
        The objective after each step.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, where X had names that are all strings.

    Raises
    ------
    ValueError
        On one class only, on a parameter outside its range, on a solver that does not
        know the penalty.

    Warns
    -----
    ConvergenceWarning
        When `max_iter` steps were not enough, and when there is no penalty and the
        classes can be separated: then the likelihood has no maximum, and the
        coefficients, which grow without bound, are those at which the gradient fell
        below `tol`.

    Notes
    -----
    Data are read in blocks, once an evaluation, by all cores; float32 stays float32, with
    sums in float64. Sparse input is read as CSR. Labels that have zero weight everywhere
    still are classes.

    References
    ----------
    Goodfellow, Bengio & Courville, Deep Learning, 5.7.1 (logistic regression). Hastie,
    Tibshirani & Friedman, The Elements of Statistical Learning, 4.4.1 (IRLS). Nocedal &
    Wright, Numerical Optimization, 7.2 (L-BFGS).

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from kiso.linear_model import LogisticRegression
    >>> X, y = load_iris(return_X_y=True)
    >>> model = LogisticRegression().fit(X, y)
    >>> model.predict(X[:2])
    array([0, 0])
    >>> model.predict_proba(X[:2]).round(2)
    array([[0.98, 0.02, 0.  ],
           [0.97, 0.03, 0.  ]])
    >>> model.score(X, y)
    0.97

    Step by step:

    >>> for state in LogisticRegression(max_iter=3).steps(X, y):
    ...     print(state.n_iter, round(state.objective, 2))
    1 0.48
    2 0.33
    3 0.22
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "penalty": [
            StrOptions({"l1", "l2", "elasticnet"}),
            None,
            Hidden(StrOptions({"deprecated"})),
        ],
        "C": [Interval(Real, 0, None, closed="right")],
        "l1_ratio": [Interval(Real, 0, 1, closed="both"), None],
        "dual": ["boolean"],
        "tol": [positive(zero=True)],
        "fit_intercept": ["boolean"],
        "intercept_scaling": [positive()],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "random_state": RANDOM_STATE,
        "solver": [StrOptions(_SOLVERS)],
        "max_iter": [positive(Integral, zero=True)],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
        "n_jobs": [None, Integral],
    }

    _fits_parts = True

    def __init__(
        self,
        penalty: str | None = "deprecated",
        *,
        C: float = 1.0,
        l1_ratio: float | None = 0.0,
        dual: bool = False,
        tol: float = 1e-4,
        fit_intercept: bool = True,
        intercept_scaling: float = 1,
        class_weight: dict[Any, float] | str | None = None,
        random_state: RandomState = None,
        solver: str = "auto",
        max_iter: int = 100,
        verbose: int = 0,
        warm_start: bool = False,
        n_jobs: int | None = None,
    ):
        self.penalty = penalty
        self.C = C
        self.l1_ratio = l1_ratio
        self.dual = dual
        self.tol = tol
        self.fit_intercept = fit_intercept
        self.intercept_scaling = intercept_scaling
        self.class_weight = class_weight
        self.random_state = random_state
        self.solver = solver
        self.max_iter = max_iter
        self.verbose = verbose
        self.warm_start = warm_start
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,)
            Labels, of any type that can be sorted.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights >= 0; a weight of zero is as if the row were not there.

        Returns
        -------
        self : LogisticRegression
            The fitted estimator.
        """
        return self._fit(X, y, sample_weight=sample_weight)

    def predict_proba(self, X: Any) -> Array:
        """Give the probability of each class.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Columns as in `classes_`; rows sum to 1. No score, however large, gives NaN.
        """
        z = self.decision_function(X)
        if z.ndim == 1:
            return np.stack([expit(-z), expit(z)], axis=1)
        return softmax(z, axis=1)

    def predict_log_proba(self, X: Any) -> Array:
        """Give the logarithm of the probability of each class.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Finite where the probability itself rounds to zero.
        """
        z = self.decision_function(X)
        if z.ndim == 1:
            return np.stack([log_expit(-z), log_expit(z)], axis=1)
        return log_softmax(z, axis=1)

    def _prepare(self, X: Any, y: Any = None, sample_weight: Any = None, **_: Any) -> _Problem:
        C, ratio = self._penalty()
        if is_parted(X) or is_parted(y):
            return self._prepare_parts(X, y, sample_weight, C, ratio)
        X, y = validate_data(self, X, y, accept_sparse="csr", dtype=FLOATS, y_numeric=False)
        check_classification_targets(y)
        if not isinstance(X, np.ndarray) and not X.has_canonical_format:
            X = X.copy()
            X.sum_duplicates()
        weights = check_sample_weight(
            sample_weight, X, dtype=np.float64, copy=True, ensure_non_negative=True
        )
        previous = getattr(self, "classes_", None) if self.warm_start else None
        self.classes_, codes = np.unique(y, return_inverse=True)
        if self.class_weight is not None:
            of_class = compute_class_weight(
                self.class_weight, classes=self.classes_, y=y, sample_weight=weights
            )
            weights *= of_class[codes]
        self._check_classes(codes, weights)
        total = float(weights.sum())
        weights /= total
        objective = Objective(
            X=X,
            y=codes.astype(np.intp, copy=False),
            s=weights,
            n_classes=len(self.classes_),
            intercept=self.fit_intercept,
            l2=(1.0 - ratio) / (C * total),
        )
        return self._problem(objective, previous, ratio / (C * total))

    def _prepare_parts(
        self, X: Any, y: Any, sample_weight: Any, C: float, ratio: float
    ) -> _Problem:
        """Rows in parts: a pass finds the classes and their weights."""
        rows = parts_of(X, y, sample_weight, estimator=self, targets="labels")
        d = rows.form.n_features
        if ratio > 0.0 and d > MAX_FEATURES:
            raise ValueError(
                f"an L1 penalty on rows in parts takes at most {MAX_FEATURES} features; X has {d}"
            )
        previous = getattr(self, "classes_", None) if self.warm_start else None
        self.classes_, mass = labels_of(rows)
        scale = np.ones(len(mass))
        if self.class_weight is not None:
            scale = compute_class_weight(
                self.class_weight, classes=self.classes_, y=self.classes_, sample_weight=mass
            )
        self._check_classes(np.arange(len(mass)), mass * scale)
        total = float(mass @ scale)
        objective = ObjectiveOfParts(
            X=rows,
            y=np.empty(0, np.intp),
            s=np.empty(0),
            n_classes=len(self.classes_),
            intercept=self.fit_intercept,
            l2=(1.0 - ratio) / (C * total),
            labels=Labels(self.classes_, scale / total),
        )
        return self._problem(objective, previous, ratio / (C * total))

    def _problem(self, objective: Objective, previous: Array | None, alpha: float) -> _Problem:
        start = self._start(objective.shape, previous)
        rng = check_generator(0 if self.random_state is None else self.random_state)
        return _Problem(objective, alpha, start, rng)

    def _penalty(self) -> tuple[float, float]:
        """C and the share of L1 that the parameters ask for."""
        ratio = 0.0 if self.l1_ratio is None else float(self.l1_ratio)
        C = float(self.C)
        if self.penalty is None:
            if C != 1.0:
                warnings.warn(f"penalty=None ignores C={self.C!r}", UserWarning, stacklevel=6)
            C = np.inf
        elif self.penalty == "elasticnet":
            if self.l1_ratio is None:
                raise ValueError("l1_ratio=None with penalty='elasticnet': give 0 <= l1_ratio <= 1")
        elif self.penalty != "deprecated":
            implied = 1.0 if self.penalty == "l1" else 0.0
            if ratio not in (0.0, implied):
                warnings.warn(
                    f"penalty={self.penalty!r} ignores l1_ratio={self.l1_ratio!r}",
                    UserWarning,
                    stacklevel=6,
                )
            ratio = implied
        if ratio > 0.0 and np.isfinite(C) and self.solver in _SMOOTH_ONLY:
            raise ValueError(
                f"solver={self.solver!r} does not know an L1 penalty (l1_ratio={ratio:g}): "
                "give solver='auto', 'saga' or 'liblinear'"
            )
        return C, ratio

    def _check_classes(self, codes: Array, weights: Array) -> None:
        mass = np.bincount(codes, weights=weights, minlength=len(self.classes_))
        present = self.classes_[mass > 0]
        if len(present) < 2:
            where = "" if len(self.classes_) < 2 else " among the samples of positive weight"
            raise ValueError(
                f"y holds one class, {present[0]!r}{where}: a classifier needs at least 2 classes"
            )

    def _start(self, shape: tuple[int, int], previous: Array | None) -> Array:
        """Start at the last solution, where it fits and is asked for, else at zero."""
        start = np.zeros(shape)
        if previous is None or not np.array_equal(previous, self.classes_):
            return start
        coef = self.coef_ if isinstance(self.coef_, np.ndarray) else self.coef_.toarray()
        if coef.T.shape == (shape[0] - self.fit_intercept, shape[1]):
            start[: len(coef.T)] = coef.T
            if self.fit_intercept:
                start[-1] = self.intercept_
            if not np.isfinite(start).all():
                raise ValueError(
                    "Floating-point under-/overflow: with warm_start=True the fit starts at coef_ "
                    "and intercept_, which are not finite. Give warm_start=False, or set them."
                )
            if shape[1] > 1 and self._penalty()[1] == 0.0:
                start -= start.mean(axis=1, keepdims=True)
        return start

    def _iterate(self, problem: _Problem) -> Iterator[LogisticState]:
        for state in self._solve(problem):
            if state.converged and state.separates and problem.unpenalised:
                yield replace(state, converged=False)  # to a point that is no minimum
            else:
                yield state

    def _solve(self, problem: _Problem) -> Iterator[LogisticState]:
        objective, start = problem.objective, problem.start
        if self.max_iter == 0:
            return iter([self._start_state(problem)])
        limits: dict[str, Any] = {"tol": self.tol, "max_iter": self.max_iter}
        if problem.alpha > 0.0:
            return proximal_newton(objective, start, alpha=problem.alpha, rng=problem.rng, **limits)
        if self.solver == "newton-cholesky" or (
            self.solver != "lbfgs" and _newton_is_cheaper(objective)
        ):
            return newton(objective, start, **limits)
        return lbfgs(objective, start, Sampled(objective, problem.rng), **limits)

    def _start_state(self, problem: _Problem) -> LogisticState:
        """Where a fit of no steps stands."""
        at = problem.objective.value_gradient(problem.start)
        d = problem.objective.X.shape[1]
        penalty = problem.alpha * float(np.abs(problem.start[:d]).sum())
        gradient = least_subgradient(problem.start, at.gradient, problem.alpha, d)
        return LogisticState(
            n_iter=0,
            objective=at.value + penalty,
            theta=problem.start,
            gradient_norm=float(np.abs(gradient).max()),
            step=0.0,
            separates=False,
        )

    def _fitted(self, problem: _Problem, state: LogisticState) -> dict[str, Any]:
        dtype = problem.objective.X.dtype
        d = problem.objective.X.shape[1]
        theta = self._canonical(state.theta, problem)
        intercept = theta[d] if self.fit_intercept else np.zeros(theta.shape[1])
        return {
            "coef_": np.ascontiguousarray(theta[:d].T, dtype=dtype),
            "intercept_": intercept.astype(dtype),
            "n_iter_": np.array([state.n_iter], dtype=np.int32),
            "gradient_norm_": state.gradient_norm,
        }

    def _canonical(self, theta: Array, problem: Any) -> Array:
        """Of the intercepts that differ by a number and mean the same, those of sum zero.

        Without an L1 penalty every step keeps their sum; with one the steps of a class are
        its own.
        """
        if not (problem.alpha > 0.0 and self.fit_intercept and theta.shape[1] > 1):
            return theta
        theta = theta.copy()
        theta[-1] -= theta[-1].mean()
        return theta

    def _not_converged(self, problem: _Problem, state: LogisticState) -> str | None:
        if state.separates and problem.unpenalised:
            return (
                "The classes are separable: every sample lies on its side of the boundary, so "
                "without a penalty the likelihood has no maximum and the coefficients grow "
                f"without bound. They were stopped after {state.n_iter} iterations at the norm "
                f"{np.linalg.norm(state.theta):.3g}. Give a finite C."
            )
        return (
            f"LogisticRegression did not converge in {state.n_iter} iterations: the largest "
            f"entry of the gradient is {state.gradient_norm:.3g}, tol is {self.tol:g} "
            f"(objective {state.objective:.6g}). Raise max_iter or tol, or scale the features."
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _newton_is_cheaper(objective: Objective) -> bool:
    """Whether the Hessian is small and the rows too few to take it from a sample of them.

    Measured: there Newton's third of the steps pays for its Hessians.
    """
    p, K = objective.shape
    return p * K <= costs.LOGISTIC_NEWTON_PARAMETERS and objective.n_rows <= 2 * sample_size(p, K)
