"""Logistic regression whose penalty is chosen by cross-validation."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.metrics import check_scoring, get_scorer, get_scorer_names
from sklearn.model_selection import check_cv
from sklearn.utils import Bunch, compute_class_weight, metadata_routing
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_method_params

from kiso._gate import check_sample_weight, validate_data
from kiso._validation import (
    FLOATS,
    Array,
    Hidden,
    Integral,
    Interval,
    RandomState,
    StrOptions,
    check_generator,
)
from kiso.base import State

from ._cross_validation import routed_metadata, routing_enabled, with_labels
from ._logistic import _SMOOTH_ONLY, LogisticRegression
from ._logistic_objective import Objective

__all__ = ["LogisticRegressionCV"]


@dataclass(frozen=True, kw_only=True)
class LogisticPathState(State):
    """After the fit for one penalty in one fold, or on all rows in the end.

    Attributes
    ----------
    fold : int or None
        None for all rows.
    C, l1_ratio : float
        The penalty.
    theta : ndarray of shape (p, K)
        The parameters; the intercept, where there is one, is the last row.
    steps : int
        Steps of the solver from the solution of the penalty before.
    score : float or None
        On the rows left out; None for the fit on all rows.
    solved : bool
        Whether the solver converged.
    """

    fold: int | None
    C: float
    l1_ratio: float
    theta: Array
    steps: int
    score: float | None
    solved: bool


@dataclass(frozen=True)
class _Paths:
    """What is fitted: the rows, the folds, the grid, and what was found so far."""

    objective: Objective  # of all rows; its weights sum to 1
    total: float  # of the weights
    weights: Array
    labels: Array
    folds: list[tuple[Array, Array]]
    Cs: Array
    ratios: list[float]
    scorer: Any
    score_params: Any
    rng: np.random.Generator
    thetas: Array  # (n_folds, n_ratios, n_Cs, p, K)
    scores: Array  # (n_folds, n_ratios, n_Cs)
    steps: Array


class LogisticRegressionCV(LogisticRegression):
    r"""Logistic regression whose penalty is chosen by cross-validation.

    What it minimises, and how, is `LogisticRegression`'s. In each fold, and for each
    `l1_ratio`, the penalties are taken from the strongest to the weakest, each fit starting
    from the solution of the one before: along this path few steps are needed for each. The
    penalty of the best mean score is fitted on all rows, from the mean of the folds' solutions.

    Parameters
    ----------
    Cs : int or array-like of float, default=10
        Inverse strengths of the penalty, > 0; an int asks for as many between 10⁻⁴ and 10⁴, at
        equal ratios.
    l1_ratios : array-like of float or None, default=None
        Shares of the L1 penalty to choose from, each from 0 to 1; None for L2 alone.
    fit_intercept : bool, default=True
        Whether there is an intercept b.
    cv : int, splitter, iterable or None, default=None
        Folds; None for five, stratified.
    dual : bool, default=False
        Without effect, as the solution is the same; for scikit-learn's signature.
    penalty : {'l1', 'l2', 'elasticnet'}, default='deprecated'
        For code written for older scikit-learn: 'l2' and 'l1' instead of `l1_ratios` 0 and 1,
        'elasticnet' with `l1_ratios`.
    scoring : str, callable or None, default=None
        None: accuracy.
    solver : str, default='auto'
        As in `LogisticRegression`.
    tol : float, default=1e-4
        As in `LogisticRegression`.
    max_iter : int, default=100
        Largest number of steps for each penalty.
    class_weight : dict or 'balanced', default=None
        Weights of the classes, multiplied with the samples'; 'balanced' by all rows.
    n_jobs : None or int, default=None
        At most this many cores; None for all that the process has (docs/threads.md).
    verbose : int, default=0
        Without effect; use a callback such as `sklearn.callback.ProgressBar`.
    refit : bool, default=True
        Whether to fit the best penalty on all rows. Otherwise the parameters are the means of
        the folds' best ones.
    intercept_scaling : float, default=1
        Without effect, as the intercept is not penalised; for scikit-learn's signature.
    random_state : int, RandomState, Generator or None, default=None
        As in `LogisticRegression`; not for the folds.
    use_legacy_attributes : bool, default=True
        Whether attributes have the shapes that are scikit-learn 1.9's default, or the simpler
        ones of its next versions.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
    intercept_ : ndarray of shape (1,) or (n_classes,)
    Cs_ : ndarray of shape (n_cs,)
    l1_ratios_ : ndarray of shape (n_l1_ratios,)
        One None where `l1_ratios` is None.
    C_, l1_ratio_ : ndarray of shape (1,) or (n_classes,), or float
        The best ones, the same for each class; a float without legacy attributes.
    coefs_paths_ : dict of class to ndarray, or ndarray
        Parameters, the intercept last: of shape (n_folds, n_cs, n_l1_ratios, n_dof) in a dict,
        else (n_folds, n_l1_ratios, n_cs, n_classes or 1, n_dof); the dict's arrays have no axis
        of ratios where `l1_ratios` is None.
    scores_ : dict of class to ndarray, or ndarray
        Of shape (n_folds, n_cs, n_l1_ratios) in a dict, else (n_folds, n_l1_ratios, n_cs).
    n_iter_ : ndarray of shape (1, n_folds, n_cs, n_l1_ratios) or (n_folds, n_l1_ratios, n_cs)
        Steps for each penalty.
    objective_path_ : ndarray of shape (n_fits,)
        The objective of each fit in the order of the steps.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    Raises
    ------
    ValueError
        On one class only, on a parameter outside its range, on a solver that does not
        know the penalty.

    Warns
    -----
    ConvergenceWarning
        With the number of fits for which `max_iter` steps were not enough.

    References
    ----------
    Friedman, Hastie & Tibshirani (2010), Regularization paths for generalized linear models
    via coordinate descent.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from kiso.linear_model import LogisticRegressionCV
    >>> X, y = load_iris(return_X_y=True)
    >>> model = LogisticRegressionCV(Cs=[0.01, 1, 100], scoring="neg_log_loss").fit(X, y)
    >>> float(model.C_[0]), round(model.score(X, y), 2)
    (100.0, -0.04)

    Each penalty of each fold is a step:

    >>> for state in LogisticRegressionCV(Cs=[0.01, 1], cv=2).steps(X, y):
    ...     print(state.fold, state.C, state.score and round(state.score, 2))
    0 0.01 0.8
    0 1.0 0.96
    1 0.01 0.87
    1 1.0 0.96
    None 1.0 None
    """

    __metadata_request__score = {"sample_weight": metadata_routing.UNUSED}

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **{
            name: limits
            for name, limits in LogisticRegression._parameter_constraints.items()
            if name not in {"C", "warm_start", "l1_ratio"}
        },
        "Cs": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "l1_ratios": ["array-like", None],
        "cv": ["cv_object"],
        "scoring": [StrOptions(set(get_scorer_names())), callable, None],
        "refit": ["boolean"],
        "penalty": [StrOptions({"l1", "l2", "elasticnet"}), Hidden(StrOptions({"deprecated"}))],
        "use_legacy_attributes": ["boolean"],
    }

    def __init__(
        self,
        *,
        Cs: Any = 10,
        l1_ratios: Any = None,
        fit_intercept: bool = True,
        cv: Any = None,
        dual: bool = False,
        penalty: str = "deprecated",
        scoring: Any = None,
        solver: str = "auto",
        tol: float = 1e-4,
        max_iter: int = 100,
        class_weight: dict[Any, float] | str | None = None,
        n_jobs: int | None = None,
        verbose: int = 0,
        refit: bool = True,
        intercept_scaling: float = 1.0,
        random_state: RandomState = None,
        use_legacy_attributes: bool = True,
    ):
        self.Cs = Cs
        self.l1_ratios = l1_ratios
        self.fit_intercept = fit_intercept
        self.cv = cv
        self.dual = dual
        self.penalty = penalty
        self.scoring = scoring
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter
        self.class_weight = class_weight
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.refit = refit
        self.intercept_scaling = intercept_scaling
        self.random_state = random_state
        self.use_legacy_attributes = use_legacy_attributes

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> Self:
        """Choose the penalty and fit the model with it.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,)
            Labels, of any type that can be sorted.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights >= 0, of the fits and of the scores.
        **params
            Metadata for the scorer and the splitter, with metadata routing enabled.

        Returns
        -------
        self : LogisticRegressionCV
            The fitted estimator.
        """
        return self._fit(X, y, sample_weight=sample_weight, **params)

    def score(self, X: Any, y: Any, *, sample_weight: Any = None, **score_params: Any) -> float:
        """Score the predictions as `scoring` does.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,)
            Their labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples.
        **score_params
            Metadata for the scorer, with metadata routing enabled.

        Returns
        -------
        float
        """
        metadata_routing._raise_for_params(score_params, self, "score")
        if sample_weight is not None:
            score_params["sample_weight"] = sample_weight
        if routing_enabled():
            score_params = process_routing(self, "score", **score_params).scorer.score
        return float(self._get_scorer()(self, X, y, **score_params))

    def get_metadata_routing(self) -> MetadataRouter:
        """Return how metadata are routed to the scorer and the splitter.

        Returns
        -------
        MetadataRouter
        """
        both = MethodMapping().add(caller="score", callee="score").add(caller="fit", callee="score")
        return (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(
                splitter=self.cv,
                method_mapping=MethodMapping().add(caller="fit", callee="split"),
            )
            .add(scorer=self._get_scorer(), method_mapping=both)
        )

    def _get_scorer(self) -> Any:
        if self.scoring is None:
            return get_scorer("accuracy")
        return check_scoring(estimator=self, scoring=self.scoring)

    def _max_steps(self) -> int | None:
        return None

    def _grid(self) -> tuple[Array, list[float]]:
        """The values of C, and of the share of L1."""
        if np.ndim(self.Cs) == 0:
            Cs = np.logspace(-4, 4, int(self.Cs))
        else:
            Cs = np.asarray(self.Cs, dtype=np.float64)
            if Cs.ndim != 1 or not len(Cs) or not (Cs > 0).all():
                raise ValueError(f"Cs={self.Cs!r}: give at least one number, each > 0")
        ratios = self.l1_ratios
        if ratios is not None or self.penalty == "elasticnet":
            numbers = [] if ratios is None else list(ratios)
            if not numbers or not all(
                isinstance(r, int | float | np.number) and 0 <= r <= 1 for r in numbers
            ):
                raise ValueError(
                    "l1_ratios must be an array-like of numbers between 0 and 1; got "
                    f"(l1_ratios={ratios!r})"
                )
        if ratios is not None and self.penalty in {"l1", "l2"}:
            warnings.warn(
                "l1_ratios parameter is only used when penalty is 'elasticnet'. Got "
                f"(penalty={self.penalty})",
                UserWarning,
                stacklevel=6,
            )
        implied = {"l1": 1.0, "l2": 0.0}.get(str(self.penalty))
        if implied is not None or ratios is None:
            found = [implied or 0.0] * (1 if ratios is None else len(ratios))
        else:
            found = [float(r) for r in ratios]
        if max(found) > 0 and self.solver in _SMOOTH_ONLY:
            raise ValueError(
                f"solver={self.solver!r} does not know an L1 penalty (l1_ratio={max(found):g}): "
                "give solver='auto', 'saga' or 'liblinear'"
            )
        return Cs, found

    def _prepare(  # type: ignore[override]
        self, X: Any, y: Any = None, sample_weight: Any = None, **params: Any
    ) -> _Paths:
        Cs, ratios = self._grid()
        X, y = validate_data(self, X, y, accept_sparse="csr", dtype=FLOATS, y_numeric=False)
        check_classification_targets(y)
        if not isinstance(X, np.ndarray) and not X.has_canonical_format:
            X = X.copy()
            X.sum_duplicates()
        weights = check_sample_weight(
            sample_weight, X, dtype=np.float64, copy=True, ensure_non_negative=True
        )
        self.classes_, codes = np.unique(y, return_inverse=True)
        scorer = self._get_scorer()
        routed = routed_metadata(self, scorer, sample_weight, params)
        folds = list(check_cv(self.cv, y, classifier=True).split(X, y, **routed.splitter.split))
        if isinstance(self.class_weight, dict):
            unknown = set(self.class_weight) - set(self.classes_.tolist())
            if unknown:
                raise ValueError(
                    "The given class_weight dict must have the class labels as keys; "
                    f"classes={self.classes_} but key={self.class_weight.keys()}"
                )
        if self.class_weight is not None:
            of_class = compute_class_weight(
                self.class_weight, classes=self.classes_, y=y, sample_weight=sample_weight
            )
            weights *= of_class[codes]
        self._check_classes(codes, weights)
        total = float(weights.sum())
        objective = Objective(
            X=X,
            y=codes.astype(np.intp, copy=False),
            s=weights / total,
            n_classes=len(self.classes_),
            intercept=self.fit_intercept,
            l2=0.0,
        )
        grid = (len(folds), len(ratios), len(Cs))
        return _Paths(
            objective=objective,
            total=total,
            weights=weights,
            labels=y,
            folds=folds,
            Cs=Cs,
            ratios=ratios,
            scorer=with_labels(scorer, self.classes_),
            score_params=routed.scorer.score,
            rng=check_generator(0 if self.random_state is None else self.random_state),
            thetas=np.zeros((*grid, *objective.shape)),
            scores=np.full(grid, np.nan),
            steps=np.zeros(grid, dtype=np.int32),
        )

    def _iterate(self, problem: _Paths) -> Iterator[LogisticPathState]:  # type: ignore[override]
        n_iter, solved = 0, True
        for fold, (train, test) in enumerate(problem.folds):
            objective, total = _rows_of(problem, train)
            params = _check_method_params(
                problem.objective.X, params=problem.score_params, indices=test
            )
            for r, ratio in enumerate(problem.ratios):
                theta = np.zeros(objective.shape)
                for c in np.argsort(problem.Cs, kind="stable"):  # from the strongest penalty
                    C = float(problem.Cs[c])
                    found = self._solved(problem, objective, total, C, ratio, theta)
                    theta = found.theta
                    model = self._scored_model(problem, theta)
                    score = problem.scorer(
                        model, problem.objective.X[test], problem.labels[test], **params
                    )
                    problem.thetas[fold, r, c], problem.scores[fold, r, c] = theta, score
                    problem.steps[fold, r, c] = found.n_iter
                    n_iter, solved = n_iter + 1, solved and found.converged
                    yield replace(found, n_iter=n_iter, fold=fold, score=float(score))
        last = self._last(problem)
        yield replace(last, n_iter=n_iter + 1, converged=solved and last.solved, solved=last.solved)

    def _solved(
        self,
        problem: _Paths,
        objective: Objective,
        total: float,
        C: float,
        ratio: float,
        theta: Array,
    ) -> LogisticPathState:
        """Fit one penalty from where the one before ended."""
        smooth = replace(objective, l2=(1.0 - ratio) / (C * total))
        one = Bunch(objective=smooth, alpha=ratio / (C * total), start=theta, rng=problem.rng)
        *_, state = self._solve(one)
        theta = self._canonical(state.theta, one)
        return LogisticPathState(
            n_iter=state.n_iter,
            objective=state.objective,
            converged=state.converged,
            fold=None,
            C=C,
            l1_ratio=ratio,
            theta=theta,
            steps=state.n_iter,
            score=None,
            solved=state.converged,
        )

    def _last(self, problem: _Paths) -> LogisticPathState:
        """The fit of the best penalty on all rows, or the mean of the folds' best ones."""
        n_folds = len(problem.folds)
        by_c = np.swapaxes(problem.scores, 1, 2)  # of equals the first C, as in scikit-learn
        if self.refit:
            c, r = np.unravel_index(np.argmax(by_c.sum(axis=0)), by_c.shape[1:])
            start = problem.thetas[:, r, c].mean(axis=0)
            C, ratio = float(problem.Cs[c]), problem.ratios[int(r)]
            return self._solved(problem, problem.objective, problem.total, C, ratio, start)
        best = [np.unravel_index(np.argmax(part), part.shape) for part in by_c]
        theta = np.mean([problem.thetas[f, r, c] for f, (c, r) in enumerate(best)], axis=0)
        C = float(np.mean([problem.Cs[c] for c, _ in best]))
        ratio = float(np.mean([problem.ratios[int(r)] for _, r in best]))
        at = replace(problem.objective, l2=(1.0 - ratio) / (C * problem.total))
        return LogisticPathState(
            n_iter=n_folds,
            objective=at.value_gradient(theta).value,
            converged=True,
            fold=None,
            C=C,
            l1_ratio=ratio,
            theta=theta,
            steps=0,
            score=None,
            solved=True,
        )

    def _scored_model(self, problem: _Paths, theta: Array) -> LogisticRegression:
        model = LogisticRegression()
        model.classes_ = self.classes_
        model.n_features_in_ = self.n_features_in_
        model.coef_, model.intercept_ = self._shaped(problem, theta)
        return model

    def _shaped(self, problem: _Paths, theta: Array) -> tuple[Array, Array]:
        dtype, d = problem.objective.X.dtype, problem.objective.X.shape[1]
        intercept = theta[d] if self.fit_intercept else np.zeros(theta.shape[1])
        return np.ascontiguousarray(theta[:d].T, dtype=dtype), intercept.astype(dtype)

    def _fitted(  # type: ignore[override]
        self, problem: _Paths, state: LogisticPathState
    ) -> dict[str, Any]:
        coef, intercept = self._shaped(problem, state.theta)
        found: dict[str, Any] = {"coef_": coef, "intercept_": intercept, "Cs_": problem.Cs}
        none = self.l1_ratios is None
        found["l1_ratios_"] = np.asarray([None] if none else list(self.l1_ratios))
        paths = np.swapaxes(problem.thetas, 3, 4)  # (folds, ratios, Cs, K, p)
        if not self.use_legacy_attributes:
            return found | {
                "C_": state.C,
                "l1_ratio_": state.l1_ratio,
                "coefs_paths_": paths.copy(),
                "scores_": problem.scores.copy(),
                "n_iter_": problem.steps.copy(),
            }
        K = problem.objective.shape[1]
        names = self.classes_[1:] if K == 1 else self.classes_
        steps = np.swapaxes(problem.steps, 1, 2)[None]
        scores = np.swapaxes(problem.scores, 1, 2)
        by_class = np.moveaxis(np.swapaxes(paths, 1, 2), 3, 0)  # (K, folds, Cs, ratios, p)
        if none:
            steps, scores, by_class = steps[..., 0], scores[..., 0], by_class[..., 0, :]
        ratio = None if none and self.refit else state.l1_ratio
        return found | {
            "C_": np.full(K, state.C),
            "l1_ratio_": np.array([ratio] * K),
            "coefs_paths_": dict(zip(names, by_class.copy(), strict=True)),
            "scores_": {name: scores.copy() for name in names},
            "n_iter_": steps.copy(),
        }

    def _not_converged(  # type: ignore[override]
        self, problem: _Paths, state: LogisticPathState
    ) -> str | None:
        at_limit = int((problem.steps >= self.max_iter).sum()) + (not state.solved)
        return (
            f"LogisticRegressionCV: of {problem.steps.size + 1} fits {max(1, at_limit)} did not "
            f"converge in max_iter={self.max_iter} iterations to tol={self.tol:g}. Raise max_iter "
            "or tol, or scale the features."
        )


def _rows_of(problem: _Paths, rows: Array) -> tuple[Objective, float]:
    """The objective of a fold's rows, and the sum of their weights."""
    total = float(problem.weights[rows].sum())
    if not total > 0:
        raise ValueError("the training rows of a fold have weight 0: give another cv")
    return problem.objective.subset(rows), total
