"""What the models that choose a penalty by cross-validation share: metadata and scorers."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

from sklearn.metrics import make_scorer
from sklearn.utils import Bunch, metadata_routing
from sklearn.utils.metadata_routing import process_routing

from kiso._validation import Array

__all__ = ["routed_metadata", "routing_enabled", "with_labels"]


def routing_enabled() -> bool:
    """Whether scikit-learn's metadata routing is on."""
    return bool(metadata_routing._routing_enabled())


def takes_weights(scorer: Any) -> bool:
    """Whether a scorer takes sample_weight."""
    if hasattr(scorer, "_accept_sample_weight"):
        return bool(scorer._accept_sample_weight())
    try:
        return "sample_weight" in inspect.signature(scorer).parameters
    except (TypeError, ValueError):
        return False


def routed_metadata(model: Any, scorer: Any, sample_weight: Any, params: dict[str, Any]) -> Bunch:
    """What `fit` passes on to the splitter (`splitter.split`) and the scorer (`scorer.score`).

    Without metadata routing the weights go to a scorer that takes them, and nothing else is
    allowed.
    """
    metadata_routing._raise_for_params(params, model, "fit")
    if sample_weight is not None:
        params = {**params, "sample_weight": sample_weight}
    if routing_enabled():
        return process_routing(model, "fit", **params)
    if "sample_weight" in params and not takes_weights(scorer):
        warnings.warn(
            f"scoring={model.scoring!r} does not support sample_weight: the rows are "
            "weighted in the fits, not in the scores",
            UserWarning,
            stacklevel=7,
        )
        params = {}
    return Bunch(splitter=Bunch(split={}), scorer=Bunch(score=params))


def with_labels(scorer: Any, classes: Array) -> Any:
    """A scorer that knows all classes, also those that a fold lacks, where it can."""
    if not hasattr(scorer, "_score_func"):
        return scorer
    known = inspect.signature(scorer._score_func).parameters
    if "labels" not in known:
        return scorer
    more = {"pos_label": classes[-1]} if len(classes) == 2 and "pos_label" in known else {}
    return make_scorer(
        scorer._score_func,
        greater_is_better=scorer._sign == 1,
        response_method=scorer._response_method,
        labels=classes,
        **{**more, **getattr(scorer, "_kwargs", {})},
    )
