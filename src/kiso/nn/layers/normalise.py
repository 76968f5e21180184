"""Normalisation: x̂ = (x − μ)/√(v + ε), y = γ x̂ + β; over the batch or over the sample.

Where μ and v come from x itself,

    ∂C/∂x = (g − mean(g) − x̂ mean(g x̂)) / √(v + ε),   g = γ ∂C/∂y,

with the means over the numbers that μ and v were taken over.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from kiso._validation import Array

from ..compiled import normalise as fast
from .layer import Backward, Layer, Shape, ShapeError
from .plain import is_plain
from .run import Run, empty

__all__ = ["BatchNorm", "GroupNorm", "LayerNorm"]

Axes: TypeAlias = tuple[int, ...]


class _Normalise(Layer):
    """γ and β, one number a feature."""

    gamma: Array
    beta: Array
    feature_axis: int

    def __init__(self, n_features: int, *, eps: float = 1e-5, dtype: Any = None):
        if not eps > 0:
            raise ValueError(f"eps={eps!r}: give a positive number")
        self.eps = eps
        self._any_dtype = dtype is None
        kind = np.float64 if dtype is None else dtype
        self.gamma = np.ones(n_features, kind)
        self.beta = np.zeros(n_features, kind)

    @property
    def parameters(self) -> dict[str, Array]:
        """Gamma and beta."""
        return {"gamma": self.gamma, "beta": self.beta}

    def output_shape(self, shape: Shape) -> Shape:
        """Shape is kept; the features have to be as many as γ."""
        axis = self.feature_axis if self.feature_axis < 0 else self.feature_axis - 1
        if not shape or shape[axis] != len(self.gamma):
            raise ShapeError(f"{self!r} was given samples of shape {shape}")
        return shape

    def flops(self, shape: Shape) -> int:
        """Return two for each number, as in inference of `BatchNorm`."""
        return 2 * int(np.prod(shape))

    def _check(self, x: Array) -> tuple[Axes, Shape]:
        """Return all axes but the features', and the shape γ is seen in."""
        axis = self.feature_axis % max(1, x.ndim)
        if x.ndim < 2 or x.shape[axis] != len(self.gamma):
            raise ShapeError(f"{self!r} takes that many features on axis {axis}, not {x.shape}")
        others = tuple(i for i in range(x.ndim) if i != axis)
        return others, tuple(len(self.gamma) if i == axis else 1 for i in range(x.ndim))

    def _normalise(
        self, x: Array, over: Axes, seen: Shape, others: Axes, train: Run | None
    ) -> tuple[Array, Backward, Array, Array]:
        """Normalise by the mean and variance of x over some axes; return those too."""
        mean = _mean(x, over)
        x_hat = np.subtract(x, mean, out=empty(train, x.shape, x, mean))
        var = _mean(x_hat * x_hat, over)
        scale = 1 / np.sqrt(var + self.eps)
        x_hat *= scale
        gamma = self.gamma.reshape(seen)
        y = np.multiply(x_hat, gamma, out=empty(train, x.shape, x_hat, gamma))
        y += self.beta.reshape(seen)

        def backward(dy: Array) -> tuple[Array, dict[str, Array]]:
            g = dy * gamma
            dx = np.multiply(x_hat, -_mean(g * x_hat, over), out=empty(train, x.shape, dy, x_hat))
            dx += g
            dx -= _mean(g, over)
            dx *= scale
            return dx, _parameter_gradients(dy, x_hat, others)

        return y, backward, mean, var


class LayerNorm(_Normalise):
    """Normalise each sample by itself over its last axis (Ba, Kiros & Hinton 2016).

    Training and inference are the same.

    Parameters
    ----------
    n_features : int
        Length of the last axis.
    eps : float, default=1e-5
        Added to the variance.
    dtype : dtype or None, default=None
        None is float64, until a network of another dtype takes the layer up.

    Attributes
    ----------
    gamma, beta : ndarray of shape (n_features,)
        The scale and shift that are learnt; 1 and 0 at first.

    Examples
    --------
    >>> LayerNorm(2, eps=1e-12)(np.array([[1.0, 3.0], [5.0, -5.0]]))
    array([[-1., 1.], [ 1., -1.]])
    """

    feature_axis = -1

    def forward(self, x: Array, *, train: Run | None = None) -> tuple[Array, Backward]:
        """x: (n, ..., n_features)."""
        others, seen = self._check(x)
        y, backward, _, _ = self._normalise(x, (-1,), seen, others, train)
        return y, backward

    def __repr__(self) -> str:
        return f"LayerNorm({len(self.gamma)})"


