"""Mercer kernels k(x, s): Gram blocks of two sets of rows, and gradients in x.

    linear      x·s                              polynomial  (γ x·s + c)^p
    Gaussian    exp(−γ ‖x − s‖²)                  sigmoid     tanh(γ x·s + c), not Mercer in general
    min         Σ_f min(x_f, s_f), x, s ≥ 0

Sums, products and non-negative multiples of kernels are kernels, so `+` and `*` are defined.
A block is one matrix product into a tile and a transform in place; ‖x − s‖² is expanded as
‖x‖² + ‖s‖² − 2 x·s about a point in the middle of the data, so that little cancels.

A kernel is given points, not matrices: `Points` holds what is computed once a row.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from scipy import sparse

from kiso._gate import check_array
from kiso._validation import FLOATS, Array

from ._kernel_loops import gaussian_tile, minimum_tile
from ._points import Points, products, squared_norms

__all__ = [
    "RBF",
    "Function",
    "Kernel",
    "Linear",
    "Min",
    "Polynomial",
    "Precomputed",
    "Sigmoid",
    "as_kernel",
]


class Kernel(ABC):
    """A kernel: call it on two matrices for their Gram matrix; `+` and `*` make new ones.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.svm import RBF, Linear
    >>> X = np.array([[0.0], [1.0]])
    >>> (Linear() + 2 * RBF(gamma=1.0))(X).round(3)
    array([[2.   , 0.736],
           [0.736, 3.   ]])
    """

    symmetric: ClassVar[bool] = True  # block(P, Q) = block(Q, P)ᵀ whatever the points know

    @abstractmethod
    def block(self, P: Points, Q: Points) -> Array:
        """Give k(p_i, q_j), a new array of shape (len(P), len(Q)), of the points' precision."""

    @abstractmethod
    def diagonal(self, P: Points) -> Array:
        """Give k(p_i, p_i), shape (len(P),)."""

    def weighted_gradient(self, P: Points, Q: Points, A: Array) -> Array:
        """Give Σ_j A_ij ∂k(x, q_j)/∂x at x = p_i, shape (len(P), d)."""
        raise NotImplementedError(f"{type(self).__name__} has no gradient in x")

    def __call__(self, X: Any, Y: Any = None) -> Array:
        """Give the Gram matrix k(x_i, y_j) of the rows of X and Y (X again, if not given).

        Parameters
        ----------
        X, Y : array-like or sparse matrix of shape (n, d) and (m, d)
            float32 stays float32.

        Returns
        -------
        ndarray of shape (n, m)
        """
        X = check_array(X, accept_sparse="csr", dtype=FLOATS, order="C", input_name="X")
        P = Points.of(X)
        if Y is None:
            return self.block(P, P)
        Y = check_array(Y, accept_sparse="csr", dtype=X.dtype, order="C", input_name="Y")
        if Y.shape[1] != X.shape[1] and not isinstance(self, Precomputed):
            raise ValueError(f"X has {X.shape[1]} features and Y has {Y.shape[1]}")
        return self.block(P, Points.of(Y, like=P))

    def gradient(self, X: Any, S: Any) -> Array:
        """Give ∂k(x_i, s_j)/∂x_i, shape (n, m, d)."""
        X = check_array(X, dtype=FLOATS, order="C", input_name="X")
        S = check_array(S, dtype=X.dtype, order="C", input_name="S")
        P = Points.of(X)
        Q = Points.of(S, like=P)
        parts = [
            self.weighted_gradient(P, Q.take(slice(j, j + 1)), np.ones((len(X), 1), X.dtype))
            for j in range(len(S))
        ]
        return np.stack(parts, axis=1)

    def __add__(self, other: Any) -> Kernel:
        return Sum(self, as_kernel(other)) if _is_kernel(other) else NotImplemented

    def __mul__(self, other: Any) -> Kernel:
        if isinstance(other, Real):
            return Product(Constant(float(other)), self)
        return Product(self, as_kernel(other)) if _is_kernel(other) else NotImplemented

    __radd__ = __add__
    __rmul__ = __mul__

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((type(self), tuple(sorted(vars(self).items(), key=lambda item: item[0]))))

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({given})"


def _is_kernel(other: Any) -> bool:
    return isinstance(other, Kernel) or callable(other)


def as_kernel(kernel: Any) -> Kernel:
    """Give a kernel object: itself, or a callable `k(X, Y) -> Gram matrix` wrapped."""
    return kernel if isinstance(kernel, Kernel) else Function(kernel)


def _number(name: str, value: Any, *, low: float = -np.inf) -> float:
    if not isinstance(value, Real) or isinstance(value, bool) or not low <= float(value) < np.inf:
        allowed = "a finite number" + (f" >= {low:g}" if np.isfinite(low) else "")
        raise ValueError(f"{name}={value!r}: give {allowed}")
    return float(value)


