"""One-shot classification of Omniglot without learning: modified Hausdorff, and pixels.

Lake's 20 runs ask 400 times which of 20 characters of one alphabet a drawing is, after one
drawing of each by somebody else. Both baselines are deterministic:

    modified Hausdorff distance of the places of ink     38.8 % error     155 of 400 wrong
    nearest neighbour of the pixels                      21.7 % right      87 of 400 right

The second number comes out to the last answer with the cosine distance; the Euclidean one,
which prefers drawings with little ink, gets fewer right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.datasets import fetch_omniglot_runs
from kiso.experiments import Check, Experiment, Outcome, at_most, close
from kiso.few_shot import ModifiedHausdorffClassifier, NearestExampleClassifier, score_runs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

N_SHOWN = 8


def run(seed: int) -> Outcome:
    """Score both on all runs; nothing is random."""
    runs = fetch_omniglot_runs()
    models = {
        "hausdorff": ModifiedHausdorffClassifier(),
        "cosine": NearestExampleClassifier("cosine"),
        "euclidean": NearestExampleClassifier(),
    }
    errors = {name: score_runs(model, runs).errors for name, model in models.items()}
    remark = (
        f"With the Euclidean distance of pixels {1 - errors['euclidean'].mean():.2%} are right. "
        "Guessing would have 5 %, and people have 95.5 %."
    )
    return Outcome(
        tuple(checks_of(errors)), {"errors": errors, "answers": answers(runs[0])}, remark
    )


def answers(run: Any) -> Any:
    """(query, right answer, answer given) of the first questions of a run, as pictures."""
    model = ModifiedHausdorffClassifier().fit(run.support, np.arange(len(run.support)))
    given = model.predict(run.queries[:N_SHOWN])
    return [
        (query, run.support[truth], run.support[answer])
        for query, truth, answer in zip(run.queries, run.labels, given, strict=False)
    ]


def checks_of(errors: dict[str, Any]) -> list[Check]:
    """Compare the shares over 400 questions with the published ones, to half an answer."""
    percent = {name: 100 * float(np.mean(e)) for name, e in errors.items()}
    return [
        close("modified Hausdorff distance: error, %", 38.8, percent["hausdorff"], atol=0.06),
        close("1-NN on pixels, cosine: right, %", 21.7, 100 - percent["cosine"], atol=0.06),
        at_most("1-NN on pixels, Euclidean: right, % (no better)", 21.8,
                100 - percent["euclidean"]),
    ]  # fmt: skip


def draw(outcome: Outcome) -> Figure:
    """Draw queries with the right and the given answer, and the error of each run."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 5.6), layout="constrained")
    halves: Any = figure.subfigures(2, 1)
    top, bottom = halves
    axes = top.subplots(3, N_SHOWN)
    for column, pictures in zip(axes.T, outcome.data["answers"], strict=True):
        right = np.array_equal(pictures[1], pictures[2])
        for ax, picture in zip(column, pictures, strict=True):
            ax.imshow(picture, cmap="gray_r")
            ax.set(xticks=[], yticks=[])
        for spine in column[2].spines.values():
            spine.set(color="tab:green" if right else "tab:red", lw=2)
    for ax, name in zip(axes[:, 0], ("query", "truth", "answer"), strict=True):
        ax.set_ylabel(name)
    chart = bottom.subplots()
    for shift, (name, errors) in zip((-0.2, 0.2), outcome.data["errors"].items(), strict=False):
        chart.bar(np.arange(1, len(errors) + 1) + shift, 100 * errors, width=0.38, label=name)
    chart.set(xlabel="run", ylabel="error, %", xticks=range(1, 21), ylim=(0, 115))
    chart.legend(loc="upper left", ncols=2)
    return figure


EXPERIMENT = Experiment(
    title="Omniglot's 20 one-shot runs by the modified Hausdorff distance, and by pixels",
    rows=(90,),
    claim="Within-alphabet 20-way one-shot: 38.8 % error by the modified Hausdorff distance, "
    "21.7 % accuracy by the nearest pixels; without training",
    source="Lake, Salakhutdinov & Tenenbaum (2015) and the data's demonstration; "
    "Koch et al. (2015), table 2",
    run=run,
    draw=draw,
    needs=("omniglot-runs",),
)
