"""Write the tables of docs/experiments.md from the experiments themselves."""

from __future__ import annotations

from pathlib import Path

from kiso.experiments._protocol import Experiment
from kiso.experiments._registry import load, names

PAGE = Path(__file__).with_name("experiments.md")
BEGIN, END = "<!-- tables -->\n", "<!-- end of tables -->\n"
# topic -> rows of the inventory; an experiment stands where most of its rows do
TOPICS: dict[str, tuple[int, ...]] = {
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


def topic_of(experiment: Experiment) -> str:
    """Return the topic under which an experiment stands."""
    if not experiment.rows:
        return WITHOUT_ROWS.get(experiment.name, "What learning has to assume")
    return max(TOPICS, key=lambda topic: len(set(TOPICS[topic]) & set(experiment.rows)))


def line(experiment: Experiment) -> str:
    """One line of a table."""
    marks = ", ".join(
        mark for mark, on in (("slow", experiment.slow), ("data", experiment.needs)) if on
    )
    cells = (
        f"`{experiment.name}`" + (f" ({marks})" if marks else ""),
        experiment.claim.replace("|", "\\|"),
        experiment.source.replace("|", "\\|"),
        ", ".join(map(str, experiment.rows)) or "–",
    )
    return f"| {' | '.join(cells)} |"


def tables() -> str:
    """All tables, topic by topic, in the order of the rows."""
    every = sorted(map(load, names()), key=lambda e: (min(e.rows, default=99), e.name))
    parts = []
    for topic in TOPICS:
        lines = [line(e) for e in every if topic_of(e) == topic]
        head = f"## {topic}\n\n| experiment | claim | source | rows |\n|---|---|---|---|"
        parts.append("\n".join([head, *lines]) + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{tables()}\n{END}{after}", "utf-8")
