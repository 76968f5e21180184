"""The pipeline that `fit` saves, for one model or several, calibrated or with a threshold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter

from ._blend import BlendClassifier, BlendRegressor
from ._calibrated import CalibratedClassifier
from ._candidates import Candidate, find_candidate, goes_sparse
from ._columns import make_pipeline_for
from ._task import Problem
from ._text import DataError
from ._threshold import ThresholdClassifier

__all__ = ["Calibrate", "core", "make_model", "members_of", "preparation_of"]

Calibrate = Literal["", "sigmoid", "isotonic"]


def members_of(name: str) -> list[str]:
    """Return the models that a name means: "logistic", or those of "logistic+forest"."""
    return [part.strip() for part in name.split("+")]


def make_model(
    problem: Problem,
    name: str,
    *,
    params: Mapping[str, Any] | None = None,
    random_state: int = 0,
    calibrate: Calibrate = "",
    threshold: tuple[str, float] | None = None,
) -> Pipeline:
    """Return the pipeline for a problem, not yet fitted.

    Parameters
    ----------
    problem : Problem
    name : str
        A model's short name or class; or several, as "logistic+forest", whose mean answers.
    params : mapping, optional
        Parameters of the estimator; of several models "logistic.C".
    random_state : int
    calibrate : {"", "sigmoid", "isotonic"}
        How probabilities are calibrated on held-out parts of the training rows.
    threshold : (str, float), optional
        A class, and the probability from which on it is predicted.

    Raises
    ------
    DataError
        If a model, a parameter or an option does not suit the problem.
    """
    if (calibrate or threshold) and problem.task != "classification":
        what = "--calibrate" if calibrate else "--threshold"
        raise DataError(f"{what} is for classification, and the task is {problem.task}.")
    if threshold is not None:
        _check_threshold(problem, *threshold)
    names = members_of(name)
    found = [find_candidate(part, problem.task) for part in names]
    if len(found) == 1:
        pipeline = _single(problem, found[0], params or {}, random_state, calibrate)
    else:
        pipeline = _several(problem, found, params or {}, random_state, calibrate)
    if threshold is not None:
        model = pipeline["model"]
        if not hasattr(model, "predict_proba"):
            raise DataError(
                f"{type(model).__name__} gives no probabilities, which --threshold needs: add "
                "--calibrate sigmoid."
            )
        label, value = threshold
        pipeline.set_params(model=ThresholdClassifier(model, value, label))
    return pipeline


def _check_threshold(problem: Problem, label: str, value: float) -> None:
    names = problem.data.class_names
    if len(names) != 2:
        raise DataError(
            f"A threshold needs two classes, and {problem.data.target!r} has {len(names)}."
        )
    if label not in names:
        raise DataError(f"{label!r} is no class of {problem.data.target!r}: {' or '.join(names)}.")
    if not 0 <= value <= 1:
        raise DataError(f"The threshold {value:g} is no probability: give 0 to 1.")


def _single(
    problem: Problem, candidate: Candidate, params: Mapping[str, Any], seed: int, calibrate: str
) -> Pipeline:
    known = candidate.make(seed=seed).get_params()
    unknown = [name for name in params if name not in known]
    if unknown:
        raise DataError(
            f"{candidate.class_name} has no parameter {unknown[0]!r}; "
            f"it has {', '.join(sorted(known))}."
        )
    estimator = candidate.make({**candidate.scaled({}, problem.y), **params}, seed)
    if problem.weights is not None and not has_fit_parameter(estimator, "sample_weight"):
        raise DataError(f"{candidate.class_name} takes no weights.")
    if calibrate:
        estimator = CalibratedClassifier(estimator, calibrate, random_state=seed)  # type: ignore[arg-type]
    n_rows = len(problem.y)
    sparse = goes_sparse(candidate, problem.columns, n_rows)
    return make_pipeline_for(problem.columns, estimator, n_rows, sparse=sparse)


def _several(
    problem: Problem,
    candidates: list[Candidate],
    params: Mapping[str, Any],
    seed: int,
    calibrate: str,
) -> Pipeline:
    names = [candidate.name for candidate in candidates]
    own: dict[str, dict[str, Any]] = {name: {} for name in names}
    for key, value in params.items():
        name, dot, setting = key.partition(".")
        if not dot or name not in own:
            raise DataError(
                f"Of several models say whose parameter {key!r} is, as {names[0]}.{setting or key}."
            )
        own[name][setting] = value
    members = [_single(problem, c, own[c.name], seed, calibrate) for c in candidates]
    if problem.task == "regression":
        return Pipeline([("model", BlendRegressor(members))])
    for candidate, member in zip(candidates, members, strict=True):
        if not hasattr(member, "predict_proba"):
            raise DataError(
                f"{candidate.class_name} gives no probabilities to average: add --calibrate "
                "sigmoid."
            )
    return Pipeline([("model", BlendClassifier(members))])


def core(estimator: Any) -> Any:
    """Return the fitted estimator inside calibration and threshold."""
    while isinstance(estimator, (CalibratedClassifier, ThresholdClassifier)):
        estimator = estimator.estimator_
    return estimator


def preparation_of(pipeline: Any) -> Any:
    """Return a fitted pipeline's preparation of the columns; of several models the first one's."""
    found = pipeline.named_steps.get("columns")
    if found is not None:
        return found
    members = getattr(core(pipeline[-1]), "members_", None)
    return None if members is None else preparation_of(members[0])  # rows in parts have none
