"""A constructed network: exact weights, as a `kiso.nn.Network` or in any number of digits.

y_k(x) = Σ_j v_jk tanh(w_j x + b_j) + d_k,   w_j = a_j h/scale,  b_j = a_j h (s_j − centre/scale)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from kiso._validation import Array
from kiso.nn import Affine, Network, Tanh

from ._construction import UNIT_ROUNDOFF, Construction, unit_roundoff

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["TanhNetwork"]


@dataclass(frozen=True, repr=False)
class TanhNetwork:
    """A one-hidden-layer tanh network that was constructed, not trained.

    Attributes
    ----------
    construction : Construction
        Heads and units, for any h.
    h : Fraction
        The step; error ≈ constant · h^order until rounding takes over.
    interval : tuple of Fraction
        Where the bounds hold; y = (x − centre)/scale runs over [−M, M].
    scale : Fraction
    targets : callable
        x → what each output should be, (n, n_heads).
    tail : float
        What the polynomial itself already misses of a function (0 for polynomials).
    digits : int or None
        Decimal digits of the arithmetic that h is meant for; None is float64.
    """

    construction: Construction
    h: Fraction
    interval: tuple[Fraction, Fraction]
    scale: Fraction
    targets: Callable[[Array], Array]
    tail: float = 0.0
    digits: int | None = None

    @property
    def u(self) -> float:
        """Unit roundoff of that arithmetic."""
        return unit_roundoff(self.digits)

    @property
    def n_units(self) -> int:
        """How many hidden neurons."""
        return len(self.construction.units)

    @property
    def names(self) -> tuple[str, ...]:
        """What each output stands for."""
        return tuple(head.name for head in self.construction.heads)

    @cached_property
    def exact(self) -> tuple[list[Fraction], list[Fraction], list[list[Fraction]], list[Fraction]]:
        """The weights w, b, v, d as fractions: w_j and b_j of the units, v_jk and d_k."""
        centre = sum(self.interval, Fraction(0)) / 2
        slopes = [a * self.h / self.scale for a, _ in self.construction.units]
        biases = [a * self.h * (s - centre / self.scale) for a, s in self.construction.units]
        return slopes, biases, *self.construction.output_weights(self.h)

    @cached_property
    def network(self) -> Network:
        """An ordinary network Affine → Tanh → Affine in float64: 1 → n_units → n_heads.

        Raises
        ------
        ValueError
            If h was chosen for more digits than float64 has: all of them would cancel.
        """
        if self.u < UNIT_ROUNDOFF:
            raise ValueError(
                f"h was chosen for digits={self.digits}, not for float64: leave digits out"
            )
        w, b, v, d = (np.array(part, dtype=float) for part in self.exact)
        return Network([Affine(w[None, :], b), Tanh(), Affine(v.reshape(-1, len(d)), d)])

    def __call__(self, x: ArrayLike) -> Array:
        """Evaluate as `values` does; one output gives shape (n,), several (n, n_heads)."""
        y = self.values(np.asarray(x, float).ravel())
        return y[:, 0] if y.shape[1] == 1 else y

    def values(self, x: Array) -> Array:
        """Return all outputs at points (n,), in `digits` and then rounded, shape (n, n_heads)."""
        if self.u < UNIT_ROUNDOFF:
            assert self.digits is not None
            return np.array(self.evaluate(x, self.digits), dtype=float)
        return self.network(x[:, None])

    # --- errors -----------------------------------------------------------------------

    @property
    def constants(self) -> Array:
        """C of each output: error ≈ C h^order for small h, in exact arithmetic."""
        return self.construction.constants()

    @property
    def truncation(self) -> Array:
        """Bound on the error of each output in exact arithmetic, at this h."""
        return self.construction.truncation(float(self.h)) + self.tail

    @property
    def rounding(self) -> Array:
        """Bound on what float64 (or the digits asked for) adds.

        (n_units + 8) u Σ_j |v_j| (|w_j| max|x| + |b_j|): a rounding or two in w x, b, tanh and v
        each, and n_units in the sum.
        """
        w, b, v, d = (np.abs(np.array(part, dtype=float)) for part in self.exact)
        reach = w * max(abs(float(end)) for end in self.interval) + b
        return (self.n_units + 8) * self.u * (reach @ v.reshape(-1, len(d)) + d)

    @property
    def error_bound(self) -> Array:
        """Bound on |output − target| over the interval: truncation + rounding."""
        return self.truncation + self.rounding

    def errors(self, n_points: int = 2001) -> Array:
        """Largest |output − target| of each output on equally spaced points, measured."""
        x = self.points(n_points)
        return np.max(np.abs(self.values(x) - self.targets(x)), axis=0)

    def points(self, n_points: int) -> Array:
        """Return equally spaced points of the interval, both ends among them."""
        low, high = self.interval
        return np.linspace(float(low), float(high), n_points)

    # --- in more digits, and to look at -------------------------------------------------

    def evaluate(self, x: Any, digits: int = 50) -> list[list[Any]]:
        """Evaluate in many digits, with mpmath: weights and tanh to this many decimal digits.

        Parameters
        ----------
        x : iterable of numbers
            Fractions, or anything that `mpmath.mpf` takes; a string ("0.1") is read in
            decimal.
        digits : int, default=50

        Returns
        -------
        list of lists of mpf
            One row a point, one column an output.

        Raises
        ------
        ValueError
            For digits below 1.
        """
        mp = _mpmath()
        if digits < 1:
            raise ValueError(f"digits={digits}: give at least 1")
        with mp.workdps(digits):
            w, b, v, d = (_to_mp(mp, part) for part in self.exact)
            rows = []
            for point in x:
                at = _to_mp(mp, point)
                t = [mp.tanh(wj * at + bj) for wj, bj in zip(w, b, strict=True)]
                rows.append([
                    mp.fsum(tj * vj[k] for tj, vj in zip(t, v, strict=True)) + dk
                    for k, dk in enumerate(d)
                ])  # fmt: skip
        return rows

    def plot(self) -> Figure:
        """Draw the targets, the network and the error with its bound."""
        from ._plots import plot

        return plot(self)

    def __repr__(self) -> str:
        bound = float(np.max(self.error_bound))
        return (
            f"TanhNetwork(1 → {self.n_units} → {len(self.construction.heads)}, "
            f"h={float(self.h):.3g}, error ≤ {bound:.2g})"
        )


def _to_mp(mp: Any, value: Any) -> Any:
    """Return a number, or nested lists of them, in the working precision."""
    if isinstance(value, list):
        return [_to_mp(mp, item) for item in value]
    if isinstance(value, Fraction):
        return mp.mpf(value.numerator) / value.denominator
    return mp.mpf(value)


def _mpmath() -> ModuleType:
    import mpmath  # here: importing kiso.approximation does not need it

    module: ModuleType = mpmath
    return module
