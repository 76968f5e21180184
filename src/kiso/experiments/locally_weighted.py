"""Locally weighted regression: the bandwidth between interpolation and a straight line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.linear_model import LinearRegression, LocallyWeightedRegression

from ._protocol import Check, Experiment, Outcome, at_least, at_most

if TYPE_CHECKING:
    from matplotlib.figure import Figure

N_ROWS, NOISE = 250, 0.3
WIDE, NARROW = 1e6, 1e-9
QUERY = 2.0
GRID = np.linspace(0, 2 * np.pi, 400)[:, None]
SWEEP = (0.05, 0.3, 1.0, 10.0)


def run(seed: int) -> Outcome:
    """Sweep τ on a noisy sine; compare with the formula, with refitting and with both limits."""
    rng = np.random.default_rng(seed)
    X = np.sort(rng.uniform(0, 2 * np.pi, (N_ROWS, 1)), axis=0)
    y = np.sin(X[:, 0]) + NOISE * rng.standard_normal(N_ROWS)
    chosen = LocallyWeightedRegression().fit(X, y)
    true_errors = np.array([_true_error(_fit(X, y, tau)) for tau in chosen.loo_taus_])
    ols = LinearRegression().fit(X, y)
    checks = (
        _formula(X, y, chosen),
        _leave_one_out(X, y, chosen),
        at_most(
            "τ = 1e6: largest difference to ordinary least squares",
            1e-8,
            float(np.abs(_fit(X, y, WIDE).predict(GRID) - ols.predict(GRID)).max()),
        ),
        _singular(X),
        at_most(
            "τ = 1e-9: largest residual (it interpolates)",
            1e-12,
            float(np.abs(_fit(X, y, NARROW).predict(X) - y).max()),
        ),
        at_most(
            "true error at the τ of leave-one-out / at the best τ tried",
            5.0,
            float(_true_error(chosen) / true_errors.min()),
        ),
        at_least(
            "true error of ordinary least squares / at the τ of leave-one-out",
            5.0,
            float(_mean_square(ols.predict(GRID)) / _true_error(chosen)),
        ),
    )
    weights = chosen.local_weights([[QUERY]])[0]
    return Outcome(
        checks,
        {"X": X, "y": y, "chosen": chosen, "true_errors": true_errors, "weights": weights},
        "The weights are not probabilities: they are the shape of a Gaussian without its "
        f"1/√(2π)τ, nothing is random in them, and at x = {QUERY:g} they sum to "
        f"{weights.sum():.3g}; only their ratios matter to θ(x). That the data need not be kept "
        "once θ is known (erratum E7) holds for ordinary linear regression only: every query "
        "here solves for a θ(x) of its own, from all the rows.",
    )


def _fit(X: Any, y: Any, tau: float) -> LocallyWeightedRegression:
    return LocallyWeightedRegression(tau).fit(X, y)


def _mean_square(prediction: Any) -> float:
    return float(np.mean((prediction - np.sin(GRID[:, 0])) ** 2))


def _true_error(model: LocallyWeightedRegression) -> float:
    """Mean squared distance to the sine that made the data."""
    return _mean_square(model.predict(GRID))


def _normal_matrix(X: Any, q: float, tau: float) -> tuple[Any, Any]:
    """Return XᵀWX and XᵀW, as the text writes them."""
    w = np.exp(-((X[:, 0] - q) ** 2) / (2 * tau**2))
    T = np.column_stack([np.ones(len(X)), X])
    return T.T @ (w[:, None] * T), T.T * w


def _formula(X: Any, y: Any, model: LocallyWeightedRegression) -> Check:
    worst = 0.0
    for q in GRID[::20]:
        gram, weighted = _normal_matrix(X, q[0], float(model.tau_ or np.nan))
        theta = np.linalg.solve(gram, weighted @ y)
        worst = max(worst, float(np.abs(theta - model.local_coef([q])[0]).max()))
    return at_most("largest difference of θ(x) to (XᵀWX)⁻¹XᵀWy", 1e-8, worst)


def _leave_one_out(X: Any, y: Any, model: LocallyWeightedRegression) -> Check:
    """Refit without each row, at the chosen τ."""
    tau = float(model.tau_ or np.nan)
    keep = ~np.eye(len(X), dtype=bool)
    left_out = [
        y[i] - _fit(X[keep[i]], y[keep[i]], tau).predict(X[i : i + 1])[0] for i in range(len(X))
    ]
    refitted = float(np.mean(np.square(left_out)))
    return at_most(
        "leave-one-out error from the hat matrix / by refitting, − 1",
        1e-9,
        abs(float(model.loo_errors_.min()) / refitted - 1.0),
    )


def _singular(X: Any) -> Check:
    gram, _ = _normal_matrix(X, float(X[N_ROWS // 2, 0]), NARROW)
    rank = int(np.linalg.matrix_rank(gram))
    return Check("τ = 1e-9: rank of the 2 × 2 matrix XᵀWX (singular)", "1", rank, rank == 1)


def draw(outcome: Outcome) -> Figure:
    """Draw the data and fits, the leave-one-out curve, one query's fit, and the slopes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 7.5), layout="constrained")
    fits, curve, query, slopes = figure.subplots(2, 2).ravel()
    _draw_fits(fits, outcome.data)
    _draw_curve(curve, outcome.data)
    _draw_query(query, outcome.data)
    _draw_slopes(slopes, outcome.data)
    return figure


