"""The memo's layers as they stand there, run, beside kiso's: what is right and what is not.

The memo writes im2col, col2im and a stateful Affine in the manner of *Deep learning from scratch*.
They are typed in here and run. Its im2col is right for every stride and padding, and its Affine,
with `sefl` read as `self`, for one use at a time. Its col2im has two faults (E10):

    the limit of the rows uses out_w where out_h is meant: fails, or is wrong for out_h = 1
    is_backward=False, the default, overwrites: overlaps are lost, not the adjoint

What im2col is for is checked, too: a direct loop over the filter equals the product of matrices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.experiments import Check, Experiment, Outcome, at_least, at_most
from kiso.nn import Affine, Conv2D, col2im, im2col

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# (images, filter, stride, padding): odd shapes, overlaps, gaps, padding
CASES = (
    ((2, 3, 5, 5), (3, 3), 1, 0), ((1, 2, 7, 4), (2, 3), 2, 1), ((3, 1, 6, 9), (3, 2), 3, 1),
    ((1, 1, 8, 8), (2, 2), 2, 0), ((2, 2, 4, 7), (4, 1), 1, 2),
)  # fmt: skip


def memo_im2col(
    images: Any, filter_h: int, filter_w: int, stride: int = 1, pad: int = 0,
    constant_values: float = 0,
) -> Any:  # fmt: skip
    """The memo's im2col, with its `constant_values` for the padding."""
    n, c, h, w = images.shape
    out_h = (h + 2 * pad - filter_h) // stride + 1
    out_w = (w + 2 * pad - filter_w) // stride + 1
    around = [(0, 0), (0, 0), (pad, pad), (pad, pad)]
    img = np.pad(images, around, "constant", constant_values=constant_values)
    col = np.zeros((n, c, filter_h, filter_w, out_h, out_w))
    for y in range(filter_h):
        for x in range(filter_w):
            rows, columns = (
                slice(y, y + stride * out_h, stride),
                slice(x, x + stride * out_w, stride),
            )
            col[:, :, y, x] = img[:, :, rows, columns]
    return col.transpose(0, 4, 5, 1, 2, 3).reshape(n * out_h * out_w, -1)


def memo_col2im(
    col: Any, shape: Any, filter_h: int, filter_w: int, stride: int = 1, pad: int = 0,
    is_backward: bool = False,
) -> Any:  # fmt: skip
    """The memo's col2im, with both of its faults."""
    n, c, h, w = shape
    out_h = (h + 2 * pad - filter_h) // stride + 1
    out_w = (w + 2 * pad - filter_w) // stride + 1
    parts = col.reshape(n, out_h, out_w, c, filter_h, filter_w).transpose(0, 3, 4, 5, 1, 2)
    img = np.zeros((n, c, h + 2 * pad + stride - 1, w + 2 * pad + stride - 1))
    for y in range(filter_h):
        y_max = y + stride * out_w  # out_h is meant
        for x in range(filter_w):
            place = slice(y, y_max, stride), slice(x, x + stride * out_w, stride)
            if is_backward:
                img[:, :, place[0], place[1]] += parts[:, :, y, x]
            else:
                img[:, :, place[0], place[1]] = parts[:, :, y, x]
    return img[:, :, pad : h + pad, pad : w + pad]


class MemoAffine:
    """The memo's Affine: it keeps its input and its gradients in itself."""

    def __init__(self, W: Any, b: Any) -> None:
        self.W, self.b = W, b
        self.x: Any = None
        self.dW: Any = None
        self.db: Any = None

    def forward(self, x: Any) -> Any:
        """Y = X W + b."""
        self.x = x
        return np.dot(x, self.W) + self.b

    def backward(self, dout: Any) -> Any:
        """DX = dY Wᵀ; dW and db stay in the layer."""
        self.dW, self.db = np.dot(self.x.T, dout), np.sum(dout, axis=0)
        return np.dot(dout, self.W.T)


