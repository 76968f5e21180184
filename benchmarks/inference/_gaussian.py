"""Fitting a normal with full covariance, and merging fits of pieces."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from benchmarks._harness import Case

N_ROWS, N_COLUMNS, N_PIECES = 1_000_000, 50, 1000


def _data(dtype: Any) -> SimpleNamespace:
    """Correlated columns; and their mean and covariance in float64, for the objective."""
    rng = np.random.default_rng(0)
    mix = rng.normal(size=(N_COLUMNS, N_COLUMNS)) / np.sqrt(N_COLUMNS)
    X = rng.standard_normal((N_ROWS, N_COLUMNS), dtype=np.float32)
    X = (X @ mix.astype(np.float32) + np.float32(3)).astype(dtype)
    mean = X.mean(axis=0, dtype=np.float64)
    covariance = sum(
        (part.astype(np.float64) - mean).T @ (part - mean) for part in np.array_split(X, 20)
    )
    return SimpleNamespace(X=X, mean=mean, covariance=covariance / N_ROWS)


def _surprise(data: SimpleNamespace, found: tuple[Any, Any]) -> float:
    """Mean −log density of the data under the fit: log|Σ| + tr Σ⁻¹(S + (x̄ − μ)(x̄ − μ)ᵀ)."""
    mean, covariance = (np.asarray(part, dtype=np.float64) for part in found)
    off = data.mean - mean
    spread = np.trace(np.linalg.solve(covariance, data.covariance + np.outer(off, off)))
    return float(np.linalg.slogdet(covariance)[1] + spread)


def _kiso(data: SimpleNamespace) -> tuple[Any, Any]:
    from kiso.inference import Gaussian

    fitted = Gaussian().fit(data.X)
    return fitted.mean_, fitted.covariance_


def _mixture(data: SimpleNamespace) -> tuple[Any, Any]:
    from sklearn.mixture import GaussianMixture

    fitted = GaussianMixture(1, reg_covar=0.0, init_params="random", max_iter=2).fit(data.X)
    return fitted.means_[0], fitted.covariances_[0]


def _empirical(data: SimpleNamespace) -> tuple[Any, Any]:
    from sklearn.covariance import EmpiricalCovariance

    fitted = EmpiricalCovariance(store_precision=False).fit(data.X)
    return fitted.location_, fitted.covariance_


def _sklearnex(data: SimpleNamespace) -> tuple[Any, Any]:
    from sklearnex.preview.covariance import EmpiricalCovariance

    fitted = EmpiricalCovariance(store_precision=False).fit(data.X)
    return fitted.location_, fitted.covariance_


def _cov(data: SimpleNamespace) -> tuple[Any, Any]:
    return data.X.mean(axis=0), np.cov(data.X, rowvar=False, bias=True)


def _fit(dtype: Any) -> Case:
    return Case(
        name=f"Gaussian fit, 1,000,000 × 50 {np.dtype(dtype).name}",
        setup=lambda: _data(dtype),
        contestants={
            "kiso": _kiso,
            "numpy cov": _cov,
            "sklearn EmpiricalCovariance": _empirical,
            "sklearn GaussianMixture(1)": _mixture,
            "sklearnex EmpiricalCovariance": _sklearnex,
        },
        objective=_surprise,
        target=1.0,
        targets={"sklearn": 2.0, "numpy": 1.0},
        settings="full covariance; GaussianMixture without k-means start, two iterations; "
        "EmpiricalCovariance without the precision matrix; np.cov computes in float64",
    )


def _pieces() -> SimpleNamespace:
    from kiso.inference import Gaussian

    data = _data(np.float64)
    data.fits = [Gaussian().fit(piece) for piece in np.array_split(data.X, N_PIECES)]
    return data


def _merge(data: SimpleNamespace) -> tuple[Any, Any]:
    first, *others = data.fits
    merged = first.merge(*others)
    return merged.mean_, merged.covariance_


CASES = [
    _fit(np.float64),
    _fit(np.float32),
    Case(
        name="Gaussian merge of 1,000 pieces, 1,000,000 × 50 float64",
        setup=_pieces,
        contestants={"kiso": _merge, "whole fit": _kiso},
        objective=_surprise,
        target=20.0,
        settings="merging must take less than 5 % of one fit to all the data: a ratio of 20",
    ),
]
