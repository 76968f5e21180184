"""k-means as the text says it: no bounds, no blocks, one row after another."""

import numpy as np

from tests.naive.distances import nearest, squared_distances


def inertia(X, weight, centers, labels):
    gaps = np.asarray(X, np.float64) - np.asarray(centers, np.float64)[labels]
    return float(weight @ (gaps**2).sum(axis=1))


def means(X, weight, centers, labels):
    """The means; an empty cluster takes the row furthest from its centre."""
    X, k = np.asarray(X, np.float64), len(centers)
    labels = labels.copy()
    gaps = ((X - np.asarray(centers, np.float64)[labels]) ** 2).sum(axis=1)
    order = [i for i in np.argsort(-gaps, kind="stable") if weight[i] > 0 and gaps[i] > 0]
    empty = [j for j in range(k) if weight[labels == j].sum() == 0]
    sums = np.array([weight[labels == j] @ X[labels == j] for j in range(k)])
    total = np.array([weight[labels == j].sum() for j in range(k)])
    for j in empty:
        while order and np.count_nonzero(weight[labels == labels[order[0]]]) == 1:
            order.pop(0)
        if not order:
            break
        i = order.pop(0)
        sums[labels[i]] -= weight[i] * X[i]
        total[labels[i]] -= weight[i]
        sums[j], total[j] = weight[i] * X[i], weight[i]
        labels[i] = j
    return np.array(
        [sums[j] / total[j] if total[j] > 0 else sums[c] / total[c]
         for j in range(k) for c in [int(total.argmax())]]
    )  # fmt: skip


def lloyd(X, centers, weight=None, max_iter=300, tol=0.0):
    """Centres, labels, inertia after each iteration, the first being the initial centres."""
    weight = np.ones(len(X)) if weight is None else np.asarray(weight, np.float64)
    centers = np.array(centers)
    labels = nearest(X, centers)
    path = [(centers, labels, inertia(X, weight, centers, labels))]
    for _ in range(max_iter):
        new = means(X, weight, centers, labels).astype(np.asarray(X).dtype)
        shift = ((new.astype(np.float64) - centers) ** 2).sum()
        old, centers = labels, new
        labels = nearest(X, centers)
        path.append((centers, labels, inertia(X, weight, centers, labels)))
        if shift <= tol or (labels == old).all():
            break
    return path


def plus_plus_distribution(X, weight, chosen):
    """Probability of each row to be the next centre."""
    mass = weight * squared_distances(X, X[chosen]).min(axis=1)
    return mass / mass.sum()
