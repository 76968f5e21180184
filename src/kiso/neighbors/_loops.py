"""Compiled loops of neighbour search: exact distances, the k best kept, blocks, tree queries.

The symbols: a query q, reference rows x⁽ʲ⁾, and the *reduced* distance r(q, x), which orders
as the distance does and is cheaper:

    EUCLIDEAN  Σ (q − x)²     MANHATTAN  Σ |q − x|     CHEBYSHEV  max |q − x|
    MINKOWSKI  Σ |q − x|ᵖ     HAMMING    #(q ≠ x)

It is always added up in float64, from differences, in one order (`_exact`, and the same in
a leaf of the tree), so that every algorithm finds the same number to the last bit and ties
are the same everywhere. Of equal distances the lower index is nearer.

Loops over unsigned indices (u) are those that have to become vector code: for a signed one
Numba first asks whether it counts from the end.

The k best of a query are a heap: the farthest, by (distance, index), stands at the root.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kiso._jit import compiled, compiled_strict
from kiso._validation import Array

EUCLIDEAN, MANHATTAN, CHEBYSHEV, MINKOWSKI, HAMMING = 0, 1, 2, 3, 4

FEW = 16  # up to so many kept, a list is faster than a heap
CHUNK = 64  # products that are tested at once
LANES = 8  # partial sums of `_exact`
GROUP = 16  # the capacity of a leaf is a multiple: whole vectors
MAX_DEPTH = 64


class Tree(NamedTuple):
    """A balanced KD-tree without pointers: the children of node i are 2i + 1 and 2i + 2."""

    points: Array  # (n_leaves, d, capacity): the rows, leaf by leaf, padded with infinity
    which: Array  # (n_leaves, capacity) intp: which row each point is, padded with the largest
    box: Array  # (n_nodes, 2, d): the corners of the box around a node's points
    axis: Array  # (n_inner,) intp: the feature in which a node is cut
    edge: Array  # (n_inner, 2): where the left half ends in it, and where the right one begins


@compiled_strict
def _exact(Q: Array, i: int, X: Array, j: int, metric: int, p: float) -> float:
    """Reduced distance of two rows, in float64: LANES partial sums, then the rest in order.

    Rows come as indices here and below: a view would cost two atomic operations.
    """
    d = Q.shape[1]
    whole = d - d % LANES
    s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = 0.0
    rest = 0.0
    if metric == EUCLIDEAN:
        for a in range(0, whole, LANES):
            g0 = np.float64(Q[i, a]) - np.float64(X[j, a])
            g1 = np.float64(Q[i, a + 1]) - np.float64(X[j, a + 1])
            g2 = np.float64(Q[i, a + 2]) - np.float64(X[j, a + 2])
            g3 = np.float64(Q[i, a + 3]) - np.float64(X[j, a + 3])
            g4 = np.float64(Q[i, a + 4]) - np.float64(X[j, a + 4])
            g5 = np.float64(Q[i, a + 5]) - np.float64(X[j, a + 5])
            g6 = np.float64(Q[i, a + 6]) - np.float64(X[j, a + 6])
            g7 = np.float64(Q[i, a + 7]) - np.float64(X[j, a + 7])
            s0 += g0 * g0
            s1 += g1 * g1
            s2 += g2 * g2
            s3 += g3 * g3
            s4 += g4 * g4
            s5 += g5 * g5
            s6 += g6 * g6
            s7 += g7 * g7
        for a in range(whole, d):
            gap = np.float64(Q[i, a]) - np.float64(X[j, a])
            rest += gap * gap
    elif metric == MANHATTAN:
        for a in range(0, whole, LANES):
            s0 += abs(np.float64(Q[i, a]) - np.float64(X[j, a]))
            s1 += abs(np.float64(Q[i, a + 1]) - np.float64(X[j, a + 1]))
            s2 += abs(np.float64(Q[i, a + 2]) - np.float64(X[j, a + 2]))
            s3 += abs(np.float64(Q[i, a + 3]) - np.float64(X[j, a + 3]))
            s4 += abs(np.float64(Q[i, a + 4]) - np.float64(X[j, a + 4]))
            s5 += abs(np.float64(Q[i, a + 5]) - np.float64(X[j, a + 5]))
            s6 += abs(np.float64(Q[i, a + 6]) - np.float64(X[j, a + 6]))
            s7 += abs(np.float64(Q[i, a + 7]) - np.float64(X[j, a + 7]))
        for a in range(whole, d):
            rest += abs(np.float64(Q[i, a]) - np.float64(X[j, a]))
    else:
        for a in range(d):
            rest = _joined(
                rest, _term(np.float64(Q[i, a]) - np.float64(X[j, a]), metric, p), metric
            )
        return rest
    return (((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7))) + rest


@compiled_strict
def _term(gap: float, metric: int, p: float) -> float:
    """What one feature adds to the reduced distance."""
    if metric == EUCLIDEAN:
        return gap * gap
    if metric == MINKOWSKI:
        return abs(gap) ** p
    if metric == HAMMING:
        return 1.0 if gap != 0.0 else 0.0
    return abs(gap)


@compiled_strict
def _joined(total: float, term: float, metric: int) -> float:
    return max(total, term) if metric == CHEBYSHEV else total + term


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
def _offer(distance: Array, index: Array, d: float, i: int) -> None:
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


@compiled
def scan_products(
    S: Array,
    half: Array,
    Q: Array,
    X: Array,
    base: int,
    lift: Array,
    skip: Array,
    distance: Array,
    index: Array,
) -> int:
    """Look through a block of inner products for rows that may be among the k best.

    With E a bound on the error of the products, a row can only be nearer than the farthest
    kept, at D, if ‖x‖² − 2q·x + ‖q‖² − E ≤ D. Such a row is measured exactly. A product
    that overflowed fails no test: it is measured too.

    Parameters
    ----------
    S : (m, n) : q·x
    half : (n,) : ‖x‖²/2, of the type of S
    Q, X : (m, d), (n, d) : the rows as they were given
    base : index of the first row of X
    lift : (m,) float64 : (‖q‖² − E)/2
    skip : (m,) intp : a row that is no neighbour of the query, −1 for none
    distance, index : (m, k), in and out : the heaps

    Returns
    -------
    int
        How many rows were measured.
    """
    m, n = S.shape
    cut = np.empty(1, S.dtype)
    measured = 0
    for i in range(m):
        s, far, which = S[i], distance[i], index[i]
        cut[0] = lift[i] - 0.5 * far[0]
        level = cut[0]
        for start in range(0, n, CHUNK):
            stop = min(start + CHUNK, n)
            candidates = np.int32(0)
            for u in range(np.uintp(start), np.uintp(stop)):
                candidates += np.int32(not (s[u] < half[u] + level))
            if candidates == 0:
                continue
            for j in range(start, stop):
                if not (s[j] < half[j] + level) and base + j != skip[i]:
                    _offer(far, which, _exact(Q, i, X, j, EUCLIDEAN, 2.0), base + j)
                    cut[0] = lift[i] - 0.5 * far[0]
                    level = cut[0]
                    measured += 1
    return measured


@compiled
def collect_products(
    S: Array,
    half: Array,
    Q: Array,
    X: Array,
    lift: Array,
    limit: float,
    hits: Array,
    distance: Array,
) -> int:
    """`scan_products` for all rows within a reduced distance; how many were found.

    hits : (m · n, 2) intp, out: query and row of the block; distance : (m · n,) float64, out.
    """
    m, n = S.shape
    cut = np.empty(1, S.dtype)
    count = 0
    for i in range(m):
        cut[0] = lift[i] - 0.5 * limit
        level = cut[0]
        for start in range(0, n, CHUNK):
            stop = min(start + CHUNK, n)
            candidates = np.int32(0)
            for u in range(np.uintp(start), np.uintp(stop)):
                candidates += np.int32(not (S[i, u] < half[u] + level))
            if candidates == 0:
                continue
            for j in range(start, stop):
                if not (S[i, j] < half[j] + level):
                    d = _exact(Q, i, X, j, EUCLIDEAN, 2.0)
                    if d <= limit:
                        hits[count, 0], hits[count, 1] = i, j
                        distance[count] = d
                        count += 1
    return count


@compiled
def fill_distances(Q: Array, X: Array, metric: int, p: float, D: Array) -> None:
    """Write the reduced distance of each query to each row."""
    for i in range(Q.shape[0]):
        for j in range(X.shape[0]):
            D[i, j] = _exact(Q, i, X, j, metric, p)


@compiled
def scan_distances(D: Array, base: int, skip: Array, distance: Array, index: Array) -> None:
    """Offer each query all distances of a block, the first of which is of row `base`."""
    for i in range(D.shape[0]):
        far, which = distance[i], index[i]
        for j in range(D.shape[1]):
            if D[i, j] <= far[0] and base + j != skip[i]:
                _offer(far, which, D[i, j], base + j)


@compiled_strict
def fill_sparse(
    q_data: Array,
    q_index: Array,
    q_start: Array,
    x_data: Array,
    x_index: Array,
    x_start: Array,
    metric: int,
    p: float,
    D: Array,
) -> None:
    """`fill_distances` of CSR rows with sorted indices: both are walked at once."""
    for i in range(D.shape[0]):
        for j in range(D.shape[1]):
            a, a_end, b, b_end = q_start[i], q_start[i + 1], x_start[j], x_start[j + 1]
            total = 0.0
            while a < a_end or b < b_end:
                gap = 0.0
                left = q_index[a] if a < a_end else x_index[b]
                right = x_index[b] if b < b_end else left
                if a < a_end and left <= right:
                    gap += np.float64(q_data[a])
                    a += 1
                if b < b_end and right <= left:
                    gap -= np.float64(x_data[b])
                    b += 1
                total = _joined(total, _term(gap, metric, p), metric)
            D[i, j] = total


@compiled_strict
def _box_distance(Q: Array, i: int, box: Array, node: int, metric: int, p: float) -> float:
    """Reduced distance from a query to a box: no point in it is nearer."""
    total = 0.0
    for a in range(Q.shape[1]):
        value = np.float64(Q[i, a])
        gap = max(np.float64(box[node, 0, a]) - value, value - np.float64(box[node, 1, a]), 0.0)
        if metric == EUCLIDEAN:
            total += gap * gap
        else:
            total = _joined(total, _term(gap, metric, p), metric)
    return total


@compiled_strict
def _leaf_distances(
    Q: Array, i: int, points: Array, leaf: int, metric: int, p: float, sums: Array
) -> None:
    """Reduced distances to a leaf's points into the last row of `sums`, as `_exact` has them.

    sums : (LANES + 1, capacity)
    """
    _, d, capacity = points.shape
    n, last = np.uintp(capacity), np.uintp(LANES)
    if d == 3 and metric == EUCLIDEAN:  # what points in space cost is worth a loop of its own
        x, y, z = np.float64(Q[i, 0]), np.float64(Q[i, 1]), np.float64(Q[i, 2])
        for u in range(n):
            gx = x - np.float64(points[leaf, 0, u])
            gy = y - np.float64(points[leaf, 1, u])
            gz = z - np.float64(points[leaf, 2, u])
            sums[last, u] = (gx * gx + gy * gy) + gz * gz
        return
    whole = d - d % LANES if metric in (EUCLIDEAN, MANHATTAN) else 0
    for row in range(0 if whole else LANES, LANES + 1):
        for j in range(n):
            sums[row, j] = 0.0
    for a in range(d):
        row, value = a % LANES if a < whole else LANES, np.float64(Q[i, a])
        if metric == EUCLIDEAN:
            for j in range(n):
                gap = value - np.float64(points[leaf, a, j])
                sums[row, j] += gap * gap
        else:
            for j in range(n):
                term = _term(value - np.float64(points[leaf, a, j]), metric, p)
                sums[row, j] = _joined(sums[row, j], term, metric)
    if whole:
        for j in range(n):
            low = (sums[0, j] + sums[1, j]) + (sums[2, j] + sums[3, j])
            high = (sums[4, j] + sums[5, j]) + (sums[6, j] + sums[7, j])
            sums[LANES, j] += low + high


@compiled
def _offer_leaf(sums: Array, rows: Array, leaf: int, skip: int, far: Array, which: Array) -> None:
    """Offer a leaf's points, GROUP at once looked at for one that may be among the best."""
    last = np.uintp(LANES)
    for start in range(0, sums.shape[1], GROUP):
        level, candidates = far[0], np.int32(0)
        for u in range(np.uintp(start), np.uintp(start + GROUP)):
            candidates += np.int32(sums[last, u] <= level)
        if candidates == 0:
            continue
        for j in range(start, start + GROUP):
            if sums[last, j] <= far[0] and rows[leaf, j] != skip:
                _offer(far, which, sums[last, j], rows[leaf, j])


