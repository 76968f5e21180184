"""Support vector classification."""

from __future__ import annotations

from itertools import combinations
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.exceptions import NotFittedError
from sklearn.utils import compute_class_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import _ovr_decision_function, check_classification_targets
from sklearn.utils.validation import check_is_fitted

from kiso._validation import RANDOM_STATE, Array, Hidden, Interval, RandomState, Real, StrOptions

from ._base import KernelMachine, Problem, SMOState
from ._calibration import Calibration, calibrate, coupled
from ._smo import Machine

__all__ = ["SVC"]


def _calibrated(model: Any) -> bool:
    if model.probability is True:
        return True
    raise AttributeError("predict_proba needs probability=True (it fits the machine 5 more times)")


class SVC(ClassifierMixin, KernelMachine):
    r"""Support vector classification with a kernel.

    For two classes :math:`y_i = \pm 1` it minimises

    .. math:: \tfrac12 \lVert w \rVert^2
              + \sum_i C_i \max(0, 1 - y_i (w^\top \varphi(x_i) + b))

    through the dual, in which only :math:`k(x, s) = \varphi(x)^\top \varphi(s)` occurs;
    :math:`C_i` is C times the weights of the sample and of its class. More classes: one
    machine for each pair, and a vote (one-vs-one).

    Parameters
    ----------
    C : float, default=1.0
        Cost of a violation, > 0; `np.inf` for a hard margin, which exists only where the
        classes can be separated.
    kernel : str, callable or Kernel, default='rbf'
        'linear', 'poly', 'rbf', 'sigmoid', 'min' or 'precomputed';
        'min' is Σ min(x_f, s_f) for features ≥ 0; 'precomputed': X is the Gram matrix; a
        callable `k(X, Y)` returns a Gram matrix of the rows of X and Y (samples that are no
        numbers, such as texts, reach it as they are); kernel objects of
        this module can be added and multiplied.
    degree : int, default=3
        Degree of 'poly'.
    gamma : {'scale', 'auto'} or float, default='scale'
        γ of 'rbf', 'poly', 'sigmoid': 'scale' is 1 / (n_features Var X), 'auto'
        1 / n_features.
    coef0 : float, default=0.0
        c of 'poly' and 'sigmoid'.
    shrinking : bool, default=True
        Whether to leave out rows whose duals no longer move; all rows are looked at before
        the fit ends. For two classes (the machines of more share their Gram columns).
    probability : bool, default=False
        Whether `predict_proba` shall be there. It costs 5 further fits, on four fifths of
        the rows each (Platt's scaling of decision values from cross-validation): about four
        times the fit itself, which the log says (logger 'kiso') and `calibration_seconds_`
        keeps. Calibrating a fitted machine on rows of its own, with
        `sklearn.calibration.CalibratedClassifierCV`, is cheaper.
    tol : float, default=1e-3
        The fit ends when no pair of duals violates the optimality conditions by more
        than this, or when the relative duality gap is at most 1e-6.
    cache_size : float, default=200
        Megabytes for columns of the Gram matrix. Whatever it is, a fit needs memory for no
        Gram matrix.
    class_weight : dict or 'balanced', default=None
        Factors of C for the classes; 'balanced' makes the classes' total weight the same.
    verbose : bool, default=False
        Logs every round (logger 'kiso').
    max_iter : int, default=-1
        Largest number of SMO steps of a machine; -1: 10,000,000 (1,000,000 for C=inf).
    decision_function_shape : {'ovr', 'ovo'}, default='ovr'
        For more than two classes, whether `decision_function` gives a score for each class
        (from the votes) or the value of each pair's machine.
    break_ties : bool, default=False
        Whether `predict` breaks ties of votes by those scores; needs 'ovr'.
    random_state : int, RandomState, Generator or None, default=None
        Gives the folds of `probability`; the machine itself has nothing random.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    support_ : ndarray of shape (n_SV,), int32
        Rows with a dual that is not zero, class by class.
    support_vectors_ : ndarray or csr matrix of shape (n_SV, n_features)
        Those rows; empty for a precomputed kernel.
    n_support_ : ndarray of shape (n_classes,), int32
        How many there are of each class.
    dual_coef_ : ndarray or csr matrix of shape (n_classes - 1, n_SV)
        y_i α_i; sparse where X is, as are `support_vectors_` and `coef_`. With more classes,
        the duals of a row of class a: those of its machines against the other classes.
    intercept_ : ndarray of shape (n_classes * (n_classes - 1) / 2,)
        b.
    coef_ : ndarray of shape (n_pairs, n_features)
        w; for the linear kernel alone.
    class_weight_ : ndarray of shape (n_classes,)
        Factors of C.
    dual_gap_ : float
        Primal less dual objective at the end, summed over the machines: how far the fit
        can be from its optimum at most. (For C=inf, of the machine whose C is twice the
        largest dual.)
    fit_status_ : int
        0 if it converged, 1 if not.
    n_iter_ : ndarray of shape (n_pairs,), int32
        SMO steps of each machine.
    objective_path_ : ndarray
        ½ βᵀKβ − yᵀβ, summed over the machines, after each round.
    probA_, probB_ : ndarray of shape (n_pairs,)
        Platt's A and B, p = 1 / (1 + exp(A f + B)), with `probability=True`.
    calibration_seconds_ : float
        What the calibration took.

    Warns
    -----
    ConvergenceWarning
        Where a machine did not converge: with the reason and the duality gap.
    UserWarning
        Where the features are on scales that differ by more than 1e6; where `cache_size`
        is less than two rows of the Gram matrix.

    Notes
    -----
    Values of the kernel are kept and multiplied in float32, sums are float64. float32 data
    stay float32, float64 data are multiplied in float64.

    References
    ----------
    Cortes & Vapnik (1995), Support-vector networks. Goodfellow, Bengio & Courville, Deep
    Learning, 5.7.2. Fan, Chen & Lin (2005), Working set selection using second order
    information. Platt (1999); Wu, Lin & Weng (2004), Probability estimates for multi-class
    classification by pairwise coupling.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.svm import SVC
    >>> X = np.array([[-1.0, -1], [-2, -1], [1, 1], [2, 1]])
    >>> model = SVC(kernel="linear").fit(X, ["a", "a", "b", "b"])
    >>> model.predict([[-0.8, -1]])
    array(['a'], dtype='<U1')
    >>> model.support_
    array([0, 2], dtype=int32)
    >>> model.coef_.round(3)
    array([[0.5, 0.5]])
    >>> model.dual_gap_ < 1e-3
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **KernelMachine._parameter_constraints,
        "C": [Interval(Real, 0, None, closed="right")],
        "probability": ["boolean", Hidden(StrOptions({"deprecated"}))],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "decision_function_shape": [StrOptions({"ovo", "ovr"})],
        "break_ties": ["boolean"],
        "random_state": RANDOM_STATE,
    }

    def __init__(
        self,
        *,
        C: float = 1.0,
        kernel: Any = "rbf",
        degree: int = 3,
        gamma: float | str = "scale",
        coef0: float = 0.0,
        shrinking: bool = True,
        probability: bool | str = False,
        tol: float = 1e-3,
        cache_size: float = 200,
        class_weight: dict[Any, float] | str | None = None,
        verbose: bool = False,
        max_iter: int = -1,
        decision_function_shape: str = "ovr",
        break_ties: bool = False,
        random_state: RandomState = None,
    ) -> None:
        self.C = C
        self.kernel = kernel
        self.degree = degree
        self.gamma = gamma
        self.coef0 = coef0
        self.shrinking = shrinking
        self.probability = probability
        self.tol = tol
        self.cache_size = cache_size
        self.class_weight = class_weight
        self.verbose = verbose
        self.max_iter = max_iter
        self.decision_function_shape = decision_function_shape
        self.break_ties = break_ties
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the machine, or a machine for each pair of classes.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples; the Gram matrix (n_samples, n_samples) for a precomputed kernel.
        y : array-like of shape (n_samples,)
            Labels of any type that can be sorted; at least two different ones.
        sample_weight : array-like of shape (n_samples,), default=None
            Factors of C; a sample of a weight ≤ 0 is as if it were not there.

        Returns
        -------
        self
        """
        self._fit(X, y, sample_weight=sample_weight)
        if self.probability is True:
            found = calibrate(self, X, y, sample_weight)
            self.probA_, self.probB_ = found.slopes, found.offsets
            self.calibration_seconds_ = found.seconds
        return self

    # ------------------------------------------------------------------ the fit

    def _prepare(self, X: Any, y: Any = None, sample_weight: Any = None, **_: Any) -> Problem:
        X, y = self._validate(X, y=y)
        check_classification_targets(y)
        weight = self._weights(X, sample_weight)
        self.classes_, codes = np.unique(y, return_inverse=True)
        self.class_weight_ = compute_class_weight(
            self.class_weight, classes=self.classes_, y=y, sample_weight=weight
        )
        weight = weight * self.class_weight_[codes]
        if (weight < 0).any():
            raise ValueError(f"class_weight={self.class_weight!r}: weights are >= 0")
        self._check_classes(codes, weight)
        bound = np.zeros(len(y))
        bound[weight > 0] = self.C * weight[weight > 0]
        kernel, points = self._points(X)
        n_classes = len(self.classes_)
        order, bounds = np.arange(len(y)), [0, len(y)]
        if n_classes > 2:  # the cache has the classes as its segments
            order = np.argsort(codes, kind="stable")
            points = points.take(order)
            bounds = [0, *np.cumsum(np.bincount(codes, minlength=n_classes)).tolist()]
        machines = [
            _pair(codes[order], bound[order], bounds, a, b)
            for a, b in combinations(range(n_classes), 2)
        ]
        return Problem(X, order, points, kernel, bounds, machines, codes)

    def _check_classes(self, codes: Array, weight: Array) -> None:
        mass = np.bincount(codes, weights=weight, minlength=len(self.classes_))
        present = self.classes_[mass > 0].tolist()
        if len(present) < 2:
            if len(self.classes_) < 2:
                raise ValueError(
                    f"y holds one class, {present[0]!r}: "
                    "the number of classes has to be greater than one"
                )
            raise ValueError(
                "Invalid input - all samples with positive weights belong to the same class, "
                f"{present[0]!r}: the number of classes has to be greater than one"
            )

    def _fitted(self, problem: Problem, state: SMOState) -> dict[str, Any]:
        n_classes, n, codes = len(self.classes_), len(problem.order), problem.codes
        coef = np.zeros((n_classes - 1, n))
        pairs = combinations(range(n_classes), 2)
        for machine, beta, (a, b) in zip(problem.machines, state.beta, pairs, strict=True):
            rows = problem.order[machine.rows]
            if n_classes == 2:
                coef[0, rows] = beta
            else:  # a row of class a keeps its dual against b in row b − 1, of b in row a
                first = codes[rows] == a
                coef[b - 1, rows[first]] = beta[first]
                coef[a, rows[~first]] = beta[~first]
        used = np.flatnonzero(coef.any(axis=0))
        support = used[np.argsort(codes[used], kind="stable")]
        dual_coef = np.ascontiguousarray(coef[:, support])
        return {
            "support_": support.astype(np.int32),
            "support_vectors_": self._kept_rows(problem.X, support),
            "n_support_": np.bincount(codes[support], minlength=n_classes).astype(np.int32),
            "dual_coef_": self._as_fitted(problem.X, dual_coef),
            "intercept_": state.intercepts,
            "dual_gap_": state.gap,
            "fit_status_": int(not state.converged),
            "n_iter_": np.array(state.n_steps, np.int32),
            "shape_fit_": problem.X.shape,
        }

    # ------------------------------------------------------------------ what it can do

    @property
    def coef_(self) -> Any:
        """W of each machine, for the linear kernel; (n_pairs, n_features)."""
        return self._linear_coef(self._pair_coefficients().T)

    def _pair_coefficients(self) -> Array:
        """The signed duals of each machine, (n_SV, n_pairs)."""
        n_classes, duals = len(self.classes_), self._dense_duals()
        if n_classes == 2:
            return duals.T
        ends = np.cumsum(self.n_support_)
        of = [slice(int(e - c), int(e)) for e, c in zip(ends, self.n_support_, strict=True)]
        coef = np.zeros((int(ends[-1]), n_classes * (n_classes - 1) // 2))
        for pair, (a, b) in enumerate(combinations(range(n_classes), 2)):
            coef[of[a], pair] = duals[b - 1, of[a]]
            coef[of[b], pair] = duals[a, of[b]]
        return coef

    def _pair_values(self, X: Any) -> Array:
        """Values of the machines, (n, n_pairs); positive for the first class of a pair
        (the second, where there are only two classes).
        """
        return self._sums(self._queries(X), self._pair_coefficients())

    def decision_function(self, X: Any) -> Array:
        """Give how far, and on which side, rows lie of the decision surfaces.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,), (n_samples, n_classes) or (n_samples, n_pairs)
            Two classes: Σ y_i α_i k(x, x_i) + b, positive for `classes_[1]`. More: with
            'ovr' the votes of each class with ties broken by the sum of its values, with
            'ovo' the values, positive for the first class of a pair.
        """
        values = self._pair_values(X)
        if len(self.classes_) == 2:
            return values[:, 0]
        if self.decision_function_shape == "ovr":
            scores: Array = _ovr_decision_function(values < 0, -values, len(self.classes_))
            return scores
        return values

    def decision_gradient(self, X: Any) -> Array:
        """Give the gradient of the machines' values in x.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Dense.

        Returns
        -------
        ndarray of shape (n_samples, n_features), or (n_samples, n_pairs, n_features)
            ∇ₓ of `decision_function` for two classes; of the values of each pair (as
            `decision_function_shape='ovo'` gives them) for more.
        """
        self._queries(X)
        gradients = self._gradients(X, self._pair_coefficients())
        return gradients[:, 0] if len(self.classes_) == 2 else gradients

    def predict(self, X: Any) -> Array:
        """Give the class of each row, by vote; ties go to the class that comes first.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        if self.break_ties and self.decision_function_shape == "ovo":
            raise ValueError("break_ties must be False when decision_function_shape is 'ovo'")
        values = self._pair_values(X)
        n_classes = len(self.classes_)
        if n_classes == 2:
            codes = (values[:, 0] > 0).astype(np.intp)
        elif self.break_ties:
            codes = np.argmax(_ovr_decision_function(values < 0, -values, n_classes), axis=1)
        else:
            votes = np.zeros((len(values), n_classes), np.intp)
            for pair, (a, b) in enumerate(combinations(range(n_classes), 2)):
                first = values[:, pair] > 0
                votes[:, a] += first
                votes[:, b] += ~first
            codes = votes.argmax(axis=1)
        labels: Array = self.classes_[codes]
        return labels

    @available_if(_calibrated)
    def predict_proba(self, X: Any) -> Array:
        """Give the probability of each class, (n_samples, n_classes).

        Platt's sigmoid of the decision value for two classes; for more, those of the pairs
        coupled (Wu, Lin & Weng, 2004, second method). May disagree with `predict`.
        """
        check_is_fitted(self)
        if not hasattr(self, "probA_"):
            raise NotFittedError(
                "predict_proba is not available when fitted with probability=False: "
                "set probability=True and fit again"
            )
        found = Calibration(self.probA_, self.probB_, 0.0)
        return coupled(found, self._pair_values(X), len(self.classes_))

    @available_if(_calibrated)
    def predict_log_proba(self, X: Any) -> Array:
        """Give the logarithm of `predict_proba`."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))


def _pair(codes: Array, bound: Array, bounds: list[int], a: int, b: int) -> Machine:
    """The machine of classes a and b: y = 1 for a; for b if there are no others."""
    segments = [0] if len(bounds) == 2 else [a, b]
    rows = np.concatenate([np.arange(bounds[s], bounds[s + 1]) for s in segments])
    positive = codes[rows] == (b if len(bounds) == 2 else a)
    C = bound[rows]
    return Machine(
        segments=segments,
        rows=rows,
        row_of=np.arange(len(rows)),
        p=np.where(positive, -1.0, 1.0),
        lo=np.where(positive, 0.0, -C),
        hi=np.where(positive, C, 0.0),
        beta=np.zeros(len(rows)),
        g=np.zeros(len(rows)),
    )
