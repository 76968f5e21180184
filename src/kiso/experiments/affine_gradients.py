"""The affine layer's three gradients, and mistakes in them that a check has to find.

Y = X W + b with X of shape N × D:   dX = dY Wᵀ,   dW = Xᵀ dY,   db = Σ_n dY_n.

Each is compared with central differences. Then the backward pass is spoilt, one mistake at a
time, and the gradient check has to say which array is wrong, and which of its entries. The last
mistake is the memo's way: a layer that keeps its input in itself forgets the first of two.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.experiments import Check, Experiment, Outcome, at_most, close
from kiso.nn import Affine, GradientReport, Layer, check_gradients

if TYPE_CHECKING:
    from matplotlib.figure import Figure

N_SHAPES = 20
STEP = 1e-5
D = 4  # features in and out of the layers that are spoilt


def run(seed: int) -> Outcome:
    """Measure the three on random shapes; then spoil them."""
    rng = np.random.default_rng(seed)
    errors, false_alarms = zip(*(right_layer(rng) for _ in range(N_SHAPES)), strict=True)
    worst = np.max(errors, axis=0)
    W, b, X = rng.standard_normal((D, D)), rng.standard_normal(D), rng.standard_normal((5, D))
    layers: dict[str, Layer] = {name: Spoilt(W, b, way) for name, (way, _) in MISTAKES.items()}
    reports = {name: check_gradients(layer, X) for name, layer in layers.items()}
    shared = check_gradients(Twice(Remembering(W, b)), X).wrong
    own = check_gradients(Twice(Affine(W, b)), X).wrong
    checks = (
        *(at_most(f"{what}: off central differences, relative", 1e-8, float(value), digits=1)
          for what, value in zip(("dW = XᵀdY", "db = ΣdY", "dX = dY Wᵀ"), worst, strict=True)),
        close(f"right layers that are called wrong, of {N_SHAPES}", 0, sum(false_alarms), atol=0),
        *mutant_checks(reports),
        Check("a layer that keeps its input, used twice", "W wrong",
              ", ".join(shared) or "nothing", "W" in shared),
        Check("kiso's layer, used twice", "nothing wrong", ", ".join(own) or "nothing", not own),
    )  # fmt: skip
    return Outcome(
        checks,
        {"maps": {name: found_of(layers[name], X, array) for name, (_, array) in MISTAKES.items()}},
        "As printed the memo's Affine writes `sefl` for `self` and fails at its first call; that "
        "mistake Python finds. Those here run, and are wrong.",
    )


def right_layer(rng: np.random.Generator) -> tuple[list[float], bool]:
    """Errors of dW, db and dX against central differences; whether the check calls them wrong."""
    n, n_in, n_out = rng.integers(1, 8, 3)
    W, b = rng.standard_normal((n_in, n_out)), rng.standard_normal(n_out)
    X, dY = rng.standard_normal((n, n_in)), rng.standard_normal((n, n_out))
    layer = Affine(W, b)
    dX, grads = layer.forward(X)[1](dY)

    def cost() -> float:
        return float(np.sum(dY * layer(X)))

    pairs = ((W, grads["W"]), (b, grads["b"]), (X, dX))
    errors = [float(np.abs(differences(cost, a) - g).max() / np.abs(g).max()) for a, g in pairs]
    return errors, not check_gradients(layer, X).ok


def differences(cost: Callable[[], float], array: Any) -> Any:
    """(C(a + h) − C(a − h)) / 2h for every entry of an array that the cost is of."""
    slopes = np.empty_like(array)
    for index in np.ndindex(array.shape):
        before = array[index]
        array[index] = before + STEP
        above = cost()
        array[index] = before - STEP
        slopes[index] = (above - cost()) / (2 * STEP)
        array[index] = before
    return slopes


def not_transposed(layer: Affine, dy: Any, dx: Any, grads: Any) -> Any:
    """Forget the transpose in dX = dY Wᵀ."""
    return dy @ layer.W, grads


def mean_bias(layer: Affine, dy: Any, dx: Any, grads: Any) -> Any:
    """Average over the samples where db is their sum."""
    return dx, {**grads, "b": dy.mean(axis=0)}


def one_entry(layer: Affine, dy: Any, dx: Any, grads: Any) -> Any:
    """One entry of dW, a thousandth too large."""
    dW = grads["W"].copy()
    dW[2, 1] *= 1.001
    return dx, {**grads, "W": dW}


def turned(layer: Affine, dy: Any, dx: Any, grads: Any) -> Any:
    """Give dW in the shape of the text's W⁽ˡ⁾, which is this W transposed."""
    return dx, {**grads, "W": grads["W"].T}


