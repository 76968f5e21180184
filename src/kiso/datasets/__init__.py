"""Generators of data and loaders of real data sets."""

from ._cache import DataUnavailableError, data_home
from ._images import available, fetch_fashion_mnist, fetch_mnist, read_idx
from ._portland import load_portland_housing

__all__ = [
    "DataUnavailableError",
    "available",
    "data_home",
    "fetch_fashion_mnist",
    "fetch_mnist",
    "load_portland_housing",
    "read_idx",
]
