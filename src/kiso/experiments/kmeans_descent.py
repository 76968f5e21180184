"""k-means step by step: assign, move, repeat; φ never rises, and it ends at a fixed point.

The stepwise demonstration of the notes, from random rows: every state is a frame, the
frames make a film, and the film ends where a fit without looking ends.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.datasets import make_blobs

from kiso.cluster import KMeans, LloydState, animate, plot_clusters
from kiso.experiments import Check, Experiment, Outcome

if TYPE_CHECKING:
    from matplotlib.figure import Figure

K = 6
N_RUNS = 20


def run(seed: int) -> Outcome:
    """Walk through many runs, check every step; film the longest."""
    X, _ = make_blobs(500, centers=K, cluster_std=2.0, random_state=seed)
    runs = [walk(X, 1000 * seed + start) for start in range(N_RUNS)]
    longest = max(range(N_RUNS), key=lambda start: len(runs[start]))
    film = runs[longest]
    whole = KMeans(K, init="random", n_init=1, tol=0, random_state=1000 * seed + longest).fit(X)
    with tempfile.TemporaryDirectory() as folder:
        frames = animate(X, film, Path(folder) / "run.gif", dpi=40)
    ends = [states[-1] for states in runs]
    return Outcome(
        (
            *checks([np.array([s.inertia for s in states]) for states in runs]),
            Check("runs that ended by themselves", f"all {N_RUNS}", *ended(ends)),
            Check(
                "largest distance of a centre from the mean of its rows",
                "0 (1e-9)",
                (off := max(off_mean(X, state) for state in ends)),
                off <= 1e-9,
            ),
            Check("iterations changed from the end", "0", *again(X, ends)),
            Check("frames of the film", f"{len(film)}, one a state", frames, frames == len(film)),
            Check(
                "φ at the end of the film",
                f"{whole.inertia_:.10g}, as of fit",
                film[-1].inertia,
                film[-1].inertia == whole.inertia_,
            ),
        ),
        {"X": X, "film": film, "runs": runs},
        "Where a run ends depends on where it began: φ never rises, but the valleys differ.",
    )


def walk(X: Any, seed: int) -> list[LloydState]:
    """Collect the Lloyd states of one run from random rows."""
    model = KMeans(K, init="random", n_init=1, tol=0, random_state=seed)
    return [state for state in model.steps(X) if isinstance(state, LloydState)]


def checks(paths: list[Any]) -> tuple[Check, ...]:
    """Judge the paths of φ: no step up."""
    rise = max(float(np.max(np.diff(path) / path[:-1])) for path in paths)
    steps = sum(len(path) - 1 for path in paths)
    return (
        Check(f"largest relative rise of φ in {steps} steps", "≤ 0 (1e-12)", rise, rise <= 1e-12),
    )


def ended(ends: list[LloydState]) -> tuple[float, bool]:
    """Count the runs whose labels stopped changing."""
    count = sum(state.settled for state in ends)
    return float(count), count == len(ends)


def off_mean(X: Any, state: LloydState) -> float:
    """Give the largest distance of a centre from the mean of its rows."""
    means = [X[state.labels == j].mean(axis=0) for j in np.unique(state.labels)]
    return float(np.abs(state.centers[np.unique(state.labels)] - means).max())


def again(X: Any, ends: list[LloydState]) -> tuple[float, bool]:
    """Start again from the ends; count those whose labels change."""
    changed = 0
    for state in ends:
        model = KMeans(K, init=state.centers, n_init=1, tol=0).fit(X)
        changed += int(np.any(model.labels_ != state.labels))
    return float(changed), changed == 0


def draw(outcome: Outcome) -> Figure:
    """Above: frames of the film. Below: φ of all runs."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 7), layout="constrained")
    grid = figure.add_gridspec(2, 4)
    film = outcome.data["film"]
    for at, which in enumerate((0, 1, len(film) // 2, len(film) - 1)):
        plot_clusters(outcome.data["X"], film[which], figure.add_subplot(grid[0, at]))
    ax = figure.add_subplot(grid[1, :])
    for states in outcome.data["runs"]:
        ax.plot([s.n_iter for s in states], [s.inertia for s in states], ".-", lw=1)
    ax.set(
        xlabel="iteration", ylabel="φ", title="φ never rises; where it ends depends on the start"
    )
    return figure


EXPERIMENT = Experiment(
    title="k-means step by step: φ falls to a fixed point",
    rows=(17, 18),
    claim="assigning and moving in turn never raises φ and ends, after finitely many steps, "
    "where neither changes anything",
    source="notes A p. 17-18; Lloyd 1982",
    run=run,
    draw=draw,
)
