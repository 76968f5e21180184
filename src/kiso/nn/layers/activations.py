"""Functions of each number alone: y = σ(x), ∂C/∂x = σ'(x) ∘ ∂C/∂y.

Each also takes complex input where it is analytic, so that its derivative can be had by a
complex step.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
import scipy.special

from kiso._validation import Array

from .layer import Backward, Layer, Shape
from .run import Run, empty

__all__ = [
    "ELU",
    "GELU",
    "Activation",
    "LeakyReLU",
    "ReLU",
    "SiLU",
    "Sigmoid",
    "Softplus",
    "Tanh",
    "activation",
]


class Activation(Layer):
    """Base of the elementwise functions: a value, and a slope in terms of input and value."""

    light = True

    @abstractmethod
    def value(self, x: Array, out: Array) -> Array:
        """Write σ(x) to `out` and return it."""

    @abstractmethod
    def slope(self, x: Array, y: Array, out: Array) -> Array:
        """Write σ'(x), given y = σ(x), to `out` and return it."""

    def forward(self, x: Array, *, train: Run | None = None) -> tuple[Array, Backward]:
        """Shape is kept."""
        y = self.value(x, empty(train, x.shape, x))

        def backward(dy: Array) -> tuple[Array, dict[str, Array]]:
            dx = self.slope(x, y, empty(train, x.shape, x, dy))
            dx *= dy
            return dx, {}

        return y, backward

    def __call__(self, x: Array) -> Array:
        """Return y = σ(x) alone."""
        return self.value(x, np.empty_like(x))

    def output_shape(self, shape: Shape) -> Shape:
        """Shape is kept."""
        return shape

    def flops(self, shape: Shape) -> int:
        """Return one for each number."""
        return int(np.prod(shape))


class Sigmoid(Activation):
    """σ(x) = 1/(1 + e⁻ˣ);  σ' = σ(1 − σ), at most ¼."""

    def value(self, x: Array, out: Array) -> Array:
        """Write σ(x); exact to rounding at any x."""
        if np.iscomplexobj(x):
            return np.multiply(0.5, 1 + np.tanh(x / 2), out=out)
        return scipy.special.expit(x, out=out)

    def slope(self, x: Array, y: Array, out: Array) -> Array:
        """Write y(1 − y)."""
        np.subtract(1, y, out=out)
        out *= y
        return out


class Tanh(Activation):
    """σ(x) = tanh x;  σ' = 1 − σ²."""

    def value(self, x: Array, out: Array) -> Array:
        """Write tanh x."""
        return np.tanh(x, out=out)

    def slope(self, x: Array, y: Array, out: Array) -> Array:
        """Write 1 − y²."""
        np.multiply(y, y, out=out)
        return np.subtract(1, out, out=out)


class ReLU(Activation):
    """σ(x) = max(0, x);  σ' = 1 where x > 0, else 0 (0 at the kink)."""

    def value(self, x: Array, out: Array) -> Array:
        """Write max(0, x)."""
        if np.iscomplexobj(x):
            return np.multiply(x, x.real > 0, out=out)
        return np.maximum(x, 0, out=out)

    def slope(self, x: Array, y: Array, out: Array) -> Array:
        """Write [x > 0]."""
        return _is_positive(x, out)


class LeakyReLU(Activation):
    """σ(x) = x where x > 0, else a x;  slope a = 0.01 in the notes.

    Parameters
    ----------
    negative_slope : float, default=0.01
    """

    def __init__(self, negative_slope: float = 0.01):
        self.negative_slope = negative_slope

    def value(self, x: Array, out: Array) -> Array:
        """Write x or a x."""
        if np.iscomplexobj(x) or not 0 <= self.negative_slope <= 1:
            return np.multiply(x, self.slope(x, x, np.empty_like(x)), out=out)
        np.multiply(x, self.negative_slope, out=out)
        return np.maximum(x, out, out=out)

    def slope(self, x: Array, y: Array, out: Array) -> Array:
        """Write 1 or a."""
        if np.iscomplexobj(out) or not 0 <= self.negative_slope <= 1:
            out[...] = np.where(x.real > 0, 1, self.negative_slope)
            return out
        return np.maximum(_is_positive(x, out), self.negative_slope, out=out)

    def __repr__(self) -> str:
        return f"LeakyReLU({self.negative_slope:g})"


