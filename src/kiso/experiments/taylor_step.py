"""A small step changes the cost by ∇C·Δp, up to a remainder of second order.

    C(p + Δp) = C(p) + ∇C(p)ᵀ Δp + O(‖Δp‖²)

That is why Δp = −η ∇C lowers the cost for small η. The remainder of a network's cost is measured
along random directions and along −∇C as the step is halved: its order is 2, without the gradient
it is 1, with the curvature it is 3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.experiments import Experiment, Outcome, at_most, close
from kiso.losses import SquaredError
from kiso.nn import Network

from .higham_higham import T, X

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LENGTHS = 2.0 ** -np.arange(3, 12)
N_DIRECTIONS = 8


class Cost:
    """The cost of Higham & Higham's network as a function of its 23 parameters."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.network = Network.dense([2, 2, 3, 2], activation="sigmoid", output="sigmoid",
                                     random_state=rng)  # fmt: skip
        self.p = self.network.vector.copy()

    def __call__(self, p: Any) -> float:
        """C(p)."""
        self.network.set_vector(p)
        return float(SquaredError().value(self.network(X), T))

    def gradient(self, p: Any) -> Any:
        """∇C by back-propagation."""
        self.network.set_vector(p)
        _, grads = self.network.loss_and_gradients(X, T, SquaredError())
        return self.network.flatten(grads)


def run(seed: int) -> Outcome:
    """Measure the three remainders along many directions."""
    rng = np.random.default_rng(seed)
    cost = Cost(rng)
    C, g = cost(cost.p), cost.gradient(cost.p)
    directions = rng.standard_normal((N_DIRECTIONS, cost.p.size))
    directions = np.vstack([-g, directions])
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    remainders = np.array([[remainder(cost, C, g, u, t) for t in LENGTHS] for u in directions])
    orders = [slope(np.median(remainders[..., k], axis=0)) for k in range(3)]
    fall = [C - cost(cost.p - eta * g) for eta in (1e-4, 1e-3)]
    checks = (
        close("order of |C(p + Δp) − C(p)|", 1, orders[0], atol=0.05),
        close("order of |C(p + Δp) − C(p) − ∇CᵀΔp|", 2, orders[1], atol=0.05),
        close("order with ½ΔpᵀHΔp taken off, too", 3, orders[2], atol=0.1),
        close("fall of C for Δp = −η∇C over η‖∇C‖², η = 1e-4", 1.0,
              fall[0] / (1e-4 * float(g @ g)), atol=1e-3),
        at_most("slope of C along the best of the random directions / −‖∇C‖", 1.0,
                float(np.max(-(directions[1:] @ g)) / np.linalg.norm(g))),
    )  # fmt: skip
    return Outcome(checks, {"remainders": remainders})


def remainder(cost: Cost, C: float, g: Any, u: Any, t: float) -> tuple[float, float, float]:
    """What is left after no, one and two terms; the curvature uᵀHu from gradients around p."""
    change = cost(cost.p + t * u) - C
    h = 1e-4
    curvature = u @ (cost.gradient(cost.p + h * u) - cost.gradient(cost.p - h * u)) / (2 * h)
    first = change - t * float(g @ u)
    return abs(change), abs(first), abs(first - t**2 / 2 * float(curvature))


def slope(values: Any) -> float:
    """Order: the slope of log values against log lengths."""
    return float(np.polyfit(np.log(LENGTHS), np.log(values), 1)[0])


def draw(outcome: Outcome) -> Figure:
    """The three remainders against the length of the step."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.6), layout="constrained")
    axes = figure.subplots()
    found = np.median(outcome.data["remainders"], axis=0)
    labels = ("C(p + Δp) − C(p): order 1", "− ∇CᵀΔp: order 2", "− ½ΔpᵀHΔp: order 3")
    for k, label in enumerate(labels):
        axes.loglog(LENGTHS, found[:, k], "o-", color=f"C{k}")
        axes.annotate(label, (LENGTHS[0], found[0, k]), xytext=(8, -3), color=f"C{k}",
                      textcoords="offset points")  # fmt: skip
    axes.set(xlim=(LENGTHS[-1], LENGTHS[0] * 12), xlabel="‖Δp‖", ylabel="what is left",
             title="With its gradient the cost is known up to ‖Δp‖²")  # fmt: skip
    return figure


EXPERIMENT = Experiment(
    title="A small step: the cost changes by ∇C·Δp, up to second order",
    rows=(50,),
    claim="C(p + Δp) = C(p) + ∇C(p)ᵀΔp + O(‖Δp‖²), so that Δp = −η∇C lowers the cost",
    source="Higham & Higham (2019), section 4; notes B, lines 142-155",
    formula=r"C(p+\Delta p) = C(p) + \nabla C(p)^T \Delta p + O(\|\Delta p\|^2)",
    code="""network = Network.dense([2, 2, 3, 2], activation="sigmoid", output="sigmoid")
cost, grads = network.loss_and_gradients(X, T, SquaredError())
p, g = network.vector.copy(), network.flatten(grads)
network.set_vector(p - eta * g)          # a step of steepest descent""",
    run=run,
    draw=draw,
)
