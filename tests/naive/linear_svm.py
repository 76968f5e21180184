"""Linear support vector machines, written to be obviously right."""

import numpy as np
from scipy.optimize import minimize


def loss(name, y, f, epsilon):
    if name == "hinge":
        return max(0.0, 1.0 - y * f)
    if name == "squared_hinge":
        return max(0.0, 1.0 - y * f) ** 2
    out = max(0.0, abs(y - f) - epsilon)
    return out**2 if name.startswith("squared") else out


def primal(name, X, y, w, b, u, *, a=1.0, epsilon=0.0):
    """½ (‖w‖² + (b/a)²) + Σ uᵢ ℓ(yᵢ, w·xᵢ + b)."""
    value = 0.5 * sum(v * v for v in w) + (0.5 * (b / a) ** 2 if a else 0.0)
    for x, target, price in zip(X, y, u, strict=True):
        value += price * loss(name, target, float(np.dot(w, x)) + b, epsilon)
    return value


def least(name, X, y, u, *, a=1.0, epsilon=0.0):
    """The least primal, as the largest dual: a box-constrained quadratic, by L-BFGS-B."""
    n = len(X)
    rows = np.column_stack([X, np.full(n, a)])
    Q = rows @ rows.T
    squared = name.startswith("squared")
    if squared:
        Q = Q + np.diag(0.5 / u)
    limit = [None if squared else price for price in u]
    if name.endswith("hinge"):
        signed = Q * np.outer(y, y)
        found = minimize(
            lambda v: (0.5 * v @ signed @ v - v.sum(), signed @ v - 1.0),
            np.zeros(n), jac=True, method="L-BFGS-B", bounds=[(0.0, top) for top in limit],
            options={"maxiter": 20_000, "maxfun": 200_000, "ftol": 1e-16, "gtol": 1e-10},
        )  # fmt: skip
        return -found.fun
    both = np.block([[Q, -Q], [-Q, Q]])  # β = v − v*
    slope = np.concatenate([epsilon - y, epsilon + y])
    if squared:  # λ acts on v and v* alone; v v* = 0 at the solution
        plain = rows @ rows.T
        both = np.block([[plain, -plain], [-plain, plain]]) + np.diag(np.tile(0.5 / u, 2))
    found = minimize(
        lambda v: (0.5 * v @ both @ v + slope @ v, both @ v + slope),
        np.zeros(2 * n), jac=True, method="L-BFGS-B", bounds=[(0.0, top) for top in limit * 2],
        options={"maxiter": 20_000, "maxfun": 200_000, "ftol": 1e-16, "gtol": 1e-10},
    )  # fmt: skip
    return -found.fun
