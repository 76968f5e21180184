"""Why nearest neighbours fail in many dimensions: all rows are about equally far.

For rows and a query of d independent features the squared distance is a sum of d
independent terms: its mean grows as d, its standard deviation as √d. So the contrast
(d_max − d_min)/d_min falls as 1/√d, the nearest row is hardly nearer than the farthest, and
with a fixed number of rows the error of the neighbours' mean rises towards that of the
mean of all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.experiments import Check, Experiment, Outcome, at_most
from kiso.neighbors import KNeighborsRegressor, NearestNeighbors

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DIMENSIONS = (1, 2, 3, 5, 10, 30, 100, 300, 1000)
N_ROWS, N_QUERIES = 1000, 100


def contrast(X: Any, Q: Any) -> float:
    """Median over queries of (d_max − d_min)/d_min."""
    distance, _ = NearestNeighbors(n_neighbors=len(X)).fit(X).kneighbors(Q)
    return float(np.median((distance[:, -1] - distance[:, 0]) / distance[:, 0]))


def relative_error(X: Any, Q: Any) -> float:
    """Error of 5 neighbours on the mean of sin(2πx_a) over features, in its variances."""
    f = [np.sin(2 * np.pi * part).mean(axis=1) for part in (X, Q)]
    predicted = KNeighborsRegressor(5).fit(X, f[0]).predict(Q)
    return float(np.mean((predicted - f[1]) ** 2) / np.var(f[1]))


def concentration_checks(contrasts: Any, errors: Any) -> list[Check]:
    """Contrast falls, by the square root of d in the end; the error rises to the mean's."""
    contrasts, errors = np.asarray(contrasts), np.asarray(errors)
    far = np.array(DIMENSIONS) >= 100
    slope = float(np.polyfit(np.log(np.array(DIMENSIONS)[far]), np.log(contrasts[far]), 1)[0])
    return [
        Check("contrast (d_max − d_min)/d_min falls with d", "at every step",
              f"{contrasts[0]:.3g} to {contrasts[-1]:.3g}", bool(np.all(np.diff(contrasts) < 0))),
        Check("its slope against d, log-log, d ≥ 100", "−0.5 ± 0.1", slope, abs(slope + 0.5) < 0.1),
        at_most("relative error of 5 neighbours, d = 1", 0.01, float(errors[0])),
        Check("relative error of 5 neighbours, d = 100 and more", "≥ 0.7",
              float(errors[6:].min()), bool(errors[6:].min() >= 0.7)),
    ]  # fmt: skip


def run(seed: int) -> Outcome:
    """Uniform rows in cubes of more and more dimensions."""
    rng = np.random.default_rng(seed)
    contrasts, errors = [], []
    for d in DIMENSIONS:
        X, Q = rng.random((N_ROWS, d)), rng.random((N_QUERIES, d))
        contrasts.append(contrast(X, Q))
        errors.append(relative_error(X, Q))
    checks = concentration_checks(contrasts, errors)
    return Outcome(tuple(checks), {"contrasts": contrasts, "errors": errors})


def draw(outcome: Outcome) -> Figure:
    """Contrast and error against the number of dimensions."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    d = np.array(DIMENSIONS)
    left.loglog(d, outcome.data["contrasts"], "o-", label="measured")
    last = outcome.data["contrasts"][-1]
    left.loglog(d, last * np.sqrt(d[-1] / d), "--", color="black", lw=1, label="slope −1/2")
    left.set(xlabel="dimensions d", ylabel="(d_max − d_min) / d_min", title="All rows equally far")
    left.legend()
    right.semilogx(d, outcome.data["errors"], "o-")
    right.axhline(1, color="black", ls="--", lw=1)
    right.set(xlabel="dimensions d", ylabel="squared error / variance",
              title=f"5 neighbours of {N_ROWS} rows")  # fmt: skip
    return figure


EXPERIMENT = Experiment(
    title="Nearest neighbours fail where rows are sparse: distances concentrate",
    rows=(25,),
    claim="(d_max − d_min)/d_min falls to 0 with d, and the error of the neighbours rises",
    source="Goodfellow et al. (2016), Deep Learning, section 5.11.1; Beyer et al. (1999), "
    "When is nearest neighbor meaningful?",
    run=run,
    draw=draw,
)