@compiled
def _take_leaf(
    sums: Array, bits: Array, rows: Array, leaf: int, skip: int, far: Array, which: Array
) -> None:
    """Take the k best of the first leaf that a query meets, the nearest first.

    Offered one after another most of the leaf's points would be kept, only to be put out
    again. The heap is empty.

    bits : view of `sums` as whole numbers, which for numbers >= 0 are in the same order;
    what is taken becomes the largest of them.
    """
    n, last, none = np.uintp(bits.shape[1]), np.uintp(LANES), np.iinfo(np.int64).max
    if skip >= 0:
        for u in range(n):
            bits[last, u] = none if rows[leaf, u] == skip else bits[last, u]
    least = none
    for u in range(n):
        least = min(least, bits[last, u])
    for place in range(far.size - 1, -1, -1):
        if least == none:  # the leaf holds fewer
            break
        row = none
        for u in range(n):
            row = min(row, rows[leaf, u] if bits[last, u] == least else none)
        bits[0, 0] = least
        far[place], which[place] = sums[0, 0], row
        following = none
        for u in range(n):
            taken = (bits[last, u] == least) & (rows[leaf, u] == row)
            bits[last, u] = none if taken else bits[last, u]
            following = min(following, bits[last, u])
        least = following


@compiled
def query_tree(
    Q: Array,
    tree: Tree,
    metric: int,
    p: float,
    slack: float,
    skip: Array,
    distance: Array,
    index: Array,
) -> int:
    """Find the k best of each query, nearer boxes first; how many leaves were looked at.

    A box is left out only where it is farther than the farthest kept by more than rounding
    can explain (`slack`), so that a tie with a lower index is found as well.
    """
    points, rows, box, axis, edge = tree
    n_inner = points.shape[0] - 1
    sums = np.empty((LANES + 1, points.shape[2]))
    bits = sums.view(np.int64)
    few = distance.shape[1] <= FEW
    stack, bound = np.empty(MAX_DEPTH, np.intp), np.empty(MAX_DEPTH)
    visited = 0
    for i in range(Q.shape[0]):
        far, which = distance[i], index[i]
        stack[0], bound[0], height = 0, -1.0, 1
        first = few
        while height > 0:
            height -= 1
            node = stack[height]
            if bound[height] > far[0] or (
                bound[height] >= 0.0 and _box_distance(Q, i, box, node, metric, p) * slack > far[0]
            ):
                continue
            while node < n_inner:
                value = np.float64(Q[i, axis[node]])
                beyond = value - np.float64(edge[node, 0])  # past the end of the left half
                before = np.float64(edge[node, 1]) - value  # short of where the right begins
                right = beyond > before
                gap = max(beyond if right else before, 0.0)
                stack[height] = 2 * node + 1 + (1 - right)
                bound[height] = _term(gap, metric, p) * slack
                height += 1
                node = 2 * node + 1 + right
            leaf = node - n_inner
            visited += 1
            _leaf_distances(Q, i, points, leaf, metric, p, sums)
            if first:
                _take_leaf(sums, bits, rows, leaf, skip[i], far, which)
                first = False
            else:
                _offer_leaf(sums, rows, leaf, skip[i], far, which)
    return visited


