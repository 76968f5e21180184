"""The chapters of the source notes, and which experiment stands in which."""

from __future__ import annotations

from ._protocol import Experiment

# chapter: rows of the inventory; an experiment stands where most of its rows do
CHAPTERS: dict[str, tuple[int, ...]] = {
    "Likelihood, Bayes and information": (1, 2, 3, 4, 5, 38, 39, 75, 87, 88),
    "Linear models": (6, 7, 8, 13, 76, 77),
    "Support vector machines": (9, 10, 11, 12, 14),
    "Neighbours, trees, clusters, components": (15, 16, 17, 18, 19, 24, 26, 27, 28),
    "What learning has to assume": (20, 23, 25, 29, 30, 31, 34, 35, 36, 81, 83),
    "Gradient descent": (21, 22, 50, 51, 52, 67, 69, 78, 80),
    "Networks: back-propagation, training, what they fit": (
        *(32, 33, 37, 47, 48, 49, 53, 54, 55, 56, 57, 61, 62, 63, 64, 66, 73, 74, 79, 84, 89),
    ),
    "Networks that are constructed": (40, 41, 42, 43, 44, 45, 46),
    "Images: convolutions, attacks, scattering": (58, 59, 60, 65, 68, 70, 71, 82, 85, 86),
    "Few examples, and generators": (90, 91),
}
WITHOUT_ROWS = {
    "fashion-neighbors": "Neighbours, trees, clusters, components",
    "svm-mnist": "Support vector machines",
    "svm-mnist-full": "Support vector machines",
}


def chapter_of(experiment: Experiment) -> str:
    """Return the chapter in which an experiment stands: that of most of its rows.

    Examples
    --------
    >>> from kiso.experiments import chapter_of, load
    >>> chapter_of(load("gravity-law"))
    'Linear models'
    """
    if not experiment.rows:
        return WITHOUT_ROWS.get(experiment.name, "What learning has to assume")
    return max(CHAPTERS, key=lambda name: len(set(CHAPTERS[name]) & set(experiment.rows)))


def reading_order(experiment: Experiment) -> tuple[int, int, str]:
    """Sort key of the order in which the notes reach the experiments' topics."""
    chapter = list(CHAPTERS).index(chapter_of(experiment))
    return chapter, min(experiment.rows, default=99), experiment.name
