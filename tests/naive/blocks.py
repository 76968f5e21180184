"""Weighted sums of products, one row at a time, in exact rational arithmetic."""

from fractions import Fraction

import numpy as np


def moments(Z, weights=None):
    """Give the total weight, the mean and the scatter about the mean of the rows of Z."""
    n, p = Z.shape
    w = [Fraction(1)] * n if weights is None else [Fraction(float(v)) for v in weights]
    rows = [[Fraction(float(v)) for v in row] for row in Z]
    total = sum(w)
    mean = [sum(w[i] * rows[i][j] for i in range(n)) / total for j in range(p)]
    scatter = np.empty((p, p))
    for j in range(p):
        for k in range(p):
            terms = (w[i] * (rows[i][j] - mean[j]) * (rows[i][k] - mean[k]) for i in range(n))
            scatter[j, k] = float(sum(terms))
    return float(total), np.array([float(m) for m in mean]), scatter
