"""Compiled loops on a grown tree: the order of a walk through it, and the leaf of each row."""

from __future__ import annotations

from typing import Any

import numpy as np

from kiso._compute.jit import compiled
from kiso._validation import Array


@compiled
def preorder(left: Array, right: Array, order: Array) -> int:
    """Fill `order` with the nodes as a walk meets them, left before right; how many."""
    stack = np.empty(len(left) + 1, np.int64)
    stack[0] = 0
    top, n = 1, 0
    while top:
        top -= 1
        node = stack[top]
        order[n] = node
        n += 1
        if left[node] >= 0:
            stack[top] = right[node]
            stack[top + 1] = left[node]
            top += 2
    return n


@compiled
def leaves_of(
    X: Array, left: Array, right: Array, feature: Array, threshold: Array, missing_left: Array,
    bits: Array, n_values: Array, first: Any, last: Any, out: Array,
) -> None:  # fmt: skip
    """The leaf of each row; n_values[f] < 0 for a numeric feature."""
    for i in range(first, last):
        node = 0
        while left[node] >= 0:
            f = feature[node]
            x = X[i, f]
            if n_values[f] < 0:
                go = missing_left[node] if np.isnan(x) else x <= threshold[node]
            else:
                c = n_values[f] if np.isnan(x) else np.int64(x)
                if c < 0 or c > n_values[f]:
                    go = missing_left[node]
                else:
                    go = (bits[node, c >> 5] >> np.uint32(c & 31)) & np.uint32(1) != 0
            node = left[node] if go else right[node]
        out[i] = node
