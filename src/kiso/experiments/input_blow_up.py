"""Pictures have many numbers: dense layers pay for each, convolutions share their weights.

A convolution is a dense layer whose matrix is constrained: row k holds the same taps, shifted.
im2col makes it a product of matrices; col2im is the adjoint, <im2col x, g> = <x, col2im g>.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.experiments import Check, Experiment, Outcome, at_least, at_most, close
from kiso.nn import Affine, Conv1D, Conv2D, col2im, convolution_matrix, im2col

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PICTURE = (3, 200, 200)
UNITS = 10


def run(seed: int) -> Outcome:
    """Count parameters, build the matrices, compare each with the sum that it stands for."""
    rng = np.random.default_rng(seed)
    columns = rng.random((1, *PICTURE)).reshape(1, -1).shape[1]
    dense = Affine.create(columns, UNITS, random_state=seed)
    shared = Conv2D.create(3, UNITS, 5, random_state=seed)
    sizes = {"dense": dense.W.size + dense.b.size, "conv 5×5": shared.W.size + shared.b.size}
    checks = [
        close("columns of a picture, 200·200·3", 120_000, columns, atol=0),
        close("parameters of ten dense units on it", 1_200_010, sizes["dense"], atol=0),
        close("parameters of ten 5×5 filters on it", 760, sizes["conv 5×5"], atol=0),
    ]
    taps = rng.normal(size=4)
    difference = convolution_matrix([1.0, -1.0], 6)
    strided = convolution_matrix(taps, 10, stride=2)  # nine numbers and one of padding
    for matrix, shape in ((difference, (5, 6)), (strided, (4, 10))):
        checks.append(Check("matrix", str(shape), str(matrix.shape), matrix.shape == shape))
    free = len(np.unique(strided[strided != 0]))
    checks += [
        close("free parameters of the 4×10 matrix", 4, free, atol=0),
        at_most("[1, −1]: entries against the matrix of the text", 0.0,
                float(np.abs(difference - (np.eye(5, 6) - np.eye(5, 6, 1))).max())),
        *_sums(taps, strided, rng),
    ]  # fmt: skip
    data = {"sizes": sizes, "matrices": (difference, strided), **_flip(rng)}
    return Outcome((*checks, *_flip_checks(data), *_adjoint(rng)), data, REMARK)


def _sums(taps: Any, strided: Any, rng: np.random.Generator) -> list[Check]:
    """M x against the sums, one number after the other."""
    x = rng.normal(size=10)
    wanted = [sum(taps[i] * x[2 * k + i] for i in range(4)) for k in range(4)]
    zeros = sum(strided[k, j] != 0 for k in range(4) for j in range(10) if not 0 <= j - 2 * k < 4)
    return [
        at_most("stride 2: M x against y_k = Σᵢ gᵢ x_{2k+i}", 1e-14,
                float(np.abs(strided @ x - wanted).max())),
        close("entries of M off the band that are not 0", 0, int(zeros), atol=0),
    ]  # fmt: skip


def _flip(rng: np.random.Generator) -> dict[str, Any]:
    """A signal, a filter that is not symmetric, the text's convolution and what networks do."""
    x, g = rng.normal(size=12), np.array([3.0, 2.0, 1.0])
    text = [
        sum(x[n] * g[k - n] for n in range(len(x)) if 0 <= k - n < len(g)) for k in range(2, 12)
    ]
    layer = Conv1D(g[None, None], np.zeros(1))
    flipped = Conv1D(g[None, None, ::-1].copy(), np.zeros(1))
    return {
        "x": x, "text": np.array(text), "network": layer(x[None, None])[0, 0],
        "flipped": flipped(x[None, None])[0, 0],
    }  # fmt: skip


def _flip_checks(data: Any) -> tuple[Check, ...]:
    """The text's y_k = Σ xₙ g_{k−n} is the layer with its filter turned around."""
    scale = float(np.abs(data["text"]).max())
    return (
        at_most("y_k = Σₙ xₙ g_{k−n}: the layer with g turned around", 1e-13,
                float(np.abs(data["flipped"] - data["text"]).max())),
        at_least("the layer with g as it is, which correlates: difference / largest y", 0.1,
                 float(np.abs(data["network"] - data["text"]).max()) / scale),
    )  # fmt: skip


