"""LinearSVC: classes separated by planes with the largest margin."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from sklearn.utils import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets

from kiso._gate import check_sample_weight, validate_data
from kiso._linear_classifier import LinearClassifier
from kiso._validation import FLOATS, Array, RandomState, StrOptions, check_generator

from ._linear_base import GAP_OF_TOL, LinearMachines, LinearSVMState, Problem
from ._linear_machines import Dual, Machine
from ._linear_other import CrammerSinger, L1Descent

__all__ = ["LinearSVC"]


class LinearSVC(LinearClassifier, LinearMachines):
    r"""Linear support vector machine for classification.

    With :math:`y_i = \pm 1`, weights :math:`s_i` of the samples and
    :math:`f(x) = w^\top x + b` it minimises

    .. math:: \tfrac12\big(\|w\|^2 + (b/a)^2\big) + C \sum_i s_i\,\ell(y_i f(x_i)),

    :math:`\ell(m) = \max(0, 1-m)` ('hinge') or its square, a = `intercept_scaling`. Where
    planes separate the classes and C is large this is the plane of the largest margin,
    1/‖w‖ on either side; else C is the price of a sample within the margin. With more than
    two classes each is separated from the others.

    Parameters
    ----------
    penalty : {'l2', 'l1'}, default='l2'
        'l1' replaces ½(‖w‖² + (b/a)²) by ‖w‖₁ + |b/a|, for weights many of which are
        zero: with loss='squared_hinge' and dual=False or 'auto', by coordinate descent.
    loss : {'squared_hinge', 'hinge'}, default='squared_hinge'
        ℓ, see above.
    dual : 'auto' or bool, default='auto'
        True: coordinate descent in the dual. False: Newton's method in the primal, for the
        squared hinge. 'auto' takes the faster: Newton where the loss is squared and there
        are at least as many samples as features (of sparse data, 512 features at most);
        coordinate descent else, from which, where it crawls and there are fewer than 512
        features, Newton's method takes over (for the hinge, on a rounded one that gets
        ever sharper).
    tol : float, default=1e-4
        The fit stops when `dual_gap_` is at most `tol`/100 of the objective, so that the
        objective is within that share of the least one: by default, one millionth.
    C : float, default=1.0
        Price of a violated margin, > 0 and finite.
    multi_class : {'ovr', 'crammer_singer'}, default='ovr'
        'crammer_singer' is a joint objective over the classes, which minimises
        :math:`\tfrac12\sum_k \|\tilde w_k\|^2 + C \sum_i s_i \max_k (f_k(x_i) -
        f_{y_i}(x_i) + [k \ne y_i])`; penalty, loss and dual do not count then.
    fit_intercept : bool, default=True
        Whether there is an intercept b.
    intercept_scaling : float, default=1.0
        a; the larger, the less the intercept is penalised.
    class_weight : dict or 'balanced', default=None
        Weights of the classes, multiplied with the samples'. With more than two classes
        the weight of a class counts where it is separated from the others.
    verbose : int, default=0
        Without effect; use a callback such as `sklearn.callback.ProgressBar`.
    random_state : int, RandomState, Generator or None, default=None
        Order of the samples in coordinate descent. None is a fixed one: fits repeat exactly.
    max_iter : int, default=1000
        Largest number of epochs (passes over the data, of which shrinking leaves out a
        part) and Newton steps; a warning says how far a fit that needs more is from the
        optimum.

    Attributes
    ----------
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        w; of the data's precision.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        b; zeros without an intercept.
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    dual_gap_ : float
        The certificate: the objective, summed over the classes, is at most this far above
        the least one, and ½‖w − w*‖² is at most this.
    n_iter_ : int
        Epochs or Newton steps done, the most of any class.
    objective_path_ : ndarray of shape (n_steps,)
        The objective after each step.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, where X had names that are all strings.

    Raises
    ------
    ValueError
        On one class only, on a parameter outside its range, on a penalty, loss and dual that
        do not go together.

    Warns
    -----
    ConvergenceWarning
        When `max_iter` was not enough, with the gap that is left.
    UserWarning
        When the sizes of features differ by a factor of 10⁸.

    Notes
    -----
    Sparse data stay sparse. Sums are float64 whatever the data. `steps` yields states with
    the dual variables, the primal and the dual objective, the gap and the numbers of
    support vectors: after every Newton step or, in the dual, after a chunk of epochs
    (small data: at first after each).

    References
    ----------
    Cortes & Vapnik (1995), Support-vector networks. Hsieh, Chang, Lin, Keerthi &
    Sundararajan (2008), A dual coordinate descent method for large-scale linear SVM.
    Keerthi & DeCoste (2005), A modified finite Newton method for fast solution of large
    scale linear SVMs. Goodfellow et al. (2016), Deep Learning, 5.7.2.

    Examples
    --------
    >>> from kiso.svm import LinearSVC
    >>> X, y = [[0.0, 0.0], [1.0, 0.0], [3.0, 0.0], [4.0, 0.0]], ["a", "a", "b", "b"]
    >>> model = LinearSVC(C=1000, loss="hinge", intercept_scaling=10, tol=1e-6).fit(X, y)
    >>> model.coef_.round(2), model.intercept_.round(2)
    (array([[1., 0.]]), array([-2.]))
    >>> model.predict([[1.9, 5.0], [2.1, 5.0]]).tolist()
    ['a', 'b']
    >>> bool(model.dual_gap_ <= 1e-8 * model.objective_path_[-1])
    True

    Step by step:

    >>> for state in LinearSVC().steps(X, y):
    ...     print(state.n_iter, round(state.objective, 1), state.n_support)
    1 1.1 [3]
    2 1.0 [3]
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **LinearMachines._parameter_constraints,
        "penalty": [StrOptions({"l1", "l2"})],
        "loss": [StrOptions({"hinge", "squared_hinge"})],
        "multi_class": [StrOptions({"ovr", "crammer_singer"})],
        "class_weight": [None, dict, StrOptions({"balanced"})],
    }

    def __init__(
        self,
        penalty: str = "l2",
        loss: str = "squared_hinge",
        *,
        dual: bool | str = "auto",
        tol: float = 1e-4,
        C: float = 1.0,
        multi_class: str = "ovr",
        fit_intercept: bool = True,
        intercept_scaling: float = 1.0,
        class_weight: dict[Any, float] | str | None = None,
        verbose: int = 0,
        random_state: RandomState = None,
        max_iter: int = 1000,
    ):
        self.penalty = penalty
        self.loss = loss
        self.dual = dual
        self.tol = tol
        self.C = C
        self.multi_class = multi_class
        self.fit_intercept = fit_intercept
        self.intercept_scaling = intercept_scaling
        self.class_weight = class_weight
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
            Labels, of any type that can be sorted.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights >= 0, which multiply C; a weight of zero is as if the row were not there.

        Returns
        -------
        self : LinearSVC
            The fitted estimator.
        """
        return self._fit(X, y, sample_weight=sample_weight)

    def _prepare(self, X: Any, y: Any = None, sample_weight: Any = None, **_: Any) -> Problem:
        self._check_arguments()
        X, y = validate_data(
            self, X, y, accept_sparse="csr", dtype=FLOATS, order="C", y_numeric=False
        )
        check_classification_targets(y)
        weights = check_sample_weight(
            sample_weight, X, dtype=np.float64, copy=True, ensure_non_negative=True
        )
        self.classes_, codes = np.unique(y, return_inverse=True)
        self._check_classes(codes, weights)
        data = self._data(X)
        u = float(self.C) * weights
        of_class = np.ones(len(self.classes_))
        if self.class_weight is not None:
            of_class = compute_class_weight(
                self.class_weight, classes=self.classes_, y=y, sample_weight=weights
            )
        if self.multi_class == "crammer_singer":
            u *= of_class[codes]
            zero = np.zeros_like(u)
            duals = [
                Dual(np.where(codes == k, 1.0, -1.0), zero - np.inf, np.where(codes == k, u, 0.0),
                     zero, 0.0, False)
                for k in range(len(self.classes_))
            ]  # fmt: skip
            return Problem(data, duals)
        if len(self.classes_) == 2:
            return Problem(data, [self._against_rest(codes == 1, u * of_class[codes])])
        members = [codes == k for k in range(len(self.classes_))]
        return Problem(
            data,
            [
                self._against_rest(member, np.where(member, u * weight, u))
                for member, weight in zip(members, of_class, strict=True)
            ],
        )

    def _against_rest(self, member: Array, u: Array) -> Dual:
        t = np.where(member, 1.0, -1.0)
        return Dual.of(t, u, 0.0, squared=self._squared, one_sided=True)

    def _check_arguments(self) -> None:
        if self.multi_class == "crammer_singer":
            return
        l1 = self.penalty == "l1"
        if (l1 and (self.dual is True or not self._squared)) or (
            self.dual is False and not self._squared
        ):
            what = "an L1 penalty goes with" if l1 else "dual=False goes with"
            dual = " and dual=False or 'auto'" if l1 else ""
            raise ValueError(
                f"Unsupported set of arguments: penalty={self.penalty!r}, loss={self.loss!r}, "
                f"dual={self.dual!r}: {what} loss='squared_hinge'{dual}"
            )

    def _check_dual(self) -> None:
        """All that is to be checked of it is in `_check_arguments`."""

    def _machines(self, problem: Problem) -> list[Machine]:
        data, tol = problem.data, GAP_OF_TOL * self.tol
        if self.penalty == "l2" and self.multi_class == "ovr":
            return super()._machines(problem)
        rng = check_generator(0 if self.random_state is None else self.random_state)
        seeds = rng.integers(1, 2**63, size=len(problem.duals))
        if self.multi_class == "ovr":
            return [
                L1Descent(data, dual, tol, int(seed))
                for dual, seed in zip(problem.duals, seeds, strict=True)
            ]
        members = np.stack([dual.t for dual in problem.duals])
        C = np.max([dual.hi for dual in problem.duals], axis=0)
        return [CrammerSinger(data, members.argmax(axis=0), C, len(members), tol, int(seeds[0]))]

    def _relieved(self, machine: Machine) -> Machine:
        return super()._relieved(machine) if self.multi_class == "ovr" else machine

    def _fitted(self, problem: Problem, state: LinearSVMState) -> dict[str, Any]:
        found = super()._fitted(problem, state)
        if len(found["coef_"]) == 2:  # Crammer-Singer's two classes: what decides is w₁ − w₀
            for name in ("coef_", "intercept_"):
                found[name] = found[name][1:] - found[name][:1]
        return found

    def _check_classes(self, codes: Array, weights: Array) -> None:
        mass = np.bincount(codes, weights=weights, minlength=len(self.classes_))
        present = self.classes_[mass > 0].tolist()
        if len(present) < 2:
            where = "" if len(self.classes_) < 2 else " among the samples of positive weight"
            held = f"one class, {present[0]!r}" if present else "no class"
            raise ValueError(
                f"y holds {held}{where}: the number of classes has to be greater than one"
            )