class Linear(Kernel):
    """k(x, s) = x·s."""

    def block(self, P: Points, Q: Points) -> Array:
        return products(P.X, P, Q)

    def diagonal(self, P: Points) -> Array:
        return P.squares if P.shift is None else squared_norms(P.X)

    def weighted_gradient(self, P: Points, Q: Points, A: Array) -> Array:
        return A @ Q.X


class Polynomial(Kernel):
    """k(x, s) = (γ x·s + c)^p: the inner product of all monomials up to degree p.

    Parameters
    ----------
    degree : int, default=3
        p ≥ 0.
    gamma : float, default=1.0
        γ ≥ 0.
    coef0 : float, default=0.0
        c; a Mercer kernel for c ≥ 0.
    """

    def __init__(self, degree: int = 3, gamma: float = 1.0, coef0: float = 0.0) -> None:
        self.degree = _number("degree", degree, low=0)
        self.gamma = _number("gamma", gamma, low=0)
        self.coef0 = _number("coef0", coef0)

    def _power(self, T: Array, p: float) -> Array:
        T *= T.dtype.type(self.gamma)
        T += T.dtype.type(self.coef0)
        if p == int(p) and 1 <= p <= 8:  # repeated products, not pow
            base = T.copy() if p > 1 else T
            for _ in range(int(p) - 1):
                T *= base
            return T
        return np.power(T, T.dtype.type(p), out=T)

    def block(self, P: Points, Q: Points) -> Array:
        return self._power(products(P.X, P, Q), self.degree)

    def diagonal(self, P: Points) -> Array:
        return self._power(Linear().diagonal(P).copy(), self.degree)

    def weighted_gradient(self, P: Points, Q: Points, A: Array) -> Array:
        if self.degree == 0:
            return np.zeros(P.X.shape, P.dtype)
        slope = self._power(products(P.X, P, Q), self.degree - 1)
        return (A * slope) @ Q.X * P.dtype.type(self.degree * self.gamma)


class RBF(Kernel):
    """k(x, s) = exp(−γ ‖x − s‖²), the Gaussian kernel.

    Parameters
    ----------
    gamma : float, default=1.0
        γ ≥ 0, 1 / (2 σ²); with 0 all points are alike.
    """

    def __init__(self, gamma: float = 1.0) -> None:
        self.gamma = _number("gamma", gamma, low=0)

    def block(self, P: Points, Q: Points) -> Array:
        T = products(P.centred, P, Q)
        if T.dtype == np.float32:
            gaussian_tile(T, P.squares, Q.squares, self.gamma)
            return T
        T *= -2.0
        T += P.squares[:, None]
        T += Q.squares
        np.maximum(T, 0.0, out=T)
        T *= -self.gamma
        return np.exp(T, out=T)

    def diagonal(self, P: Points) -> Array:
        return np.ones(len(P), P.dtype)

    def weighted_gradient(self, P: Points, Q: Points, A: Array) -> Array:
        B = A * self.block(P, Q)
        spread = P.centred * B.sum(axis=1)[:, None] - B @ Q.centred  # Σ_j B_ij (x_i − q_j)
        return -2 * P.dtype.type(self.gamma) * spread


class Sigmoid(Kernel):
    """k(x, s) = tanh(γ x·s + c). Not positive semi-definite in general.

    Parameters
    ----------
    gamma : float, default=1.0
        γ ≥ 0.
    coef0 : float, default=0.0
        c.
    """

    def __init__(self, gamma: float = 1.0, coef0: float = 0.0) -> None:
        self.gamma = _number("gamma", gamma, low=0)
        self.coef0 = _number("coef0", coef0)

    def _tanh(self, T: Array) -> Array:
        T *= T.dtype.type(self.gamma)
        T += T.dtype.type(self.coef0)
        return np.tanh(T, out=T)

    def block(self, P: Points, Q: Points) -> Array:
        return self._tanh(products(P.X, P, Q))

    def diagonal(self, P: Points) -> Array:
        return self._tanh(Linear().diagonal(P).copy())

    def weighted_gradient(self, P: Points, Q: Points, A: Array) -> Array:
        return (A * (1 - self.block(P, Q) ** 2)) @ Q.X * P.dtype.type(self.gamma)


