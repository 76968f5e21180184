"""y = x W + b: the only dense layer.

In the column notation of Higham & Higham (2019), W⁽ˡ⁾ is Wᵀ here: a batch has one sample a
row, so z = W⁽ˡ⁾ a + b⁽ˡ⁾ reads y = x W + b.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from kiso._compute import costs
from kiso._compute.matmul import product
from kiso._validation import Array, RandomState, check_generator

from .initialise import Initialiser, initialiser
from .layer import Backward, Layer, Shape, ShapeError, check_features
from .plain import is_plain
from .run import Run, empty

__all__ = ["Affine"]


@dataclass(eq=False, repr=False)
class Affine(Layer):
    """Affine map of each sample.

    y = x W + b;  ∂C/∂x = ∂C/∂y Wᵀ,  ∂C/∂W = xᵀ ∂C/∂y,  ∂C/∂b = Σₙ ∂C/∂y
    (equations 24 and 25 of Higham & Higham, summed over the batch).

    Parameters
    ----------
    W : ndarray of shape (n_in, n_out)
    b : ndarray of shape (n_out,) or None
        None is a layer without bias: y = x W.
    """

    W: Array
    b: Any  # (n_out,) or None
    lazy_dx = True
    lazy_gradients = True
    light = True

    def __post_init__(self) -> None:
        b = self.b
        if np.ndim(self.W) != 2 or (b is not None and np.shape(b) != self.W.shape[1:]):
            raise ShapeError(
                f"Affine: W has shape {np.shape(self.W)}, b has shape {np.shape(b)}; give "
                "(n_in, n_out) and (n_out,), or b=None for a layer without bias"
            )

    @classmethod
    def create(
        cls,
        n_in: int,
        n_out: int,
        *,
        init: str | Initialiser = "glorot",
        random_state: RandomState = None,
        dtype: Any = None,
        bias: bool = True,
    ) -> Self:
        """Draw W from an initialiser; b = 0 (except for those that draw it too).

        Parameters
        ----------
        n_in, n_out : int
            Features before and after.
        init : str or Initialiser, default="glorot"
        random_state : int, Generator, RandomState or None, default=None
        dtype : dtype or None, default=None
            None is float64, until a network of another dtype takes the layer up.
        bias : bool, default=True
            Whether there is a b.

        Examples
        --------
        >>> Affine.create(3, 2, random_state=0)
        Affine(3 → 2)
        """
        draw = initialiser(init)
        rng = check_generator(random_state)
        W, b = draw.affine(rng, n_in, n_out)
        kind = np.float64 if dtype is None else dtype
        layer = cls(np.ascontiguousarray(W, kind), np.ascontiguousarray(b, kind) if bias else None)
        layer._any_dtype = dtype is None
        return layer

    def forward(self, x: Array, *, train: Run | None = None) -> tuple[Array, Backward]:
        """x: (n, n_in) → y: (n, n_out)."""
        check_features(self, x, self.W.shape[0])
        W, b = self.W, self.b
        if is_plain():
            return self._as_written(x)
        y = _times(x, W, empty(train, (*x.shape[:-1], W.shape[1]), x, W))
        if b is not None:
            y += b

        def backward(
            dy: Array, want_dx: bool = True, want_gradients: bool = True
        ) -> tuple[Any, dict[str, Array]]:
            dx = _times(dy, W.T, empty(train, x.shape, dy, W)) if want_dx else None
            if not want_gradients:
                return dx, {}
            rows, dy_rows = x.reshape(-1, x.shape[-1]), dy.reshape(-1, dy.shape[-1])
            dW = product(rows.T, dy_rows, empty(train, W.shape, x, dy), side_by_side=True)
            if b is None:
                return dx, {"W": dW}
            db = np.add.reduce(dy_rows, axis=0, out=empty(train, b.shape, dy))
            return dx, {"W": dW, "b": db}

        return y, backward

    def _as_written(self, x: Array) -> tuple[Array, Backward]:
        """Y = x W + b and its gradients, as the equations have them."""
        W, b = self.W, self.b

        def backward(
            dy: Array, want_dx: bool = True, want_gradients: bool = True
        ) -> tuple[Any, dict[str, Array]]:
            rows, dy_rows = x.reshape(-1, x.shape[-1]), dy.reshape(-1, dy.shape[-1])
            gradients = {"W": rows.T @ dy_rows, "b": dy_rows.sum(axis=0)}
            return dy @ W.T, {name: gradients[name] for name in self.parameters}

        return x @ W if b is None else x @ W + b, backward

    def __call__(self, x: Array) -> Array:
        """Return y = x W + b alone."""
        if is_plain():
            return self.forward(x)[0]
        check_features(self, x, self.W.shape[0])
        if len(x) < costs.AFFINE_FEW_SAMPLES:  # a matter of reading W
            y: Array = np.dot(x, self.W)
        else:
            dtype = np.result_type(x, self.W)
            y = _times(x, self.W, np.empty((*x.shape[:-1], self.W.shape[1]), dtype))
        if self.b is not None:
            y += self.b
        return y

    @property
    def parameters(self) -> dict[str, Array]:
        """W and b."""
        return {"W": self.W} if self.b is None else {"W": self.W, "b": self.b}

    def output_shape(self, shape: Shape) -> Shape:
        """(…, n_in) → (…, n_out)."""
        if not shape or shape[-1] != self.W.shape[0]:
            raise ShapeError(f"{self!r} takes samples of {self.W.shape[0]} numbers, not {shape}")
        return (*shape[:-1], self.W.shape[1])

    def flops(self, shape: Shape) -> int:
        """Return 2 n_in n_out + n_out for each row."""
        rows = int(np.prod(shape[:-1]))
        return rows * (2 * self.W.size + (0 if self.b is None else self.b.size))

    def __repr__(self) -> str:
        bias = ", no bias" if self.b is None else ""
        return f"{type(self).__name__}({self.W.shape[0]} → {self.W.shape[1]}{bias})"


def _times(x: Array, W: Array, out: Array) -> Array:
    """Compute x W of all rows, whatever axes count them."""
    rows = x.reshape(int(np.prod(x.shape[:-1])), x.shape[-1])  # −1 would not do for no features
    product(rows, W, out.reshape(len(rows), W.shape[1]), side_by_side=True)
    return out
