"""Generators of data and loaders of real data sets."""

from ._available import available
from ._cache import DataUnavailableError, data_home
from ._cifar import CIFAR10_CLASSES, fetch_cifar10, read_cifar10
from ._images import fetch_fashion_mnist, fetch_mnist, read_idx
from ._omniglot import Drawings, OneShotRun, fetch_omniglot, fetch_omniglot_runs
from ._portland import load_portland_housing
from ._rows import ParquetRows, parquet_rows

__all__ = [
    "CIFAR10_CLASSES",
    "DataUnavailableError",
    "Drawings",
    "OneShotRun",
    "ParquetRows",
    "available",
    "data_home",
    "fetch_cifar10",
    "fetch_fashion_mnist",
    "fetch_mnist",
    "fetch_omniglot",
    "fetch_omniglot_runs",
    "load_portland_housing",
    "parquet_rows",
    "read_cifar10",
    "read_idx",
]
