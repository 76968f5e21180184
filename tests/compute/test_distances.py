"""A shift of the data to their middle, where it pays."""

import numpy as np

from kiso._compute.distances import common_shift


def test_shift_only_where_it_pays():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((500, 3))
    assert common_shift(X) is None
    shift = common_shift(X + 1e3)
    assert np.abs(shift - 1e3).max() < 3
    assert np.linalg.norm(X + 1e3 - shift, axis=1).max() < 10
