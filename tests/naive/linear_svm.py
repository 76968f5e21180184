"""Linear support vector machines, written to be obviously right."""

import numpy as np


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


def dual(name, X, y, beta, u, *, a=1.0, epsilon=0.0):
    """The dual at β: no primal is below it, so a primal that equals it is the least."""
    w = sum(b * np.append(x, a) for b, x in zip(beta, X, strict=True))
    value = float(np.dot(beta, y)) - 0.5 * float(np.dot(w, w))
    for b, price in zip(beta, u, strict=True):
        value -= epsilon * abs(b)
        if name.startswith("squared") and b != 0.0:
            value -= b * b / (4.0 * price)
    return value


def feasible(name, y, beta, u):
    """Whether every β is in its box: of the sign of its class, and at most u."""
    right_sign = not name.endswith("hinge") or bool((beta * y >= 0.0).all())
    limit = np.where(u > 0.0, np.inf, 0.0) if name.startswith("squared") else u
    return right_sign and bool((np.abs(beta) <= limit).all())
