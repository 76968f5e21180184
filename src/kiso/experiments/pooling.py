"""Pooling: the largest or the mean of each window, where its gradient goes, what it forgives.

    max    y = x at the first largest pixel of the window;  the gradient goes to that pixel alone
    mean   y = Σ x / m over the m pixels of the window;      the gradient is spread evenly, dy / m

Both are checked against a direct loop over windows and against central differences of a cost. A
picture that moves by less than a window changes little after pooling; how little is measured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.datasets import load_digits

from kiso.experiments import Experiment, Outcome, at_least, at_most, close
from kiso.nn import AveragePool, Layer, MaxPool

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHAPES = ((2, 2), (3, 2), (3, 1), (2, 3))  # window, stride
STEP = 1e-6


def run(seed: int) -> Outcome:
    """Compare values and gradients; then shift a digit."""
    rng = np.random.default_rng(seed)
    worst: dict[str, list[float]] = {"max": [], "mean": [], "d max": [], "d mean": []}
    for size, stride in SHAPES:
        x = rng.permutation(2 * 7 * 8).reshape(1, 2, 7, 8) / 20  # all different: one largest
        for name, layer in (("max", MaxPool(size, stride=stride)),
                            ("mean", AveragePool(size, stride=stride))):  # fmt: skip
            y = layer(x)
            worst[name].append(float(np.abs(y - by_hand(x, size, stride, name)).max()))
            worst["d " + name].append(gradient_error(layer, x, rng.standard_normal(y.shape)))
    picture = example(rng)
    routed = picture["max gradient"]
    kept, blurred, plain = shift_changes()
    checks = (
        at_most("2×2, 3×3, 2×2 apart: max against a loop over windows", 0.0, max(worst["max"])),
        at_most("mean against a loop over windows", 1e-14, max(worst["mean"])),
        at_most("gradient of max against central differences", 1e-7, max(worst["d max"])),
        at_most("gradient of mean against central differences", 1e-7, max(worst["d mean"])),
        close("pixels of a 4×4 image that get a gradient, 2×2 max", 4,
              int(np.count_nonzero(routed)), atol=0),
        close("the same, 2×2 mean", 16, int(np.count_nonzero(picture["mean gradient"])), atol=0),
        at_most("sum of the routed gradient − sum of dy", 1e-14,
                abs(float(routed.sum() - picture["dy"].sum()))),
        *tie_checks(),
        at_most("a digit moved by 1 of 32 pixels: change after 4×4 max / change of pixels", 0.8,
                kept / plain),
        at_most("the same after 4×4 mean", 0.6, blurred / plain),
        at_least("change of the pixels themselves, relative", 0.2, plain),
    )  # fmt: skip
    return Outcome(
        checks,
        picture,
        f"Of a digit's 32×32 pixels a shift by one changes {plain:.0%} (relative, in the mean over "
        f"digits and four directions), of its 8×8 largest {kept:.0%}, of its means {blurred:.0%}. "
        "Pooling forgives small shifts; it is not invariant to them.",
    )


def by_hand(x: Any, size: int, stride: int, name: str) -> Any:
    """Look at one window after the other."""
    n, channels, height, width = x.shape
    oh, ow = (height - size) // stride + 1, (width - size) // stride + 1
    y = np.empty((n, channels, oh, ow))
    for i, c, o, q in np.ndindex(n, channels, oh, ow):
        window = x[i, c, o * stride : o * stride + size, q * stride : q * stride + size]
        y[i, c, o, q] = window.max() if name == "max" else window.sum() / size**2
    return y


def gradient_error(layer: Layer, x: Any, dy: Any) -> float:
    """Largest difference of dx to (C(x + h) − C(x − h)) / 2h, C = Σ dy ∘ layer(x)."""
    _, backward = layer.forward(x)
    dx, _ = backward(dy)
    worst = 0.0
    for index in np.ndindex(x.shape):
        moved = np.array([x, x])
        moved[(0, *index)] += STEP
        moved[(1, *index)] -= STEP
        up, down = (float(np.sum(dy * layer(m))) for m in moved)
        worst = max(worst, float(abs((up - down) / (2 * STEP) - dx[index])))
    return worst


def tie_checks() -> tuple[Any, ...]:
    """Where several pixels are largest one of them gets all of the gradient, not each a share."""
    x = np.ones((1, 1, 2, 2))
    dx = MaxPool(2).forward(x)[1](np.array([[[[3.0]]]]))[0]
    return (
        close("four equal pixels: how many get the gradient of max", 1, int(np.count_nonzero(dx)),
              atol=0),
        close("four equal pixels: gradient that arrives", 3.0, float(dx.sum()), atol=0),
    )  # fmt: skip


def example(rng: np.random.Generator) -> dict[str, Any]:
    """A 4×4 image, its windows, maxima and means, and where a gradient goes."""
    x = rng.permutation(16).reshape(1, 1, 4, 4).astype(float)
    dy = np.array([[[[1.0, 2.0], [3.0, 4.0]]]])
    data = {"x": x[0, 0], "dy": dy[0, 0]}
    for name, layer in (("max", MaxPool(2)), ("mean", AveragePool(2))):
        y, backward = layer.forward(x)
        data |= {name: y[0, 0], f"{name} gradient": backward(dy)[0][0, 0]}
    return data


def shift_changes() -> tuple[float, float, float]:
    """‖f(moved) − f(x)‖ / ‖f(x)‖ for 4×4 max, 4×4 mean and the pixels, over digits and shifts."""
    images = load_digits().images[:200, None] / 16
    large = np.pad(np.kron(images, np.ones((3, 3))), ((0, 0), (0, 0), (4, 4), (4, 4)))
    shifts = ((0, 1), (0, -1), (1, 0), (-1, 0))

    def change(f: Any) -> float:
        base = f(large)
        moved = [f(np.roll(large, shift, axis=(2, 3))) for shift in shifts]
        size = np.linalg.norm(base.reshape(len(base), -1), axis=1)
        return float(np.mean([
            np.linalg.norm((m - base).reshape(len(base), -1), axis=1) / size for m in moved
        ]))  # fmt: skip

    return change(MaxPool(4)), change(AveragePool(4)), change(lambda x: x)


def draw(outcome: Outcome) -> Figure:
    """The image and its windows, both poolings, and the way back of a gradient."""
    from matplotlib.figure import Figure

    data = outcome.data
    figure = Figure(figsize=(11, 6), layout="constrained")
    panels = (
        ("x", "Image: four windows"), ("max", "Largest of each"), ("max gradient",
         "Gradient of max: one pixel a window"), ("dy", "Gradient that comes back"),
        ("mean", "Mean of each"), ("mean gradient", "Gradient of mean: spread evenly"),
    )  # fmt: skip
    for ax, (key, title) in zip(figure.subplots(2, 3).ravel(), panels, strict=True):
        values = data[key]
        ax.imshow(values, cmap="Blues", vmin=0, vmax=max(1.4 * values.max(), 1))
        for (i, j), value in np.ndenumerate(values):
            ax.text(j, i, f"{value:g}", ha="center", va="center")
        if len(values) == 4:
            ax.axhline(1.5, lw=2)
            ax.axvline(1.5, lw=2)
        ax.set(title=title, xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
    return figure


EXPERIMENT = Experiment(
    title="Pooling: the gradient goes to the largest pixel, or to all alike",
    rows=(60,),
    claim="2×2 max or mean pooling: max routes the gradient to the largest pixel of each window, "
    "mean spreads it evenly; small shifts change little",
    source="Higham & Higham (2019), section 7; notes B, line 211; Goodfellow et al. (2016), 9.3",
    formula=r"y = \max_{a,b} x_{a,b}, \quad "
    r"\frac{\partial C}{\partial x_{a,b}} = \begin{cases} \frac{\partial C}{\partial y} "
    r"& \text{at the maximum} \\ 0 & \text{elsewhere} \end{cases}",
    code="""from kiso.nn import MaxPool
y, backward = MaxPool(2).forward(x)      # x: (n, channels, height, width)
dx, _ = backward(dy)                     # not zero at one pixel a window""",
    run=run,
    draw=draw,
)
