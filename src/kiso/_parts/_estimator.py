"""Estimators that take rows in parts: fits that sum over parts, predictions part by part."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial, wraps
from inspect import getattr_static
from types import FunctionType
from typing import Any, ClassVar

import numpy as np
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.exceptions import ConvergenceWarning

from kiso._validation import Array, check_generator

from ._lazy import LazyRows, MappedRows
from ._rows import Part, is_parted, parts_of

__all__ = ["TakesParts", "lazily"]

LAZY = (
    "predict",
    "predict_proba",
    "predict_log_proba",
    "decision_function",
    "transform",
    "inverse_transform",
    "score_samples",
    "apply",
    "kneighbors",
)
FITS = ("fit", "steps")
PATIENCE = 5  # epochs without a better objective, where an estimator has no `n_iter_no_change`
ELSEWHERE = (
    "On such rows fit: LinearRegression, Ridge, BayesianLinearRegression, LogisticRegression, "
    "SGDClassifier, SGDRegressor, Perceptron, MLPClassifier, MLPRegressor, KMeans, "
    "MiniBatchKMeans, PCA, IncrementalPCA. Or fit this one on a sample that fits in memory; it "
    "then predicts for all rows, part by part."
)


class TakesParts:
    """A mixin of all estimators: what they do with rows that lie in parts.

    Methods that say something of each row do so part by part and lazily, and return the same
    kind of collection. `score` merges sums. `fit` is refused unless the class says that it
    takes parts.
    """

    _fits_parts: ClassVar[bool | str] = False  # "at once": `partial_fit` sums over parts, too
    # "epochs": `fit` is `partial_fit` of one part after the other, again and again
    _instead_of_parts: ClassVar[str] = ""  # what does work, in a sentence
    _score_adds: ClassVar[bool] = False  # whether `score` is a sum over rows, not a mean

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Wrap the methods that the subclass has."""
        super().__init_subclass__(**kwargs)
        wrappers: dict[str, Callable[[Any, str], Any]] = {
            **dict.fromkeys(LAZY, _lazily),
            **dict.fromkeys(FITS, _where_parts_fit),
            "partial_fit": _through_parts,
            "score": _score_of_parts,
            "fit_predict": _fit_then("predict"),
            "fit_transform": _fit_then("transform"),
        }
        for name, wrapper in wrappers.items():
            own = getattr_static(cls, name, None)
            if getattr(own, "_takes_parts", False):
                continue
            if isinstance(own, FunctionType):
                setattr(cls, name, wrapper(own, name))
            elif hasattr(own, "fn") and hasattr(own, "check"):  # scikit-learn's available_if
                wrapped = type(own)(wrapper(own.fn, name), own.check, attribute_name=name)
                wrapped._takes_parts = True
                setattr(cls, name, wrapped)

    def __getstate__(self) -> Any:
        """Leave out what lies in parts: it would bring the data along."""
        state: Any = super().__getstate__()
        return {name: value for name, value in state.items() if not is_parted(value)}


