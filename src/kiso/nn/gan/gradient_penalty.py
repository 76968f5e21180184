"""A penalty on how steep a network is in its input, with its gradient in the parameters.

    P = mean over the rows of (‖∇ₓD(xᵢ)‖ − c)²,      ∂P/∂θ = ∂/∂θ Σᵢ vᵢᵀ∇ₓD(xᵢ),
    vᵢ = (2/n)(1 − c/‖gᵢ‖) gᵢ held fixed,            gᵢ = ∇ₓD(xᵢ).

vᵢᵀ∇ₓD(xᵢ) is the derivative of D along vᵢ, so its gradient in θ is one backward pass through
that derivative (`layers/tangent.py`). c = 1 on points between data and samples is the penalty of
Wasserstein GANs (Gulrajani et al. 2017), c = 0 on data that of Mescheder et al. (2018).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kiso._validation import Array

from ..layers.layer import Tree
from ..layers.tangent import tangent
from ..training.network import Network

__all__ = ["gradient_penalty"]


def gradient_penalty(network: Network, x: Array, *, norm: float = 1.0) -> tuple[float, Tree]:
    """Return P = mean (‖∇ₓD(xᵢ)‖ − norm)² and ∂P/∂θ, nested as `network.parameters`.

    Parameters
    ----------
    network : Network
        D: one output a sample. Of layers that `tangent` knows: affine and convolution
        layers, activations, Flatten, Sequential, Residual, Spectral.
    x : ndarray of shape (n, ...)
    norm : float, default=1.0
        c, the length that ∇ₓD is drawn to.

    Raises
    ------
    TypeError
        For a layer without a second derivative here.
    ValueError
        If the network has more than one output.

    Examples
    --------
    D(x) = 3x has ‖∇ₓD‖ = 3 everywhere: P = (3 − 1)², ∂P/∂w = 2 (3 − 1).

    >>> from kiso.nn import Affine, Network, gradient_penalty
    >>> value, gradients = gradient_penalty(
    ...     Network([Affine(np.array([[3.0]]), np.zeros(1))]), np.array([[0.5], [2.0]]))
    >>> value, gradients[0]["W"]
    (4.0, array([[4.]]))
    """
    x = network.as_input(x)
    slope, lengths = _slopes(network, x)
    excess = lengths - norm
    # where ∇D = 0 the length has no direction to grow in: that row says nothing
    share = np.divide(2 * excess / len(x), lengths, out=np.zeros_like(lengths), where=lengths > 0)
    v = slope * share.reshape(-1, *[1] * (x.ndim - 1))
    y, t, backward = tangent(network, x, v)
    _, _, gradients = backward(np.zeros_like(y), np.ones_like(t))
    return float(np.mean(excess * excess)), gradients


def _slopes(network: Network, x: Array) -> tuple[Array, Array]:
    """∇ₓD of each row, and its length."""
    y, backward = network.forward(x)
    if y.shape not in ((len(x), 1), (len(x),)):
        raise ValueError(f"a gradient penalty is for one output a sample, not {y.shape[1:]}")
    slope: Any = backward(np.ones_like(y), want_gradients=False)[0]
    return slope, np.sqrt(np.sum((slope * slope).reshape(len(x), -1), axis=1))
