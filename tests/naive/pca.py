"""Principal components by the definition: exact moments, then one Jacobi rotation at a time."""

import numpy as np

from tests.naive.blocks import moments


def jacobi(S):
    """Eigenvalues, largest first, and eigenvectors (rows) of a symmetric matrix, long double."""
    A = np.array(S, dtype=np.longdouble)
    d = len(A)
    V = np.eye(d, dtype=np.longdouble)
    for _ in range(30):
        for p in range(d):
            for q in range(p + 1, d):
                if A[p, q] == 0:
                    continue
                angle = np.arctan2(2 * A[p, q], A[q, q] - A[p, p]) / 2
                R = np.eye(d, dtype=np.longdouble)
                R[p, p] = R[q, q] = np.cos(angle)
                R[p, q], R[q, p] = np.sin(angle), -np.sin(angle)
                A, V = R.T @ A @ R, V @ R
    order = np.argsort(-np.diagonal(A), kind="stable")
    return np.diagonal(A)[order], V.T[order]


def pca(X):
    """Mean, variances along all d components (divisor n − 1), and the components."""
    _, mean, scatter = moments(np.asarray(X))
    values, components = jacobi(np.asarray(scatter, dtype=float))
    for row in components:
        row *= np.sign(row[np.abs(row).argmax()])
    return np.asarray(mean, dtype=float), np.maximum(values, 0) / (len(X) - 1), components


def log_density(x, mean, covariance):
    """log N(x; mean, covariance) with an inverse and a determinant."""
    difference = x - mean
    sign, log_det = np.linalg.slogdet(covariance)
    assert sign > 0
    distance = difference @ np.linalg.inv(covariance) @ difference
    return -0.5 * (len(x) * np.log(2 * np.pi) + log_det + distance)


def log_evidence(variances, k, n):
    """Minka (2000), equation 30, term by term."""
    from math import lgamma, log, pi

    d = len(variances)
    v = sum(variances[k:]) / (d - k)
    hat = list(variances[:k]) + [v] * (d - k)
    p_u = 2.0**-k
    total = log(p_u)
    for i in range(1, k + 1):
        total += lgamma((d - i + 1) / 2) - (d - i + 1) / 2 * log(pi)
        total -= n / 2 * log(variances[i - 1])
    total -= n * (d - k) / 2 * log(v)
    m = d * k - k * (k + 1) / 2
    total += (m + k) / 2 * log(2 * pi)
    for i in range(k):
        for j in range(i + 1, d):
            total -= log((1 / hat[j] - 1 / hat[i]) * (variances[i] - variances[j]) * n) / 2
    return total - k / 2 * log(n)
