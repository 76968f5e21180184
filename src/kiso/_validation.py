"""What scikit-learn's validation does not cover, and the constraints kiso's estimators use."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import HasMethods, Hidden, Interval, StrOptions

__all__ = [
    "FLOATS",
    "RANDOM_STATE",
    "Array",
    "HasMethods",
    "Hidden",
    "Integral",
    "Interval",
    "RandomState",
    "Real",
    "StrOptions",
    "check_generator",
    "positive",
]

Array: TypeAlias = NDArray[Any]
RandomState: TypeAlias = int | np.random.Generator | np.random.RandomState | None

# float32 stays float32, everything else becomes float64
FLOATS = [np.float64, np.float32]
RANDOM_STATE = ["random_state", np.random.Generator]


def positive(kind: type = Real, *, zero: bool = False) -> Interval:
    """The constraint `> 0` (or `>= 0`) on a number of this kind; infinity is outside."""
    return Interval(kind, 0, None, closed="left" if zero else "neither")


def check_generator(random_state: RandomState) -> np.random.Generator:
    """Turn scikit-learn's `random_state` into a `numpy.random.Generator`, once per fit.

    Parameters
    ----------
    random_state : int, numpy.random.Generator, numpy.random.RandomState or None
        A generator is used as it is (its state moves on). An integer seeds a new one. A
        RandomState gives one draw as the seed, so that repeated calls differ, as they do
        in scikit-learn. None takes NumPy's global RandomState, which `numpy.random.seed`
        makes reproducible.

    Raises
    ------
    ValueError
        If it is none of these.

    Examples
    --------
    >>> check_generator(0).integers(10)
    np.int64(8)
    """
    if isinstance(random_state, np.random.Generator):
        return random_state
    if isinstance(random_state, bool):
        raise ValueError(f"random_state={random_state!r}: give an int, a Generator or None")
    if isinstance(random_state, Integral):
        if random_state < 0:
            raise ValueError(f"random_state={random_state!r}: a seed is not negative")
        return np.random.default_rng(int(random_state))
    if random_state is None:
        random_state = np.random.mtrand._rand
    if isinstance(random_state, np.random.RandomState):
        return np.random.default_rng(random_state.randint(0, 2**31 - 1, size=4))
    raise ValueError(
        f"random_state={random_state!r}: give an int, a numpy.random.Generator, "
        "a numpy.random.RandomState or None"
    )
