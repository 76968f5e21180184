"""The pictures of the report, one function each, for a notebook or a paper.

Each takes a `kiso.comparison.Comparison`, those of one model also the `Model`, those of
clusters a `Clustering`, and returns a `matplotlib.figure.Figure` that `savefig` writes in
any format.
"""

from ._clusters import choice_of_k, cluster_profiles, cluster_scatter
from ._curves import dependence, events, importance, precision_recall, roc
from ._predictions import (
    calibration,
    confusion_matrix,
    frequent_mistakes,
    predicted_against_truth,
    residuals,
)
from ._scores import differences, scores, time_against_score
from ._training import N_WEIGHTS, learning_curve, objective, weights

__all__ = [
    "N_WEIGHTS",
    "calibration",
    "choice_of_k",
    "cluster_profiles",
    "cluster_scatter",
    "confusion_matrix",
    "dependence",
    "differences",
    "events",
    "frequent_mistakes",
    "importance",
    "learning_curve",
    "objective",
    "precision_recall",
    "predicted_against_truth",
    "residuals",
    "roc",
    "scores",
    "time_against_score",
    "weights",
]
