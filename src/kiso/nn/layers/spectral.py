"""Spectral normalisation: a layer whose weights are divided by their largest singular value.

    W̄ = W/σ,  σ = uᵀWv    with u, v the leading singular vectors, kept up by one step of the
                          power iteration a training step (Miyato et al. 2018, algorithm 1)

    ∂C/∂W = (∂C/∂W̄ − ⟨∂C/∂W̄, W̄⟩ u vᵀ)/σ      with u, v held fixed (their equation 12)

A network of such layers and activations of slope at most 1 is 1-Lipschitz.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from kiso._validation import Array

from .layer import Backward, Layer, Shape, Tree, call_backward
from .run import Run
from .tangent import TangentBackward, tangent

__all__ = ["Spectral"]

_FIRST_STEPS = 30  # of the power iteration, when the layer is made


class Spectral(Layer):
    """A layer of weights W used as W/σ(W).

    Parameters
    ----------
    inner : Layer
        With parameters "W" and "b" (`Affine`, `Conv2D`); its arrays are the ones trained.
        More than two axes are read as a matrix of W.shape[0] rows.

    Examples
    --------
    >>> from kiso.nn import Affine, Spectral
    >>> layer = Spectral(Affine(np.diag([2.0, 4.0]), np.zeros(2)))
    >>> layer(np.array([[1.0, 1.0]])).round(6)
    array([[0.5, 1. ]])
    """

    lazy_dx = True

    def __init__(self, inner: Any):
        if not isinstance(inner, Layer) or "W" not in inner.parameters:
            raise TypeError(f"Spectral takes a layer with weights W, not {inner!r}")
        if vars(inner).get("W") is not inner.parameters["W"]:
            raise TypeError(f"Spectral: {inner!r} keeps its weights W in another attribute than W")
        self.inner = inner
        self._any_dtype = inner._any_dtype
        rows = self._matrix(vars(inner)["W"])
        start = np.random.default_rng(0).standard_normal(len(rows))
        self.u = _unit(start.astype(rows.dtype))
        for _ in range(_FIRST_STEPS):
            self.u = _turned(rows, self.u)[0]

    @staticmethod
    def _matrix(W: Array) -> Array:
        return W.reshape(len(W), -1)

    @property
    def parameters(self) -> Tree:
        """The inner layer's: W before it is divided."""
        return self.inner.parameters

    @property
    def statistics(self) -> dict[str, Array]:
        """u, the left singular vector as far as it is known."""
        return {"u": self.u}

    def absorb(self, statistics: dict[str, Array]) -> None:
        """Take a training step's u."""
        self.u[...] = statistics["u"]

    def _normalised(self, train: Run | None) -> tuple[Layer, Array, Array, float]:
        """The inner layer with W/σ, and u, v, σ."""
        W = self.inner.parameters["W"]
        matrix = self._matrix(W)
        u, v = _turned(matrix, self.u)
        if train is not None:
            train.record(self, u=u)
        sigma = float(u @ matrix @ v)
        divided: Any = copy.copy(self.inner)
        divided.W = W / W.dtype.type(sigma) if sigma > 0 else W
        return divided, u, v, sigma if sigma > 0 else 1.0

    def _undivided(self, gradients: Tree, u: Array, v: Array, sigma: float) -> Tree:
        """∂C/∂W from ∂C/∂W̄."""
        G = self._matrix(gradients["W"])
        along = float(np.vdot(G, self._matrix(self.inner.parameters["W"]))) / sigma
        dW = (G - G.dtype.type(along) * np.outer(u, v)) / G.dtype.type(sigma)
        return {**gradients, "W": dW.reshape(gradients["W"].shape)}

    def forward(self, x: Array, *, train: Run | None = None) -> tuple[Array, Backward]:
        """As the inner layer, with W/σ."""
        divided, u, v, sigma = self._normalised(train)
        y, back = divided.forward(x, train=train)

        def backward(dy: Array, want_dx: bool = True) -> tuple[Any, Tree]:
            dx, gradients = call_backward(divided, back, dy, want_dx=want_dx)
            return dx, self._undivided(gradients, u, v, sigma)

        return y, backward

    def output_shape(self, shape: Shape) -> Shape:
        """As the inner layer."""
        return self.inner.output_shape(shape)

    def flops(self, shape: Shape) -> int:
        """As the inner layer."""
        return self.inner.flops(shape)

    def __repr__(self) -> str:
        return f"Spectral({self.inner!r})"


def _turned(matrix: Array, u: Array) -> tuple[Array, Array]:
    """One step of the power iteration: v ∝ Wᵀu, u ∝ Wv."""
    v = _unit(matrix.T @ u)
    return _unit(matrix @ v), v


def _unit(x: Array) -> Array:
    norm = np.linalg.norm(x)
    return x / norm if norm > 0 else x


@tangent.register(Spectral)
def _spectral(layer: Spectral, x: Array, v: Array) -> tuple[Array, Array, TangentBackward]:
    divided, left, right, sigma = layer._normalised(None)
    y, t, back = tangent(divided, x, v)

    def backward(dy: Array, dt: Array) -> tuple[Array, Array, Tree]:
        dx, dv, gradients = back(dy, dt)
        return dx, dv, layer._undivided(gradients, left, right, sigma)

    return y, t, backward