class GroupNorm(_Normalise):
    """Normalise each sample by itself over groups of channels (Wu & He 2018).

    μ and v are those of the channels of a group and of all their pixels; γ and β are one number
    a channel. One group is layer normalisation of the whole sample, as many groups as channels
    is instance normalisation. Training and inference are the same.

    Parameters
    ----------
    n_groups : int
        Divides n_features.
    n_features : int
        Length of axis 1: the channels.
    eps : float, default=1e-5
        Added to the variance.
    dtype : dtype or None, default=None
        None is float64, until a network of another dtype takes the layer up.

    Attributes
    ----------
    gamma, beta : ndarray of shape (n_features,)
        The scale and shift that are learnt; 1 and 0 at first.

    Examples
    --------
    >>> GroupNorm(1, 2, eps=1e-12)(np.array([[1.0, 3.0]]))
    array([[-1., 1.]])
    """

    feature_axis = 1

    def __init__(self, n_groups: int, n_features: int, *, eps: float = 1e-5, dtype: Any = None):
        super().__init__(n_features, eps=eps, dtype=dtype)
        if n_groups < 1 or n_features % n_groups:
            raise ValueError(f"n_groups={n_groups}: n_features={n_features} has to divide by it")
        self.n_groups = n_groups

    def forward(self, x: Array, *, train: Run | None = None) -> tuple[Array, Backward]:
        """x: (n, n_features, ...)."""
        others, seen = self._check(x)
        groups = (len(x), self.n_groups, -1)
        centred = x.reshape(groups) - _mean(x.reshape(groups), (-1,))
        scale = 1 / np.sqrt(_mean(centred * centred, (-1,)) + self.eps)
        x_hat = (centred * scale).reshape(x.shape)
        gamma = self.gamma.reshape(seen)

        def backward(dy: Array) -> tuple[Array, dict[str, Array]]:
            g, by = (dy * gamma).reshape(groups), x_hat.reshape(groups)
            dx = (g - _mean(g, (-1,)) - by * _mean(g * by, (-1,))) * scale
            return dx.reshape(x.shape), _parameter_gradients(dy, x_hat, others)

        return gamma * x_hat + self.beta.reshape(seen), backward

    def __repr__(self) -> str:
        return f"GroupNorm({self.n_groups} groups of {len(self.gamma)})"


