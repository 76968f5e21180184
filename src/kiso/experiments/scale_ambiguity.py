"""(c w, c b) is the same plane for every c > 0; |w·x* + b| = 1 at the nearest sample fixes c.

The sign of f(x) = w·x + b and the distance |f(x)|/‖w‖ do not change with c, while f itself
does: "make min yᵢ f(xᵢ) large" has no maximum. Scaled so that the nearest sample has
|f(x*)| = 1, each plane has one (w, b), and that sample's distance is 1/‖w‖.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.experiments import Experiment, Outcome, at_most, close
from kiso.linear_model import Perceptron
from kiso.svm import SVC

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SCALES = (1e-3, 0.5, 3.0, 1e3)


def run(seed: int) -> Outcome:
    """Rescale two fitted planes, a machine's and a perceptron's, and normalise them again."""
    rng = np.random.default_rng(seed)
    y = np.repeat([-1, 1], 20)
    X = rng.standard_normal((40, 2)).clip(-1.6, 1.6) + 2.0 * y[:, None]
    machine = SVC(C=np.inf, kernel="linear", tol=1e-8).fit(X, y)
    w, b = machine.coef_[0].copy(), float(machine.intercept_[0])
    perceptron = Perceptron(tol=None, max_iter=10_000).fit(X, y)
    grid = rng.uniform(-5, 5, (2000, 2))
    scaled = [rescaled(perceptron, c) for c in SCALES]
    said = perceptron.predict(grid)
    differ = sum(int((m.predict(grid) != said).sum()) for m in scaled)
    own = [normalised(X, *plane(m)) for m in (perceptron, *scaled)]
    spread = max(float(np.abs(v - own[0]).max() / np.abs(own[0]).max()) for v in own)
    far = np.array([distances(X, *plane(m)) for m in (perceptron, *scaled)])
    change = float(np.abs(far - far[0]).max() / far[0].max())
    smallest = np.array([np.abs(m.decision_function(X)).min() for m in (perceptron, *scaled)])
    growth = smallest[1:] / smallest[0] / np.array(SCALES)
    data = {"X": X, "y": y, "w": w, "b": b}
    return Outcome(
        (
            close("predictions that change with c, of 8,000", 0, differ, atol=0),
            at_most("relative change of distances with c", 1e-12, change),
            close("growth of min |f| / growth of c, farthest from 1", 1.0,
                  float(growth[np.abs(growth - 1).argmax()]), atol=1e-12),
            at_most("relative change of the normalised (w, b) with c", 1e-12, spread),
            close("|f(x*)| of the machine at its nearest sample", 1.0,
                  float(np.abs(X @ w + b).min()), atol=1e-5),
            close("distance of that sample · ‖w‖", 1.0,
                  float(distances(X, w, b).min() * np.linalg.norm(w)), atol=1e-5),
        ),
        data,
    )  # fmt: skip


def plane(model: Any) -> tuple[Any, float]:
    """(w, b)."""
    return model.coef_[0], float(model.intercept_[0])


def rescaled(model: Any, c: float) -> Any:
    """The same model with (c w, c b)."""
    other = deepcopy(model)
    other.coef_, other.intercept_ = c * model.coef_, c * model.intercept_
    return other


def distances(X: Any, w: Any, b: float) -> Any:
    """Distance of each sample from the plane."""
    return np.abs(X @ w + b) / np.linalg.norm(w)


def normalised(X: Any, w: Any, b: float) -> Any:
    """(w, b) scaled so that the nearest sample has |f| = 1."""
    return np.append(w, b) / np.abs(X @ w + b).min()


def draw(outcome: Outcome) -> Figure:
    """F along the normal of the plane for several c: one zero, many slopes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    ax = figure.subplots()
    X, y, w, b = (outcome.data[k] for k in ("X", "y", "w", "b"))
    at = (X @ w + b) / np.linalg.norm(w)  # signed distance
    reach = np.array([at.min(), at.max()])
    for c in (0.3, 1.0, 2.0, 4.0):
        label = f"c = {c:g}" + (": |f(x*)| = 1" if c == 1.0 else "")
        ax.plot(reach, c * reach * np.linalg.norm(w), lw=2.2 if c == 1.0 else 1.0, label=label)
    for sign, mark in ((-1, "o"), (1, "s")):
        ax.plot(at[y == sign], 0 * at[y == sign], mark, color="black", ms=4)
    ax.axhline(1, ls=":", color="0.5")
    ax.axhline(-1, ls=":", color="0.5")
    ax.set(xlabel="signed distance from the plane", ylabel="c (w·x + b)", ylim=(-8, 8))
    ax.set_title("The same plane, whatever c")
    ax.legend()
    return figure


EXPERIMENT = Experiment(
    title="The scale of (w, b) is free until the nearest sample fixes it",
    rows=(11,),
    claim="(c w, c b) gives the same plane and predictions; with |w·x* + b| = 1 at the nearest "
    "sample the solution is unique and that sample is 1/‖w‖ away",
    source="Goodfellow et al. (2016), Deep Learning, section 5.7.2; notes A pp. 10-11",
    run=run,
    draw=draw,
)
