"""One-dimensional convolution, and the weight matrix that it is.

    y_k = Σᵢ wᵢ x_{k·s − p + i·d}

is y = M x with a matrix M whose rows are the filter, each a stride further to the right, and
zeros: an affine layer whose weights are tied. Higham & Higham (2019), section 7, write
[1, −1] on six inputs as a 5×6 matrix, and four taps with a stride of 2 as a 4×10 one on
nine inputs and a zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from kiso._validation import Array, Integral, RandomState

from .convolution import (
    Conv2D,
    Method,
    check_filters,
    check_groups,
    draw_filters,
    groups_text,
)
from .initialise import Initialiser
from .layer import Backward, Layer, Shape, ShapeError
from .run import Run
from .windows import Window

__all__ = ["Conv1D", "convolution_matrix"]


def convolution_matrix(
    W: ArrayLike,
    length: int,
    *,
    stride: int = 1,
    padding: str | int | tuple[int, int] = 0,
    dilation: int = 1,
    groups: int = 1,
) -> Array:
    """Return the matrix M with y = M x for the correlation of x with W.

    M[(f, k), (c, k·s − p + i·d)] = W[f, c, i], and 0 elsewhere: n_out OL n_in L numbers, of
    which W.size are free.

    Parameters
    ----------
    W : array-like of shape (FL,) or (n_out, n_in / groups, FL)
        The filters; one axis alone is one filter on one channel.
    length : int
        L, of x in each channel.
    stride, dilation : int, default=1
    padding : "same", "valid", int or (before, after), default=0
        Zeros around x. They are no columns of M.
    groups : int, default=1

    Returns
    -------
    ndarray of shape (n_out · OL, n_in · L)

    Raises
    ------
    ShapeError
        If W has another number of axes, or no output is left.
    ValueError
        If a number is out of range.

    Examples
    --------
    The two of Higham & Higham (2019), section 7:

    >>> convolution_matrix([1.0, -1.0], 6)
    array([[ 1., -1.,  0.,  0.,  0.,  0.],
           [ 0.,  1., -1.,  0.,  0.,  0.],
           [ 0.,  0.,  1., -1.,  0.,  0.],
           [ 0.,  0.,  0.,  1., -1.,  0.],
           [ 0.,  0.,  0.,  0.,  1., -1.]])
    >>> convolution_matrix([1.0, 2.0, 3.0, 4.0], 10, stride=2)
    array([[1., 2., 3., 4., 0., 0., 0., 0., 0., 0.],
           [0., 0., 1., 2., 3., 4., 0., 0., 0., 0.],
           [0., 0., 0., 0., 1., 2., 3., 4., 0., 0.],
           [0., 0., 0., 0., 0., 0., 1., 2., 3., 4.]])
    """
    filters = np.asarray(W)
    if filters.ndim == 1:
        filters = filters[None, None]
    if not isinstance(length, Integral | np.integer) or length < 1:
        raise ValueError(f"length={length!r}: give a whole number >= 1")
    layer = Conv1D(filters, np.zeros(len(filters)), stride, padding, dilation, groups)
    return layer.matrix(int(length))


@dataclass(eq=False, repr=False)
class Conv1D(Layer):
    """Correlate signals with filters.

    y[i, f, k] = b_f + Σ W[f, c, j] x[i, c, k·s − p + j·d], summed over the channels c of the
    filter's group and its taps j.

    Parameters
    ----------
    W : ndarray of shape (n_out, n_in / groups, FL)
    b : ndarray of shape (n_out,)
    stride : int, default=1
    padding : "same", "valid", int or (before, after), default=0
    dilation : int, default=1
    groups : int, default=1
    method : {"auto", "im2col"}, default="auto"
        As for `Conv2D`.

    Raises
    ------
    ShapeError, ValueError
        As for `Conv2D`.

    Examples
    --------
    >>> layer = Conv1D(np.array([[[1.0, -1.0]]]), np.zeros(1))
    >>> x = np.array([[[1.0, 4.0, 9.0, 16.0]]])
    >>> layer(x), layer.matrix(4) @ x[0, 0]
    (array([[[-3., -5., -7.]]]), array([-3., -5., -7.]))
    """

    W: Array
    b: Array
    stride: int = 1
    padding: str | int | tuple[int, int] = 0
    dilation: int = 1
    groups: int = 1
    method: Method = "auto"
    lazy_dx = True

    def __post_init__(self) -> None:
        check_filters(self, self.W, self.b, self.W.shape[0], 3)
        for name in ("stride", "dilation"):
            if not isinstance(getattr(self, name), Integral | np.integer):
                raise ValueError(f"{name}={getattr(self, name)!r}: give a whole number >= 1")
        self.flat  # noqa: B018  it refuses what does not fit

    @property
    def flat(self) -> Conv2D:
        """The same layer on images of height 1, over the same weights."""
        return Conv2D(
            self.W[:, :, None], self.b, (1, self.stride), _flat_padding(self.padding),
            (1, self.dilation), self.groups, self.method,
        )  # fmt: skip

    @classmethod
    def create(
        cls,
        n_in: int,
        n_out: int,
        size: int,
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
        size : int
            Taps of a filter.
        init, random_state, dtype, **options
            As for `Conv2D.create`.
        """
        groups = check_groups(options.get("groups", 1), n_in, "n_in")
        check_groups(groups, n_out, "n_out")
        shape = (n_out, n_in // groups, Window.create((1, size)).size[1])
        kind = np.float64 if dtype is None else dtype
        layer = cls(*draw_filters(init, random_state, shape, n_out // groups, kind), **options)
        layer._any_dtype = dtype is None
        return layer

    @property
    def n_in(self) -> int:
        """Channels of the signals that it takes."""
        return self.W.shape[1] * self.groups

    def matrix(self, length: int) -> Array:
        """Return M of shape (n_out · OL, n_in · length) with y = M x + b: see `convolution_matrix`.

        It is built tap by tap from its definition, not from the layer's forward pass.
        """
        n_out, ol = self.output_shape((self.n_in, length))
        before = self.flat.window.pads(1, length)[1][0]
        per_filter, per_group = self.W.shape[1], n_out // self.groups
        M = np.zeros((n_out, ol, self.n_in, length), self.W.dtype)
        for f, c, j in np.ndindex(*self.W.shape):
            channel = f // per_group * per_filter + c
            for k in range(ol):
                at = k * self.stride - before + j * self.dilation
                if 0 <= at < length:
                    M[f, k, channel, at] = self.W[f, c, j]
        return M.reshape(n_out * ol, self.n_in * length)

    def forward(self, x: Array, *, train: Run | None = None) -> tuple[Array, Backward]:
        """x: (n, n_in, length) → y: (n, n_out, OL)."""
        self._check(x.shape)
        y, back = self.flat.forward(x[:, :, None], train=train)

        def backward(dy: Array, want_dx: bool = True) -> tuple[Any, dict[str, Array]]:
            dx, gradients = back(dy[:, :, None], want_dx)
            dW = gradients["W"].reshape(self.W.shape)
            return None if dx is None else dx[:, :, 0], {"W": dW, "b": gradients["b"]}

        return y[:, :, 0], backward

    @property
    def parameters(self) -> dict[str, Array]:
        """W and b."""
        return {"W": self.W, "b": self.b}

    def output_shape(self, shape: Shape) -> Shape:
        """(n_in, length) → (n_out, OL)."""
        self._check((1, *shape))
        n_out, _, ol = self.flat.output_shape((shape[0], 1, shape[1]))
        return n_out, ol

    def flops(self, shape: Shape) -> int:
        """Return (2 n_in/groups FL + 1) n_out OL."""
        return self.flat.flops((shape[0], 1, shape[1]))

    def _check(self, shape: Shape) -> None:
        if len(shape) != 3 or shape[1] != self.n_in:
            raise ShapeError(f"{self!r} takes shape (n, {self.n_in}, length); it was given {shape}")

    def __repr__(self) -> str:
        text = f"Conv1D({self.n_in} → {len(self.W)}, {self.W.shape[2]}"
        text += f", stride {self.stride}" if self.stride > 1 else ""
        text += f", padding {self.padding}" if self.padding not in (0, "valid") else ""
        text += f", dilation {self.dilation}" if self.dilation > 1 else ""
        return f"{text}{groups_text(self.groups)})"


def _flat_padding(padding: Any) -> Any:
    """Return the padding of an image of height 1."""
    if isinstance(padding, str):
        return padding
    if isinstance(padding, Integral | np.integer):
        return (0, 0), (int(padding), int(padding))
    if isinstance(padding, tuple | list) and len(padding) == 2:
        return (0, 0), tuple(padding)
    raise ValueError(f"padding={padding!r}: give 'same', 'valid', a number >= 0 or (before, after)")