def run(seed: int) -> Outcome:
    """Run the memo's functions beside ours, and a direct loop beside the product."""
    rng = np.random.default_rng(seed)
    images = [(rng.integers(-9, 10, s).astype(float), f, st, p) for s, f, st, p in CASES]
    columns = max(
        float(np.abs(memo_im2col(x, *f, st, p) - im2col(x, f, stride=st, padding=p)).max())
        for x, f, st, p in images
    )
    filled = memo_im2col(images[1][0], 2, 3, 2, 1, constant_values=7.0)
    by_pad = im2col(np.pad(images[1][0], [(0, 0), (0, 0), (1, 1), (1, 1)], constant_values=7.0),
                    (2, 3), stride=2)  # fmt: skip
    checks = (
        at_most("im2col of the memo − ours, five shapes", 0.0, columns),
        at_most("the same with constant_values=7", 0.0, float(np.abs(filled - by_pad).max())),
        *_product_checks(rng),
        *_adjoint_checks(images, rng),
        *_fault_checks(rng),
        *_affine_checks(rng),
    )
    x = np.arange(1.0, 10.0).reshape(1, 1, 3, 3)
    data = {"image": x[0, 0], "columns": im2col(x, 2),
            "back": col2im(im2col(x, 2), x.shape, 2)[0, 0],
            "memo": memo_col2im(memo_im2col(x, 2, 2), x.shape, 2, 2)[0, 0]}  # fmt: skip
    return Outcome(
        checks, data, "",
        "In the memo's col2im the last row is y + stride · out_w; out_h is meant. Images whose "
        "output is not square raise an error, and where out_h = 1 the result is wrong without "
        "one. With is_backward=False, its default, numbers that overlap are overwritten, so that "
        "it is not the adjoint that back-propagation needs. Its Affine has `sefl` for `self`.",
    )  # fmt: skip


def _product_checks(rng: np.random.Generator) -> list[Check]:
    """A loop over images, filters, places and taps against im2col(x) Wᵀ and the layer."""
    x, W = rng.standard_normal((2, 3, 6, 7)), rng.standard_normal((4, 3, 3, 2))
    direct = np.zeros((2, 4, 4, 6))
    for i, f, o, q in np.ndindex(direct.shape):
        direct[i, f, o, q] = np.sum(x[i, :, o : o + 3, q : q + 2] * W[f])
    product = (im2col(x, (3, 2)) @ W.reshape(4, -1).T).reshape(2, 4, 6, 4).transpose(0, 3, 1, 2)
    layer = Conv2D(W, np.zeros(4))(x)
    return [
        at_most("direct loop − im2col(x) Wᵀ", 1e-12, float(np.abs(direct - product).max())),
        at_most("direct loop − the layer", 1e-12, float(np.abs(direct - layer).max())),
    ]


def _adjoint_checks(images: Any, rng: np.random.Generator) -> list[Check]:
    """⟨im2col x, g⟩ = ⟨x, col2im g⟩ in whole numbers, which add up exactly."""
    gaps = []
    for x, f, stride, padding in images:
        rows = im2col(x, f, stride=stride, padding=padding)
        g = rng.integers(-9, 10, rows.shape).astype(float)
        back = col2im(g, x.shape, f, stride=stride, padding=padding)
        gaps.append(abs(float((rows * g).sum() - (x * back).sum())))
    return [at_most("⟨im2col x, g⟩ − ⟨x, col2im g⟩, five shapes", 0.0, max(gaps))]


def _fault_checks(rng: np.random.Generator) -> list[Check]:
    """What the memo's col2im does."""
    square = rng.integers(1, 10, (16, 9)).astype(float)
    ours = col2im(square, (1, 1, 6, 6), 3)
    right = memo_col2im(square, (1, 1, 6, 6), 3, 3, is_backward=True)
    lost = memo_col2im(square, (1, 1, 6, 6), 3, 3)
    low = rng.integers(1, 10, (5, 9)).astype(float)  # a 3×7 image: out_h = 1, out_w = 5
    silent = memo_col2im(low, (1, 1, 3, 7), 3, 3, is_backward=True)
    try:
        memo_col2im(np.ones((12, 9)), (1, 1, 5, 6), 3, 3, is_backward=True)
        said = "nothing"
    except ValueError:
        said = "ValueError"
    return [
        at_most("col2im of the memo, square output, is_backward=True: − ours", 0.0,
                float(np.abs(right - ours).max())),
        Check("E10: output of 3×4 in the memo's col2im", "ValueError", said, said == "ValueError"),
        at_least("E10: 3×7 image, out_h = 1: wrong without an error, largest difference", 1.0,
                 float(np.abs(silent - col2im(low, (1, 1, 3, 7), 3)).max())),
        at_least("E10: is_backward=False loses overlaps, largest difference", 1.0,
                 float(np.abs(lost - ours).max())),
    ]  # fmt: skip


