"""2n + d weights are enough to fit any labels: Zhang et al. (2017), theorem 1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.approximation import relu_interpolant
from kiso.experiments import Check, Experiment, Outcome, at_most
from kiso.nn import Affine, Network

if TYPE_CHECKING:
    from matplotlib.figure import Figure

N, D = 400, 20


def run(seed: int) -> Outcome:
    """Construct the network for random labels, class labels and a line; count its numbers."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((N, D))
    labels = {
        "normal": rng.standard_normal(N),
        "ten classes": rng.integers(0, 10, N).astype(float),
        "the first feature": X[:, 0],
    }
    networks = {name: relu_interpolant(X, y, random_state=rng) for name, y in labels.items()}
    checks = [
        at_most(f"labels, {name}: largest |f(xᵢ) − yᵢ|", 1e-8, fit_error(networks[name], X, y),
                digits=1)
        for name, y in labels.items()
    ]  # fmt: skip
    free = free_numbers(networks["normal"])
    checks.append(Check("free numbers, n = 400, d = 20", f"2n + d = {2 * N + D}", free,
                        free == 2 * N + D))  # fmt: skip
    fresh = rng.standard_normal((N, D))
    unseen = networks["the first feature"](fresh)[:, 0] - fresh[:, 0]
    remark = (
        "That it fits says nothing about new rows: the labels 'the first feature' come out on "
        f"new rows with an error with standard deviation {np.std(unseen):.3g}"
        f" against a spread of {np.std(fresh[:, 0]):.3g}."
    )
    first = networks["ten classes"]
    return Outcome(tuple(checks), {"network": first, "X": X, "y": labels["ten classes"]}, remark)


def fit_error(network: Network, X: Any, y: Any) -> float:
    """Largest difference between outputs and labels."""
    return float(np.max(np.abs(network(X)[:, 0] - y)))


def free_numbers(network: Network) -> int:
    """Count what can be chosen: the direction that all units share, n kinks, n weights."""
    first, last = network.layers[0], network.layers[2]
    assert isinstance(first, Affine)
    assert isinstance(last, Affine)
    shared = bool(np.all(first.W[:, :1] == first.W)) and not last.b.any()
    return (first.W.shape[0] if shared else first.W.size) + first.b.size + last.W.size


def draw(outcome: Outcome) -> Figure:
    """Draw the broken line through the labels, along the direction a (first 40 points)."""
    from matplotlib.figure import Figure

    network, X, y = (outcome.data[key] for key in ("network", "X", "y"))
    a = network.layers[0].W[:, 0]
    z = X @ a
    order = np.argsort(z)[N // 2 - 20 : N // 2 + 20]
    line = np.linspace(z[order[0]], z[order[-1]], 2000)
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot(line, network(line[:, None] * a)[:, 0], lw=1, label="network")
    axes.plot(z[order], y[order], "o", ms=4, label="labels")
    axes.set(xlabel="aᵀx", ylabel="y", title="Random classes, fitted exactly (40 of 400 points)")
    axes.legend()
    return figure


EXPERIMENT = Experiment(
    title="2n + d weights fit any n labels",
    rows=(62,),
    claim="A ReLU network with 2n + d weights takes any values at n points of ℝᵈ",
    source="Zhang, Bengio, Hardt, Recht & Vinyals (2017), theorem 1",
    run=run,
    draw=draw,
)
