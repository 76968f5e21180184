"""The rows written into the package are those of the file."""

import numpy as np
from numpy.testing import assert_array_equal

from kiso.datasets import load_portland_housing


def test_shapes_and_sums():
    X, y = load_portland_housing()
    assert X.shape == (47, 2)
    assert X.dtype == y.dtype == np.float64
    assert_array_equal(X.sum(axis=0), [94_032, 149])
    assert y.sum() == 15_999_395
    frame = load_portland_housing(as_frame=True)
    assert list(frame.columns) == ["house_size", "bedrooms", "price"]
    assert_array_equal(frame.to_numpy(), np.column_stack([X, y]))


def test_rows_are_those_of_the_file(real_data):
    rows = np.loadtxt(real_data("tabular/portland_housing.csv"), delimiter=",", skiprows=1)
    X, y = load_portland_housing()
    assert_array_equal(np.column_stack([X, y]), rows)
