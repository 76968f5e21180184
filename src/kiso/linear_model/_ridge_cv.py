"""Ridge regression and classification whose penalty is chosen by cross-validation."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from numbers import Real
from typing import Any, Self

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    MultiOutputMixin,
    RegressorMixin,
    is_classifier,
)
from sklearn.metrics import check_scoring, get_scorer, get_scorer_names
from sklearn.model_selection import check_cv
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping
from sklearn.utils.validation import _check_method_params

from kiso._validation import Array, Interval, StrOptions
from kiso.base import IterativeEstimator, State

from ._cross_validation import routed_metadata, routing_enabled
from ._linear_gaussian import LinearGaussianModel
from ._moments import is_sparse
from ._ridge import Ridge
from ._ridge_classifier import RidgeClassifier, RidgeLabels
from ._ridge_path import RidgePath, ridge_path

__all__ = ["RidgeCV", "RidgeClassifierCV"]


@dataclass(frozen=True, kw_only=True)
class RidgePathState(State):
    """After a penalty was tried; the objective is the mean error, or the negative score.

    Attributes
    ----------
    alpha : float
        The penalty.
    score : float or ndarray of shape (n_targets,)
        What cross-validation gives it; larger is better.
    best_alpha, best_score : float or ndarray of shape (n_targets,)
        The best so far; of equals the first.
    coef : ndarray of shape (n_features, n_targets)
        Of the best penalty, on all rows.
    intercept : ndarray of shape (n_targets,)
    """

    alpha: float
    score: Any
    best_alpha: Any
    best_score: Any
    coef: Array
    intercept: Array


@dataclass(frozen=True)
class _Problem:
    path: RidgePath
    alphas: Array
    scores: list[Any]  # one for each penalty, from one decomposition (a fold)
    results: Array | None  # what `store_cv_results` asks for
    one_target: bool
    dtype: Any


class _GivenRegressor(RegressorMixin, BaseEstimator):
    """A regressor that predicts what it is given: for scorers of predictions at hand."""

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def predict(self, X: Any) -> Any:
        return X


class _GivenClassifier(ClassifierMixin, BaseEstimator):
    """A classifier whose scores are what it is given."""

    def __init__(self, labels: Any = None):
        self.labels = labels

    def __sklearn_is_fitted__(self) -> bool:
        return True

    @property
    def classes_(self) -> Array:
        return self.labels.classes_

    def decision_function(self, X: Any) -> Any:
        return X

    def predict(self, X: Any) -> Any:
        return self.labels._labels(X)


class CrossValidatedRidge(IterativeEstimator[_Problem, RidgePathState]):
    """Base of RidgeCV and RidgeClassifierCV: one decomposition of the rows serves all penalties."""

    alphas: Any
    fit_intercept: bool
    scoring: Any
    cv: Any
    store_cv_results: bool

    _parameter_constraints: dict[str, list[Any]] = {
        "alphas": ["array-like", Interval(Real, 0, None, closed="neither")],
        "fit_intercept": ["boolean"],
        "scoring": [StrOptions(set(get_scorer_names())), callable, None],
        "cv": ["cv_object"],
        "store_cv_results": ["boolean"],
    }

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> Self:
        """Choose the penalty and fit the model with it.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
        sample_weight : float or array-like of shape (n_samples,), default=None
            How often each row counts; non-negative. The errors of leave-one-out and the
            scores of folds are weighted with them, where the scorer takes weights.
        **params
            Metadata for the scorer and the splitter, with metadata routing enabled.

        Returns
        -------
        self
        """
        return self._fit(X, y, sample_weight=sample_weight, **params)

    def _max_steps(self) -> int | None:
        return int(np.size(self.alphas))

    def _target_alphas(self) -> bool:
        return bool(getattr(self, "alpha_per_target", False))

    def _svd(self) -> bool:
        return getattr(self, "gcv_mode", None) == "svd"

    def _checked_alphas(self) -> Array:
        """The penalties, each > 0 (≥ 0 with a `cv`)."""
        given = [self.alphas] if np.ndim(self.alphas) == 0 else list(self.alphas)
        if not given:
            raise ValueError(f"alphas={self.alphas!r}: give at least one penalty")
        for at, alpha in enumerate(given):
            name = f"alphas[{at}]" if len(given) > 1 else "alphas"
            if not isinstance(alpha, Real):
                raise TypeError(f"{name} must be an instance of float, not {type(alpha).__name__}")
            if not alpha < np.inf or alpha < 0 or (self.cv is None and alpha == 0):
                limit = "> 0.0" if self.cv is None else ">= 0.0"
                raise ValueError(f"{name} == {alpha}, must be {limit}.")
        return np.array(given, dtype=np.float64)

    def _regression(
        self, X: Any, y: Any, sample_weight: Any
    ) -> tuple[Any, Array, Array, Array | None, bool]:
        """Return X, y for scorers, Y (n, t), weights or None, and whether y has one column."""
        raise NotImplementedError

    def _prepare(self, X: Any, y: Any = None, sample_weight: Any = None, **params: Any) -> _Problem:
        alphas = self._checked_alphas()
        X, y, Y, weights, one = self._regression(X, y, sample_weight)
        if is_sparse(X):
            X = X.tocsr()
            if self._svd():
                warnings.warn(
                    "The 'svd' mode is not supported for sparse X, which is decomposed as by "
                    "'eigen': give gcv_mode='auto'",
                    FutureWarning,
                    stacklevel=5,
                )
        routed = self._routed(sample_weight, params)
        if self.cv is not None:
            for name in ("store_cv_results", "alpha_per_target"):
                if getattr(self, name, False):
                    raise ValueError(f"cv!=None and {name}=True are incompatible")
            scores = self._by_folds(X, y, Y, weights, alphas, routed)
            path = self._path(X, Y, weights, float(alphas.min()))
            return _Problem(path, alphas, scores, None, one, X.dtype)
        path = self._path(X, Y, weights, float(alphas.min()))
        errors = path.errors(alphas)
        if self.scoring is None:
            squares = path.w[:, None, None] * errors**2
            axis = 0 if self._target_alphas() else (0, 1)
            means = -squares.mean(axis=axis)
            scores = [means[..., k] if means.ndim > 1 else means[k] for k in range(len(alphas))]
            results = squares
        else:
            results = Y[:, :, None] - errors
            scores = self._scored(results, y, one, routed)
        kept = results.astype(X.dtype, copy=False) if self.store_cv_results else None
        return _Problem(path, alphas, scores, kept, one, X.dtype)

    def _path(self, X: Any, Y: Array, weights: Array | None, least_alpha: float) -> RidgePath:
        if not is_sparse(X):
            Ridge()._refuse_non_finite(X)
        return ridge_path(
            X, Y, weights, center=self.fit_intercept, least_alpha=least_alpha, svd=self._svd()
        )

    def _scored(self, predictions: Array, y: Array, one: bool, routed: Any) -> list[Any]:
        """Let the scorer judge the predictions (n, t, n_alphas) of each penalty."""
        scorer, params = self._scorer(), routed.scorer.score
        if is_classifier(self):
            given: Any = _GivenClassifier(self)
            flat = predictions.shape[1] == 1
            return [
                float(scorer(given, P[:, 0] if flat else P, y, **params))
                for P in np.moveaxis(predictions, 2, 0)
            ]
        given = _GivenRegressor()
        if self._target_alphas() and not one:
            return [
                np.array([scorer(given, P[:, j], y[:, j], **params) for j in range(P.shape[1])])
                for P in np.moveaxis(predictions, 2, 0)
            ]
        return [
            scorer(given, P[:, 0] if one else P, y, **params)
            for P in np.moveaxis(predictions, 2, 0)
        ]

    def _by_folds(
        self, X: Any, y: Array, Y: Array, weights: Array | None, alphas: Array, routed: Any
    ) -> list[float]:
        """Mean score of each penalty over the folds; a fold is decomposed once."""
        folds = check_cv(self.cv, y, classifier=is_classifier(self))
        scorer = self._scorer()
        sums: list[Any] = []
        for train, test in folds.split(X, y, **routed.splitter.split):
            part = None if weights is None else weights[train]
            path = self._path(X[train], Y[train], part, float(alphas.min()))
            params = _check_method_params(X, params=routed.scorer.score, indices=test)
            sums.append([scorer(self._model(path, a), X[test], y[test], **params) for a in alphas])
        return [float(mean) for mean in np.mean(sums, axis=0)]

    def _model(self, path: RidgePath, alpha: float) -> Any:
        """A fitted model for one penalty, as scorers want it."""
        model: Any = RidgeClassifier(alpha) if is_classifier(self) else Ridge(alpha)
        coef, intercept = path.coef(alpha)
        one = path.Y.shape[1] == 1
        model.coef_ = coef[:, 0] if one else coef.T
        model.intercept_ = intercept[0] if one else intercept
        model.n_features_in_ = len(coef)
        if is_classifier(self):
            model.classes_ = self.classes_
            model._label_binarizer = self._label_binarizer
        return model

    def _iterate(self, problem: _Problem) -> Iterator[RidgePathState]:
        t = problem.path.Y.shape[1]
        apart = self._target_alphas() and t > 1
        best_score: Any = np.full(t, -np.inf) if apart else -np.inf
        best_alpha: Any = np.full(t, problem.alphas[0]) if apart else float(problem.alphas[0])
        coef, intercept = problem.path.coef(float(problem.alphas[0]))
        for at, (alpha, given) in enumerate(zip(problem.alphas, problem.scores, strict=True)):
            score = given if apart else np.asarray(given, dtype=np.float64).mean()
            if apart:
                better = score > best_score
                best_score = np.where(better, score, best_score)
                best_alpha = np.where(better, alpha, best_alpha)
            elif score > best_score:
                best_score, best_alpha = float(score), float(alpha)
            coef, intercept = problem.path.coef(best_alpha)
            yield RidgePathState(
                n_iter=at + 1,
                objective=float(-np.mean(score)),
                converged=at + 1 == len(problem.alphas),
                alpha=float(alpha),
                score=score if apart else float(score),
                best_alpha=best_alpha,
                best_score=best_score,
                coef=coef,
                intercept=intercept,
            )

    def _fitted(self, problem: _Problem, state: RidgePathState) -> dict[str, Any]:
        dtype = problem.dtype
        coef = np.ascontiguousarray(state.coef.T, dtype=dtype)
        intercept = state.intercept.astype(dtype)
        if not self.fit_intercept:
            shaped: Any = 0.0
        else:
            shaped = intercept[0] if problem.one_target else intercept
        fitted = {
            "coef_": coef[0] if len(coef) == 1 else coef,
            "intercept_": shaped,
            "alpha_": state.best_alpha,
            "best_score_": state.best_score,
        }
        if problem.results is not None:
            results = problem.results
            fitted["cv_results_"] = results[:, 0] if problem.one_target else results
        return fitted

    def _routed(self, sample_weight: Any, params: dict[str, Any]) -> Any:
        """Metadata for the scorer and the splitter."""
        return routed_metadata(self, self._scorer(), sample_weight, params)

    def get_metadata_routing(self) -> MetadataRouter:
        """Return how metadata are routed to the scorer and the splitter.

        Returns
        -------
        MetadataRouter
        """
        fit = MethodMapping().add
        return (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(scorer=self._scorer(), method_mapping=fit(caller="fit", callee="score"))
            .add(
                splitter=self.cv,
                method_mapping=MethodMapping().add(caller="fit", callee="split"),
            )
        )

    def _scorer(self) -> Any:
        if self.scoring is None:
            scorer = get_scorer("accuracy" if is_classifier(self) else "r2")
            if routing_enabled():
                scorer = scorer.set_score_request(sample_weight=True)
            return scorer
        return check_scoring(estimator=self, scoring=self.scoring)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


class RidgeCV(MultiOutputMixin, CrossValidatedRidge, LinearGaussianModel[_Problem, RidgePathState]):
    """Ridge regression whose penalty is chosen by cross-validation.

    Every row is predicted by the model that is fitted without it, for each of the penalties,
    from one decomposition of the centred rows √w (X − x̄) = U S Vᵀ:

        eᵢ(α) = (yᵢ − ŷᵢ(α)) / (1 − wᵢ (1/W + Σⱼ pᵢⱼ² / (Sⱼ² + α))),    p = (X − x̄) V

    The penalty with the smallest mean of wᵢ eᵢ² is taken. A `cv` or `scoring` asks for
    something else; a fold, too, is decomposed once for all penalties. Each penalty is a step.

    Parameters
    ----------
    alphas : array-like of shape (n_alphas,), default=(0.1, 1.0, 10.0)
        Penalties to choose from, > 0 (≥ 0 with a `cv`); of equally good ones the first.
    fit_intercept : bool, default=True
        Whether there is an intercept b.
    scoring : str, callable or None, default=None
        None: the negative mean squared error, R² with a `cv`.
    cv : int, splitter, iterable or None, default=None
        None: leave-one-out.
    gcv_mode : {"auto", "svd", "eigen"}, default="auto"
        "svd" takes the singular value decomposition of dense rows; the others the inner
        products of the smaller side, and the singular values where digits would be lost.
    store_cv_results : bool, default=False
        Whether to keep `cv_results_`; not with a `cv`.
    alpha_per_target : bool, default=False
        Whether each target has its own penalty; not with a `cv`.

    Attributes
    ----------
    alpha_ : float or ndarray of shape (n_targets,)
    best_score_ : float or ndarray of shape (n_targets,)
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features)
    intercept_ : float or ndarray of shape (n_targets,)
    sigma_ : float or ndarray of shape (n_targets,)
        √(Σ wᵢ rᵢ² / Σ wᵢ) of the fit on all rows.
    cv_results_ : ndarray of shape (n_samples, n_alphas) or (n_samples, n_targets, n_alphas)
        wᵢ eᵢ² where `scoring` is None, else the predictions; only with `store_cv_results`.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
    objective_path_ : ndarray of shape (n_alphas,)
        The negative score of each penalty.

    Raises
    ------
    ValueError, TypeError
        For a penalty that is not a positive number, NaN or infinity, negative weights,
        `store_cv_results` or `alpha_per_target` with a `cv`.

    References
    ----------
    Golub, Heath & Wahba (1979), Generalized cross-validation. Rifkin & Lippert (2007), Notes
    on regularized least squares.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from kiso.linear_model import RidgeCV
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = RidgeCV(alphas=[1e-3, 1e-2, 1e-1, 1]).fit(X, y)
    >>> model.alpha_, round(model.score(X, y), 4)
    (0.01, 0.5166)
    >>> for state in RidgeCV(alphas=[0.01, 1]).steps(X, y):
    ...     print(state.alpha, round(state.objective))
    0.01 3000
    1.0 3328
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **CrossValidatedRidge._parameter_constraints,
        "gcv_mode": [StrOptions({"auto", "svd", "eigen"}), None],
        "alpha_per_target": ["boolean"],
    }

    def __init__(
        self,
        alphas: Any = (0.1, 1.0, 10.0),
        *,
        fit_intercept: bool = True,
        scoring: Any = None,
        cv: Any = None,
        gcv_mode: str | None = "auto",
        store_cv_results: bool = False,
        alpha_per_target: bool = False,
    ):
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.scoring = scoring
        self.cv = cv
        self.gcv_mode = gcv_mode
        self.store_cv_results = store_cv_results
        self.alpha_per_target = alpha_per_target

    def _regression(
        self, X: Any, y: Any, sample_weight: Any
    ) -> tuple[Any, Array, Array, Array | None, bool]:
        X, Y, weights, one = self._validate(
            X, y, sample_weight, accept_sparse=["csr", "csc", "coo"]
        )
        return X, Y[:, 0] if one else Y, Y, weights, one

    def _fitted(self, problem: _Problem, state: RidgePathState) -> dict[str, Any]:
        path = problem.path
        misses = path.Y - np.asarray(path.X @ state.coef) - state.intercept
        sigma = np.sqrt(path.w @ misses**2 / path.w.sum())
        return {
            **super()._fitted(problem, state),
            "sigma_": float(sigma[0]) if problem.one_target else sigma,
        }


