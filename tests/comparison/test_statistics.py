"""The corrected resampled t-test against a hand calculation and a simulation."""

import math

import numpy as np
import pytest
from sklearn.model_selection import KFold

from kiso.comparison._statistics import corrected_t_test


def test_by_hand():
    # differences 0.1, 0.0, 0.2: mean 0.1, variance 0.01; 1/3 + 10/20 = 5/6
    found = corrected_t_test([0.9, 0.8, 0.9], [0.8, 0.8, 0.7], [(20, 10)] * 3)
    error = math.sqrt(5 / 6 * 0.01)
    t = 0.1 / error
    # Student's t with 2 degrees of freedom: P(|T| > t) = 1 - t / sqrt(2 + t²)
    assert found.p_value == pytest.approx(1 - t / math.sqrt(2 + t * t), rel=1e-12)
    # its 97.5 % point is 4.30265...
    assert found.mean == pytest.approx(0.1)
    assert found.high - found.mean == pytest.approx(4.302652729911275 * error)
    assert found.mean - found.low == pytest.approx(found.high - found.mean)


def test_edges():
    sizes = [(80, 20)] * 3
    assert corrected_t_test([0.5], [0.4], sizes[:1]) is None
    same = corrected_t_test([0.1, 0.2, 0.3], [0.1, 0.2, 0.3], sizes)
    assert (same.mean, same.p_value) == (0.0, 1.0)
    always = corrected_t_test([0.5, 0.5, 0.5], [0.25, 0.25, 0.25], sizes)
    assert (always.mean, always.p_value) == (0.25, 0.0)
    # rounding in the last place is no difference
    assert corrected_t_test([0.3, 0.3], [0.1 + 0.2, 0.1 + 0.2], sizes[:2]).p_value == 1.0


def test_false_alarms_are_as_rare_as_promised():
    """Two equally good predictors on fresh data: p < 0.05 in at most about 5 % of the tables.

    The plain t-test on the same differences alarms far more often, which is why it is not used.
    """
    rng = np.random.default_rng(0)
    n, runs = 60, 300
    alarms = plain_alarms = 0
    for _ in range(runs):
        X, y = rng.normal(size=(n, 2)), rng.normal(size=n)
        scores = np.zeros((2, 15))
        sizes = []
        for r in range(3):
            folds = KFold(5, shuffle=True, random_state=r).split(X)
            for j, (train, test) in enumerate(folds):
                sizes.append((len(train), len(test)))
                for c in (0, 1):  # each predicts from one of two useless columns
                    slope = X[train, c] @ y[train] / (X[train, c] @ X[train, c])
                    scores[c, 5 * r + j] = -np.mean((y[test] - slope * X[test, c]) ** 2)
        alarms += corrected_t_test(*scores, sizes).p_value < 0.05
        difference = scores[0] - scores[1]
        t = difference.mean() / math.sqrt(difference.var(ddof=1) / 15)
        plain_alarms += abs(t) > 2.1448  # 14 degrees of freedom
    assert alarms <= 0.08 * runs
    assert plain_alarms > 2 * alarms
