"""Compiled loops that keep the k best: a heap, or a list where few are kept.

The farthest, by (distance, index), stands at the root: of equal distances the lower index is
nearer, in whatever order rows are offered.
"""

from __future__ import annotations

from kiso._compute.jit import compiled
from kiso._validation import Array

FEW = 16  # up to so many kept, a list is faster than a heap


@compiled
def _sift(distance: Array, index: Array, size: int, d: float, i: int) -> None:
    """Put (d, i) in the place of the root of a heap and let it sink."""
    at = 0
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        right = child + 1
        if right < size and (
            distance[right] > distance[child]
            or (distance[right] == distance[child] and index[right] > index[child])
        ):
            child = right
        if distance[child] < d or (distance[child] == d and index[child] < i):
            break
        distance[at], index[at] = distance[child], index[child]
        at = child
    distance[at], index[at] = d, i


@compiled
def _insert(distance: Array, index: Array, d: float, i: int) -> None:
    """`_sift` where few are kept: farthest first, which is a heap too, without a branch."""
    for at in range(distance.size - 1):
        next_d, next_i = distance[at + 1], index[at + 1]
        farther = (next_d > d) | ((next_d == d) & (next_i > i))
        distance[at] = next_d if farther else d
        index[at] = next_i if farther else i
        d = d if farther else next_d
        i = i if farther else next_i
    distance[-1], index[-1] = d, i


@compiled
def offer(distance: Array, index: Array, d: float, i: int) -> None:
    """Keep (d, i) among the k best if it is nearer than the farthest of them."""
    if d < distance[0] or (d == distance[0] and i < index[0]):
        if distance.size <= FEW:
            _insert(distance, index, d, i)
        else:
            _sift(distance, index, distance.size, d, i)


@compiled
def sort_best(distance: Array, index: Array) -> None:
    """Turn the heap of each query into a list, nearest first."""
    n, k = distance.shape
    for row in range(n):
        if k <= FEW:
            for a in range(k // 2):
                b = k - 1 - a
                distance[row, a], distance[row, b] = distance[row, b], distance[row, a]
                index[row, a], index[row, b] = index[row, b], index[row, a]
            continue
        far, which = distance[row], index[row]
        for end in range(k - 1, 0, -1):
            d, i = far[end], which[end]
            far[end], which[end] = far[0], which[0]
            _sift(far, which, end, d, i)
