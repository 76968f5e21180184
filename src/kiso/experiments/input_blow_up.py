"""Pictures have many numbers: dense layers pay for each, convolutions share their weights.

A convolution is a dense layer whose matrix is constrained: row k holds the same taps, shifted.
im2col makes it a product of matrices; col2im is the adjoint, <im2col x, g> = <x, col2im g>.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.experiments import Check, Experiment, Outcome, at_most, close
from kiso.nn import Affine, Conv1D, Conv2D, col2im, convolution_matrix, im2col

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PICTURE = (3, 200, 200)
UNITS = 10


def run(seed: int) -> Outcome:
    """Count parameters, build the matrices, compare each with the layer it stands for."""
    rng = np.random.default_rng(seed)
    columns = rng.random((1, *PICTURE)).reshape(1, -1).shape[1]
    dense = Affine.create(columns, UNITS, random_state=seed)
    shared = Conv2D.create(3, UNITS, 5, random_state=seed)
    sizes = {"dense": dense.W.size + dense.b.size, "conv 5×5": shared.W.size + shared.b.size}
    checks = [close("columns of a picture, 200·200·3", 120_000, columns, atol=0)]
    difference = convolution_matrix([1.0, -1.0], 6)
    # four taps, stride 2, on nine numbers and one of padding
    strided = convolution_matrix(rng.normal(size=4), 10, stride=2)
    for matrix, shape in ((difference, (5, 6)), (strided, (4, 10))):
        checks.append(Check("matrix", str(shape), str(matrix.shape), matrix.shape == shape))
    free = len(np.unique(strided[strided != 0]))
    checks.append(close("free parameters of the 4×10 matrix", 4, free, atol=0))
    return Outcome((*checks, *_adjoint(rng)), {"sizes": sizes, "matrices": (difference, strided)})


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
    """The parameters of both layers; the two constrained matrices."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 3.5), layout="constrained")
    left, *others = figure.subplots(1, 3)
    sizes = outcome.data["sizes"]
    left.bar(list(sizes), list(sizes.values()))
    left.set(yscale="log", title=f"parameters, {UNITS} outputs on 200×200×3")
    for axes, matrix in zip(others, outcome.data["matrices"], strict=True):
        axes.imshow(matrix, cmap="coolwarm")
        axes.set(title="×".join(map(str, matrix.shape)))
    return figure


EXPERIMENT = Experiment(
    title="Input blow-up: a picture has 120,000 columns, a convolution few weights",
    rows=(58, 59, 85, 86),
    claim="200·200·3 = 120,000; a convolution is a constrained matrix; col2im is im2col's adjoint",
    source="Notes B, input blow-up and 1-D convolution; notes C, im2col and col2im (E10)",
    run=run,
    draw=draw,
)
