"""Kernel machines the slow way: the dual as a quadratic programme, kernels by their formulas."""

import numpy as np
from scipy.optimize import LinearConstraint, minimize


def gram(k, X, S):
    """The Gram matrix, one value at a time."""
    return np.array([[k(x, s) for s in S] for x in X])


def dual(K, p, lo, hi, total=0.0):
    """Minimise ½ βᵀKβ + pᵀβ, lo ≤ β ≤ hi, Σ β = total; (β, minimum)."""
    start = np.clip(np.full(len(p), total / len(p)), lo, hi)
    found = minimize(
        lambda b: (0.5 * b @ K @ b + p @ b, K @ b + p),
        start,
        jac=True,
        bounds=list(zip(lo, hi, strict=True)),
        constraints=LinearConstraint(np.ones(len(p)), total, total),
        method="SLSQP",
        options={"maxiter": 2000, "ftol": 1e-14},
    )
    return found.x, found.fun


def primal(K, beta, b, y, C):
    """½ ‖w‖² + Σ C_i max(0, 1 − y_i f_i)."""
    f = K @ beta + b
    return 0.5 * beta @ K @ beta + np.sum(C * np.maximum(0.0, 1.0 - y * f))


def kkt_violation(f, beta, lo, hi):
    """Largest f among β that can fall less smallest among those that can rise, at least 0."""
    return max(0.0, f[beta > lo].max() - f[beta < hi].min())