class BatchNorm(_Normalise):
    """Normalise each feature over the batch (Ioffe & Szegedy 2015).

    In training μ and v are those of the batch, and are recorded in the `Run`; the training
    loop moves the running statistics, s ← s + momentum (s_batch − s), by
    `Run.apply_statistics`. Inference uses the running ones. A forward pass alone changes
    nothing here.

    Parameters
    ----------
    n_features : int
        Length of axis 1: the features of (n, n_features), the channels of images
        (n, n_features, height, width).
    momentum : float, default=0.1
        Weight of the newest batch in the running statistics, in (0, 1].
    eps : float, default=1e-5
        Added to the variance.
    dtype : dtype or None, default=None
        None is float64, until a network of another dtype takes the layer up.

    Attributes
    ----------
    gamma, beta : ndarray of shape (n_features,)
        The scale and shift that are learnt; 1 and 0 at first.
    mean, var : ndarray of shape (n_features,)
        The running statistics; 0 and 1 at first. The variance is the unbiased one.

    Raises
    ------
    ShapeError
        Also if a training batch has one number a feature: it has no variance.

    Examples
    --------
    >>> from kiso.nn import Run
    >>> layer, run = BatchNorm(1, momentum=1.0, eps=1e-12), Run(0)
    >>> layer.forward(np.array([[1.0], [3.0]]), train=run)[0].ravel()
    array([-1., 1.])
    >>> run.apply_statistics()
    >>> layer.mean, layer.var
    (array([2.]), array([2.]))
    """

    feature_axis = 1

    def __init__(
        self,
        n_features: int,
        *,
        momentum: float = 0.1,
        eps: float = 1e-5,
        dtype: Any = None,
    ):
        super().__init__(n_features, eps=eps, dtype=dtype)
        if not 0 < momentum <= 1:
            raise ValueError(f"momentum={momentum!r}: give a number in (0, 1]")
        self.momentum = momentum
        self.mean = np.zeros_like(self.gamma)
        self.var = np.ones_like(self.gamma)

    @property
    def statistics(self) -> dict[str, Array]:
        """Running mean and variance."""
        return {"mean": self.mean, "var": self.var}

    def runs_fast(self, x: Array) -> bool:
        """Whether the compiled loops take x; ShapeError where it does not fit."""
        self._check(x)
        return not is_plain() and fast.suits(x, self.gamma)

    def forward(self, x: Array, *, train: Run | None = None) -> tuple[Array, Backward]:
        """x: (n, n_features, ...)."""
        if self.runs_fast(x):
            return self.forward_fast(x, train)
        others, seen = self._check(x)
        if train is None:
            return self._by_running_statistics(x, others, seen)
        count = self._count(x)
        y, backward, mean, var = self._normalise(x, others, seen, others, train)
        self._record(train, mean.reshape(-1), var.reshape(-1), count)
        return y, backward

    def forward_fast(
        self, x: Array, train: Run | None, *, rectify: bool = False, pool: bool = False
    ) -> tuple[Array, Backward]:
        """The same by compiled loops; then the rectifier, then pooling over 2×2 pixels."""
        if train is None:
            scales = fast.Scales(self.gamma, self.beta, self.eps, self.mean, self.var)
            return fast.normalise(x, scales, None, rectify=rectify, pool=pool)[:2]
        count, scales = self._count(x), fast.Scales(self.gamma, self.beta, self.eps, None, None)
        y, backward, mean, var = fast.normalise(x, scales, train, rectify=rectify, pool=pool)
        kind = x.dtype
        self._record(train, mean.astype(kind), var.astype(kind), count)
        return y, backward

    def _count(self, x: Array) -> int:
        """Count the numbers of a feature in a training batch."""
        m = x.size // len(self.gamma)
        if m < 2:
            raise ShapeError(
                f"{self!r}: a training batch of shape {x.shape} has no variance; "
                "give more samples, or leave a short last batch out: train(..., drop_last=True)"
            )
        return m

    def _record(self, train: Run, mean: Array, var: Array, count: int) -> None:
        train.record(self, mean=mean, var=var * (count / (count - 1)))

    def _by_running_statistics(self, x: Array, others: Axes, seen: Shape) -> tuple[Array, Backward]:
        root = np.sqrt(self.var + self.eps)
        slope = (self.gamma / root).reshape(seen)

        def backward(dy: Array) -> tuple[Array, dict[str, Array]]:
            x_hat = (x - self.mean.reshape(seen)) / root.reshape(seen)
            return dy * slope, _parameter_gradients(dy, x_hat, others)

        return (x - self.mean.reshape(seen)) * slope + self.beta.reshape(seen), backward

    def absorb(self, statistics: dict[str, Array]) -> None:
        """Move the running statistics towards a batch's."""
        for name, running in self.statistics.items():
            running += (self.momentum * (statistics[name].real - running)).astype(running.dtype)

    def __repr__(self) -> str:
        return f"BatchNorm({len(self.gamma)})"


def _mean(x: Array, axes: Axes) -> Array:
    """Mean over some axes, which stay with length 1; added up in float64."""
    mean = x.mean(axis=axes, keepdims=True, dtype=np.result_type(x, np.float64))
    return np.asarray(mean, dtype=x.dtype)


def _parameter_gradients(dy: Array, x_hat: Array, others: Axes) -> dict[str, Array]:
    return {"gamma": (dy * x_hat).sum(axis=others), "beta": dy.sum(axis=others)}