class Min(Kernel):
    """k(x, s) = Σ_f min(x_f, s_f) for x, s ≥ 0.

    The inner product of infinitely many features: φ(x) is 1 up to x and 0 beyond, for each
    coordinate (Goodfellow, Bengio & Courville, Deep Learning, 5.7.2). Its gradient in x is 1
    where x_f < s_f and 0 where it is not.
    """

    def block(self, P: Points, Q: Points) -> Array:
        X, S = (Z.X if isinstance(Z.X, np.ndarray) else Z.X.toarray() for Z in (P, Q))
        for Z in (X, S):
            if Z.size and Z.min() < 0:
                raise ValueError(
                    f"the min kernel is for features >= 0: the smallest is {Z.min():.6g}"
                )
        T = np.empty((len(P), len(Q)), P.dtype)
        minimum_tile(X, np.ascontiguousarray(S.T), T)
        return T

    def diagonal(self, P: Points) -> Array:
        return np.asarray(P.X.sum(axis=1), P.dtype).ravel()

    def weighted_gradient(self, P: Points, Q: Points, A: Array) -> Array:
        below = (P.X[:, f, None] < Q.X[:, f] for f in range(P.X.shape[1]))
        return np.stack([(A * b).sum(axis=1) for b in below], axis=1)


class Precomputed(Kernel):
    """The rows are those of a Gram matrix: row i holds k(x_i, s_j) for all training points s_j."""

    symmetric = False  # a query knows its row, a support vector only its number

    def block(self, P: Points, Q: Points) -> Array:
        rows = P.X if isinstance(P.X, np.ndarray) else P.X.toarray()
        return np.ascontiguousarray(rows[:, Q.index])

    def diagonal(self, P: Points) -> Array:
        return np.asarray(P.X[np.arange(len(P)), P.index]).ravel()


class Function(Kernel):
    """Any callable `k(X, Y)` that returns the Gram matrix of the rows of X and Y.

    Parameters
    ----------
    function : callable
        Must be symmetric. It is called on blocks of rows.
    """

    def __init__(self, function: Callable[[Any, Any], Any]) -> None:
        self.function = function

    def block(self, P: Points, Q: Points) -> Array:
        found: Any = self.function(P.X, Q.X)
        if sparse.issparse(found):
            found = found.toarray()  # type: ignore[attr-defined]
        K = np.array(found, dtype=P.dtype, order="C")
        if K.shape != (len(P), len(Q)):
            raise ValueError(
                f"kernel={self.function!r} returned shape {K.shape} for {len(P)} and {len(Q)} "
                f"rows: give a function that returns shape ({len(P)}, {len(Q)})"
            )
        if not np.isfinite(K).all():
            raise ValueError(f"kernel={self.function!r} returned NaN or infinity")
        return K

    def diagonal(self, P: Points) -> Array:
        one = (P.take(slice(i, i + 1)) for i in range(len(P)))
        return np.array([self.block(p, p)[0, 0] for p in one], P.dtype)


class Constant(Kernel):
    """k(x, s) = c ≥ 0: what a multiple of a kernel is the product with."""

    def __init__(self, value: float) -> None:
        self.value = _number("a multiple of a kernel", value, low=0)

    def block(self, P: Points, Q: Points) -> Array:
        return np.full((len(P), len(Q)), self.value, P.dtype)

    def diagonal(self, P: Points) -> Array:
        return np.full(len(P), self.value, P.dtype)

    def weighted_gradient(self, P: Points, Q: Points, A: Array) -> Array:
        return np.zeros(P.X.shape, P.dtype)


class Sum(Kernel):
    """k(x, s) = k₁(x, s) + k₂(x, s)."""

    def __init__(self, first: Kernel, second: Kernel) -> None:
        self.first, self.second = first, second

    def block(self, P: Points, Q: Points) -> Array:
        T = self.first.block(P, Q)
        T += self.second.block(P, Q)
        return T

    def diagonal(self, P: Points) -> Array:
        return self.first.diagonal(P) + self.second.diagonal(P)

    def weighted_gradient(self, P: Points, Q: Points, A: Array) -> Array:
        return self.first.weighted_gradient(P, Q, A) + self.second.weighted_gradient(P, Q, A)


class Product(Kernel):
    """k(x, s) = k₁(x, s) k₂(x, s)."""

    def __init__(self, first: Kernel, second: Kernel) -> None:
        self.first, self.second = first, second

    def block(self, P: Points, Q: Points) -> Array:
        T = self.first.block(P, Q)
        T *= self.second.block(P, Q)
        return T

    def diagonal(self, P: Points) -> Array:
        return self.first.diagonal(P) * self.second.diagonal(P)

    def weighted_gradient(self, P: Points, Q: Points, A: Array) -> Array:
        by_first = self.first.weighted_gradient(P, Q, A * self.second.block(P, Q))
        return by_first + self.second.weighted_gradient(P, Q, A * self.first.block(P, Q))


# kernels whose values cost little more than an inner product
CHEAP = (Linear, Polynomial, RBF, Sigmoid, Precomputed)
