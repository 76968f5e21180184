"""Functions to try descent on, each with its gradient, its Hessian and its minima.

x is a vector of `n` numbers; value f(x), gradient ∇f (n,), Hessian ∇²f (n, n).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.linalg
from scipy.special import expit

from kiso._validation import Array, RandomState, check_generator

from ._check import check_count, check_real

__all__ = ["Beale", "Himmelblau", "Logistic", "Objective", "Quadratic", "Rosenbrock"]


class Objective(ABC):
    """A twice differentiable function of a vector.

    Attributes
    ----------
    n : int
        Length of x.
    start : ndarray of shape (n,)
        The customary place to begin.
    minimizers : ndarray of shape (n_minima, n)
        All global minimisers.
    minimum : float
        The value there.
    """

    n: int

    @abstractmethod
    def value(self, x: Array) -> float:
        """Return f(x)."""

    @abstractmethod
    def gradient(self, x: Array) -> Array:
        """Return ∇f(x)."""

    @abstractmethod
    def hessian(self, x: Array) -> Array:
        """Return ∇²f(x)."""

    @property
    @abstractmethod
    def start(self) -> Array:
        """The customary place to begin."""

    @property
    @abstractmethod
    def minimizers(self) -> Array:
        """All global minimisers, one a row."""

    @property
    def minimum(self) -> float:
        """The least value."""
        return 0.0

    def __call__(self, x: Array) -> tuple[float, Array]:
        """Return (f(x), ∇f(x)), which is what `minimize` and `descent` ask for."""
        return self.value(x), self.gradient(x)


@dataclass(frozen=True)
class Rosenbrock(Objective):
    """A curved valley: f(x) = Σᵢ 100 (xᵢ₊₁ − xᵢ²)² + (1 − xᵢ)², least 0 at (1, ..., 1).

    Parameters
    ----------
    n : int, default 2
        At least 2. From n = 4 on there is a second, local minimum near (−1, 1, ..., 1).

    References
    ----------
    Rosenbrock (1960); Moré, Garbow & Hillstrom (1981), no. 1.

    Examples
    --------
    >>> from kiso.optim import Rosenbrock
    >>> Rosenbrock().value([-1.2, 1.0])
    24.2
    """

    n: int = 2

    def __post_init__(self) -> None:
        check_count("n", self.n, least=2)

    def value(self, x: Array) -> float:
        """Return f(x)."""
        x = np.asarray(x)
        return float(np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2))

    def gradient(self, x: Array) -> Array:
        """Return ∇f(x)."""
        x = np.asarray(x)
        gap = x[1:] - x[:-1] ** 2
        dx = np.zeros(self.n)
        dx[:-1] = -400 * x[:-1] * gap - 2 * (1 - x[:-1])
        dx[1:] += 200 * gap
        return dx

    def hessian(self, x: Array) -> Array:
        """Return ∇²f(x), tridiagonal."""
        x = np.asarray(x)
        diagonal = np.zeros(self.n)
        diagonal[:-1] = 1200 * x[:-1] ** 2 - 400 * x[1:] + 2
        diagonal[1:] += 200
        beside = -400 * x[:-1]
        return np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1)

    @property
    def start(self) -> Array:
        """(−1.2, 1, −1.2, 1, ...)."""
        return np.where(np.arange(self.n) % 2 == 0, -1.2, 1.0)

    @property
    def minimizers(self) -> Array:
        """(1, ..., 1)."""
        return np.ones((1, self.n))


@dataclass(frozen=True)
class Himmelblau(Objective):
    """Four equal minima: f(x, y) = (x² + y − 11)² + (x + y² − 7)².

    References
    ----------
    Himmelblau (1972), Applied Nonlinear Programming.

    Examples
    --------
    >>> from kiso.optim import Himmelblau
    >>> Himmelblau().value([3.0, 2.0])
    0.0
    """

    n = 2

    def value(self, x: Array) -> float:
        """Return f(x)."""
        a, b = x[0] ** 2 + x[1] - 11, x[0] + x[1] ** 2 - 7
        return float(a**2 + b**2)

    def gradient(self, x: Array) -> Array:
        """Return ∇f(x)."""
        a, b = x[0] ** 2 + x[1] - 11, x[0] + x[1] ** 2 - 7
        return np.array([4 * x[0] * a + 2 * b, 2 * a + 4 * x[1] * b])

    def hessian(self, x: Array) -> Array:
        """Return ∇²f(x)."""
        a, b = x[0] ** 2 + x[1] - 11, x[0] + x[1] ** 2 - 7
        cross = 4 * (x[0] + x[1])
        return np.array([[8 * x[0] ** 2 + 4 * a + 2, cross], [cross, 8 * x[1] ** 2 + 4 * b + 2]])

    @property
    def start(self) -> Array:
        """The origin."""
        return np.zeros(2)

    @property
    def minimizers(self) -> Array:
        """The four roots of both squares."""
        return np.array(
            [
                [3.0, 2.0],
                [-2.805118086952745, 3.131312518250573],
                [-3.779310253377747, -3.283185991286170],
                [3.584428340330492, -1.848126526964404],
            ]
        )


@dataclass(frozen=True)
class Beale(Objective):
    """Flat with steep walls: f = Σᵢ (cᵢ − x(1 − yⁱ))², c = (1.5, 2.25, 2.625); least at (3, ½).

    References
    ----------
    Beale (1958); Moré, Garbow & Hillstrom (1981), no. 5.

    Examples
    --------
    >>> from kiso.optim import Beale
    >>> Beale().value([3.0, 0.5])
    0.0
    """

    n = 2

    @staticmethod
    def _residuals(x: Array) -> tuple[Array, Array, Array, Array]:
        """Return the residuals and their derivatives in y: rᵢ, xiyⁱ⁻¹, and the powers."""
        i = np.arange(1, 4)
        power = x[1] ** i
        below = x[1] ** (i - 1)
        r = np.array([1.5, 2.25, 2.625]) - x[0] * (1 - power)
        return r, power, i * below, i * (i - 1) * x[1] ** np.maximum(i - 2, 0)

    def value(self, x: Array) -> float:
        """Return f(x)."""
        r = self._residuals(x)[0]
        return float(r @ r)

    def gradient(self, x: Array) -> Array:
        """Return ∇f(x)."""
        r, power, slope, _ = self._residuals(x)
        return 2 * np.array([r @ (power - 1), x[0] * (r @ slope)])

    def hessian(self, x: Array) -> Array:
        """Return ∇²f(x)."""
        r, power, slope, bend = self._residuals(x)
        xx = (power - 1) @ (power - 1)
        xy = x[0] * (slope @ (power - 1)) + r @ slope
        yy = x[0] ** 2 * (slope @ slope) + x[0] * (r @ bend)
        return 2 * np.array([[xx, xy], [xy, yy]])

    @property
    def start(self) -> Array:
        """(1, 1)."""
        return np.ones(2)

    @property
    def minimizers(self) -> Array:
        """(3, ½)."""
        return np.array([[3.0, 0.5]])


class Quadratic(Objective):
    """A bowl with given curvatures: f(x) = ½ (x − c)ᵀ A (x − c), A = Q diag(λ) Qᵀ.

    Parameters
    ----------
    spectrum : sequence of float
        λ, the eigenvalues of A, all positive; the condition number is their ratio.
    center : sequence of float or None, default None
        c, the minimiser; None for the origin.
    random_state : int, Generator, RandomState or None, default None
        Where the rotation Q comes from; None for none: axes along the coordinates.

    Examples
    --------
    >>> from kiso.optim import Quadratic
    >>> bowl = Quadratic([1.0, 100.0])
    >>> bowl.value([1.0, 1.0]), bowl.gradient([1.0, 1.0])
    (50.5, array([ 1., 100.]))
    """

    def __init__(
        self, spectrum: Any, *, center: Any = None, random_state: RandomState = None
    ) -> None:
        self.spectrum = np.array(spectrum, dtype=np.float64)
        if self.spectrum.ndim != 1 or self.spectrum.size == 0:
            raise ValueError(f"spectrum has shape {self.spectrum.shape}: give a list of numbers")
        if not (np.isfinite(self.spectrum).all() and (self.spectrum > 0).all()):
            raise ValueError(f"spectrum={spectrum!r}: give finite numbers > 0")
        self.n = self.spectrum.size
        self.center = np.zeros(self.n) if center is None else np.array(center, dtype=np.float64)
        if self.center.shape != (self.n,):
            raise ValueError(f"center has shape {self.center.shape}, expected {(self.n,)}")
        if random_state is None:
            self.matrix = np.diag(self.spectrum)
        else:
            noise = check_generator(random_state).standard_normal((self.n, self.n))
            q = scipy.linalg.qr(noise)[0]
            self.matrix = (q * self.spectrum) @ q.T

    def value(self, x: Array) -> float:
        """Return f(x)."""
        gap = np.asarray(x) - self.center
        return float(gap @ self.matrix @ gap / 2)

    def gradient(self, x: Array) -> Array:
        """Return ∇f(x) = A (x − c)."""
        return self.matrix @ (np.asarray(x) - self.center)

    def hessian(self, x: Array) -> Array:
        """Return A."""
        return self.matrix.copy()

    @property
    def start(self) -> Array:
        """One away from the centre in every coordinate."""
        return self.center + 1.0

    @property
    def minimizers(self) -> Array:
        """The centre."""
        return self.center[None, :].copy()


class Logistic(Objective):
    """Logistic regression: f(w) = (1/m) Σᵢ log(1 + exp(−sᵢ xᵢᵀw)) + (λ/2)‖w‖², s = ±1.

    Parameters
    ----------
    X : array of shape (m, n)
        Samples.
    y : array of shape (m,)
        Labels, 0 or 1.
    l2 : float, default 0.01
        λ > 0, so that there is a minimum whether or not the classes can be separated.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.optim import Logistic
    >>> Logistic([[1.0], [-1.0]], [1, 0]).value(np.zeros(1))
    0.693147
    """

    def __init__(self, X: Any, y: Any, l2: float = 0.01) -> None:
        self.X = np.array(X, dtype=np.float64)
        y = np.asarray(y)
        if self.X.ndim != 2 or y.shape != self.X.shape[:1]:
            raise ValueError(f"X has shape {self.X.shape} and y {y.shape}: give (m, n) and (m,)")
        if not np.isin(y, (0, 1)).all():
            raise ValueError(f"y holds {np.unique(y)[:5]}: give 0 and 1")
        check_real("l2", l2, above=0)
        self.y = y.astype(np.float64)
        self.l2 = l2
        self.m, self.n = self.X.shape

    def value(self, x: Array) -> float:
        """Return f(w)."""
        z = self.X @ x
        loss = np.logaddexp(0.0, z) - self.y * z
        return float(loss.mean() + self.l2 / 2 * np.dot(x, x))

    def gradient(self, x: Array) -> Array:
        """Return ∇f(w) = (1/m) Xᵀ(σ(Xw) − y) + λ w."""
        return self.X.T @ (expit(self.X @ x) - self.y) / self.m + self.l2 * np.asarray(x)

    def hessian(self, x: Array) -> Array:
        """Return ∇²f(w) = (1/m) Xᵀ diag(σ(1 − σ)) X + λ I."""
        p = expit(self.X @ x)
        weighted = self.X * (p * (1 - p))[:, None]
        return self.X.T @ weighted / self.m + self.l2 * np.eye(self.n)

    @property
    def start(self) -> Array:
        """The origin."""
        return np.zeros(self.n)

    @cached_property
    def minimizers(self) -> Array:
        """The one minimiser, found by Newton's method; there is no formula."""
        from ._minimize import minimize

        return minimize(self, self.start, method="newton", tol=1e-12).x[None, :]

    @property
    def minimum(self) -> float:
        """The value at the minimiser."""
        return self.value(self.minimizers[0])
