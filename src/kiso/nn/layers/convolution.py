"""Layers that correlate images with filters, and the transpose of such a layer.

    y[i, f, o, q] = b_f + Σ_{c,a,b} W[f, c, a, b] x[i, c, o·s − p + a·d, q·s − p + b·d]

W: (n_out, n_in/groups, FH, FW). With groups, the filters of group g see only its channels;
`groups = n_in` is a depthwise convolution.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, Self

import numpy as np

from kiso._validation import Array, Integral, RandomState, check_generator

from ..compiled import convolution as fast
from . import im2col as readable
from .initialise import Initialiser, initialiser
from .layer import Backward, Layer, Shape, ShapeError
from .plain import is_plain
from .run import Run
from .windows import Padding, Sizes, Window, check_images

__all__ = ["Conv2D", "ConvTranspose2D", "Method", "check_filters", "draw_filters"]

Method = Literal["auto", "im2col"]


@dataclass(eq=False, repr=False)
class Conv2D(Layer):
    """Correlate images with filters.

    y[i, f, o, q] = b_f + Σ W[f, c, a, b] x[i, c, o·s − p + a·d, q·s − p + b·d], summed over
    the channels c of the filter's group and its FH×FW taps. FLOPs a pixel of the output:
    2 n_out n_in/groups FH FW.

    Parameters
    ----------
    W : ndarray of shape (n_out, n_in / groups, FH, FW)
    b : ndarray of shape (n_out,)
    stride : int or (height, width), default=1
    padding : "same", "valid", int, (height, width) or ((top, bottom), (left, right)), default=0
        Zeros around the image. "same" gives ⌈height / stride⌉ × ⌈width / stride⌉ outputs.
    dilation : int or (height, width), default=1
        From one pixel that the filter sees to the next.
    groups : int, default=1
        Into how many equal parts the channels fall; n_in for a depthwise convolution.
    method : {"auto", "im2col"}, default="auto"
        "im2col" computes in the readable form, `im2col(x) @ W`; "auto" in compiled loops
        over blocks of images, which give the same but for rounding.

    Raises
    ------
    ShapeError
        If W and b do not fit each other; on use, if the images have other channels or no
        output pixel is left.
    ValueError
        If the channels do not divide by `groups`, or a number is out of range.

    References
    ----------
    Dumoulin & Visin (2016), A guide to convolution arithmetic for deep learning.

    Examples
    --------
    >>> layer = Conv2D.create(3, 32, 5, padding="same", random_state=0)
    >>> layer(np.zeros((2, 3, 28, 28))).shape, layer.W.size + layer.b.size
    ((2, 32, 28, 28), 2432)
    """

    W: Array
    b: Array
    stride: Sizes = 1
    padding: Padding = 0
    dilation: Sizes = 1
    groups: int = 1
    method: Method = "auto"
    window: Window = field(init=False)
    lazy_dx = True
    takes_images = True

    def __post_init__(self) -> None:
        check_filters(self, self.W, self.b, self.W.shape[0], 4)
        check_groups(self.groups, self.W.shape[0], "n_out")
        check_method(self.method)
        self.window = Window.create(self.W.shape[2:], self.stride, self.padding, self.dilation)

    @classmethod
    def create(
        cls,
        n_in: int,
        n_out: int,
        size: Sizes,
        *,
        init: str | Initialiser = "glorot",
        random_state: RandomState = None,
        dtype: Any = None,
        **options: Any,
    ) -> Self:
        """Draw the filters from an initialiser; b = 0.

        Parameters
        ----------
        n_in, n_out : int
            Channels before and after.
        size : int or (height, width)
            Of the filters.
        init : str or Initialiser, default="glorot"
        random_state : int, Generator, RandomState or None, default=None
        dtype : dtype or None, default=None
            None is float64, until a network of another dtype takes the layer up.
        **options
            `stride`, `padding`, `dilation`, `groups`, `method`.
        """
        groups = check_groups(options.get("groups", 1), n_in, "n_in")
        check_groups(groups, n_out, "n_out")
        shape = (n_out, n_in // groups, *Window.create(size).size)
        kind = np.float64 if dtype is None else dtype
        layer = cls(*draw_filters(init, random_state, shape, n_out // groups, kind), **options)
        layer._any_dtype = dtype is None
        return layer

    @property
    def n_in(self) -> int:
        """Channels of the images that it takes."""
        return self.W.shape[1] * self.groups

    def runs_fast(self, x: Array) -> bool:
        """Whether the compiled loops take these images; ShapeError where they do not fit."""
        check_images(self, x.shape, self.n_in)
        self.window.output(x.shape[2], x.shape[3], self)
        return self.method == "auto" and not is_plain() and fast.suits(x, self.W)

    def forward(self, x: Array, *, train: Run | None = None) -> tuple[Array, Backward]:
        """x: (n, n_in, height, width) → y: (n, n_out, OH, OW)."""
        if self.runs_fast(x):
            return fast.convolve(x, self.W, self.b, self.window, self.groups, train)
        W, groups, window = self.W, self.groups, self.window
        y = readable.correlate(x, W, window, groups) + self.b[:, None, None]

        def backward(dy: Array, want_dx: bool = True) -> tuple[Any, dict[str, Array]]:
            dW = readable.correlate_dW(x, dy, window, groups)
            dx = readable.correlate_dx(dy, W, window, groups, x.shape) if want_dx else None
            return dx, {"W": dW, "b": dy.sum(axis=(0, 2, 3))}

        return y, backward

    @property
    def parameters(self) -> dict[str, Array]:
        """W and b."""
        return {"W": self.W, "b": self.b}

    def output_shape(self, shape: Shape) -> Shape:
        """(n_in, height, width) → (n_out, OH, OW)."""
        check_images(self, (1, *shape), self.n_in)
        return (len(self.W), *self.window.output(shape[1], shape[2], self))

    def flops(self, shape: Shape) -> int:
        """Return (2 n_in/groups FH FW + 1) n_out OH OW."""
        _, oh, ow = self.output_shape(shape)
        return (2 * self.W.size + self.b.size) * oh * ow

    def __repr__(self) -> str:
        return f"Conv2D({self.n_in} → {len(self.W)}, {self.window}{groups_text(self.groups)})"


@dataclass(eq=False, repr=False)
class ConvTranspose2D(Layer):
    """The transpose of a convolution: what carries its gradients back, as a layer.

    y = Wᵀ x + b with W the matrix of a `Conv2D` of the same filters, stride, padding and
    dilation that maps images of y's size to x's. A stride s makes images about s times as
    large: height ← s (height − 1) + d (FH − 1) + 1 − p_top − p_bottom + output_padding.

    Parameters
    ----------
    W : ndarray of shape (n_in, n_out / groups, FH, FW)
    b : ndarray of shape (n_out,)
    stride, dilation : int or (height, width), default=1
    padding : int, (height, width) or ((top, bottom), (left, right)), default=0
        Pixels cut off around the output.
    output_padding : int or (height, width), default=0
        Rows and columns more, below and to the right; less than the stride. Of the sizes
        that the convolution maps to the same size, it says which.
    groups : int, default=1
    method : {"auto", "im2col"}, default="auto"
        As for `Conv2D`.

    Raises
    ------
    ShapeError, ValueError
        As for `Conv2D`; also if `padding` is "same", which does not say the size.

    Examples
    --------
    >>> layer = ConvTranspose2D.create(8, 3, 4, stride=2, padding=1, random_state=0)
    >>> layer(np.zeros((1, 8, 7, 7))).shape
    (1, 3, 14, 14)
    """

    W: Array
    b: Array
    stride: Sizes = 1
    padding: Padding = 0
    dilation: Sizes = 1
    output_padding: Sizes = 0
    groups: int = 1
    method: Method = "auto"
    window: Window = field(init=False)
    lazy_dx = True
    takes_images = True

    def __post_init__(self) -> None:
        check_groups(self.groups, self.W.shape[0], "n_in")
        check_filters(self, self.W, self.b, self.W.shape[1] * self.groups, 4)
        check_method(self.method)
        self.window = Window.create(self.W.shape[2:], self.stride, self.padding, self.dilation)
        if self.window.padding is None:
            raise ValueError("padding='same': it does not say the size of the output; give numbers")
        extra = self.output_padding
        self._extra = (extra, extra) if isinstance(extra, int) else tuple(extra)
        if any(not 0 <= e < s for e, s in zip(self._extra, self.window.stride, strict=True)):
            raise ValueError(
                f"output_padding={extra!r}: give 0 or more, less than stride={self.stride!r}"
            )

    @classmethod
    def create(
        cls,
        n_in: int,
        n_out: int,
        size: Sizes,
        *,
        init: str | Initialiser = "glorot",
        random_state: RandomState = None,
        dtype: Any = None,
        **options: Any,
    ) -> Self:
        """Draw the filters from an initialiser; b = 0. Arguments as `Conv2D.create`."""
        groups = check_groups(options.get("groups", 1), n_in, "n_in")
        check_groups(groups, n_out, "n_out")
        shape = (n_in, n_out // groups, *Window.create(size).size)
        kind = np.float64 if dtype is None else dtype
        W, _ = draw_filters(init, random_state, shape, n_in // groups, kind, transposed=True)
        layer = cls(W, np.zeros(n_out, kind), **options)
        layer._any_dtype = dtype is None
        return layer

    def forward(self, x: Array, *, train: Run | None = None) -> tuple[Array, Backward]:
        """x: (n, n_in, height, width) → y: (n, n_out, OH, OW)."""
        shape = (len(x), *ConvTranspose2D.output_shape(self, x.shape[1:]))
        W, groups, window = self.W, self.groups, self.window
        form = self._form(x)
        y = form.correlate_dx(x, W, window, groups, shape) + self.b[:, None, None]

        def backward(dy: Array, want_dx: bool = True) -> tuple[Any, dict[str, Array]]:
            dW = form.correlate_dW(dy, x, window, groups)
            dx = form.correlate(dy, W, window, groups) if want_dx else None
            return dx, {"W": dW, "b": dy.sum(axis=(0, 2, 3))}

        return y, backward

    def _form(self, x: Array) -> Any:
        """The module that computes: of a matrix product, a convolution is the transpose."""
        compiled = self.method == "auto" and not is_plain() and fast.suits(x, self.W)
        return fast if compiled else readable

    @property
    def parameters(self) -> dict[str, Array]:
        """W and b."""
        return {"W": self.W, "b": self.b}

    def output_shape(self, shape: Shape) -> Shape:
        """(n_in, height, width) → (n_out, OH, OW)."""
        check_images(self, (1, *shape), len(self.W))
        pads = self.window.padding
        assert pads is not None
        size = tuple(
            s * (m - 1) + r - sum(p) + e
            for m, s, r, p, e in zip(
                shape[1:], self.window.stride, self.window.reach, pads, self._extra, strict=True
            )
        )
        if min(size) < 1 or min(shape[1:]) < 1:
            raise ShapeError(
                f"{self!r} leaves no pixel of an image of {shape[1]}×{shape[2]}: take less padding"
            )
        return (self.W.shape[1] * self.groups, *size)

    def flops(self, shape: Shape) -> int:
        """Return 2 n_out/groups FH FW n_in height width, and an addition a number of output."""
        return 2 * self.W.size * shape[1] * shape[2] + int(np.prod(self.output_shape(shape)))

    def __repr__(self) -> str:
        n_out = self.W.shape[1] * self.groups
        extra = "" if not any(self._extra) else f", output padding {self.output_padding}"
        return (
            f"ConvTranspose2D({len(self.W)} → {n_out}, {self.window}{extra}"
            f"{groups_text(self.groups)})"
        )


def groups_text(groups: int) -> str:
    """Return how `groups` reads in a repr."""
    return "" if groups == 1 else f", groups {groups}"


def check_groups(groups: Any, n_channels: int, name: str) -> int:
    """Refuse groups into which so many channels do not fall evenly."""
    if not isinstance(groups, Integral | np.integer) or groups < 1 or n_channels % groups:
        raise ValueError(
            f"groups={groups!r}: {name}={n_channels} channels have to divide by it evenly"
        )
    return int(groups)


def check_filters(layer: Any, W: Array, b: Array, n_out: int, ndim: int) -> None:
    """Refuse weights and biases that do not fit each other."""
    if W.ndim != ndim or 0 in W.shape or b.shape != (n_out,):
        raise ShapeError(f"{type(layer).__name__}: W has shape {W.shape}, b has shape {b.shape}")


def check_method(method: Any) -> None:
    """Refuse an unknown way to compute."""
    if method not in ("auto", "im2col"):
        raise ValueError(f"method={method!r}: give 'auto' or 'im2col'")


def draw_filters(
    init: str | Initialiser,
    random_state: RandomState,
    shape: tuple[int, ...],
    n_units: int,
    dtype: Any,
    transposed: bool = False,
) -> tuple[Array, Array]:
    """Draw W of this shape, and b = 0; `n_units` channels of a group meet each of its taps.

    What meets in one output is a filter's channels times its taps (transposed: its channels of
    output times its taps, as the transpose of a convolution has it).
    """
    taps = int(np.prod(shape[2:]))
    n_in, n_out = (n_units, shape[1]) if transposed else (shape[1], n_units)
    draw = initialiser(init)
    W = draw.draw(check_generator(random_state), shape, n_in * taps, n_out * taps)
    return np.ascontiguousarray(W, dtype), np.zeros(shape[0], dtype)
