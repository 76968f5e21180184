"""Neighbours the slow way: every distance, sorted by (distance, index)."""

import numpy as np

DISTANCES = {
    "euclidean": lambda q, x: np.sqrt(np.sum((q - x) ** 2)),
    "sqeuclidean": lambda q, x: np.sum((q - x) ** 2),
    "manhattan": lambda q, x: np.sum(np.abs(q - x)),
    "chebyshev": lambda q, x: np.max(np.abs(q - x)),
    "hamming": lambda q, x: np.mean(q != x),
    "cosine": lambda q, x: 1 - cosine(q, x),
}


def cosine(q, x):
    lengths = np.sqrt(q @ q) * np.sqrt(x @ x)
    return q @ x / lengths if lengths else 0.0


def minkowski(p):
    return lambda q, x: np.sum(np.abs(q - x) ** p) ** (1 / p)


def distances(Q, X, distance):
    Q, X = np.asarray(Q, np.float64), np.asarray(X, np.float64)
    return np.array([[distance(q, x) for x in X] for q in Q]).reshape(len(Q), len(X))


def k_nearest(D, k, *, without_self=False):
    """(distances, rows) of the k least (D[i, j], j) of each query."""
    D = D.copy()
    if without_self:
        np.fill_diagonal(D, np.inf)
    order = np.array([sorted(range(len(d)), key=lambda j: (d[j], j))[:k] for d in D])
    return np.take_along_axis(D, order, axis=1), order


def within(D, radius):
    return [[j for j in range(len(d)) if d[j] <= radius] for d in D]


def vote(y, neighbors, weights):
    """Weighted share of each class among the neighbours; classes ascending."""
    classes = sorted(set(y))
    out = np.zeros((len(neighbors), len(classes)))
    for i, row in enumerate(neighbors):
        for j, w in zip(row, weights[i], strict=True):
            out[i, classes.index(y[j])] += w
        out[i] /= sum(weights[i])
    return out


def inverse_distance(d):
    return np.array([[float(v == 0) for v in row] if 0 in row else 1 / row for row in d])
