"""A decision tree the slow way: every cut of every feature, impurities by their definition."""

import itertools

import numpy as np


def impurity(y, w, criterion):
    if criterion in ("gini", "entropy"):
        p = np.array([w[y == c].sum() for c in np.unique(y)]) / w.sum()
        return 1 - np.sum(p**2) if criterion == "gini" else -np.sum(p * np.log2(p))
    if criterion == "poisson":
        mean = np.average(y, weights=w)
        terms = [yi * np.log(yi / mean) if yi > 0 else 0.0 for yi in y]
        return np.average(terms, weights=w)
    if criterion == "squared_error":
        mean = np.average(y, weights=w)
        return np.average((y - mean) ** 2, weights=w)
    return min(np.average(np.abs(y - m), weights=w) for m in y)


def cuts(x, categorical):
    """Every way to part rows by one feature, as a mask of those on the left."""
    known = np.unique(x[~np.isnan(x)])
    if categorical:
        values = [*known, *([np.nan] if np.isnan(x).any() else [])]
        for k in range(1, len(values)):
            for chosen in itertools.combinations(values, k):
                yield np.array([any(v == c or (v != v and c != c) for c in chosen) for v in x])
        return
    for missing_left in (False, True):
        for value in known:
            yield (x <= value) | (np.isnan(x) & missing_left)


def best_decrease(X, y, w, criterion, min_leaf=1, categorical=()):
    """Largest decrease of Σ w·impurity by one split; None where no split is allowed."""
    best = None
    whole = w.sum() * impurity(y, w, criterion)
    for f in range(X.shape[1]):
        for left in cuts(X[:, f], f in categorical):
            if min(left.sum(), (~left).sum()) < max(1, min_leaf):
                continue
            parts = sum(w[s].sum() * impurity(y[s], w[s], criterion) for s in (left, ~left))
            best = whole - parts if best is None else max(best, whole - parts)
    return best