def _draw_fits(ax: Any, data: Any) -> None:
    ax.scatter(data["X"][:, 0], data["y"], s=12, color="0.6", label="data")
    for tau in SWEEP:
        ax.plot(GRID, _fit(data["X"], data["y"], tau).predict(GRID), label=f"τ = {tau:g}")
    ax.set(title="From interpolation to a straight line", xlabel="x", ylabel="y")
    ax.legend(fontsize="small")


def _draw_curve(ax: Any, data: Any) -> None:
    model = data["chosen"]
    ax.loglog(model.loo_taus_, model.loo_errors_, "o-", ms=4, label="leave-one-out error")
    ax.loglog(
        model.loo_taus_, data["true_errors"] + NOISE**2, "--", label="true error + noise variance"
    )
    ax.axvline(model.tau_, color="0.5", ls=":", label=f"chosen: τ = {model.tau_:.3g}")
    ax.set(title="Choosing the bandwidth", xlabel="τ", ylabel="mean squared error")
    ax.legend(fontsize="small")


def _draw_query(ax: Any, data: Any) -> None:
    model, weights = data["chosen"], data["weights"]
    intercept, slope = model.local_coef([[QUERY]])[0]
    near = np.array([QUERY - 3 * model.tau_, QUERY + 3 * model.tau_])
    points = ax.scatter(data["X"][:, 0], data["y"], c=weights, s=8 + 40 * weights, cmap="viridis")
    ax.plot(near, intercept + slope * near, color="C3", label="θ(x): the line of this query")
    ax.plot(QUERY, intercept + slope * QUERY, "o", color="C3", label="its prediction")
    ax.plot(GRID, model.predict(GRID), color="0.5", lw=1, label="all predictions")
    ax.get_figure().colorbar(points, ax=ax, label=f"weight at x = {QUERY:g}")
    ax.set(title="One query: weights, not probabilities", xlabel="x", ylabel="y")
    ax.legend(fontsize="small")


def _draw_slopes(ax: Any, data: Any) -> None:
    slope = data["chosen"].local_coef(GRID)[:, 1]
    ax.plot(GRID, slope, label="slope in θ(x)")
    ax.plot(GRID, np.cos(GRID), "--", color="0.5", label="cos x, the true slope")
    ax.set(title="A θ(x) for every query", xlabel="x", ylabel="slope")
    ax.legend(fontsize="small")


EXPERIMENT = Experiment(
    title="Locally weighted regression and its bandwidth",
    rows=(76,),
    claim="θ(x) = (XᵀWX)⁻¹XᵀWy with w = exp(−(x⁽ⁱ⁾ − x)²/2τ²); τ → ∞ is ordinary least squares, "
    "τ → 0 is singular; leave-one-out finds a τ between",
    source="CS229 lecture notes, part I, section 3; notes B, lines 283-291",
    run=run,
    draw=draw,
)
