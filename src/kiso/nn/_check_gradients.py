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

import copy
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from kiso._validation import Array, RandomState, check_generator
from kiso.losses import Loss
from kiso.optim._tree import leaves_like, leaves_of

from ._layer import Layer
from ._run import Run
from ._weights import named_tree

__all__ = ["ArrayCheck", "GradientReport", "check_gradients"]

STEP = 1e-40
LENGTHS = 10.0 ** np.array([-2.0, -2.5, -3.0, -3.5, -4.0, -4.5, -5.0])


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
    subject: Layer | Callable[[Array], tuple[Any, Any]],
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
        A callable takes x and returns (y, backward), where backward(dy) returns dx or
        (dx, gradients) - or (value, gradient) of a scalar function.
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

    >>> class Square(Layer):
    ...     def forward(self, x, *, train=None):
    ...         return x * x, lambda dy: (x * dy, {})
    >>> report = check_gradients(Square(), np.array([[1.0, 2.0]]))
    >>> report.ok, report.wrong
    (False, ['input'])
    """
    if method not in ("auto", "complex", "taylor"):
        raise ValueError(f"method={method!r}: give 'auto', 'complex' or 'taylor'")
    x = np.array(x, dtype=np.float64)
    rng = check_generator(random_state)
    scalar = _Scalar(subject, x, loss, target, train, rng)
    checks = []
    for name, array, gradient in scalar.gradients():
        count = min(array.size, max_entries)
        asked = np.arange(array.size)
        if count < array.size:
            asked = np.sort(rng.choice(array.size, count, replace=False))
        checks.append(_check_array(scalar, name, array, gradient, asked, method, rtol))
    return GradientReport(tuple(checks))


class _Scalar:
    """The subject as a real function C of its parameters and input, in float64."""

    def __init__(
        self,
        subject: Any,
        x: Array,
        loss: Loss | None,
        target: Any,
        train: int | None,
        rng: np.random.Generator,
    ):
        self.x, self.loss, self.train = x, loss, train
        self.target: Any = None if target is None else np.asarray(target)
        self.subject = _with_parameters(subject, np.float64)
        self.complex = _with_parameters(subject, np.complex128)
        y = self.output(self.subject, x)[0]
        self.w = rng.standard_normal(np.shape(y)) if np.ndim(y) else np.ones(())

    def output(self, subject: Any, x: Array) -> tuple[Any, Any]:
        if isinstance(subject, Layer):
            train = None if self.train is None else Run(self.train)
            return subject.forward(x, train=train)
        y, second = subject(x)
        return y, second

    def value(self, subject: Any, x: Array) -> Any:
        """C, complex where the parameters or the input are."""
        y = np.asarray(self.output(subject, x)[0])
        if self.loss is None:
            return (self.w * y).sum()
        total = self.loss.terms(y, self.target).sum()
        return total / (len(y) if self.loss.reduction == "mean" else 1)

    def gradients(self) -> list[tuple[str, Array, Array]]:
        """(name, array, given gradient) of every parameter and of the input."""
        y, second = self.output(self.subject, self.x)
        if not callable(second):
            return [("input", self.x, _same_shape("input", self.x, second))]
        dy = self.w.copy() if self.loss is None else self.loss.gradient(y, self.target)
        before = dy.copy()
        given = second(dy)
        if not np.array_equal(before, dy):
            raise ValueError(f"{self.subject!r}: backward changed its dy")
        dx, grads = given if isinstance(given, tuple) else (given, {})
        found = []
        if isinstance(self.subject, Layer):
            parameters = self.subject.parameters
            leaves = leaves_like(parameters, grads)
            for (name, array), g in zip(named_tree(parameters), leaves, strict=True):
                found.append((name, array, _same_shape(name, array, g)))
        return [*found, ("input", self.x, _same_shape("input", self.x, dx))]

    def arrays(self, subject: Any, name: str, x: Array) -> Array:
        """The array of this name in the real or the complex copy."""
        return x if name == "input" else dict(named_tree(subject.parameters))[name]


def _with_parameters(subject: Any, dtype: Any) -> Any:
    """Return a copy of a layer whose parameters are of this dtype: no hooks needed."""
    if not isinstance(subject, Layer):
        return subject
    memo: dict[int, Any] = {id(leaf): leaf.astype(dtype) for leaf in leaves_of(subject.parameters)}
    clone = copy.deepcopy(subject, memo)
    if any(leaf.dtype != dtype for leaf in leaves_of(clone.parameters)):
        raise TypeError(
            f"{subject!r}: `parameters` has to return the arrays that the layer holds, no copies"
        )
    return clone


def _same_shape(name: str, array: Array, gradient: Any) -> Array:
    g = np.asarray(gradient)
    if g.shape != array.shape:
        raise ValueError(f"{name} has shape {array.shape}, its gradient {g.shape}")
    return g


def _check_array(
    scalar: _Scalar,
    name: str,
    array: Array,
    gradient: Array,
    asked: Array,
    method: str,
    rtol: float,
) -> ArrayCheck:
    slope = None
    given = gradient.reshape(-1)[asked].astype(np.float64)
    ways, measured, suspect = [], np.full(len(asked), np.nan), np.ones(len(asked), bool)
    allowed = np.zeros(len(asked))
    if method != "taylor":
        found = _complex_step(scalar, name, asked)
        if found is not None:
            ways.append("complex step")
            measured = found
            allowed[:] = rtol * _largest(measured)
            suspect = ~(np.abs(given - measured) <= allowed)
        elif method == "complex":
            raise TypeError(f"{name}: the function does not take complex numbers")
    if method != "complex" and suspect.any():
        ways.append("Taylor")
        slope = _remainder_slope(scalar, name, gradient)
        for k in np.flatnonzero(suspect):
            measured[k], allowed[k] = _central(scalar, name, int(asked[k]))
        allowed[suspect] += rtol * _largest(measured)
    difference = np.abs(given - measured)
    bad = [int(k) for k in np.flatnonzero(~(difference <= allowed))]
    bad.sort(key=lambda k: -np.nan_to_num(difference[k], nan=np.inf))
    wrong = tuple(
        (tuple(map(int, np.unravel_index(asked[k], array.shape))), float(given[k]), float(m))
        for k in bad
        for m in [measured[k]]
    )
    error = float(np.max(difference, initial=0.0) / _largest(measured))
    return ArrayCheck(name, array.shape, ", ".join(ways), len(asked), error, wrong, slope)


def _largest(measured: Array) -> float:
    finite = np.abs(measured[np.isfinite(measured)])
    return float(np.max(finite, initial=0.0)) or 1.0


def _complex_step(scalar: _Scalar, name: str, asked: Array) -> Array | None:
    """Derivatives with respect to these entries; None where complex numbers are refused."""
    x = scalar.x.astype(np.complex128)
    flat = scalar.arrays(scalar.complex, name, x).reshape(-1)
    measured = np.empty(len(asked))
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("error", np.exceptions.ComplexWarning)
            for k, entry in enumerate(asked):
                before = flat[entry]
                flat[entry] = before + 1j * STEP
                try:
                    value = scalar.value(scalar.complex, x)
                finally:
                    flat[entry] = before
                if not np.iscomplexobj(value):
                    return None
                measured[k] = value.imag / STEP
    except (TypeError, ValueError, np.exceptions.ComplexWarning):
        return None
    return measured


def _central(scalar: _Scalar, name: str, entry: int) -> tuple[float, float]:
    """Return the slope in one entry and its uncertainty.

    Of central differences at lengths h, extrapolated (Richardson: (4 D(h) − D(2h))/3), the
    one that moves least from its neighbour is taken; that move is the uncertainty.
    """
    x = scalar.x.copy()
    flat = scalar.arrays(scalar.subject, name, x).reshape(-1)
    before = flat[entry]
    scale = max(1.0, abs(before))

    def at(h: float) -> float:
        flat[entry] = before + h
        try:
            return float(scalar.value(scalar.subject, x))
        finally:
            flat[entry] = before

    slopes = []
    for h in LENGTHS * scale:
        wide = (at(2 * h) - at(-2 * h)) / (4 * h)
        slopes.append((4 * (at(h) - at(-h)) / (2 * h) - wide) / 3)
    moves = np.abs(np.diff(slopes))
    best = int(np.argmin(moves))
    return slopes[best], float(moves[best])


def _remainder_slope(scalar: _Scalar, name: str, gradient: Array) -> float:
    """Slope of log R(h) over log h in a random direction, where R is above rounding."""
    x = scalar.x.copy()
    array = scalar.arrays(scalar.subject, name, x)
    before = array.copy()
    v = np.random.default_rng(0).standard_normal(array.shape)
    here = float(scalar.value(scalar.subject, x))
    remainders = []
    lengths = 10.0 ** np.arange(-1.5, -5.0, -0.5)
    for h in lengths:
        array[...] = before + h * v
        there = float(scalar.value(scalar.subject, x))
        remainders.append(abs(there - here - h * float((gradient * v).sum())))
    array[...] = before
    size = max(1.0, abs(here), float(np.abs(gradient * v).sum()))  # of what is subtracted
    seen = np.array(remainders) > 1e3 * np.finfo(float).eps * size
    if seen.sum() < 2:
        return float("inf")
    return float(np.polyfit(np.log(lengths[seen]), np.log(np.array(remainders)[seen]), 1)[0])
