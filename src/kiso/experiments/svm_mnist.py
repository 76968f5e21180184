"""Gaussian SVMs on 10,000 images of MNIST and Fashion-MNIST: what they promise for 60,000.

The published errors are of all 60,000 rows: 1.4 % on MNIST's pixels (here γ = 0.03), 10.3 %
on standardised Fashion-MNIST (C = 10). From 2,500 to 10,000 rows the error falls as a power
of their number; drawn on to 60,000 that line should meet what was published.
`svm-mnist-full` goes there.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.preprocessing import StandardScaler

from kiso.datasets import fetch_fashion_mnist, fetch_mnist
from kiso.experiments import Check, Experiment, Outcome, at_most, close
from kiso.svm import SVC

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIZES = (2_500, 5_000, 10_000)
ALL_ROWS = 60_000
# name -> loader, whether features are standardised, gamma, published error, tolerance
SETS: dict[str, tuple[Any, bool, float | str, float, float]] = {
    "MNIST, pixels": (fetch_mnist, False, 0.03, 0.014, 0.004),
    "Fashion-MNIST, standardised": (fetch_fashion_mnist, True, "scale", 1 - 0.897, 0.01),
}


def images(load: Any, standardised: bool) -> tuple[Any, Any, Any, Any]:
    """Training and test rows as float32, pixels between 0 and 1 or standardised."""
    (X, y), (Q, truth) = (load(split) for split in ("train", "test"))
    X, y = X[: SIZES[-1]], y[: SIZES[-1]]
    X, Q = (part.reshape(len(part), -1).astype(np.float32) / 255 for part in (X, Q))
    if standardised:
        scale = StandardScaler().fit(X)
        X, Q = scale.transform(X), scale.transform(Q)
    return X, y, Q, truth


def error(X: Any, y: Any, Q: Any, truth: Any, gamma: float | str) -> tuple[float, float]:
    """Test error of a Gaussian SVM with C = 10, and the seconds of its fit."""
    start = time.perf_counter()
    model = SVC(C=10.0, gamma=gamma).fit(X, y)
    return float(np.mean(model.predict(Q) != truth)), time.perf_counter() - start


def extrapolated(sizes: Any, errors: Any, rows: int) -> tuple[float, float]:
    """Exponent of the power law through the errors, and its error at `rows`."""
    slope, level = np.polyfit(np.log(sizes), np.log(errors), 1)
    return float(slope), float(np.exp(level + slope * np.log(rows)))


def checks_of(name: str, errors: Any, published: float, atol: float) -> list[Check]:
    """The error falls with the rows, and its power law meets the published error."""
    slope, at_all = extrapolated(SIZES, errors, ALL_ROWS)
    return [
        at_most(f"{name}: exponent of the error in the number of rows", -0.1, slope),
        close(f"{name}: error drawn on to {ALL_ROWS:,} rows", published, at_all, atol=atol),
    ]


def run(seed: int) -> Outcome:
    """Fit on the first 2,500, 5,000 and 10,000 training rows; nothing is random."""
    checks, curves, seconds = [], {}, 0.0
    for name, (load, standardised, gamma, published, atol) in SETS.items():
        X, y, Q, truth = images(load, standardised)
        found = [error(X[:n], y[:n], Q, truth, gamma) for n in SIZES]
        curves[name] = [e for e, _ in found]
        seconds = max(seconds, found[-1][1])
        checks += checks_of(name, curves[name], published, atol)
    return Outcome(
        tuple(checks), {"curves": curves}, remark=f"A fit on 10,000 rows took {seconds:.1f} s."
    )


def draw(outcome: Outcome) -> Figure:
    """Test errors over rows, the power laws, and the published errors."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4.5), layout="constrained")
    ax = figure.subplots()
    rows = np.array([SIZES[0], ALL_ROWS])
    for name, errors in outcome.data["curves"].items():
        (line,) = ax.plot(SIZES, errors, "o", label=name)
        law = [extrapolated(SIZES, errors, n)[1] for n in rows]
        ax.plot(rows, law, "--", color=line.get_color())
        ax.plot(ALL_ROWS, SETS[name][3], "*", ms=12, color=line.get_color())
    ax.set(xscale="log", yscale="log", xlabel="training rows", ylabel="test error")
    ax.set_title("Gaussian SVM, C = 10; stars: published")
    ax.legend()
    return figure


EXPERIMENT = Experiment(
    title="Gaussian SVMs on 10,000 images, and what they promise for 60,000",
    rows=(),
    claim="SVM Gaussian on MNIST: 1.4 % error; SVC rbf C=10 on Fashion-MNIST: .897",
    source="LeCun et al. (1998), table of errors; Xiao, Rasul, Vollgraf (2017), table 3",
    run=run,
    draw=draw,
    needs=("fashion-mnist", "mnist"),
)
