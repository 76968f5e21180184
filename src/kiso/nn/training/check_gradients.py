"""Is a backward pass the derivative of its forward pass? Every number of it is asked.

For a scalar C(p) and one number p_k,

    complex step     ∂C/∂p_k = Im C(p + i h e_k) / h     h = 1e-40: no difference is taken,
                     so nothing cancels, and it is exact to rounding where C is analytic
    Taylor           R(h) = |C(p + h v) − C(p) − h g·v| falls as h² for every direction v if
                     g is the gradient, and only as h if it is not; which entry is wrong is
                     told by extrapolated central differences, one entry at a time

The second is asked where the function takes no complex numbers, and wherever the first
disagrees (it may not be analytic: |x|, a maximum). A layer is made scalar by C = Σ w ∘ y
with fixed random w.

References: Squire & Trapp (1998), Using complex variables to estimate derivatives of real
functions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from kiso._validation import Array, RandomState, check_generator
from kiso.losses import Loss

from .derivatives import Scalar, central_slope, complex_slopes, remainder_slope

__all__ = ["ArrayCheck", "GradientReport", "check_gradients"]


@dataclass(frozen=True)
class ArrayCheck:
    """What was found of one array.

    Attributes
    ----------
    name : str
        "input", or the parameter's.
    shape : tuple of int
    method : str
        "complex step", "Taylor", or both: "complex step, Taylor".
    n_checked : int
        How many of its numbers were asked.
    error : float
        Largest difference from the measured derivative, over the largest derivative.
    wrong : tuple of (index, given, measured)
        The entries that are wrong, the worst first.
    slope : float or None
        Of the Taylor remainder, where that was asked: 2 for a right gradient (infinite
        where nothing remains, as of a linear function).
    """

    name: str
    shape: tuple[int, ...]
    method: str
    n_checked: int
    error: float
    wrong: tuple[tuple[tuple[int, ...], float, float], ...] = ()
    slope: float | None = None

    def __str__(self) -> str:
        text = (
            f"{'wrong' if self.wrong else 'right'}  {self.name} {self.shape}: {self.method}, "
            f"{self.n_checked} asked, relative error {self.error:.1e}"
        )
        text += "" if self.slope is None else f", slope of the remainder {self.slope:.2f}"
        for index, given, measured in self.wrong[:3]:
            place = f"[{', '.join(map(str, index))}]" if index else ""
            text += f"\n       {self.name}{place}: given {given:.8g}, measured {measured:.8g}"
        if len(self.wrong) > 3:
            text += f"\n       and {len(self.wrong) - 3} more of its entries"
        return text


@dataclass(frozen=True)
class GradientReport:
    """What `check_gradients` found; prints as one line an array, and the wrong entries.

    Attributes
    ----------
    checks : tuple of ArrayCheck
        The parameters, then the input.
    """

    checks: tuple[ArrayCheck, ...]

    @property
    def ok(self) -> bool:
        """Whether no entry is wrong."""
        return not any(check.wrong for check in self.checks)

    @property
    def error(self) -> float:
        """The largest relative error of all arrays."""
        return max(check.error for check in self.checks)

    @property
    def wrong(self) -> list[str]:
        """Names of the arrays with wrong entries."""
        return [check.name for check in self.checks if check.wrong]

    def __str__(self) -> str:
        return "\n".join(map(str, self.checks))

    __repr__ = __str__


def check_gradients(
    subject: Any,
    x: ArrayLike,
    *,
    loss: Loss | None = None,
    target: Any = None,
    train: int | None = None,
    method: str = "auto",
    rtol: float = 1e-6,
    max_entries: int = 500,
    random_state: RandomState = 0,
) -> GradientReport:
    """Compare the gradients that a layer, network or function gives with measured ones.

    Parameters
    ----------
    subject : Layer, or callable
        Anything with the `forward` of a layer does; the arrays that it holds are its parameters,
        unless it has a property `parameters` that says otherwise. A callable takes x and returns
        (y, backward), where backward(dy) returns dx or (dx, gradients) - or (value, gradient) of
        a scalar function.
    x : array-like
        The input; computed in float64.
    loss, target : Loss and its target, default None
        Check ∂ loss(f(x), target); without, ∂ Σ w ∘ f(x) with random w.
    train : int or None, default=None
        Check the layer as it trains, with a new `Run` of this seed for each pass (so that
        dropout drops the same numbers).
    method : {"auto", "complex", "taylor"}, default="auto"
    rtol : float, default=1e-6
        Allowed error of an entry, over the largest derivative of its array. By the complex
        step right gradients come out near 1e-15.
    max_entries : int, default=500
        Of a larger array, that many random entries are asked.
    random_state : int, Generator, RandomState or None, default=0
        Of w and of the entries.

    Returns
    -------
    GradientReport
        `report.ok` tells all; printed, it tells which entry is wrong.

    Raises
    ------
    TypeError, ValueError
        If the subject does not keep to the contract: a gradient is missing, of another
        shape than its array, or `backward` changed its dy.

    Examples
    --------
    >>> from kiso.nn import Affine, Layer, check_gradients
    >>> check_gradients(Affine.create(3, 2, random_state=0), np.ones((4, 3)))
    right  W (3, 2): complex step, 6 asked, relative error ...
    right  b (2,): complex step, 2 asked, relative error ...
    right  input (4, 3): complex step, 12 asked, relative error ...

    A layer of one's own, with a mistake:

    >>> class Scale(Layer):
    ...     def __init__(self, s):
    ...         self.s = s
    ...     def forward(self, x, *, train=None):
    ...         return self.s * x, lambda dy: (self.s * dy, {"s": (dy * x).mean(axis=0)})
    >>> report = check_gradients(Scale(np.array([1.0, 2.0])), np.ones((3, 2)))
    >>> report.ok, report.wrong
    (False, ['s'])
    """
    if method not in ("auto", "complex", "taylor"):
        raise ValueError(f"method={method!r}: give 'auto', 'complex' or 'taylor'")
    x = np.array(x, dtype=np.float64, order="C")
    rng = check_generator(random_state)
    scalar = Scalar(subject, x, loss, target, train, rng)
    checks = []
    for name, array, gradient in scalar.gradients():
        count = min(array.size, max_entries)
        asked = np.arange(array.size)
        if count < array.size:
            asked = np.sort(rng.choice(array.size, count, replace=False))
        checks.append(_check_array(scalar, name, array, gradient, asked, method, rtol))
    return GradientReport(tuple(checks))


def _check_array(
    scalar: Scalar,
    name: str,
    array: Array,
    gradient: Array,
    asked: Array,
    method: str,
    rtol: float,
) -> ArrayCheck:
    """Measure the asked entries, the cheap and exact way first; compare with what is given."""
    slope = None
    given = gradient.reshape(-1)[asked].astype(np.float64)
    ways, measured, suspect = [], np.full(len(asked), np.nan), np.ones(len(asked), bool)
    allowed = np.zeros(len(asked))
    if method != "taylor":
        found = complex_slopes(scalar, name, asked)
        if found is not None:
            ways.append("complex step")
            measured = found
            allowed[:] = rtol * _largest(measured)
            suspect = ~(np.abs(given - measured) <= allowed)
        elif method == "complex":
            raise TypeError(f"{name}: the function does not take complex numbers")
    if method != "complex" and suspect.any():
        ways.append("Taylor")
        slope = remainder_slope(scalar, name, gradient)
        for k in np.flatnonzero(suspect):
            measured[k], allowed[k] = central_slope(scalar, name, int(asked[k]))
        allowed[suspect] += rtol * _largest(measured)
    difference = np.abs(given - measured)
    bad = [int(k) for k in np.flatnonzero(~(difference <= allowed))]
    bad.sort(key=lambda k: -np.nan_to_num(difference[k], nan=np.inf))
    indices = [tuple(map(int, np.unravel_index(asked[k], array.shape))) for k in bad]
    wrong = tuple(
        (index, float(given[k]), float(measured[k])) for index, k in zip(indices, bad, strict=True)
    )
    error = float(np.max(difference, initial=0.0) / _largest(measured))
    return ArrayCheck(name, array.shape, ", ".join(ways), len(asked), error, wrong, slope)


def _largest(measured: Array) -> float:
    finite = np.abs(measured[np.isfinite(measured)])
    return float(np.max(finite, initial=0.0)) or 1.0
