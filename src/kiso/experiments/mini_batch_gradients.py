"""The cost is a mean over samples; its gradient can be had from a few of them.

J(θ) = (1/m) Σ L(xᵢ, yᵢ, θ) with L = −log p(y | x; θ) adds up over samples, so its gradient
costs O(m). The mean over m' samples drawn at random, g = (1/m') Σ ∇L, has that gradient as
its expectation, a variance ∝ 1/m', and a cost that does not depend on m. A step along −g is
therefore cheap, and many of them are worth more than one exact step.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.experiments import Check, Experiment, Outcome, at_most, close
from kiso.linear_model import SGDClassifier
from kiso.losses import SigmoidCrossEntropy
from kiso.optim import with_replacement, without_replacement

if TYPE_CHECKING:
    from matplotlib.figure import Figure

D = 4  # few, so that arithmetic is timed and not the way to main memory
SIZES = 2 ** np.arange(12, 18)  # m
BATCHES = 4 ** np.arange(5)  # m'
STEP = 128  # m' of the steps that are timed
N_DRAWS = 3000
EPOCHS = 5
MEAN = SigmoidCrossEntropy()
SUM = SigmoidCrossEntropy(reduction="sum")


def run(seed: int) -> Outcome:
    """Logistic regression: costs, gradients, their variance and their time."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((SIZES[-1], D))
    y = (X @ rng.standard_normal(D) + rng.standard_normal(len(X)) > 0).astype(float)
    w = 0.1 * rng.standard_normal(D)
    full, step = times(X, y, w, rng)
    bias, variances = spread(X[:4096], y[:4096], w, rng)
    paths = {m: path(X[:16_384], y[:16_384], m, seed) for m in (1, 100, 16_384)}
    checks = (
        *additive_checks(X[:5000], y[:5000], w, rng),
        *time_checks(full, step),
        *spread_checks(bias, variances),
        at_most(f"objective after {EPOCHS} epochs, m' = 100 over m' = m", 0.9,
                float(paths[100][-1] / paths[16_384][-1]), digits=3),
    )  # fmt: skip
    return Outcome(
        checks,
        {"full": full, "step": step, "variances": variances, "paths": paths},
        "Notes A p. 22 gives a mini-batch 100 to 300 samples; the book says one to a few "
        "hundred, and Higham & Higham use 100.",
    )


def gradient(X: Any, y: Any, w: Any) -> Any:
    """(1/m) Xᵀ(σ(X w) − y); by einsum, which starts no threads that would be timed."""
    return np.einsum("ij,i->j", X, MEAN.gradient(np.einsum("ij,j->i", X, w), y))


def batch_gradient(X: Any, y: Any, w: Any, rows: Any) -> Any:
    """Estimate that gradient from some of the rows."""
    return gradient(X[rows], y[rows], w)


def additive_checks(X: Any, y: Any, w: Any, rng: np.random.Generator) -> list[Check]:
    """J of the whole from J of pieces, and from the likelihood of each sample."""
    z = X @ w
    whole = MEAN.value(z, y)
    pieces = np.split(
        rng.permutation(len(y)), np.sort(rng.choice(len(y) - 1, 9, replace=False) + 1)
    )
    joined = sum(len(rows) * MEAN.value(z[rows], y[rows]) for rows in pieces) / len(y)
    likelihoods = np.where(y == 1, 1 / (1 + np.exp(-z)), 1 / (1 + np.exp(z)))
    gaps = {
        "|Σ (m_k/m) J_k − J| / J, ten pieces": joined - whole,
        "|ΣL / m − J| / J": SUM.value(z, y) / len(y) - whole,
        "|−log ∏ p(y | x) / m − J| / J": -np.log(likelihoods).sum() / len(y) - whole,
    }
    return [at_most(what, 1e-13, abs(gap) / whole, digits=2) for what, gap in gaps.items()]


def times(X: Any, y: Any, w: Any, rng: np.random.Generator) -> tuple[Any, Any]:
    """Seconds of a full gradient, and of one from STEP samples, for each m: least of many."""
    full, step = np.full(len(SIZES), np.inf), np.full(len(SIZES), np.inf)
    for _ in range(9):  # sizes in turn, so that a busy moment hits all of them
        for k, m in enumerate(SIZES.tolist()):
            Xm, ym = X[:m], y[:m]
            full[k] = min(full[k], seconds(partial(gradient, Xm, ym, w)))
            for batch in with_replacement(m, STEP, n_steps=20, random_state=rng):
                step[k] = min(step[k], seconds(partial(batch_gradient, Xm, ym, w, batch.rows)))
    return full, step


