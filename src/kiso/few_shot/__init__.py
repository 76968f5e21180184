"""Few-shot learning: classes that are known by an example or two.

An estimator of this room is fitted on labelled samples of some classes; `support(X, y)` then
gives it an example each of new classes, and `predict` tells those apart.
"""

from ._episodic import EpisodeState
from ._hausdorff import ModifiedHausdorffClassifier, modified_hausdorff
from ._nearest import NearestExampleClassifier
from ._pictures import plot_answers, plot_embedding
from ._protocols import Episode, Scores, episodes, score_episodes, score_runs
from ._prototypical import PrototypicalNetwork
from ._siamese import SiameseNetwork
from ._support import FewShotClassifier

__all__ = [
    "Episode",
    "EpisodeState",
    "FewShotClassifier",
    "ModifiedHausdorffClassifier",
    "NearestExampleClassifier",
    "PrototypicalNetwork",
    "Scores",
    "SiameseNetwork",
    "episodes",
    "modified_hausdorff",
    "plot_answers",
    "plot_embedding",
    "score_episodes",
    "score_runs",
]