def _affine_checks(rng: np.random.Generator) -> list[Check]:
    """One use: the same gradients. Two uses: the memo's layer has forgotten the first input."""
    W, b, dy = rng.standard_normal((3, 2)), rng.standard_normal(2), rng.standard_normal((4, 2))
    first, second = rng.standard_normal((2, 4, 3))
    memo, ours = MemoAffine(W, b), Affine(W, b)
    memo.forward(first)
    dx = memo.backward(dy)
    expected, grads = ours.forward(first)[1](dy)
    gap = max(float(np.abs(a - e).max()) for a, e in
              ((dx, expected), (memo.dW, grads["W"]), (memo.db, grads["b"])))  # fmt: skip
    memo.forward(first)
    memo.forward(second)  # the second use of a shared layer
    memo.backward(dy)
    return [
        at_most("Affine of the memo, used once: dx, dW, db − ours", 1e-14, gap),
        at_least("used twice, then back through the first: dW − the right one", 0.1,
                 float(np.abs(memo.dW - grads["W"]).max())),
    ]  # fmt: skip


def draw(outcome: Outcome) -> Figure:
    """An image, its columns, and what comes back by the adjoint and by the memo's default."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 3.6), layout="constrained")
    panels = (("image", "3×3 image"), ("columns", "im2col, 2×2: a row a window"),
              ("back", "col2im adds overlaps"), ("memo", "memo's default overwrites"))  # fmt: skip
    for ax, (key, title) in zip(figure.subplots(1, 4), panels, strict=True):
        values = outcome.data[key]
        ax.imshow(values, cmap="Blues", vmin=0, vmax=30)
        for (i, j), value in np.ndenumerate(values):
            ax.text(j, i, f"{value:g}", ha="center", va="center")
        ax.set(title=title, xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
    return figure


def windows(outcome: Outcome) -> list[Figure]:
    """Frames: the window slides, the matrix fills, row by row."""
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    image, columns = outcome.data["image"], outcome.data["columns"]
    frames = []
    for step in range(len(columns) + 1):
        figure = Figure(figsize=(8, 3.4), layout="constrained")
        left, right = figure.subplots(1, 2)
        filled = np.where(np.arange(len(columns))[:, None] < step, columns, np.nan)
        for ax, values, title in ((left, image, "The window slides"),
                                  (right, filled, "and im2col fills, a row a window")):  # fmt: skip
            ax.imshow(values, cmap="Blues", vmin=0, vmax=20)
            for (i, j), value in np.ndenumerate(values):
                if np.isfinite(value):
                    ax.text(j, i, f"{value:g}", ha="center", va="center")
            ax.set(title=title, xticks=[], yticks=[])
        if step:
            row, column = divmod(step - 1, 2)
            left.add_patch(Rectangle((column - 0.5, row - 0.5), 2, 2, fill=False, ec="C1", lw=3))
        frames.append(figure)
    return frames


EXPERIMENT = Experiment(
    title="The memo's im2col, col2im and Affine as written, and what is wrong in them",
    rows=(82, 84, 85, 86),
    claim="A convolution is a product with im2col(x), and col2im is its adjoint; the memo's col2im "
    "is wrong where the output is not square and where windows overlap",
    source="Memo, lines 46 to 104 (E10)",
    formula=r"\langle \mathrm{im2col}\,x,\, g\rangle = \langle x,\, \mathrm{col2im}\,g\rangle",
    code="""from kiso.nn import col2im, im2col
columns = im2col(x, 3, stride=2, padding=1)       # (n·OH·OW, channels·9)
y = columns @ W.reshape(len(W), -1).T             # every filter at every place
dx = col2im(dcolumns, x.shape, 3, stride=2, padding=1)""",
    run=run,
    draw=draw,
    animate=windows,
)
