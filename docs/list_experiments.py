"""Write the tables of docs/experiments.md from the experiments themselves."""

from __future__ import annotations

from pathlib import Path

from kiso.experiments import CHAPTERS, Experiment, chapter_of, load, names, reading_order

PAGE = Path(__file__).with_name("experiments.md")
BEGIN, END = "<!-- tables -->\n", "<!-- end of tables -->\n"


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
    """All tables, chapter by chapter, in the order of the rows."""
    every = sorted(map(load, names()), key=reading_order)
    parts = []
    for chapter in CHAPTERS:
        lines = [line(e) for e in every if chapter_of(e) == chapter]
        head = f"## {chapter}\n\n| experiment | claim | source | rows |\n|---|---|---|---|"
        parts.append("\n".join([head, *lines]) + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{tables()}\n{END}{after}", "utf-8")
