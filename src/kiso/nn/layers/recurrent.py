"""Recurrent layers: the same weights at every step of a sequence, and a state that is carried.

    RNN    h ← tanh(x W + h U + b)

    LSTM   [i, f, g, o] = x W + h U + b                (Hochreiter & Schmidhuber 1997)
           c ← σ(f) c + σ(i) tanh g,   h ← σ(o) tanh c

    GRU    [r, z, m] = x W + b,   [r', z', m'] = h U + c       (Cho et al. 2014)
           n = tanh(m + σ(r + r') m'),   h ← (1 − s) n + s h,   s = σ(z + z')

The state begins at 0. Backward goes from the last step to the first: ∂C/∂h of a step is what
the output there gives and what the next step hands back (back-propagation through time).
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np

from kiso._validation import Array, RandomState, check_generator

from .layer import Backward, Layer, Shape, ShapeError
from .run import Run

__all__ = ["GRU", "LSTM", "RNN"]


class _Recurrent(Layer):
    """Weights W (n_in, k h) and U (h, k h), and biases; k gates."""

    gates: int

    def __init__(
        self,
        n_in: int,
        n_hidden: int,
        *,
        sequences: bool = True,
        random_state: RandomState = None,
        dtype: Any = None,
    ):
        if n_in < 1 or n_hidden < 1:
            raise ValueError(f"n_in={n_in}, n_hidden={n_hidden}: give whole numbers >= 1")
        rng, kind = check_generator(random_state), np.float64 if dtype is None else dtype
        limit, width = 1 / np.sqrt(n_hidden), self.gates * n_hidden
        self._any_dtype = dtype is None
        self.sequences = sequences
        self.W = rng.uniform(-limit, limit, (n_in, width)).astype(kind)
        self.U = rng.uniform(-limit, limit, (n_hidden, width)).astype(kind)
        self.b = rng.uniform(-limit, limit, width).astype(kind)

    @property
    def n_hidden(self) -> int:
        """Numbers of the state."""
        return len(self.U)

    def forward(self, x: Array, *, train: Run | None = None) -> tuple[Array, Backward]:
        """x: (n, T, n_in) → y: (n, T, n_hidden), or (n, n_hidden) of the last step alone."""
        _Recurrent.output_shape(self, x.shape[1:])
        n, n_steps, n_in = x.shape
        xW = x @ self.W + self.b
        state = self._first(n, xW.dtype)
        backs, hidden = [], []
        for t in range(n_steps):
            state, back = self._step(xW[:, t], state)
            backs.append(back)
            hidden.append(state[0])
        before = [np.zeros_like(hidden[0]), *hidden[:-1]]

        def backward(dy: Array) -> tuple[Array, dict[str, Array]]:
            d_state: tuple[Any, ...] = tuple(np.zeros_like(s) for s in state)
            gradients = {name: np.zeros_like(p) for name, p in self._recurrent().items()}
            d_xW = np.empty_like(xW)
            for t in reversed(range(n_steps)):
                if self.sequences or t == n_steps - 1:
                    d_state = (d_state[0] + (dy[:, t] if self.sequences else dy), *d_state[1:])
                d_xW[:, t], d_state, own = backs[t](d_state, before[t])
                for name, gradient in own.items():
                    gradients[name] += gradient
            gradients["W"] = x.reshape(-1, n_in).T @ d_xW.reshape(-1, d_xW.shape[-1])
            gradients["b"] = d_xW.sum(axis=(0, 1))
            return d_xW @ self.W.T, {name: gradients[name] for name in self.parameters}

        return (np.stack(hidden, axis=1) if self.sequences else hidden[-1]), backward

    def _first(self, n: int, dtype: Any) -> tuple[Array, ...]:
        """Return the state before the first step; h comes first."""
        return (np.zeros((n, self.n_hidden), dtype),)

    def _recurrent(self) -> dict[str, Array]:
        """Return the parameters that meet the state."""
        return {"U": self.U}

    @abstractmethod
    def _step(self, a: Array, state: tuple[Array, ...]) -> tuple[tuple[Array, ...], Any]:
        """Take a step from a = x W + b; return the state, and its backward pass.

        That takes (∂C/∂state, h before) and gives ∂C/∂a, ∂C/∂(state before), gradients.
        """

    def output_shape(self, shape: Shape) -> Shape:
        """(T, n_in) → (T, n_hidden), or (n_hidden,)."""
        if len(shape) != 2 or shape[1] != len(self.W) or shape[0] < 1:
            raise ShapeError(f"{self!r} takes samples of shape (steps, {len(self.W)}), not {shape}")
        return (shape[0], self.n_hidden) if self.sequences else (self.n_hidden,)

    def __repr__(self) -> str:
        last = "" if self.sequences else ", last step"
        return f"{type(self).__name__}({len(self.W)} → {self.n_hidden}{last})"


class RNN(_Recurrent):
    """Simple recurrent layer: h ← tanh(x W + h U + b).

    Parameters
    ----------
    n_in, n_hidden : int
        Numbers of a step of the input, and of the state.
    sequences : bool, default=True
        Give h of every step, (n, T, n_hidden); otherwise of the last alone, (n, n_hidden).
    random_state : int, Generator, RandomState or None, default=None
        Of W (n_in, n_hidden), U (n_hidden, n_hidden) and b, uniform on ±1/√n_hidden.
    dtype : dtype or None, default=None
        None is float64, until a network of another dtype takes the layer up.

    Examples
    --------
    >>> RNN(3, 5, random_state=0)(np.zeros((2, 7, 3))).shape
    (2, 7, 5)
    """

    gates = 1

    def _step(self, a: Array, state: tuple[Array, ...]) -> tuple[tuple[Array, ...], Any]:
        h = np.tanh(a + state[0] @ self.U)

        def back(d: tuple[Array, ...], before: Array) -> Any:
            da = d[0] * (1 - h * h)
            return da, (da @ self.U.T,), {"U": before.T @ da}

        return (h,), back


class LSTM(_Recurrent):
    """Long short-term memory: gates decide what a cell keeps, takes up and gives away.

    [i, f, g, o] = x W + h U + b;  c ← σ(f) c + σ(i) tanh g;  h ← σ(o) tanh c.

    Parameters
    ----------
    n_in, n_hidden : int
        Numbers of a step of the input, and of the state.
    sequences : bool, default=True
        Give h of every step, (n, T, n_hidden); otherwise of the last alone, (n, n_hidden).
    random_state : int, Generator, RandomState or None, default=None
        Of W (n_in, 4 n_hidden), U (n_hidden, 4 n_hidden) and b, uniform on ±1/√n_hidden.
    dtype : dtype or None, default=None
        None is float64, until a network of another dtype takes the layer up.

    References
    ----------
    Hochreiter & Schmidhuber (1997); the forget gate is that of Gers et al. (2000).

    Examples
    --------
    >>> LSTM(3, 5, sequences=False, random_state=0)(np.zeros((2, 7, 3))).shape
    (2, 5)
    """

    gates = 4

    def _first(self, n: int, dtype: Any) -> tuple[Array, ...]:
        return np.zeros((n, self.n_hidden), dtype), np.zeros((n, self.n_hidden), dtype)

    def _step(self, a: Array, state: tuple[Array, ...]) -> tuple[tuple[Array, ...], Any]:
        h, c = state
        parts = np.split(a + h @ self.U, 4, axis=-1)
        i, f, o = (_sigmoid(parts[k]) for k in (0, 1, 3))
        g = np.tanh(parts[2])
        kept = f * c + i * g
        shown = np.tanh(kept)

        def back(d: tuple[Array, ...], before: Array) -> Any:
            dh, dc = d
            dc = dc + dh * o * (1 - shown * shown)
            da = np.concatenate(
                [
                    dc * g * i * (1 - i),
                    dc * c * f * (1 - f),
                    dc * i * (1 - g * g),
                    dh * shown * o * (1 - o),
                ],
                axis=-1,
            )
            return da, (da @ self.U.T, dc * f), {"U": before.T @ da}

        return (o * shown, kept), back


class GRU(_Recurrent):
    """Gated recurrent unit: one gate mixes the old state with a new one that another gate shapes.

    r = σ(x W_r + b_r + h U_r + c_r);  s = σ(x W_z + b_z + h U_z + c_z);
    n = tanh(x W_n + b_n + r (h U_n + c_n));  h ← (1 − s) n + s h.

    Parameters
    ----------
    n_in, n_hidden : int
        Numbers of a step of the input, and of the state.
    sequences : bool, default=True
        Give h of every step, (n, T, n_hidden); otherwise of the last alone, (n, n_hidden).
    random_state : int, Generator, RandomState or None, default=None
        Of W (n_in, 3 n_hidden), U (n_hidden, 3 n_hidden), b and c, uniform on ±1/√n_hidden.
    dtype : dtype or None, default=None
        None is float64, until a network of another dtype takes the layer up.

    References
    ----------
    Cho et al. (2014), with the reset gate behind the product, as libraries have it.

    Examples
    --------
    >>> GRU(3, 5, random_state=0)(np.zeros((2, 7, 3))).shape
    (2, 7, 5)
    """

    gates = 3

    def __init__(
        self,
        n_in: int,
        n_hidden: int,
        *,
        sequences: bool = True,
        random_state: RandomState = None,
        dtype: Any = None,
    ):
        rng = check_generator(random_state)
        super().__init__(n_in, n_hidden, sequences=sequences, random_state=rng, dtype=dtype)
        limit = 1 / np.sqrt(n_hidden)
        self.c = rng.uniform(-limit, limit, self.b.shape).astype(self.b.dtype)

    def _recurrent(self) -> dict[str, Array]:
        return {"U": self.U, "c": self.c}

    def _step(self, a: Array, state: tuple[Array, ...]) -> tuple[tuple[Array, ...], Any]:
        (h,) = state
        (r, s, m), (r2, s2, m2) = (np.split(v, 3, axis=-1) for v in (a, h @ self.U + self.c))
        r, s = _sigmoid(r + r2), _sigmoid(s + s2)
        n = np.tanh(m + r * m2)

        def back(d: tuple[Array, ...], before: Array) -> Any:
            dh = d[0]
            dm = dh * (1 - s) * (1 - n * n)
            dr = dm * m2 * r * (1 - r)
            ds = dh * (before - n) * s * (1 - s)
            da = np.concatenate([dr, ds, dm], axis=-1)
            dhU = np.concatenate([dr, ds, dm * r], axis=-1)
            gradients = {"U": before.T @ dhU, "c": dhU.sum(axis=0)}
            return da, (dh * s + dhU @ self.U.T,), gradients

        return ((1 - s) * n + s * h,), back


def _sigmoid(x: Array) -> Array:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * x)))
