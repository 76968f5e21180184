"""k-means++ against random seeds: the report's tables Norm-10 and Norm-25.

k* true centres uniform in a cube of side 500, 10,000 points around them with unit variance;
20 trials each with k = 10, 25 and 50. φ is the sum of squares divided by the points (the
report does not say so, its numbers do). Where every true centre is found, φ/n has
expectation d (1 − k*/n): 4.995 and 14.9625. The report prints 5.122 and 15.83, which its
generator as described cannot give; so the pattern and the ratios are what is checked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.cluster import KMeans, SeedingState, kmeans_plusplus, plot_clusters
from kiso.experiments import Check, Experiment, Outcome

if TYPE_CHECKING:
    from matplotlib.figure import Figure

N = 10_000
N_TRIALS = 20
KS = (10, 25, 50)
SETS = {"Norm-10": (10, 5), "Norm-25": (25, 15)}  # true centres, features
PRINTED = {  # the report's averages: random seeds, k-means++
    "Norm-10": ((10898.0, 5.122), (787.99, 4.468), (3.477, 3.359)),
    "Norm-25": ((135512.0, 126433.0), (48050.0, 15.83), (5466.0, 14.76)),
}


def run(seed: int) -> Outcome:
    """Measure φ per point on both sets, by both seedings, for each k."""
    rng = np.random.default_rng(seed)
    measured: dict[str, Any] = {}
    for name, (true_k, d) in SETS.items():
        X = norm(true_k, d, rng)
        measured[name] = {k: trials(X, k, rng) for k in KS}
    rows = np.column_stack([rng.normal(0, 3, 400), rng.normal(0, 3, 400)])
    states = [s for s in KMeans(4, random_state=seed).steps(rows) if isinstance(s, SeedingState)]
    return Outcome(
        checks(measured),
        {"measured": measured, "rows": rows, "states": states},
        "The printed φ of the sets' own k (5.122 and 15.83) lie 4 and 16 standard errors above "
        "what the generator as described must give: 4.995 ± 0.03 and 14.96 ± 0.06.",
    )


def norm(true_k: int, d: int, rng: np.random.Generator) -> Any:
    """Draw the report's set: centres in the cube, points around them."""
    centers = rng.uniform(0, 500, (true_k, d))
    return centers[rng.integers(true_k, size=N)] + rng.standard_normal((N, d))


def trials(X: Any, k: int, rng: np.random.Generator) -> tuple[Any, Any]:
    """Give φ per point of 20 fits from random rows and 20 from k-means++ as published."""
    random: list[float] = []
    seeded: list[float] = []
    for _ in range(N_TRIALS):
        rows = X[rng.choice(N, k, replace=False)]
        centers, _ = kmeans_plusplus(X, k, random_state=rng, n_local_trials=1)
        for start, found in ((rows, random), (centers, seeded)):
            model = KMeans(k, init=start, n_init=1, tol=1e-6, max_iter=1000).fit(X)
            found.append(model.inertia_ / N)
    return np.array(random), np.array(seeded)


def checks(measured: Any) -> tuple[Check, ...]:
    """Judge the pattern: hopeless against perfect at k*, level where k is far from it."""
    found = []
    for name, (true_k, d) in SETS.items():
        seeded = measured[name][true_k][1]
        expected, error = d * (1 - true_k / N), 3 * np.sqrt(2 * d / N)
        least = float(seeded.min())
        found += [
            Check(
                f"{name}, k = {true_k}: least φ/n of k-means++",
                f"{expected:.4f} ± {error:.2f}",
                least,
                bool(abs(least - expected) <= error),
            ),
            Check(
                f"{name}, k = {true_k}: trials of k-means++ that find all centres",
                "≥ 15 of 20 (report: all)",
                (hits := int(np.sum(seeded < 1.1 * expected))),
                hits >= 15,
            ),
            ratio(name, true_k, measured, "≥ 100", 100, np.inf),
        ]
    found += [
        ratio("Norm-10", 25, measured, "≥ 10", 10, np.inf),
        ratio("Norm-10", 50, measured, "0.9 to 100", 0.9, 100),
        ratio("Norm-25", 10, measured, "0.9 to 1.5", 0.9, 1.5),
        ratio("Norm-25", 50, measured, "≥ 10", 10, np.inf),
    ]
    near = (("Norm-10", 10), ("Norm-10", 25), ("Norm-10", 50), ("Norm-25", 25), ("Norm-25", 50))
    found += [beside_printed(name, k, measured) for name, k in near]
    return tuple(found)


def beside_printed(name: str, k: int, measured: Any) -> Check:
    """Compare φ/n of k-means++ with the report's average, of other draws of the same set."""
    printed = PRINTED[name][KS.index(k)][1]
    value = float(np.median(measured[name][k][1]))
    return Check(f"{name}, k = {k}: φ/n of k-means++, median", f"{printed:g} ± 12 % (report)",
                 value, abs(value / printed - 1) <= 0.12)  # fmt: skip


def ratio(name: str, k: int, measured: Any, claimed: str, low: float, high: float) -> Check:
    """Compare mean φ from random rows with the median of k-means++."""
    random, seeded = measured[name][k]
    printed = PRINTED[name][KS.index(k)]
    value = float(random.mean() / np.median(seeded))
    what = f"{name}, k = {k}: φ of random seeds / of k-means++"
    return Check(
        what, f"{claimed} (report: {printed[0] / printed[1]:.3g})", value, low <= value <= high
    )


def draw(outcome: Outcome) -> Figure:
    """Above: the seeds being drawn. Below: all trials beside the printed averages."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 7.5), layout="constrained")
    grid = figure.add_gridspec(2, 4)
    for at, state in enumerate(outcome.data["states"]):
        plot_clusters(outcome.data["rows"], state, figure.add_subplot(grid[0, at]))
    for at, name in enumerate(SETS):
        ax = figure.add_subplot(grid[1, 2 * at : 2 * at + 2])
        for which, label in enumerate(("random rows", "k-means++")):
            x = np.concatenate([np.full(N_TRIALS, i + 0.25 * which) for i in range(len(KS))])
            y = np.concatenate([outcome.data["measured"][name][k][which] for k in KS])
            ax.plot(x, y, ".", label=label, alpha=0.7)
            ax.plot(
                np.arange(len(KS)) + 0.25 * which, [p[which] for p in PRINTED[name]], "kx",
                label="printed averages" if which else None,
            )  # fmt: skip
        ax.set(yscale="log", title=f"{name}, 20 trials", xlabel="k", ylabel="φ per point")
        ax.set_xticks(np.arange(len(KS)) + 0.125, [str(k) for k in KS])
        ax.legend(fontsize=8)
    return figure


EXPERIMENT = Experiment(
    title="k-means++: careful seeds against random ones",
    rows=(19,),
    claim="drawing the next centre in proportion to D² finds the true centres of Norm-10 and "
    "Norm-25, where random rows end thousands of times worse",
    source="Arthur & Vassilvitskii, k-means++: the advantages of careful seeding, technical "
    "report 2006-13, tables 1 and 2",
    run=run,
    draw=draw,
)
