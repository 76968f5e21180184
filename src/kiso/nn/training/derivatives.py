"""A layer, network or function as a scalar function C, and how C's derivatives are measured.

The mathematics stands in `training/check_gradients.py`.
"""

from __future__ import annotations

import copy
import warnings
from typing import Any

import numpy as np

from kiso._validation import Array
from kiso.losses import Loss
from kiso.optim._tree import leaves_like, leaves_of, named_leaves

from ..layers.layer import Layer, arrays_within
from ..layers.run import Run

__all__ = ["Scalar", "central_slope", "complex_slopes", "remainder_slope"]

STEP = 1e-40  # of the complex step
LENGTHS = 10.0 ** np.array([-2.0, -2.5, -3.0, -3.5, -4.0, -4.5, -5.0])  # of differences


class Scalar:
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
        self.names = self._names(subject)
        self.subject = self._with_parameters(subject, np.float64)
        self.complex = self._with_parameters(subject, np.complex128)
        y = self.output(self.subject, x)[0]
        self.w = rng.standard_normal(np.shape(y)) if np.ndim(y) else np.ones(())

    def output(self, subject: Any, x: Array) -> tuple[Any, Any]:
        """Return the subject's value and what it gives beside it."""
        if not hasattr(subject, "forward"):
            y, second = subject(x)
            return y, second
        if self.train is None:
            return subject.forward(x)
        return subject.forward(x, train=Run(self.train))

    def _names(self, subject: Any) -> list[str] | None:
        """Return what a layer that does not say it has as parameters; None where it does.

        The arrays that it holds, but for those that a forward pass puts in their place: a
        layer that remembers its input does not learn it.
        """
        if not hasattr(subject, "forward") or _says(subject):
            return None
        held = arrays_within(subject)
        self.output(subject, self.x)
        return [name for name, array in held.items() if getattr(subject, name) is array]

    def parameters(self, subject: Any) -> Any:
        """The trainable arrays of a layer, or {}."""
        if self.names is not None:
            return {name: getattr(subject, name) for name in self.names}
        return subject.parameters if hasattr(subject, "forward") else {}

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
        found: dict[int, tuple[str, Array, Array]] = {}
        if hasattr(self.subject, "forward"):
            parameters = self.parameters(self.subject)
            leaves = leaves_like(parameters, grads)
            for (name, array), g in zip(named_leaves(parameters), leaves, strict=True):
                g = _same_shape(name, array, g)
                if id(array) in found:  # a layer that stands twice: its gradients add up
                    name, _, other = found[id(array)]
                    g = g + other
                found[id(array)] = name, array, g
        return [*found.values(), ("input", self.x, _same_shape("input", self.x, dx))]

    def arrays(self, subject: Any, name: str, x: Array) -> Array:
        """The array of this name in the real or the complex copy."""
        return x if name == "input" else dict(named_leaves(self.parameters(subject)))[name]

    def _with_parameters(self, subject: Any, dtype: Any) -> Any:
        """Return a copy of a layer whose parameters are of this dtype: no hooks needed."""
        if not hasattr(subject, "forward"):
            return subject
        leaves = leaves_of(self.parameters(subject))
        memo: dict[int, Any] = {id(leaf): leaf.astype(dtype, order="C") for leaf in leaves}
        clone = copy.deepcopy(subject, memo)
        if any(leaf.dtype != dtype for leaf in leaves_of(self.parameters(clone))):
            raise TypeError(
                f"{subject!r}: `parameters` has to return the arrays that the layer holds, "
                "no copies"
            )
        return clone


def _says(subject: Any) -> bool:
    """Whether a layer's class says by itself what its parameters are."""
    found = getattr(type(subject), "parameters", None)
    return found is not None and found is not Layer.parameters


def _same_shape(name: str, array: Array, gradient: Any) -> Array:
    g = np.asarray(gradient)
    if g.shape != array.shape:
        raise ValueError(f"{name} has shape {array.shape}, its gradient {g.shape}")
    return g


def complex_slopes(scalar: Scalar, name: str, asked: Array) -> Array | None:
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


def central_slope(scalar: Scalar, name: str, entry: int) -> tuple[float, float]:
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


def remainder_slope(scalar: Scalar, name: str, gradient: Array) -> float:
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