MISTAKES: dict[str, tuple[Callable[..., Any], str]] = {
    "dX = dY W": (not_transposed, "input"),
    "db = mean of dY": (mean_bias, "b"),
    "dW[2, 1] · 1.001": (one_entry, "W"),
    "dW = dYᵀX": (turned, "W"),
}


class Spoilt(Affine):
    """An affine layer with a mistake on its way back."""

    def __init__(self, W: Any, b: Any, way: Callable[..., Any]):
        super().__init__(W, b)
        self.way = way

    def forward(self, x: Any, *, train: Any = None) -> Any:
        """Y = X W + b, and a backward pass that is wrong."""
        y, backward = super().forward(x, train=train)
        return y, lambda dy: self.way(self, dy, *backward(dy))


class Remembering(Affine):
    """The way of many textbooks: the layer keeps the input of its last call."""

    def forward(self, x: Any, *, train: Any = None) -> Any:
        """Y = X W + b; what backward needs stands in the layer."""
        self.x = x
        return x @ self.W + self.b, self.backward

    def backward(self, dy: Any) -> Any:
        """Use the input of the last call, whichever call is gone back through."""
        return dy @ self.W.T, {"W": self.x.T @ dy, "b": dy.sum(axis=0)}


class Twice(Layer):
    """f(f(x)): one layer that stands twice, as in one-shot learning."""

    def __init__(self, layer: Affine):
        self.layer = layer

    @property
    def parameters(self) -> Any:
        """Those of the one layer."""
        return self.layer.parameters

    def forward(self, x: Any, *, train: Any = None) -> Any:
        """Twice forwards, twice backwards; the gradients add up."""
        middle, first = self.layer.forward(x)
        y, second = self.layer.forward(middle)

        def backward(dy: Any) -> Any:
            d, later = second(dy)
            dx, earlier = first(d)
            return dx, {name: later[name] + earlier[name] for name in later}

        return y, backward


def mutant_checks(reports: dict[str, GradientReport]) -> list[Check]:
    """The array that was spoilt is named, and no other; of one entry, its place."""
    checks = [
        Check(f"{name}: the array called wrong", array, ", ".join(reports[name].wrong) or "none",
              reports[name].wrong == [array])
        for name, (_, array) in MISTAKES.items()
    ]  # fmt: skip
    places = [entry[0] for c in reports["dW[2, 1] · 1.001"].checks for entry in c.wrong]
    said = ", ".join(map(str, places)) or "none"
    return [*checks, Check("dW[2, 1] · 1.001: the entry", "(2, 1)", said, places == [(2, 1)])]


def found_of(layer: Layer, X: Any, array: str) -> Any:
    """Difference of the gradient given from the measured one, for every entry of an array."""
    w = np.cos(np.arange(X.shape[0] * D)).reshape(X.shape[0], D)
    dx, grads = layer.forward(X)[1](w)
    given = dx if array == "input" else grads[array]
    measured = differences(
        lambda: float(np.sum(w * layer(X))), X if array == "input" else layer.parameters[array]
    )
    return np.atleast_2d(np.abs(given - measured))


def draw(outcome: Outcome) -> Figure:
    """Draw, for each mistake, how far each entry is from the measured one."""
    from matplotlib.figure import Figure

    maps = outcome.data["maps"]
    figure = Figure(figsize=(11, 3.6), layout="constrained")
    for axes, (name, off) in zip(figure.subplots(1, len(maps)), maps.items(), strict=True):
        picture = axes.imshow(np.log10(np.maximum(off, 1e-12)), vmin=-12, vmax=1, cmap="magma")
        axes.set(title=name, xticks=range(off.shape[1]), yticks=range(off.shape[0]))
    figure.colorbar(picture, ax=figure.axes, label="log₁₀ |given − measured|", shrink=0.8)
    figure.suptitle("Which entry is wrong: four mistakes in the backward pass of Y = XW + b")
    return figure


EXPERIMENT = Experiment(
    title="The affine layer's gradients, and mistakes that the check finds",
    rows=(79, 84),
    claim="dX = dY·Wᵀ, dW = Xᵀ·dY, db = ΣdY; a gradient check names the array and the entry "
    "that is wrong",
    source="Notes C, Affine (its code has `sefl` for `self`); Higham & Higham (2019), section 5",
    run=run,
    draw=draw,
)