def seconds(work: Callable[[], Any]) -> float:
    """Time a call."""
    start = perf_counter()
    work()
    return perf_counter() - start


def time_checks(full: Any, step: Any) -> list[Check]:
    """Slopes of log time over log m."""
    slopes = [float(np.polyfit(np.log(SIZES[1:]), np.log(t[1:]), 1)[0]) for t in (full, step)]
    return [
        close("slope of log time in log m, full gradient", 1.0, slopes[0], atol=0.2, digits=2),
        close(f"slope of log time in log m, m' = {STEP}", 0.0, slopes[1], atol=0.15, digits=2),
    ]


def spread(X: Any, y: Any, w: Any, rng: np.random.Generator) -> tuple[float, Any]:
    """Largest |z| of the mean of g over all draws, and the total variance for each m'."""
    slopes = X * (len(y) * MEAN.gradient(X @ w, y))[:, None]  # ∇L of each sample
    exact = slopes.mean(axis=0)
    worst, variances = 0.0, []
    for m in BATCHES:
        batches = with_replacement(len(y), int(m), n_steps=N_DRAWS, random_state=rng)
        g = np.array([slopes[batch.rows].mean(axis=0) for batch in batches])
        z = (g.mean(axis=0) - exact) / (slopes.std(axis=0) / np.sqrt(m * N_DRAWS))
        worst = max(worst, float(np.abs(z).max()))
        variances.append(float(((g - exact) ** 2).mean(axis=0).sum()))
    epoch = without_replacement(len(y), 300, n_epochs=1, random_state=rng)
    total = sum(batch.weight * slopes[batch.rows].mean(axis=0) for batch in epoch)
    gap = np.abs(total * 300 / len(y) - exact).max()  # the last batch is a short one
    return (worst if gap < 1e-12 else np.inf), np.array(variances)


def spread_checks(bias: float, variances: Any) -> list[Check]:
    """No bias, and variance ∝ 1/m'."""
    slope = float(np.polyfit(np.log(BATCHES), np.log(variances), 1)[0])
    limit = 5.0  # of |z| over 20 numbers: exceeded once in 80,000 runs
    return [
        at_most("bias of g, largest |z| over m' and coordinates", limit, bias, digits=2),
        close("slope of log variance in log m'", -1.0, slope, atol=0.05, digits=3),
    ]


def path(X: Any, y: Any, batch_size: int, seed: int) -> Any:
    """Objective after each epoch, of the same method with batches of a size."""
    model = SGDClassifier(
        "log_loss", penalty=None, batch_size=batch_size, learning_rate="constant",
        eta0=0.02 if batch_size == 1 else 0.5, max_iter=EPOCHS, tol=None, random_state=seed,
    )  # fmt: skip
    signs = 2 * y - 1
    return np.array(
        [np.logaddexp(0, -signs * model.decision_function(X)).mean() for _ in model.steps(X, signs)]
    )


def draw(outcome: Outcome) -> Figure:
    """Time against m; variance against m'; what the steps of an epoch are worth."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(14, 4.4), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    left.loglog(SIZES, 1e6 * outcome.data["full"], "o-", label="all m samples")
    left.loglog(SIZES, 1e6 * outcome.data["step"], "s-", label=f"m' = {STEP} of them")
    left.set(xlabel="samples m", ylabel="microseconds", title="Time of a gradient")
    left.legend()
    variances = outcome.data["variances"]
    middle.loglog(BATCHES, variances, "o-", label="measured")
    middle.loglog(BATCHES, variances[0] / BATCHES, "k:", label="∝ 1/m'")
    middle.set(xlabel="batch size m'", ylabel="variance of g", title="Variance of a gradient")
    middle.legend()
    for size, values in outcome.data["paths"].items():
        label = "m' = m" if size == max(outcome.data["paths"]) else f"m' = {size}"
        right.semilogy(np.arange(1, EPOCHS + 1), values, "o-", label=label)
    right.set(xlabel="passes over the data", ylabel="J", title="What a pass is worth")
    right.set_xticks(range(1, EPOCHS + 1))
    right.legend()
    return figure


EXPERIMENT = Experiment(
    title="Mini-batch gradients: unbiased, variance 1/m', cost flat in m",
    rows=(20, 21, 22, 80),
    claim="J = mean of L; its gradient costs O(m); g = (1/m')∇ΣL is unbiased at O(m')",
    source="Goodfellow et al. (2016), Deep Learning, section 5.9, equations (5.96)-(5.98)",
    run=run,
    draw=draw,
)
