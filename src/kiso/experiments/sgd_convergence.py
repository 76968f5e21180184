"""Stochastic gradient on a strongly convex function: a ball ∝ η, or O(1/k).

F(w) = (1/m) Σ ½(xᵢᵀw − yᵢ)² + (λ/2)‖w‖², smallest curvature c. With a fixed rate η the
expected gap E F(w_k) − F* falls by at least 1 − ηc a step, down to a level proportional to
η; with η_k = β/(γ + k), β > 1/c, it falls as 1/k.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.experiments import Check, Experiment, Outcome, at_most, close
from kiso.optim import GradientDescent, InverseTime, stochastic_descent, with_replacement

if TYPE_CHECKING:
    from matplotlib.figure import Figure

N_RUNS = 256  # side by side: the mean over them stands for the expectation
RATES = 0.08 / 2.0 ** np.arange(5)
L2 = 0.1


@dataclass(frozen=True)
class Squares:
    """Regularised least squares, each of many runs at its own w: w (n_runs, n)."""

    X: Any
    y: Any

    @property
    def hessian(self) -> Any:
        """∇²F."""
        return self.X.T @ self.X / len(self.X) + L2 * np.eye(self.X.shape[1])

    @property
    def minimizer(self) -> Any:
        """Where F is least."""
        return np.linalg.solve(self.hessian, self.X.T @ self.y / len(self.X))

    def gap(self, w: Any) -> float:
        """Mean of F(w) − F* over the runs."""
        d = w - self.minimizer
        return float(np.mean(np.sum(d @ self.hessian * d, axis=1) / 2))

    def one_row_each(self, w: Any, rows: Any) -> tuple[float, Any]:
        """Loss and gradient of run i at row rows[i]."""
        x = self.X[rows]
        error = np.sum(x * w, axis=1) - self.y[rows]
        return float(np.mean(error**2) / 2), error[:, None] * x + L2 * w


def run(seed: int) -> Outcome:
    """Many runs of stochastic gradient side by side, at fixed and at falling rates."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((300, 4))
    y = X @ rng.standard_normal(4) + rng.standard_normal(300)
    problem = Squares(X, y)
    c = float(np.linalg.eigvalsh(problem.hessian)[0])
    start = np.tile(problem.minimizer + 3.0, (N_RUNS, 1))
    fixed = {}
    for rate in RATES:
        n_steps = int(12 / (rate * c))
        fixed[rate] = follow(problem, start, rate, n_steps, max(1, n_steps // 150), rng)
    balls = {rate: float(np.mean(gaps[len(gaps) // 2 :])) for rate, (_, gaps) in fixed.items()}
    falling = follow(problem, start, InverseTime(0.1, tau=0.1 * c / 2 * 400), 12_000, 100, rng)
    data = {"fixed": fixed, "balls": balls, "falling": falling}
    checks = (*fixed_checks(c, fixed, balls), falling_check(*falling))
    return Outcome(checks, data)


def follow(
    problem: Squares, start: Any, rate: Any, n_steps: int, every: int, rng: np.random.Generator
) -> tuple[Any, Any]:
    """Return steps and mean gaps of all runs at this rate."""
    batches = with_replacement(len(problem.y), N_RUNS, n_steps=n_steps, random_state=rng)
    states = stochastic_descent(
        problem.one_row_each, start, batches, GradientDescent(rate), every=every
    )
    told = [(state.n_iter, problem.gap(state.params)) for state in states]
    steps, gaps = np.array([(0, problem.gap(start)), *told]).T
    return steps, gaps


def fixed_checks(c: float, fixed: Any, balls: Any) -> list[Check]:
    """A linear phase at least as fast as theory, then a ball that grows as η."""
    checks = []
    for rate, (steps, gaps) in fixed.items():
        if rate == RATES[0]:
            continue  # its linear phase is over after a few points
        falling = gaps > 10 * balls[rate]
        speed = np.polyfit(steps[falling], np.log(gaps[falling]), 1)[0]
        name = f"η = {rate:g}: log of the gap, a step, times 1/(ηc), linear phase"
        checks.append(at_most(name, -1.0, float(speed / (rate * c)), digits=3))
    slope = np.polyfit(np.log(list(balls)), np.log(list(balls.values())), 1)[0]
    checks.append(close("exponent of the final gap in η", 1.0, float(slope), atol=0.2))
    return checks


def falling_check(steps: Any, gaps: Any) -> Check:
    """Slope of the gap over the last decade and a half."""
    late = steps >= 400
    slope = np.polyfit(np.log(steps[late]), np.log(gaps[late]), 1)[0]
    return close("exponent of the gap in k, rate ∝ 1/k", -1.0, float(slope), atol=0.2)


def draw(outcome: Outcome) -> Figure:
    """Left: fixed rates. Middle: the ball against the rate. Right: rate ∝ 1/k."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(15, 4.6), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    for i, (rate, (steps, gaps)) in enumerate(outcome.data["fixed"].items()):
        left.semilogy(steps, gaps, color=f"C{i}", lw=1.2, label=f"η = {rate:g}")
        left.axhline(outcome.data["balls"][rate], color=f"C{i}", ls=":", lw=0.8)
    left.set(xlabel="step k", ylabel="mean of F(w) − F*", title="Fixed rate: linear, then a ball")
    left.legend(fontsize=8)
    rates, balls = np.array(list(outcome.data["balls"].items())).T
    middle.loglog(rates, balls, "o-", label="measured")
    middle.loglog(rates, balls[-1] * rates / rates[-1], "k--", lw=1, label="∝ η")
    middle.set(xlabel="learning rate η", ylabel="final gap", title="The ball is proportional to η")
    middle.set_xticks(rates, [f"{rate:g}" for rate in rates])
    middle.set_xticks([], minor=True)
    middle.legend()
    steps, gaps = outcome.data["falling"]
    right.loglog(steps[1:], gaps[1:], label="measured")
    anchor = len(gaps) // 2
    right.loglog(steps[1:], gaps[anchor] * steps[anchor] / steps[1:], "k--", lw=1, label="∝ 1/k")
    right.set(xlabel="step k", ylabel="mean of F(w) − F*", title="Rate ∝ 1/k: the gap is O(1/k)")
    right.legend()
    return figure


EXPERIMENT = Experiment(
    title="Stochastic gradient: a fixed rate ends in a ball, 1/k converges as 1/k",
    rows=(67,),
    claim="Strongly convex: fixed η, linear to a gap ∝ η; rate ∝ 1/k, gap O(1/k)",
    source="Bottou, Curtis & Nocedal (2018), Optimization methods for large-scale machine "
    "learning, theorems 4.6 and 4.7; Higham & Higham (2019), section 7",
    run=run,
    draw=draw,
)