@compiled
def tree_within(
    Q: Array,
    tree: Tree,
    metric: int,
    p: float,
    slack: float,
    limit: float,
    start: Array,
    index: Array,
    distance: Array,
) -> None:
    """Find the rows within a reduced distance of each query.

    With an empty `index` they are only counted: `start[i + 1]` becomes their number.
    Otherwise they are written from `start[i]` on, in the order of the tree.
    """
    points, rows, box, _, _ = tree
    n_inner = points.shape[0] - 1
    sums = np.empty((LANES + 1, points.shape[2]))
    stack = np.empty(MAX_DEPTH, np.intp)
    write = index.size > 0
    for i in range(Q.shape[0]):
        at = start[i] if write else 0
        stack[0], height = 0, 1
        while height > 0:
            height -= 1
            node = stack[height]
            if _box_distance(Q, i, box, node, metric, p) * slack > limit:
                continue
            if node < n_inner:
                stack[height], stack[height + 1] = 2 * node + 1, 2 * node + 2
                height += 2
                continue
            leaf = node - n_inner
            _leaf_distances(Q, i, points, leaf, metric, p, sums)
            for j in range(sums.shape[1]):
                if sums[LANES, j] <= limit and rows[leaf, j] < np.iinfo(np.intp).max:
                    if write:
                        index[at], distance[at] = rows[leaf, j], sums[LANES, j]
                    at += 1
        if not write:
            start[i + 1] = at
