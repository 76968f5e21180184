"""The four results of back-propagation, and the gradient with respect to the input.

For one sample (x, y) and C = ½‖y − a⁽ᴸ⁾‖², with δ⁽ˡ⁾ = ∂C/∂z⁽ˡ⁾:

    (22)  δ⁽ᴸ⁾ = σ'(z⁽ᴸ⁾) ∘ (a⁽ᴸ⁾ − y)        (24)  ∂C/∂b⁽ˡ⁾ = δ⁽ˡ⁾
    (23)  δ⁽ˡ⁾ = σ'(z⁽ˡ⁾) ∘ W⁽ˡ⁺¹⁾ᵀδ⁽ˡ⁺¹⁾     (25)  ∂C/∂W⁽ˡ⁾ = δ⁽ˡ⁾ a⁽ˡ⁻¹⁾ᵀ

Each is compared with a derivative by complex step, Im C(p + ih)/h, in which nothing
cancels: so to 1e-12, not to the 1e-8 of a difference quotient.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.experiments import Check, Experiment, Outcome, at_most, close
from kiso.losses import SquaredError
from kiso.nn import Affine, Network, Sequential, Trace, check_gradients

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIZES = [2, 2, 3, 2]
LAYERS = (2, 3, 4)
LOSS = SquaredError(reduction="sum")
H = 1e-40
LENGTHS = 10.0 ** np.arange(-1, -17, -0.5)


def run(seed: int) -> Outcome:
    """Measure all four on the network of the paper, then ∇ₓ a⁽ᴸ⁾ of one with n_L = 1."""
    rng = np.random.default_rng(seed)
    network = Network.dense(
        SIZES, activation="sigmoid", output="sigmoid", init="normal", random_state=rng
    )
    x, y = rng.uniform(size=(1, 2)), np.array([[1.0, 0.0]])
    seen = network.trace(x, y, LOSS)
    checks = [*shape_checks(network, seen), *four_results(network, seen, y)]
    checks.append(whole_gradient(network, x, y))
    checks.append(assignment_one(rng))
    return Outcome(tuple(checks), {"errors": difference_errors(network, x, y)})


def shape_checks(network: Network, seen: Trace) -> list[Check]:
    """W⁽ˡ⁾ is n_l × n_{l−1}, b⁽ˡ⁾ and z⁽ˡ⁾ have n_l numbers; 23 parameters."""
    affine = [layer for layer in network if isinstance(layer, Affine)]
    shapes = all(
        layer.W.T.shape == (SIZES[k + 1], SIZES[k]) and layer.b.shape == (SIZES[k + 1],)
        for k, layer in enumerate(affine)
    )
    sizes = [seen.a[k].shape[1] for k in (1, *LAYERS)]
    return [
        Check("W⁽ˡ⁾ is n_l × n_(l−1) and b⁽ˡ⁾ has n_l numbers", "yes", str(shapes), shapes),
        Check("numbers in a⁽¹⁾ … a⁽⁴⁾", str(SIZES), str(sizes), sizes == SIZES),
        close("parameters", 23, len(network.vector), atol=0),
    ]


def four_results(network: Network, seen: Trace, y: Any) -> list[Check]:
    """Put the right-hand sides together from z, a and δ; measure the left by complex step."""
    affine = [layer for layer in network if isinstance(layer, Affine)]
    W = {l: layer.W.T for l, layer in zip(LAYERS, affine, strict=True)}  # noqa: E741
    delta = {k: measured_delta(network, k, seen.z[k], y) for k in LAYERS}
    slope = {k: seen.a[k] * (1 - seen.a[k]) for k in LAYERS}
    grads = [g for g in network.forward(seen.a[1])[1](seen.a[4] - y)[1] if g]
    results = {
        "(22) δ⁽ᴸ⁾ = σ'(z⁽ᴸ⁾) ∘ (a⁽ᴸ⁾ − y)": [(slope[4] * (seen.a[4] - y), delta[4])],
        "(23) δ⁽ˡ⁾ = σ'(z⁽ˡ⁾) ∘ W⁽ˡ⁺¹⁾ᵀδ⁽ˡ⁺¹⁾": [
            (slope[k] * (seen.delta[k + 1] @ W[k + 1]), delta[k]) for k in (2, 3)
        ],
        "(24) ∂C/∂b⁽ˡ⁾ = δ⁽ˡ⁾": [(g["b"], delta[k][0]) for k, g in zip(LAYERS, grads, strict=True)],
        "(25) ∂C/∂W⁽ˡ⁾ = δ⁽ˡ⁾ a⁽ˡ⁻¹⁾ᵀ": [
            (g["W"].T, delta[k].T @ seen.a[k - 1]) for k, g in zip(LAYERS, grads, strict=True)
        ],
    }
    return [
        at_most(f"{what}: relative error", 1e-12, max(error(a, b) for a, b in pairs), digits=1)
        for what, pairs in results.items()
    ]


def measured_delta(network: Network, level: int, z: Any, y: Any) -> Any:
    """∂C/∂z⁽ˡ⁾ by complex step through the layers that come after z⁽ˡ⁾."""
    after = Sequential(network.layers[2 * (level - 2) + 1 :])
    found = np.empty_like(z)
    for k in range(z.shape[1]):
        moved = z.astype(complex)
        moved[0, k] += 1j * H
        found[0, k] = (0.5 * np.sum((after(moved) - y) ** 2)).imag / H
    return found


def error(a: Any, b: Any) -> float:
    """Largest difference over the largest entry."""
    return float(np.max(np.abs(a - b)) / np.max(np.abs(b)))


def whole_gradient(network: Network, x: Any, y: Any) -> Check:
    """All 23 parameters and the input, by kiso's gradient checker."""
    report = check_gradients(network, x, loss=LOSS, target=y, method="complex")
    return at_most("∇C, 23 parameters and x: relative error", 1e-12, report.error, digits=1)


