"""Softmax and its log loss: from scores that may be large, without overflow and without log 0.

p_s = e^{v_s} / Σ_j e^{v_j} does not change when a number is added to all scores; written as it
stands it overflows where e^v does, at v = ln(1.8e308) = 709.78. The loss −Σ_l ln p_{t_l} has the
gradient p − onehot(t) and is ln K for a network that knows nothing yet. Taken from the scores,
    −ln p_t = ln Σ_j e^{v_j − max v} − (v_t − max v),
it never meets ln 0; guarded as −ln(p_t + 1e-7) it ends at 16.1, and its slope at 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.experiments import Check, Experiment, Outcome, at_most, close
from kiso.losses import SoftmaxCrossEntropy
from kiso.nn import Network, Softmax, check_gradients

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CLASSES = (2, 3, 10, 100, 1000)
N, K = 50, 6
GUARD = 1e-7
LARGEST = np.log(np.finfo(np.float64).max)  # 709.78
MARGINS = np.linspace(-20, 800, 821)


def run(seed: int) -> Outcome:
    """Shift, overflow, gradient, value at the start, and both ways to the loss."""
    rng = np.random.default_rng(seed)
    starts = {k: start_value(k, rng) for k in CLASSES}
    curves = {"from the scores": from_scores(MARGINS), "as written": as_written(MARGINS),
              f"with a guard of {GUARD:g}": guarded(MARGINS)}  # fmt: skip
    checks = (
        *softmax_checks(Softmax(), rng),
        *loss_checks(rng),
        *start_checks(starts),
        *margin_checks(curves),
    )
    return Outcome(
        checks,
        {"starts": starts, "curves": curves},
        "Both forms agree where both work; a guard within the logarithm hides that a class was "
        "ruled out, and stops learning from it.",
    )


def softmax_checks(softmax: Any, rng: np.random.Generator) -> list[Check]:
    """Exact under whole shifts, stable at ±1000; e^v / Σ e^v is not."""
    v = rng.integers(-20, 20, (N, K)).astype(float)
    shifted = max(float(np.abs(softmax(v + c) - softmax(v)).max()) for c in (-1000.0, 3.0, 1000.0))
    far = softmax(np.array([[1000.0, 0.0, -1000.0]]))[0]
    low, high = 0.0, 2000.0
    while high - low > 1e-3:  # where the form as written stops giving a number
        middle = (low + high) / 2
        low, high = (middle, high) if np.isfinite(naive(middle)) else (low, middle)
    return [
        close("softmax(v + c) − softmax(v), whole numbers, c to ±1000", 0.0, shifted, atol=0.0),
        Check("softmax of (1000, 0, −1000)", "1, 0, 0", ", ".join(f"{p:g}" for p in far),
              bool(np.array_equal(far, [1.0, 0.0, 0.0]))),
        close("largest score of e^v / Σ e^v as written", float(LARGEST), low, atol=0.01),
    ]  # fmt: skip


def naive(score: float) -> float:
    """The share of one score among (score, 0), as the formula stands."""
    with np.errstate(over="ignore", invalid="ignore"):
        e = np.exp(np.array([score, 0.0]))
        return float(e[0] / e.sum())


def loss_checks(rng: np.random.Generator) -> list[Check]:
    """The loss against −Σ ln softmax, and its gradient against p − onehot and complex step."""
    v, t = 3 * rng.standard_normal((N, K)), rng.integers(K, size=N)
    total, mean = SoftmaxCrossEntropy(reduction="sum"), SoftmaxCrossEntropy()
    p, onehot = Softmax()(v), np.eye(K)[t]
    value = total.value(v, t)
    slopes = total.gradient(v, t)
    report = check_gradients(lambda a: total.value_and_gradient(a, t), v)
    return [
        at_most("Σ loss against −Σ ln softmax(v)_t, relative", 1e-12,
                abs(value / float(-np.log(p[np.arange(N), t]).sum()) - 1), digits=1),
        at_most("mean −Σ t ln y against Σ loss / n, relative", 1e-14,
                abs(mean.value(v, onehot) * N / value - 1), digits=1),
        at_most("gradient against p − onehot", 1e-14, float(np.abs(slopes - (p - onehot)).max()),
                digits=1),
        at_most("gradient against a measured one, relative", 1e-8, report.error, digits=1),
    ]  # fmt: skip


def start_value(k: int, rng: np.random.Generator) -> float:
    """Loss of a network whose last layer is zero, on random rows and classes."""
    network = Network.dense([8, 16, k], random_state=rng)
    network[2].parameters["W"][...] = 0.0
    return SoftmaxCrossEntropy().value(
        network(rng.standard_normal((N, 8))), rng.integers(k, size=N)
    )


def start_checks(starts: dict[int, float]) -> list[Check]:
    """Compare the loss of knowing nothing with ln K."""
    return [
        close(f"loss at the start, {k} classes: ln K", float(np.log(k)), value, atol=1e-12)
        for k, value in starts.items()
    ]


def from_scores(margins: Any) -> Any:
    """Loss of the scores (0, margin) where the first is right."""
    scores = np.stack([np.zeros_like(margins), margins], axis=1)
    loss = SoftmaxCrossEntropy()
    return np.array([loss.value(row[None], np.array([0])) for row in scores])


def as_written(margins: Any) -> Any:
    """−ln (e⁰ / Σ e^v)."""
    with np.errstate(all="ignore"):
        return -np.log(1.0 / (1.0 + np.exp(margins)))


def guarded(margins: Any) -> Any:
    """−ln (p + 1e-7), with p from a stable softmax."""
    scores = np.stack([np.zeros_like(margins), margins], axis=1)
    return -np.log(Softmax()(scores)[:, 0] + GUARD)


def margin_checks(curves: Any) -> list[Check]:
    """Every margin has its loss, ln(1 + e^margin); the other two forms lose it."""
    exact = np.logaddexp(0.0, MARGINS)
    stable, written, guard = curves.values()
    small = np.abs(MARGINS) < 10
    return [
        at_most("loss from the scores, margins to 800, off ln(1 + e^m)", 1e-12,
                float(np.abs(stable - exact).max() / exact.max()), digits=1),
        at_most("as written, margins below 10: off by", 1e-11,
                float(np.abs(written - exact)[small].max()), digits=1),
        Check("as written, margin 800", "infinite", float(written[-1]),
              not np.isfinite(written[-1])),
        close(f"with a guard, margin 800: −ln {GUARD:g}", float(-np.log(GUARD)), float(guard[-1]),
              atol=1e-6),
    ]  # fmt: skip


def draw(outcome: Outcome) -> Figure:
    """Draw the three forms of the loss by margin, and the loss at the start by classes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    styles: tuple[dict[str, Any], ...] = (
        {"lw": 5, "alpha": 0.4},
        {"lw": 1.4},
        {"lw": 1.4, "ls": "--"},
    )
    for (name, values), style in zip(outcome.data["curves"].items(), styles, strict=True):
        shown = np.where(np.isfinite(values), values, np.nan)
        left.plot(MARGINS, shown, label=name, **style)
    left.axvline(LARGEST, color="grey", ls=":", lw=1)
    left.annotate("e^v overflows", (LARGEST, 100), xytext=(-6, 0), textcoords="offset points",
                  ha="right", color="grey")  # fmt: skip
    left.set(xlabel="score of the wrong class − score of the right one", ylabel="loss, nats",
             title="A wrong class that is sure of itself")  # fmt: skip
    left.legend()
    starts = outcome.data["starts"]
    grid = np.geomspace(2, 1000, 50)
    right.semilogx(grid, np.log(grid), color="grey", lw=1, label="ln K")
    right.semilogx(list(starts), list(starts.values()), "o", label="measured")
    right.set(xlabel="classes K", ylabel="loss, nats", title="The loss of knowing nothing yet")
    right.legend()
    return figure


EXPERIMENT = Experiment(
    title="Softmax and its log loss, from scores of any size",
    rows=(63, 64, 89),
    claim="Softmax is shift-invariant; the log loss has the gradient p − onehot and starts at "
    "ln K; written as e^v/Σe^v it overflows above 709, taken from the scores it does not",
    source="Higham & Higham (2019), section 6, equation 32; notes C, softmax and cross entropy",
    run=run,
    draw=draw,
)
