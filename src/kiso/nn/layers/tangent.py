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
from functools import singledispatch, wraps
from typing import Any, TypeAlias, TypeVar

import numpy as np

from kiso._validation import Array

from .activations import (
    ELU,
    GELU,
    Activation,
    LeakyReLU,
    ReLU,
    Sigmoid,
    SiLU,
    Softplus,
    Tanh,
)
from .affine import Affine
from .containers import Residual, Sequential
from .convolution import Conv2D, ConvTranspose2D
from .convolution_1d import Conv1D
from .flatten import Flatten, Reshape
from .layer import Layer, Tree
from .pooling import AveragePool, GlobalAveragePool

__all__ = [
    "TangentBackward",
    "affine_tangent",
    "known_tangent",
    "sequential_tangent",
    "tangent",
]

# (∂C/∂y, ∂C/∂t) → (∂C/∂x, ∂C/∂v, gradients)
TangentBackward: TypeAlias = Callable[[Array, Array], tuple[Array, Array, Tree]]

_Tangent = TypeVar("_Tangent", bound=Callable[..., Any])


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
        max-pooling among them), or whose class overrides the `forward` of one that is.

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


def known_tangent(*kinds: Any) -> Callable[[_Tangent], _Tangent]:
    """Register the tangent of layers, for as long as their class has the forward pass of these."""

    def register(function: _Tangent) -> _Tangent:
        for kind in kinds:

            @wraps(function)
            def checked(layer: Any, x: Array, v: Array, kind: Any = kind) -> Any:
                if type(layer).forward is not kind.forward:
                    name = type(layer).__name__
                    raise TypeError(
                        f"{layer!r}: {name} overrides the forward pass of {kind.__name__}, whose "
                        f"second derivative is known; register its own by tangent.register({name})"
                    )
                return function(layer, x, v)

            register_tangent: Any = tangent.register
            register_tangent(kind)(checked)
        return function

    return register


@known_tangent(Affine, Conv1D, Conv2D, ConvTranspose2D)
def affine_tangent(layer: Any, x: Array, v: Array) -> tuple[Array, Array, TangentBackward]:
    """Give it for y = x W + b, or any other layer of W and b that is linear but for b."""
    straight = copy.copy(layer)
    if layer.b is not None:
        straight.b = np.zeros_like(layer.b)
    y, back = layer.forward(x)
    t, along = straight.forward(v)

    def backward(dy: Array, dt: Array) -> tuple[Array, Array, Tree]:
        dx, gradients = back(dy)
        dv, more = along(dt)
        return dx, dv, {**gradients, "W": gradients["W"] + more["W"]}

    return y, t, backward


@known_tangent(Activation)
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
    kind = type(layer)  # a subclass may have another value
    if kind in (ReLU, LeakyReLU):
        return None
    if kind is Sigmoid:
        return y * (1 - y) * (1 - 2 * y)
    if kind is Tanh:
        return -2 * y * (1 - y * y)
    if kind is Softplus:
        s = layer.slope(x, y, np.empty_like(x))
        return s * (1 - s)
    if kind is SiLU:
        s = Sigmoid().value(x, np.empty_like(x))
        return s * (1 - s) * (2 + x * (1 - 2 * s))
    if kind is ELU:
        curved: Array = np.where(x > 0, 0, layer.slope(x, y, np.empty_like(x)))
        return curved.astype(x.dtype, copy=False)
    if kind is GELU:
        bend: Array = (2 - x * x) * np.exp(-0.5 * x * x) / np.sqrt(2 * np.pi)
        return bend.astype(x.dtype, copy=False)
    raise TypeError(f"{layer!r}: σ'' is not known here; register its tangent")


@known_tangent(Flatten, Reshape, AveragePool, GlobalAveragePool)
def _linear(layer: Layer, x: Array, v: Array) -> tuple[Array, Array, TangentBackward]:
    y, back = layer.forward(x)
    t, _ = layer.forward(v)

    def backward(dy: Array, dt: Array) -> tuple[Array, Array, Tree]:
        return back(dy)[0], back(dt)[0], {}

    return y, t, backward


@known_tangent(Sequential)
def sequential_tangent(
    layer: Sequential, x: Array, v: Array
) -> tuple[Array, Array, TangentBackward]:
    """Give it for layers one after the other."""
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


@known_tangent(Residual)
def _residual(layer: Residual, x: Array, v: Array) -> tuple[Array, Array, TangentBackward]:
    y, t, back = tangent(layer[0], x, v)

    def backward(dy: Array, dt: Array) -> tuple[Array, Array, Tree]:
        dx, dv, gradients = back(dy, dt)
        return dx + dy, dv + dt, [gradients]

    return x + y, v + t, backward