def assignment_one(rng: np.random.Generator) -> Check:
    """∇ₓ a⁽ᴸ⁾ for n_L = 1, by the recursion δ⁽¹⁾ = W⁽²⁾ᵀδ⁽²⁾."""
    network = Network.dense(
        [3, 4, 3, 1], activation="sigmoid", output="sigmoid", init="normal", random_state=rng
    )
    x = rng.standard_normal((20, 3))
    measured = np.empty_like(x)
    for j in range(3):
        moved = x.astype(complex)
        moved[:, j] += 1j * H
        measured[:, j] = network(moved)[:, 0].imag / H
    found = network.input_gradient(x)
    return at_most("∇ₓ a⁽ᴸ⁾ with n_L = 1: relative error", 1e-12, error(found, measured), digits=1)


def difference_errors(network: Network, x: Any, y: Any) -> dict[str, Any]:
    """Errors of three ways to measure ∂C/∂p₁, by step length."""
    vector = network.vector
    exact = network.flatten(network.loss_and_gradients(x, y, LOSS)[1])[0]

    def cost(h: float) -> float:
        moved = vector.copy()
        moved[0] += h
        network.set_vector(moved)
        value = LOSS.value(network(x), y)
        network.set_vector(vector)
        return value

    forward = [abs((cost(h) - cost(0)) / h - exact) for h in LENGTHS]
    central = [abs((cost(h) - cost(-h)) / (2 * h) - exact) for h in LENGTHS]
    first = network.layers[0]
    assert isinstance(first, Affine)
    by_complex = [abs(_complex_slope(network, first, x, y, h) - exact) for h in LENGTHS]
    scale = abs(exact)
    return {
        "forward difference": np.array(forward) / scale,
        "central difference": np.array(central) / scale,
        "complex step": np.array(by_complex) / scale,
    }


def _complex_slope(network: Network, first: Affine, x: Any, y: Any, h: float) -> float:
    W = first.W.astype(complex)
    W[0, 0] += 1j * h
    moved = Sequential([Affine(W, first.b), *network.layers[1:]])
    return float((0.5 * np.sum((moved(x) - y) ** 2)).imag / h)


def draw(outcome: Outcome) -> Figure:
    """Draw why the complex step: the others cannot be exact at any length."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.4), layout="constrained")
    axes = figure.subplots()
    for name, errors in outcome.data["errors"].items():
        axes.loglog(LENGTHS, np.maximum(errors, 1e-17), "o-", ms=3, label=name)
    axes.axhline(1e-12, color="black", ls=":", lw=1, label="asked for: 1e-12")
    axes.invert_xaxis()
    axes.set(xlabel="h", ylabel="relative error of ∂C/∂W⁽²⁾₁₁",
             title="Back-propagation against three ways to measure a derivative")  # fmt: skip
    axes.legend()
    return figure


EXPERIMENT = Experiment(
    title="The four results of back-propagation, by complex step",
    rows=(32, 33, 53, 54, 55, 56, 57, 79),
    claim="Equations 22 to 25 give the gradient of the cost; carried one layer further, that "
    "of the output with respect to the input",
    source="Higham & Higham (2019), section 5, equations 22 to 25; assignment 1 of the notes",
    run=run,
    draw=draw,
)
