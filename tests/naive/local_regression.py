"""Locally weighted regression, one least-squares problem a query, as the text writes it."""

import numpy as np


def distances(X, q, precision=None):
    gap = X - q
    P = np.eye(X.shape[1]) if precision is None else np.asarray(precision)
    return np.sqrt(np.maximum(np.einsum("ia,ab,ib->i", gap, P, gap), 0))


def kernel_weights(distance, tau, kernel):
    if kernel == "tricube":
        return np.maximum(1 - (distance / tau) ** 3, 0) ** 3
    return np.exp(-0.5 * (distance**2 - distance.min() ** 2) / tau**2)


def terms(X, degree):
    columns = [np.ones(len(X))]
    d = X.shape[1]
    if degree > 0:
        columns += [X[:, a] for a in range(d)]
    if degree > 1:
        columns += [X[:, a] * X[:, b] for a in range(d) for b in range(a, d)]
    return np.stack(columns, axis=1)


def local_theta(X, y, q, w, degree):
    """θ about the query: the minimiser of Σ w (y − t(x − q)ᵀθ)²."""
    root = np.sqrt(w)
    T = terms(X - q, degree)
    shape = (-1,) + (1,) * (y.ndim - 1)
    return np.linalg.lstsq(root[:, None] * T, root.reshape(shape) * y, rcond=None)[0]


def local_regression(
    X, y, Q, *, tau=None, frac=None, degree=1, kernel="gaussian", precision=None, weight=None
):
    X, y, Q = (np.asarray(a, dtype=np.float64) for a in (X, y, Q))
    weight = np.ones(len(X)) if weight is None else weight
    predictions = []
    for q in Q:
        distance = distances(X, q, precision)
        bandwidth = tau
        if frac is not None:
            bandwidth = np.sort(distance)[max(int(frac * len(X) + 1e-10), 2) - 1]
        w = weight * kernel_weights(distance, bandwidth, kernel)
        predictions.append(local_theta(X, y, q, w, degree)[0])
    return np.array(predictions)


def leave_one_out(X, y, **settings):
    """Each row predicted from the others, by fitting the others."""
    left_out = []
    for i in range(len(X)):
        others = np.arange(len(X)) != i
        rest = dict(settings)
        if rest.get("weight") is not None:
            rest["weight"] = rest["weight"][others]
        left_out.append(y[i] - local_regression(X[others], y[others], X[i : i + 1], **rest)[0])
    return np.array(left_out)


def robust_weights(y, fitted):
    size = np.abs(y - fitted)
    u = np.minimum(size / (6 * np.median(size)), 1)
    return (1 - u**2) ** 2
