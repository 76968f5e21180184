"""How surely one model is better than another: the corrected resampled t-test.

Scores on J folds are not independent: their training sets share rows, so the plain t-test
finds differences that are not there. Nadeau & Bengio (2003), "Inference for the generalization
error", section 3, correct the variance of the mean difference:

    t = d̄ / √((1/J + n₂/n₁) s²),  with J − 1 degrees of freedom,

where d̄ and s² are the mean and the variance (J − 1 below) of the J differences, n₁ is the
number of training rows and n₂ that of test rows of a fold.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats

from ._result import Difference

__all__ = ["corrected_t_test", "mean_interval"]


def corrected_t_test(
    best: Sequence[float], other: Sequence[float], fold_sizes: Sequence[tuple[int, int]]
) -> Difference | None:
    """Compare the scores of two models on the same folds.

    Parameters
    ----------
    best, other : sequence of J floats
        Scores, paired by fold.
    fold_sizes : sequence of J (train rows, test rows)

    Returns
    -------
    Difference or None
        Mean of best − other, its 95 % interval and two-sided p-value; None below two folds.

    Examples
    --------
    >>> corrected_t_test([0.9, 0.8, 0.9], [0.8, 0.8, 0.7], [(20, 10)] * 3)
    Difference(mean=0.1, low=-0.29..., high=0.49..., p_value=0.38...)
    """
    difference = np.subtract(best, other)
    J = difference.size
    if J < 2:
        return None
    mean = float(difference.mean())
    n1, n2 = np.mean(fold_sizes, axis=0)
    error = float(np.sqrt((1.0 / J + n2 / n1) * difference.var(ddof=1)))
    # equal scores leave rounding behind, which no test should take for a difference
    scale = np.finfo(float).eps * float(np.abs([*best, *other]).max() + 1e-300)
    if error <= 8 * scale:
        return Difference(mean, mean, mean, 1.0 if abs(mean) <= 8 * scale else 0.0)
    reach = float(stats.t.ppf(0.975, J - 1)) * error
    p_value = float(2 * stats.t.sf(abs(mean) / error, J - 1))
    return Difference(mean, mean - reach, mean + reach, p_value)


def mean_interval(
    scores: Sequence[float], fold_sizes: Sequence[tuple[int, int]]
) -> tuple[float, float] | None:
    """Return the 95 % interval of a mean score over folds, with the same correction.

    Parameters
    ----------
    scores : sequence of J floats
    fold_sizes : sequence of J (train rows, test rows)

    Returns
    -------
    (low, high) or None
        None below two folds.

    Examples
    --------
    >>> mean_interval([0.9, 0.8, 0.9], [(20, 10)] * 3)
    (0.639..., 1.093...)
    """
    found = corrected_t_test(scores, [0.0] * len(scores), fold_sizes)
    return None if found is None else (found.low, found.high)