class RidgeClassifierCV(RidgeLabels, CrossValidatedRidge):
    """Ridge classification whose penalty is chosen by cross-validation.

    `RidgeCV` on labels coded as ±1: leave-one-out for all penalties from one decomposition,
    judged by the mean squared error of the codes, or by the `scoring`.

    Parameters
    ----------
    alphas : array-like of shape (n_alphas,), default=(0.1, 1.0, 10.0)
        Penalties to choose from, > 0 (≥ 0 with a `cv`).
    fit_intercept : bool, default=True
        Whether there is an intercept b.
    scoring : str, callable or None, default=None
        None: the negative mean squared error of the codes, accuracy with a `cv`.
    cv : int, splitter, iterable or None, default=None
        None: leave-one-out.
    class_weight : dict or "balanced", default=None
        Weights of the classes, multiplied with the samples'.
    store_cv_results : bool, default=False
        Whether to keep `cv_results_`; not with a `cv`.

    Attributes
    ----------
    alpha_ : float
    best_score_ : float
    coef_ : ndarray of shape (n_features,), (n_classes, n_features) or (n_labels, n_features)
        The first for two classes.
    intercept_ : float or ndarray of shape (n_classes,)
    classes_ : ndarray of shape (n_classes,)
    cv_results_ : ndarray of shape (n_samples, n_codes, n_alphas)
        wᵢ eᵢ² where `scoring` is None, else the scores; only with `store_cv_results`.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
    objective_path_ : ndarray of shape (n_alphas,)

    Raises
    ------
    ValueError, TypeError
        As `RidgeCV`.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from kiso.linear_model import RidgeClassifierCV
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> model = RidgeClassifierCV(alphas=[1e-3, 1e-2, 1e-1, 1]).fit(X, y)
    >>> model.alpha_, round(model.score(X, y), 3)
    (0.01, 0.963)
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **CrossValidatedRidge._parameter_constraints,
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }

    def __init__(
        self,
        alphas: Any = (0.1, 1.0, 10.0),
        *,
        fit_intercept: bool = True,
        scoring: Any = None,
        cv: Any = None,
        class_weight: dict[Any, float] | str | None = None,
        store_cv_results: bool = False,
    ):
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.scoring = scoring
        self.cv = cv
        self.class_weight = class_weight
        self.store_cv_results = store_cv_results

    def _regression(
        self, X: Any, y: Any, sample_weight: Any
    ) -> tuple[Any, Array, Array, Array | None, bool]:
        X, y, Y, weights = self._coded(X, y, sample_weight)
        return X, y, Y, weights, False