def _first(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return args[0] if args else kwargs.get("X")


def _any_parted(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    return any(map(is_parted, args)) or any(map(is_parted, kwargs.values()))


def _marked(function: Any) -> Any:
    function._takes_parts = True
    return function


def _lazily(method: Any, name: str) -> Any:
    @wraps(method)
    def by_part(self: Any, *args: Any, **kwargs: Any) -> Any:
        X = _first(args, kwargs)
        if not is_parted(X):
            return method(self, *args, **kwargs)
        rest = {key: value for key, value in kwargs.items() if key != "X"}
        function = partial(_call, _for_workers(self), name, args[1:], rest)
        return map_rows(X, function, partial(_names, self, name))

    return _marked(by_part)


def map_rows(X: Any, function: Callable[[Any], Any], names: Any) -> Any:
    """Apply a function of rows part by part, lazily."""
    if isinstance(X, LazyRows):
        return MappedRows(X, function)
    from ._dask import map_parts

    return map_parts(X, function, names)


def lazily(model: Any, name: str, X: Any, **fitted: Any) -> Any:
    """What a method of a model gives for each part of X, with these attributes set."""
    light = _for_workers(model)
    for attribute, value in fitted.items():
        setattr(light, attribute, value)
    return map_rows(X, partial(_call, light, name, (), {}), partial(_names, light, name))


def _call(model: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], block: Any) -> Any:
    found = getattr(model, name)(block, *args, **kwargs)
    return tuple(map(np.asarray, found)) if isinstance(found, tuple) else np.asarray(found)


def _names(model: Any, name: str, width: int) -> Any:
    """Names of the columns of a result that is a table."""
    if name == "transform" and hasattr(model, "get_feature_names_out"):
        return list(model.get_feature_names_out())
    if name != "inverse_transform" and width == len(getattr(model, "classes_", ())):
        return list(model.classes_)
    return list(range(width))


def _for_workers(model: Any) -> Any:
    """The fitted model without what lies in parts itself, and without callbacks."""
    light = copy.copy(model)
    for name, value in list(vars(light).items()):
        if is_parted(value) or name == "_skl_callbacks":
            delattr(light, name)
    return light


def _where_parts_fit(method: Any, name: str) -> Any:
    @wraps(method)
    def checked(self: Any, *args: Any, **kwargs: Any) -> Any:
        if _any_parted(args, kwargs) and self._fits_parts == "epochs":
            epochs = _epochs(self, *args, **kwargs)
            if name == "steps":
                return epochs
            for _ in epochs:
                pass
            return self
        if _any_parted(args, kwargs) and not self._fits_parts:
            raise TypeError(
                f"{type(self).__name__} does not fit rows that lie in parts "
                f"({_collection(args, kwargs)}). {self._instead_of_parts or ELSEWHERE}"
            )
        return method(self, *args, **kwargs)

    return _marked(checked)


def _through_parts(method: Any, name: str) -> Any:
    """`partial_fit` of one part after the other, in order, where the parts are."""

    @wraps(method)
    def by_part(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not _any_parted(args, kwargs) or self._fits_parts == "at once":
            return method(self, *args, **kwargs)
        return _partial_fit(self, *args, **kwargs)

    return _marked(by_part)


def _partial_fit(
    model: Any, X: Any, y: Any = None, classes: Any = None, sample_weight: Any = None
) -> Any:
    rows = parts_of(X, y, sample_weight, targets="raw", multi_output=True)
    extra = {} if classes is None else {"classes": np.asarray(classes)}
    learnt = rows.fold(learn, _for_workers(model), range(rows.n_parts), extra)
    vars(model).update(vars(learnt))
    return model


@dataclass(frozen=True)
class EpochOfParts:
    """Where a fit by `partial_fit` stands after an epoch; the attributes of `kiso.base.State`."""

    n_iter: int
    objective: float
    converged: bool


def _epochs(model: Any, X: Any, y: Any = None, sample_weight: Any = None) -> Iterator[EpochOfParts]:
    """Go through the parts by `partial_fit`, in another seeded order each epoch.

    It ends when the mean objective has not fallen by `tol` for `n_iter_no_change` epochs, or
    after `max_iter`. The model is fitted as of the last epoch whenever a state is given.
    """
    model._validate_params()
    if getattr(model, "early_stopping", False):
        raise ValueError("early_stopping=True: rows in parts are not set aside; give False")
    rows = parts_of(X, y, sample_weight, targets="raw", multi_output=True)
    if y is None:
        raise ValueError(
            f"{type(model).__name__} requires y to be passed, but the target y is None."
        )
    extra = {"classes": rows.sum_of(_labels, merge=_union)} if is_classifier(model) else {}
    return _walk_epochs(model, rows, extra)


def _walk_epochs(model: Any, rows: Any, extra: dict[str, Any]) -> Iterator[EpochOfParts]:
    rng = check_generator(model.random_state)
    learnt = _for_workers(model) if getattr(model, "warm_start", False) else clone(model)
    tol, least, idle = model.tol, np.inf, 0
    patience = getattr(model, "n_iter_no_change", PATIENCE)
    path: list[float] = []
    for n_iter in range(1, model.max_iter + 1):
        order = [int(number) for number in rng.permutation(rows.n_parts)]
        learnt, total, weight = rows.fold(_learn_measured, (learnt, 0.0, 0), order, extra)
        path.append(total / max(weight, 1))
        idle = 0 if path[-1] < least - (tol or 0.0) else idle + 1
        least = min(least, path[-1])
        over = tol is not None and idle >= patience
        vars(model).update(vars(learnt))
        model.n_iter_, model.objective_path_ = n_iter, np.asarray(path)
        yield EpochOfParts(n_iter, path[-1], over)
        if over:
            return
    if tol is not None:
        warnings.warn(
            f"{type(model).__name__} did not converge in {model.max_iter} epochs (objective "
            f"{path[-1]:.6g}). Raise max_iter or tol.",
            ConvergenceWarning,
            stacklevel=3,
        )


def _learn_measured(part: Part, state: Any, extra: dict[str, Any]) -> tuple[Any, float, int]:
    model, total, n = state
    learnt = learn(part, model, extra)
    rows = int(part.X.shape[0])
    return learnt, total + rows * float(learnt.objective_path_[-1]), n + rows


def _labels(part: Part) -> Array:
    return np.unique(np.asarray(part.y))


def _union(one: Array, other: Array) -> Array:
    return np.unique(np.concatenate([one, other]))


def learn(part: Part, model: Any, extra: dict[str, Any]) -> Any:
    """What a model becomes by `partial_fit` of a part."""
    given = () if part.y is None else (np.asarray(part.y),)
    weight = {} if part.weight is None else {"sample_weight": _weights(part)}
    return model.partial_fit(part.X, *given, **extra, **weight)


def _collection(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    given = next(value for value in (*args, *kwargs.values()) if is_parted(value))
    kind = type(given)
    return f"{kind.__module__.partition('.')[0]}: {kind.__name__}"


def _fit_then(then: str) -> Callable[[Any, str], Any]:
    def wrapper(method: Any, name: str) -> Any:
        @wraps(method)
        def fitted(self: Any, *args: Any, **kwargs: Any) -> Any:
            X = _first(args, kwargs)
            if not is_parted(X):
                return method(self, *args, **kwargs)
            return getattr(self.fit(*args, **kwargs), then)(X)

        return _marked(fitted)

    return wrapper


# ------------------------------------------------------------------------------- score


def _score_of_parts(method: Any, name: str) -> Any:
    @wraps(method)
    def score(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not _any_parted(args, kwargs):
            return method(self, *args, **kwargs)
        return _score(self, *args, **kwargs)

    return _marked(score)


def _score(model: Any, X: Any, y: Any = None, sample_weight: Any = None) -> float:
    judged = is_classifier(model) or is_regressor(model)
    rows = parts_of(X, y if judged else None, sample_weight, targets="raw", multi_output=True)
    if judged and y is None:
        raise ValueError(f"score of {type(model).__name__} requires y")
    light = _for_workers(model)
    if is_classifier(model):
        right, total = rows.sum_of(_right, light)
        return float(right / total)
    if is_regressor(model):
        moments = rows.sum_of(_errors, light, merge=_merge_errors)
        return _r2(*moments)
    total, weight = rows.sum_of(_own_score, light)
    return float(total if model._score_adds else total / weight)


def _weights(part: Part) -> Array:
    weight = 1.0 if part.weight is None else np.asarray(part.weight, dtype=np.float64)
    return np.broadcast_to(weight, len(part)).astype(np.float64)


def _right(part: Part, model: Any) -> tuple[float, float]:
    w = _weights(part)
    y, found = np.asarray(part.y), np.asarray(model.predict(part.X))
    hit = y.reshape(found.shape) == found
    return float(w @ (hit if hit.ndim == 1 else hit.all(axis=1))), float(w.sum())


def _errors(part: Part, model: Any) -> tuple[Any, ...]:
    """W, Σ w / W y, Σ w (y − ȳ)², Σ w (y − f(x))²."""
    w, found = _weights(part), np.asarray(model.predict(part.X), dtype=np.float64)
    y = np.asarray(part.y, dtype=np.float64).reshape(found.shape).reshape(len(found), -1)
    found = found.reshape(y.shape)
    total = float(w.sum())
    mean = w @ y / total if total else np.zeros(y.shape[1])
    return total, mean, w @ (y - mean) ** 2, w @ (y - found) ** 2


def _merge_errors(one: tuple[Any, ...], other: tuple[Any, ...]) -> tuple[Any, ...]:
    total = one[0] + other[0]
    if not total:
        return one
    gap = other[1] - one[1]
    spread = one[2] + other[2] + gap**2 * (one[0] * other[0] / total)
    return total, one[1] + gap * (other[0] / total), spread, one[3] + other[3]


def _r2(total: float, mean: Array, spread: Array, errors: Array) -> float:
    """1 − Σ w r² / Σ w (y − ȳ)², the mean over targets; a constant target counts 1 or 0."""
    varies = spread > 0
    scores = np.where(errors > 0, 0.0, 1.0)
    scores[varies] = 1.0 - errors[varies] / spread[varies]
    return float(scores.mean())


def _own_score(part: Part, model: Any) -> tuple[float, float]:
    if model._score_adds:
        extra = {} if part.weight is None else {"sample_weight": part.weight}
        return float(model.score(part.X, **extra)), float(len(part))
    return float(model.score(part.X)) * len(part), float(len(part))
