"""Maximum likelihood is consistent and efficient: √m (θ̂ − θ) → N(0, I⁻¹).

The root mean square error falls as m^(−1/2), and for large m no estimator has a smaller one.
For a normal the mean is the maximum likelihood estimate and the median another consistent
one: its variance is π/2 = 1.571 times as large. For a Laplace distribution the median is
the maximum likelihood estimate, and the mean is the worse one, by a factor of 2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.experiments import Experiment, Outcome, at_most, close
from kiso.inference import Gaussian, Laplace

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIZES = (11, 31, 101, 301, 1001)
ASYMPTOTIC = 101  # slopes are of sizes from here: the median of Laplace data settles late
N_REPEATS = 2000


def errors(draws: Any) -> tuple[Any, Any]:
    """Mean and median of each column of draws (m, repeats) about 0: each column a data set."""
    mean = Gaussian("diag").fit(draws).mean_
    median = Laplace().fit(draws).loc_
    return mean, median


def run(seed: int) -> Outcome:
    """Estimate the centre of many data sets of each size by mean and by median."""
    rng = np.random.default_rng(seed)
    rmse, last = {}, {}
    truths: dict[str, tuple[Any, Any]] = {
        "normal": (Gaussian.from_parameters(0.0, 1.0), rng.standard_normal),
        "Laplace": (Laplace.from_parameters(0.0, 1.0), lambda shape: rng.laplace(size=shape)),
    }
    for name, (_, sampler) in truths.items():
        found = [errors(sampler((m, N_REPEATS))) for m in SIZES]
        for i, estimator in enumerate(("mean", "median")):
            rmse[f"{estimator}, {name} data"] = [float(np.sqrt(np.mean(f[i] ** 2))) for f in found]
            last[estimator, name] = found[-1][i]
    large = np.array(SIZES) >= ASYMPTOTIC
    log_m = np.log(SIZES)[large]
    slopes = {key: float(np.polyfit(log_m, np.log(e)[large], 1)[0]) for key, e in rmse.items()}
    m = SIZES[-1]
    information = {name: t.fisher_information()[0, 0] for name, (t, _) in truths.items()}
    best = {"normal": "mean", "Laplace": "median"}

    def variance_ratio(name: str) -> float:
        worse = {"normal": "median", "Laplace": "mean"}[name]
        return float(np.mean(last[worse, name] ** 2) / np.mean(last[best[name], name] ** 2))

    def times_bound(name: str) -> float:
        return float(m * np.mean(last[best[name], name] ** 2) * information[name])

    checks = [close(f"slope of log RMSE, {key}", -0.5, s, atol=0.05) for key, s in slopes.items()]
    checks += [
        close("var(median)/var(mean), normal data", np.pi / 2, variance_ratio("normal"),
              atol=0.2, digits=4),
        close("var(mean)/var(median), Laplace data", 2.0, variance_ratio("Laplace"), atol=0.3),
        close("m · var · I of the MLE, normal data", 1.0, times_bound("normal"), atol=0.2),
        close("m · var · I of the MLE, Laplace data", 1.0, times_bound("Laplace"), atol=0.2),
        at_most("RMSE of the MLE at m = 1001, normal data", 0.04, rmse["mean, normal data"][-1]),
    ]  # fmt: skip
    return Outcome(tuple(checks), {"rmse": rmse, "slopes": slopes, "last": last})


def draw(outcome: Outcome) -> Figure:
    """Left: error against m. Right: both estimators of the same normal data."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 4.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    for (name, e), marker in zip(outcome.data["rmse"].items(), "osD^", strict=True):
        slope = outcome.data["slopes"][name]
        left.loglog(SIZES, e, marker=marker, ms=4, lw=1, label=f"{name}: slope {slope:.3f}")
    left.set(xlabel="observations m", ylabel="root mean square error", title="Consistency")
    left.legend(fontsize=8)
    bins = np.linspace(-0.15, 0.15, 61)
    for estimator in ("median", "mean"):
        values = outcome.data["last"][estimator, "normal"]
        right.hist(values, bins, alpha=0.5, density=True, label=estimator)
    grid = np.linspace(-0.15, 0.15, 200)
    limit = Gaussian.from_parameters(0.0, 1 / SIZES[-1])
    right.plot(grid, np.exp(limit.log_prob(grid)), "k", lw=1, label="N(0, 1/(m I))")
    right.set(xlabel="estimate of the centre 0", title="Efficiency: normal data, m = 1001")
    right.legend(fontsize=8)
    return figure


EXPERIMENT = Experiment(
    title="Maximum likelihood is consistent and efficient",
    rows=(3,),
    claim="√m(θ̂ − θ) → N(0, I⁻¹): RMSE slope −1/2; var(median)/var(mean) → π/2 = 1.571",
    source="Goodfellow et al. (2016), Deep Learning, section 5.5.2; Cramér (1946)",
    run=run,
    draw=draw,
)
