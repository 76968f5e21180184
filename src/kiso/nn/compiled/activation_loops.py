"""Activations in compiled loops: their codes, σ of a number or of many, and σ'."""

from __future__ import annotations

import math

import numpy as np

from kiso._compute.jit import compiled, compiled_strict
from kiso._validation import Array

LINEAR, SIGMOID, TANH, RELU, LEAKY_RELU, SOFTPLUS, GELU = 0, 1, 2, 3, 4, 5, 6

LOG2_E = 1.4426950408889634
LN2_HIGH, LN2_LOW = 0.693147180369123816490, 1.90821492927058770002e-10
EXPONENT_BIAS = 6755399441055744.0 + 1023.0  # 1.5 · 2⁵²: the sum's low bits are an integer


@compiled_strict
def expm1_of(y: float) -> float:
    """eʸ − 1 for |y| ≤ 708, to 2 ulp; no branch and no call, so that loops vectorise.

    y = k log 2 + r with |r| ≤ ½ log 2;  eʸ − 1 = 2ᵏ(eʳ − 1) + (2ᵏ − 1).
    """
    k = math.floor(y * LOG2_E + 0.5)
    r = (y - k * LN2_HIGH) - k * LN2_LOW
    q = 1.0 / 6227020800.0
    q = q * r + 1.0 / 479001600.0
    q = q * r + 1.0 / 39916800.0
    q = q * r + 1.0 / 3628800.0
    q = q * r + 1.0 / 362880.0
    q = q * r + 1.0 / 40320.0
    q = q * r + 1.0 / 5040.0
    q = q * r + 1.0 / 720.0
    q = q * r + 1.0 / 120.0
    q = q * r + 1.0 / 24.0
    q = q * r + 1.0 / 6.0
    q = q * r + 0.5
    q = r + r * r * q
    two_k = np.int64(np.float64(k + EXPONENT_BIAS).view(np.int64) << np.int64(52)).view(np.float64)
    return two_k * q + (two_k - 1.0)


@compiled_strict
def tanh_of(x: float) -> float:
    """Tanh x = (e²ˣ − 1)/(e²ˣ + 1) of |x|, to 3 ulp; 1 beyond 20; NaN stays NaN."""
    y = abs(x) * 2.0
    e = expm1_of(40.0 if y > 40.0 else y)
    t = e / (e + 2.0)
    return t if x > 0.0 else -t


@compiled_strict
def sigmoid_of(x: float) -> float:
    """1/(1 + e⁻ˣ); NaN stays NaN."""
    y = -x
    y = 708.0 if y > 708.0 else y
    return 1.0 / (2.0 + expm1_of(-708.0 if y < -708.0 else y))


@compiled
def tanhs(z: Array) -> None:
    """Put tanh z in the place of z, flat."""
    for i in range(z.size):
        z[i] = tanh_of(np.float64(z[i]))


@compiled
def sigmoids(z: Array) -> None:
    """Put σ(z) in the place of z, flat."""
    for i in range(z.size):
        z[i] = sigmoid_of(np.float64(z[i]))


@compiled
def activate(code: int, leak: float, z: Array, s: Array) -> None:
    """Put σ(z) in the place of z, flat; s takes the slopes of GELU."""
    zero, slope = z.dtype.type(0.0), z.dtype.type(leak)
    if code == SIGMOID:
        sigmoids(z)
    elif code == TANH:
        tanhs(z)
    elif code == RELU:
        for i in range(z.size):
            z[i] = zero if z[i] < zero else z[i]
    elif code == LEAKY_RELU:
        for i in range(z.size):
            z[i] = slope * z[i] if z[i] < zero else z[i]
    elif code == SOFTPLUS:
        for i in range(z.size):
            z[i] = max(z[i], zero) + math.log1p(math.exp(-abs(z[i])))
    elif code == GELU:
        for i in range(z.size):
            x = np.float64(z[i])
            share = 0.5 * math.erfc(-x / math.sqrt(2.0))
            s[i] = share + x * math.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)
            z[i] = x * share


@compiled
def through(code: int, leak: float, a: Array, s: Array, d: Array) -> None:
    """Multiply d by σ', from the values a = σ(z), flat."""
    zero, one, slope = a.dtype.type(0.0), a.dtype.type(1.0), a.dtype.type(leak)
    if code == SIGMOID:
        for i in range(d.size):
            d[i] *= a[i] * (one - a[i])
    elif code == TANH:
        for i in range(d.size):
            d[i] *= one - a[i] * a[i]
    elif code == RELU:
        for i in range(d.size):
            d[i] = d[i] if a[i] > zero else zero
    elif code == LEAKY_RELU:
        for i in range(d.size):
            d[i] *= one if a[i] > zero else slope
    elif code == SOFTPLUS:
        for i in range(d.size):
            d[i] *= -math.expm1(-a[i])
    elif code == GELU:
        for i in range(d.size):
            d[i] *= s[i]


@compiled
def value_of(code: int, z: float, leak: float) -> float:
    """σ(z)."""
    if code == SIGMOID:
        return 1.0 / (1.0 + math.exp(-z))
    if code == TANH:
        return math.tanh(z)
    if code == RELU:
        return max(z, 0.0)
    if code == LEAKY_RELU:
        return z if z > 0.0 else leak * z
    if code == SOFTPLUS:
        return max(z, 0.0) + math.log1p(math.exp(-abs(z)))
    return z


@compiled
def slope_of(code: int, y: float, leak: float) -> float:
    """σ'(z) from y = σ(z)."""
    if code == SIGMOID:
        return y * (1.0 - y)
    if code == TANH:
        return 1.0 - y * y
    if code == RELU:
        return 1.0 if y > 0.0 else 0.0
    if code == LEAKY_RELU:
        return 1.0 if y > 0.0 else leak
    if code == SOFTPLUS:
        return -math.expm1(-y)
    return 1.0