REMARK = (
    "A convolution turns its filter around, yₖ = Σ xₙ g_{k−n}; layers of networks do not, "
    "yₖ = Σ xₖ₊ᵢ gᵢ. The filter is learned, so that the two learn the same; only whoever copies "
    "filters from one to the other has to turn them."
)


def _adjoint(rng: np.random.Generator) -> tuple[Check, ...]:
    """Compare Conv1D with its matrix, im2col with windows, col2im with the adjoint."""
    layer, signal = Conv1D(rng.normal(size=(1, 1, 4)), np.zeros(1), stride=2), rng.normal(size=10)
    gap = np.abs(layer(signal[None, None])[0, 0] - layer.matrix(10) @ signal).max()
    x = rng.integers(-9, 10, (2, 2, 3, 7)).astype(float)  # one row of output: erratum E10
    rows = im2col(x, 3)
    windows: Any = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(2, 3))
    direct = windows.transpose(0, 2, 3, 1, 4, 5).reshape(rows.shape)
    g = rng.integers(-9, 10, rows.shape).astype(float)
    adjoint = abs(float((rows * g).sum() - (x * col2im(g, x.shape, 3)).sum()))
    return (
        at_most("Conv1D against its matrix", 1e-12, float(gap)),
        at_most("im2col against sliding windows", 0.0, float(np.abs(rows - direct).max())),
        at_most("<im2col x, g> - <x, col2im g>, 3×7 image, whole numbers", 0.0, adjoint),
    )


def draw(outcome: Outcome) -> Figure:
    """The parameters of both layers, the two constrained matrices, and the flip."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 7), layout="constrained")
    (left, flip), (small, large) = figure.subplots(2, 2, width_ratios=(1, 1.4))
    sizes = outcome.data["sizes"]
    bars = left.bar(list(sizes), list(sizes.values()), color=["C1", "C0"])
    left.bar_label(bars, [f"{n:,}" for n in sizes.values()])
    left.set(yscale="log", ylim=(100, 1e7), ylabel="parameters", title="Ten outputs, 200×200×3")
    k = np.arange(2, 12)
    for key, label, style in (("text", "Σ xₙ g_{k−n}", "o-"), ("network", "layer, same g", "s--")):
        flip.plot(k, outcome.data[key], style, label=label)
    flip.set(xlabel="k", ylabel="y", title="A layer does not turn its filter around")
    flip.legend(ncols=2)
    titles = "[1, −1] slides: 5×6, two numbers", "Four taps, stride 2: 4×10, four numbers"
    for axes, matrix, title in zip((small, large), outcome.data["matrices"], titles, strict=True):
        reach = np.abs(matrix).max()
        axes.imshow(matrix, cmap="RdBu_r", vmin=-reach, vmax=reach)
        for (i, j), value in np.ndenumerate(matrix):
            if value:
                axes.text(j, i, f"{value:.2g}".replace("-", "−"), ha="center", va="center")
        axes.set(title=title, xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
    return figure


EXPERIMENT = Experiment(
    title="Input blow-up: a picture has 120,000 columns, a convolution few weights",
    rows=(58, 59, 85, 86),
    claim="200·200·3 = 120,000; a convolution is a constrained matrix; col2im is im2col's adjoint",
    source="Notes B, input blow-up and 1-D convolution; notes C, im2col and col2im (E10)",
    formula=r"y_k = \sum_n x_n\, g_{k-n}, \qquad "
    r"\langle \mathrm{im2col}\,x,\, g\rangle = \langle x,\, \mathrm{col2im}\,g\rangle",
    code="""from kiso.nn import col2im, convolution_matrix, im2col
M = convolution_matrix([1.0, -1.0], 6)   # (5, 6): M @ x slides the filter over x
columns = im2col(x, 3)                   # a row for every window of the images""",
    run=run,
    draw=draw,
)
