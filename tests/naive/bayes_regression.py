"""The posterior of linear regression from the formulas as they are printed."""

import numpy as np
from scipy import integrate, stats


def posterior(X, y, mean0, cov0, variance, weights=None, fit_intercept=True):
    """Mean and covariance of (w, b) under known noise; the intercept's prior precision is 0."""
    w = np.ones(len(y)) if weights is None else weights
    Z = np.column_stack([X, np.ones(len(X))]) if fit_intercept else X
    d, p = X.shape[1], Z.shape[1]
    precision0, mean = np.zeros((p, p)), np.zeros(p)
    precision0[:d, :d], mean[:d] = np.linalg.inv(cov0), mean0
    cov = np.linalg.inv((Z.T * w) @ Z / variance + precision0)
    return cov @ (Z.T @ (w * y) / variance + precision0 @ mean), cov


def log_evidence(X, y, mean0, cov0, variance, fit_intercept=True):
    """log p(y) under known noise: a normal density.

    ∫ N(y; m + b 1, V) db is the density of y's part orthogonal to 1, over √n.
    """
    n = len(y)
    cov = X @ cov0 @ X.T + variance * np.eye(n)
    if not fit_intercept:
        return stats.multivariate_normal(X @ mean0, cov).logpdf(y)
    H = np.linalg.qr(np.column_stack([np.ones(n), np.eye(n)[:, 1:]]))[0][:, 1:]
    return stats.multivariate_normal(H.T @ X @ mean0, H.T @ cov @ H).logpdf(H.T @ y) - np.log(n) / 2


def log_evidence_unknown(X, y, mean0, cov0, shape, scale, fit_intercept=True):
    """log p(y) under σ² ~ IG(shape, scale), by quadrature over log σ²."""

    def log_joint(log_variance):
        v = np.exp(log_variance)
        prior = stats.invgamma(shape, scale=scale).logpdf(v) + log_variance
        return prior + log_evidence(X, y, mean0, v * cov0, v, fit_intercept)

    grid = np.linspace(-12, 12, 400)
    top = max(log_joint(g) for g in grid)
    area, _ = integrate.quad(lambda g: np.exp(log_joint(g) - top), -12, 12, limit=400)
    return top + np.log(area)
