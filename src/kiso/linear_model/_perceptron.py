"""Rosenblatt's perceptron, and the bound on its mistakes.

    on a mistake, y_i (w·x_i) ≤ 0:    w ← w + η y_i x_i

If some plane through the origin leaves every sample on its side at a distance of at least
γ, and no sample is longer than R, then starting from w = 0 there are at most (R/γ)²
mistakes in all, whatever their order and however often the samples come (Novikoff 1962).
The intercept is the weight of one more feature, constant d (d = 1; 0.1 for sparse rows,
whose intercept moves by d² of a step).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from sklearn.utils.extmath import row_norms
from sklearn.utils.validation import check_is_fitted

from kiso._gate import validate_data
from kiso._validation import FLOATS, Array, RandomState

from ._sgd_base import EPOCHS, OF_CLASSES, PENALTY, Problem
from ._sgd_classifier_base import StochasticClassifier
from ._stochastic import SPARSE_DECAY, Settings, SGDState

__all__ = ["Perceptron"]


class Perceptron(StochasticClassifier):
    r"""Rosenblatt's perceptron, plain or averaged.

    Goes through the samples; one that is on the wrong side of the plane, or on it, pulls
    the plane towards itself: :math:`w \leftarrow w + \eta\,y_i x_i`,
    :math:`b \leftarrow b + \eta\,y_i` with :math:`y_i=\pm1`. With more than two classes,
    each is separated from the others. The fit ends when an epoch brings no mistake
    (without a penalty nothing would change any more), or by `tol`.

    Parameters
    ----------
    penalty : {'l2', 'l1', 'elasticnet'} or None, default=None
        Penalty added to the loss Σ max(0, −y (w·x + b)); see `SGDClassifier`.
    alpha : float, default=0.0001
        Its strength.
    l1_ratio : float, default=0.15
        Share of L1 in 'elasticnet'.
    fit_intercept : bool, default=True
        Whether there is an intercept b.
    max_iter : int, default=1000
        Largest number of epochs of `fit`.
    tol : float or None, default=1e-3
        The fit stops after `n_iter_no_change` epochs whose objective (mean loss and
        penalty) was above the best so far minus `tol`. None: not for that reason.
    shuffle : bool, default=True
        Whether each epoch takes the samples in a new random order.
    verbose : int, default=0
        Not 0: epochs are logged (logger 'kiso') as information, else for debugging.
    eta0 : float, default=1.0
        η. Without a penalty it scales w and b alone: predictions do not depend on it.
    n_jobs : int or None, default=None
        Without effect: classes are trained on all cores given to the process.
    random_state : int, RandomState, Generator or None, default=0
        Gives the order of the samples and the rows set aside.
    early_stopping : bool, default=False
        Whether `tol` looks at the accuracy on a part of the samples set aside.
    validation_fraction : float, default=0.1
        That part.
    n_iter_no_change : int, default=5
        See `tol`.
    class_weight : dict, 'balanced' or None, default=None
        Weights of the classes.
    warm_start : bool, default=False
        Whether `fit` starts from the last weights.
    average : bool or int, default=False
        Whether `coef_` is the mean of w over all steps (from the step of this number on):
        the averaged perceptron of Freund & Schapire, steadier where classes overlap.

    Attributes
    ----------
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        w; of the data's precision.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        b.
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    n_iter_ : int
        Epochs done.
    t_ : float
        1 + samples seen.
    n_mistakes_ : int
        Mistakes of the last `fit` (or `partial_fit`) in all.
    mistakes_path_ : ndarray of shape (n_iter_, n_outputs)
        Mistakes of each epoch, one column for two classes, else one for each class.
    objective_path_ : ndarray of shape (n_iter_,)
        Mean loss (and penalty) of each epoch, as it stood when its samples were met.
    n_features_in_, feature_names_in_
        Number and names of the features.

    References
    ----------
    Rosenblatt (1958), The perceptron. Novikoff (1962), On convergence proofs on
    perceptrons. Freund & Schapire (1999), Large margin classification using the
    perceptron algorithm.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.linear_model import Perceptron
    >>> X = np.array([[2.0, 1.0], [1.0, 2.0], [-1.0, -1.0], [-2.0, 0.5]])
    >>> y = np.array([1, 1, 0, 0])
    >>> model = Perceptron().fit(X, y)
    >>> model.predict(X), model.n_mistakes_
    (array([1, 1, 0, 0]), 2)
    >>> bool(model.n_mistakes_ <= model.mistake_bound(X, y))
    True
    """

    loss = "perceptron"

    _parameter_constraints: ClassVar[dict[str, Any]] = {**PENALTY, **EPOCHS, **OF_CLASSES}

    def __init__(
        self,
        *,
        penalty: str | None = None,
        alpha: float = 0.0001,
        l1_ratio: float | None = 0.15,
        fit_intercept: bool = True,
        max_iter: int = 1000,
        tol: float | None = 1e-3,
        shuffle: bool = True,
        verbose: int = 0,
        eta0: float = 1.0,
        n_jobs: int | None = None,
        random_state: RandomState = 0,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 5,
        class_weight: dict[Any, float] | str | None = None,
        warm_start: bool = False,
        average: bool | int = False,
    ):
        self.penalty = penalty
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.shuffle = shuffle
        self.verbose = verbose
        self.eta0 = eta0
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.class_weight = class_weight
        self.warm_start = warm_start
        self.average = average

    def mistake_bound(self, X: Any, y: Any, *, margin: float | None = None) -> float:
        """Bound (R/γ)² on the mistakes of a fit from zero on these samples.

        With d the constant feature of the intercept (see the module), R is the largest
        √(‖x_i‖² + d²), or max ‖x_i‖ without an intercept. γ is the largest margin that a
        plane can have, min_i y_i (u·x_i + v d) over ‖u‖² + v² = 1, found exactly: 1/γ is
        the least norm of a w with y_i (w·x_i) ≥ 1 for all i (the hard-margin support
        vector machine), a least-distance problem that non-negative least squares solves
        (Lawson & Hanson 1974, chapter 23). Its cost grows quickly with the samples; a few
        thousand take seconds.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The samples of the fit.
        y : array-like of shape (n_samples,)
            Their labels.
        margin : float, default=None
            γ where it is known, > 0, for every class; any margin that some plane has gives
            a bound, the largest one gives the best.

        Returns
        -------
        float
            (R/γ)²; with more than two classes, the sum over them. It holds for `fit`
            without penalty, sample or class weights and from zero weights, with any
            `eta0`, order and number of epochs.

        Raises
        ------
        ValueError
            If a class cannot be separated from the others, or `margin` is not positive.
        """
        check_is_fitted(self)
        if margin is not None and not 0 < margin < np.inf:
            raise ValueError(f"margin={margin!r}: give a finite number > 0, or None")
        X, y = validate_data(self, X, y, accept_sparse="csr", dtype=FLOATS, reset=False)
        dense = isinstance(X, np.ndarray)
        d2 = (1.0 if dense else SPARSE_DECAY) if self.fit_intercept else 0.0
        R2 = float(row_norms(X, squared=True).max()) + d2
        labels = self.classes_.tolist()
        classes = labels[1:] if len(labels) == 2 else labels
        if margin is not None:
            return len(classes) * R2 / margin**2
        rows = np.column_stack(
            [X if dense else X.toarray(), np.full(X.shape[0], np.sqrt(d2))]
        ).astype(np.float64, copy=False)
        return float(sum(R2 / _largest_margin(rows, y == c, c) ** 2 for c in classes))

    def _settings(self) -> Settings:
        return replace(super()._settings(), stop_when_still=self.penalty is None)

    def _fitted(self, problem: Problem, state: SGDState) -> dict[str, Any]:
        fitted = super()._fitted(problem, state)
        mistakes = np.array(problem.history[: state.n_iter])
        return {**fitted, "mistakes_path_": mistakes, "n_mistakes_": int(mistakes.sum())}


def _largest_margin(rows: Array, member: Array, label: Any) -> float:
    """γ = max over unit w of min_i y_i (w·x_i), y_i = 1 for members and −1 for others."""
    from scipy.optimize import nnls

    signed = np.where(member, 1.0, -1.0)[:, None] * rows
    scale = float(np.abs(signed).max()) or 1.0
    E = np.vstack([signed.T / scale, np.ones(len(signed))])
    f = np.zeros(len(E))
    f[-1] = 1.0
    weights, _ = nnls(E, f, maxiter=30 * E.shape[1])
    r = f - E @ weights
    # the plane is r without its last entry over that entry, which is ‖r‖²: 0 if there is none
    if r[-1] > 1e-12:
        w = -r[:-1] / r[-1]
        margin = float((signed @ w).min() / np.linalg.norm(w))
        if margin > 0:
            return margin
    raise ValueError(
        f"class {label!r} cannot be separated from the others by a plane: there is no bound"
    )
