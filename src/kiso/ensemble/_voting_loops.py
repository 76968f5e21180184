"""Compiled loops of a forest's prediction: all rows of a block go down a tree level by level.

The way of one row down a tree is a chain of loads, each waiting for the last; the rows of a
level do not wait for each other. Which way a row goes cannot be foretold, so it is computed
as a number, without branches. The left child of node k is k + 1 (the order of a walk).

    link_k = right child · 2³² + feature · 2 + (missing values go left); negative in a leaf
"""

from __future__ import annotations

import numpy as np

from kiso._compute.jit import compiled
from kiso._validation import Array


@compiled
def add_values(X: Array, link: Array, threshold: Array, value: Array, out: Array) -> None:
    """Add to `out` the values of the leaves of all rows."""
    n = len(X)
    node = np.zeros(n, np.uint32)
    moving = np.arange(n).astype(np.uint32)
    m = n if link[0] >= 0 else 0
    while m > 0:
        still = 0
        for a in range(m):
            i = moving[a]
            k = node[i]
            here = np.uint64(link[k])
            x = X[i, (here & np.uint64(0xFFFFFFFF)) >> np.uint64(1)]
            left = (x <= threshold[k]) | ((x != x) & ((here & np.uint64(1)) != 0))
            k = k + np.uint32(1) if left else np.uint32(here >> np.uint64(32))
            node[i] = k
            moving[still] = i
            still += link[k] >= 0
        m = still
    for i in range(n):
        for c in range(value.shape[1]):
            out[i, c] += value[node[i], c]
