"""The pictures of the report, one function each, for a notebook or a paper.

Each takes a `kiso.comparison.Comparison`, those of one model also the `Model`, those of
clusters a `Clustering`, and returns a `matplotlib.figure.Figure` that `savefig` writes in
any format.
"""

from ._clusters import choice_of_k, cluster_profiles, cluster_scatter
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
    "differences",
    "frequent_mistakes",
    "learning_curve",
    "objective",
    "predicted_against_truth",
    "residuals",
    "scores",
    "time_against_score",
    "weights",
]
