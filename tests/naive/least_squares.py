"""Least squares with a penalty in exact rational arithmetic."""

from fractions import Fraction

import numpy as np


def exact(values):
    return [[Fraction(float(v)) for v in row] for row in np.atleast_2d(values)]


def eliminate(A, b):
    """Solve A x = b (square, regular) by Gauss-Jordan elimination on fractions."""
    n = len(A)
    rows = [[*row, value] for row, value in zip(A, b, strict=True)]
    for i in range(n):
        pivot = next(k for k in range(i, n) if rows[k][i] != 0)
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [v / rows[i][i] for v in rows[i]]
        for k in range(n):
            if k != i and rows[k][i] != 0:
                rows[k] = [v - rows[k][i] * p for v, p in zip(rows[k], rows[i], strict=True)]
    return [row[n] for row in rows]


def ridge(X, y, alpha=0.0, weights=None, fit_intercept=True):
    """Coefficients, intercept and Σ w r² of one target; X must have full rank if alpha is 0."""
    X = exact(X)
    y = [Fraction(float(v)) for v in y]
    w = [Fraction(1)] * len(y) if weights is None else [Fraction(float(v)) for v in weights]
    Z = [[*row, Fraction(1)] for row in X] if fit_intercept else X
    p, d = len(Z[0]), len(X[0])
    A = [[sum(wi * z[i] * z[j] for wi, z in zip(w, Z, strict=True)) for j in range(p)]
         for i in range(p)]  # fmt: skip
    for i in range(d):
        A[i][i] += Fraction(float(alpha))
    rhs = [sum(wi * z[i] * yi for wi, z, yi in zip(w, Z, y, strict=True)) for i in range(p)]
    b = eliminate(A, rhs)
    fit = [sum(bi * zi for bi, zi in zip(b, z, strict=True)) for z in Z]
    rss = sum(wi * (yi - fi) ** 2 for wi, yi, fi in zip(w, y, fit, strict=True))
    coef = np.array([float(v) for v in b[:d]])
    return coef, float(b[d]) if fit_intercept else 0.0, float(rss)


def least_norm(X, y, weights=None, fit_intercept=True, rcond=1e-9):
    """Coefficients of least norm of any X, through NumPy's pseudo-inverse."""
    w = np.ones(len(y)) if weights is None else weights
    x0 = np.average(X, axis=0, weights=w) if fit_intercept else 0.0
    y0 = np.average(y, axis=0, weights=w) if fit_intercept else 0.0
    root = np.sqrt(w)[:, None]
    coef = np.linalg.pinv(root * (X - x0), rcond=rcond) @ (np.sqrt(w) * (y - y0))
    return coef, y0 - x0 @ coef if fit_intercept else 0.0


def leave_one_out_ridge(X, Y, weights, alphas, *, center):
    """What fits without each row miss by on it, (n, t, n_alphas), and the fits of all rows."""

    def fit(X, Y, w, alpha):
        total = w.sum()
        x_mean, y_mean = np.zeros(X.shape[1]), np.zeros(Y.shape[1])
        if center and total > 0:
            x_mean, y_mean = w @ X / total, w @ Y / total
        A = np.vstack([np.sqrt(w)[:, None] * (X - x_mean), np.sqrt(alpha) * np.eye(X.shape[1])])
        C = np.vstack([np.sqrt(w)[:, None] * (Y - y_mean), np.zeros((X.shape[1], Y.shape[1]))])
        coef = np.linalg.lstsq(A, C, rcond=None)[0]
        return coef, y_mean - x_mean @ coef

    X = X.astype(np.float64)
    w = np.ones(len(X)) if weights is None else weights
    errors = np.empty((*Y.shape, len(alphas)))
    for k, alpha in enumerate(alphas):
        for i in range(len(X)):
            others = np.arange(len(X)) != i
            coef, intercept = fit(X[others], Y[others], w[others], alpha)
            errors[i, :, k] = Y[i] - X[i] @ coef - intercept
    return errors, [fit(X, Y, w, alpha) for alpha in alphas]
