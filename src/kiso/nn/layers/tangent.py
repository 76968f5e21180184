"""The derivative along a direction, with its backward pass: second derivatives, explicitly.

    t = J(x) v            the change of y = f(x) as x moves along v
    ∂C/∂x, ∂C/∂v, ∂C/∂θ   from ∂C/∂y and ∂C/∂t

For y = x W + b it is t = v W; for y = σ(x), t = σ'(x) ∘ v and

    ∂C/∂x = σ'(x) ∘ ∂C/∂y + σ''(x) ∘ v ∘ ∂C/∂t,     ∂C/∂v = σ'(x) ∘ ∂C/∂t.

With ∂C/∂t = 1 and the rest 0, ∂C/∂θ is the gradient of vᵀ∇ₓD(x): what a penalty on the
length of ∇ₓD needs. A layer of one's own joins by `tangent.register`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import singledispatch
from typing import Any, TypeAlias

import numpy as np

from kiso._validation import Array

from .activations import GELU, Activation, LeakyReLU, ReLU, Sigmoid, Softplus, Tanh
from .affine import Affine
from .containers import Residual, Sequential
from .convolution import Conv2D, ConvTranspose2D
from .convolution_1d import Conv1D
from .flatten import Flatten, Reshape
from .layer import Layer, Tree
from .pooling import AveragePool, GlobalAveragePool

__all__ = ["TangentBackward", "affine_tangent", "tangent"]

# (∂C/∂y, ∂C/∂t) → (∂C/∂x, ∂C/∂v, gradients)
TangentBackward: TypeAlias = Callable[[Array, Array], tuple[Array, Array, Tree]]


@singledispatch
def tangent(layer: Layer, x: Array, v: Array) -> tuple[Array, Array, TangentBackward]:
    """Return y = f(x), t = J(x) v, and what carries gradients of both back.

    Parameters
    ----------
    layer : Layer
    x, v : ndarray of shape (n, ...)

    Raises
    ------
    TypeError
        For a layer whose second derivative is not here (dropout, batch normalisation and
        max-pooling among them).

    Examples
    --------
    >>> y, t, backward = tangent(Tanh(), np.array([[0.5]]), np.array([[1.0]]))
    >>> bool(np.isclose(t, 1 - np.tanh(0.5) ** 2).all())
    True
    """
    raise TypeError(
        f"{layer!r}: its second derivative is not known here; a gradient penalty takes affine "
        "and convolution layers, activations, Flatten, Sequential and Residual"
    )


@tangent.register(Affine)
def affine_tangent(layer: Any, x: Array, v: Array) -> tuple[Array, Array, TangentBackward]:
    """Give it for y = x W + b, or any other layer of W and b that is linear but for b."""
    straight = copy.copy(layer)
    straight.b = np.zeros_like(layer.b)
    y, back = layer.forward(x)
    t, along = straight.forward(v)

    def backward(dy: Array, dt: Array) -> tuple[Array, Array, Tree]:
        dx, gradients = back(dy)
        dv, more = along(dt)
        return dx, dv, {**gradients, "W": gradients["W"] + more["W"]}

    return y, t, backward


@tangent.register(Activation)
def _activation(layer: Activation, x: Array, v: Array) -> tuple[Array, Array, TangentBackward]:
    y = layer.value(x, np.empty_like(x))
    slope = layer.slope(x, y, np.empty_like(x))
    bend = _curvature(layer, x, y)

    def backward(dy: Array, dt: Array) -> tuple[Array, Array, Tree]:
        dx = slope * dy
        if bend is not None:
            dx += bend * v * dt
        return dx, slope * dt, {}

    return y, slope * v, backward


def _curvature(layer: Activation, x: Array, y: Array) -> Array | None:
    """σ''(x) given y = σ(x); None where it is zero but for kinks."""
    match layer:
        case ReLU() | LeakyReLU():
            return None
        case Sigmoid():
            return y * (1 - y) * (1 - 2 * y)
        case Tanh():
            return -2 * y * (1 - y * y)
        case Softplus():
            s = layer.slope(x, y, np.empty_like(x))
            return s * (1 - s)
        case GELU():
            bend: Array = (2 - x * x) * np.exp(-0.5 * x * x) / np.sqrt(2 * np.pi)
            return bend.astype(x.dtype, copy=False)
    raise TypeError(f"{layer!r}: σ'' is not known here; register its tangent")


for _kind in (Conv1D, Conv2D, ConvTranspose2D):
    tangent.register(_kind)(affine_tangent)


@tangent.register(Flatten)
@tangent.register(Reshape)
@tangent.register(AveragePool)
@tangent.register(GlobalAveragePool)
def _linear(layer: Layer, x: Array, v: Array) -> tuple[Array, Array, TangentBackward]:
    y, back = layer.forward(x)
    t, _ = layer.forward(v)

    def backward(dy: Array, dt: Array) -> tuple[Array, Array, Tree]:
        return back(dy)[0], back(dt)[0], {}

    return y, t, backward


@tangent.register(Sequential)
def _sequential(layer: Sequential, x: Array, v: Array) -> tuple[Array, Array, TangentBackward]:
    backwards = []
    for inner in layer:
        x, v, back = tangent(inner, x, v)
        backwards.append(back)

    def backward(dy: Array, dt: Array) -> tuple[Array, Array, Tree]:
        gradients: list[Tree] = []
        for back in reversed(backwards):
            dy, dt, own = back(dy, dt)
            gradients.append(own)
        return dy, dt, layer._add_shared(gradients[::-1])

    return x, v, backward


@tangent.register(Residual)
def _residual(layer: Residual, x: Array, v: Array) -> tuple[Array, Array, TangentBackward]:
    y, t, back = tangent(layer[0], x, v)

    def backward(dy: Array, dt: Array) -> tuple[Array, Array, Tree]:
        dx, dv, gradients = back(dy, dt)
        return dx + dy, dv + dt, [gradients]

    return x + y, v + t, backward