class Softplus(Activation):
    """σ(x) = log(1 + eˣ);  σ' = 1/(1 + e⁻ˣ)."""

    def value(self, x: Array, out: Array) -> Array:
        """Write max(x, 0) + log(1 + e^−|x|)."""
        if np.iscomplexobj(x):
            return np.log1p(np.exp(x), out=out)
        return np.logaddexp(x, 0, out=out)

    def slope(self, x: Array, y: Array, out: Array) -> Array:
        """Write the sigmoid of x."""
        return Sigmoid().value(x, out)


class GELU(Activation):
    """σ(x) = x Φ(x) with the normal distribution function Φ;  σ' = Φ(x) + x φ(x)."""

    def value(self, x: Array, out: Array) -> Array:
        """Write x Φ(x)."""
        return np.multiply(x, _normal_cdf(x), out=out)

    def slope(self, x: Array, y: Array, out: Array) -> Array:
        """Write Φ(x) + x φ(x)."""
        out[...] = np.exp(-0.5 * x * x)
        out *= x
        out *= 1 / np.sqrt(2 * np.pi)
        out += _normal_cdf(x)
        return out


class SiLU(Activation):
    """σ(x) = x/(1 + e⁻ˣ), also called swish;  σ' = s + σ (1 − s) with s = 1/(1 + e⁻ˣ)."""

    def value(self, x: Array, out: Array) -> Array:
        """Write x s."""
        Sigmoid().value(x, out)
        out *= x
        return out

    def slope(self, x: Array, y: Array, out: Array) -> Array:
        """Write s + y (1 − s)."""
        s = Sigmoid().value(x, np.empty_like(x))
        np.subtract(1, s, out=out)
        out *= y
        out += s
        return out


class ELU(Activation):
    """σ(x) = x where x > 0, else a (eˣ − 1);  σ' = 1, else a eˣ (Clevert et al. 2016).

    Parameters
    ----------
    alpha : float, default=1.0
        a; with 1 the slope has no jump.
    """

    def __init__(self, alpha: float = 1.0):
        self.alpha = alpha

    def value(self, x: Array, out: Array) -> Array:
        """Write x or a (eˣ − 1)."""
        below = x * (x.real <= 0)  # no exponential of large numbers
        np.multiply(np.expm1(below), self.alpha, out=out)
        out += x * (x.real > 0)
        return out

    def slope(self, x: Array, y: Array, out: Array) -> Array:
        """Write 1 or a eˣ."""
        out[...] = np.where(x.real > 0, 1, self.alpha * np.exp(x * (x.real <= 0)))
        return out

    def __repr__(self) -> str:
        return f"ELU({self.alpha:g})"


def _is_positive(x: Array, out: Array) -> Array:
    """Write [x > 0] as numbers; by way of bytes, which NumPy turns into floats fastest."""
    mask = (x.real > 0).view(np.int8)
    return np.multiply(mask, 1, out=out, casting="unsafe", dtype=out.dtype)


def _normal_cdf(x: Array) -> Array:
    if np.iscomplexobj(x):
        return 0.5 * (1 + scipy.special.erf(x / np.sqrt(2)))
    cdf: Any = scipy.special.ndtr(x)
    return cdf


_NAMES: dict[str, type[Activation]] = {
    "elu": ELU,
    "gelu": GELU,
    "leaky_relu": LeakyReLU,
    "relu": ReLU,
    "sigmoid": Sigmoid,
    "logistic": Sigmoid,
    "silu": SiLU,
    "softplus": Softplus,
    "tanh": Tanh,
}


def activation(name: str | Activation) -> Activation:
    """Return an activation by name ("logistic" is scikit-learn's word for the sigmoid).

    Raises
    ------
    ValueError
        For an unknown name; the message gives the known ones.
    """
    if isinstance(name, Activation):
        return name
    if name not in _NAMES:
        raise ValueError(f"activation={name!r}: give one of {', '.join(sorted(_NAMES))}")
    return _NAMES[name]()
