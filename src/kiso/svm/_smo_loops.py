"""The small problems of SMO, and sums of Gram columns.

Symbols
-------
K          Gram matrix of the working set, float32, (q, q)
β          signed duals, lo ≤ β ≤ hi, Σ β fixed
f          gradient of the dual objective, f = K β + p, float64
up, low    whether β can rise (β < hi) and fall (β > lo)

A step takes i with the smallest f among those that can rise, and of those that can fall the
j that promises the largest decrease (f_j − f_i)² / (K_ii + K_jj − 2 K_ij): second-order
selection (Fan, Chen & Lin 2005). β_i rises and β_j falls by the same amount.

A largest value is found with its index by comparing integers: the bits of a float, made to
ascend with it, whose lowest bits are replaced by the index. That is a plain reduction, and
becomes vector instructions; the index costs the value its last 12 of 52 bits (of 23, where
float32 is enough to choose j).
"""

from __future__ import annotations

import numpy as np

from kiso._compute.jit import compiled
from kiso._validation import Array

MAX_BLOCK = 4096  # 2¹²: indices of a working set fit into 12 bits


@compiled
def first_index(values: Array, bits: Array) -> int:
    """Index of the largest of float64 values; `bits` are the same bytes as int64."""
    best = np.int64(-0x7FFFFFFFFFFFFFFF)
    for k in range(bits.size):
        b = bits[k]
        b = b ^ ((b >> np.int64(63)) & np.int64(0x7FFFFFFFFFFFFFFF))
        best = max(best, (b & ~np.int64(0xFFF)) | np.int64(k))
    return best & np.int64(0xFFF)  # type: ignore[return-value]


@compiled
def second_index(bits: Array) -> int:
    """Index of the largest of float32 values ≥ 0, given as int32; −1 where all are 0."""
    best = np.int32(-1)
    for k in range(bits.size):
        b = bits[k]
        key = (b & np.int32(~0xFFF)) | np.int32(k)
        best = max(best, key if b > 0 else np.int32(-1))
    return best if best < 0 else best & np.int32(0xFFF)  # type: ignore[return-value]


@compiled
def solve_block(
    K: Array,
    diagonal: Array,
    f: Array,
    beta: Array,
    lo: Array,
    hi: Array,
    tol: float,
    max_iter: int,
) -> int:
    """Run SMO on a working set until no pair violates by more than `tol`; the steps done.

    `f` and `beta` are changed in place.
    """
    q = f.size
    rise, gain = np.empty(q), np.empty(q, np.float32)
    rise_bits, gain_bits = rise.view(np.int64), gain.view(np.int32)
    blocked = np.empty(q)  # 0 where β can rise, −∞ where not
    floor = np.empty(q)  # 0 where β can fall, −∞ where not
    for k in range(q):
        blocked[k] = 0.0 if beta[k] < hi[k] else -np.inf
        floor[k] = 0.0 if beta[k] > lo[k] else -np.inf
        rise[k] = blocked[k] - f[k]
    for step in range(max_iter):
        i = first_index(rise, rise_bits)
        if rise[i] == -np.inf:
            return step
        K_i, f_i, K_ii, least = K[i], f[i], diagonal[i], np.float32(1e-12)
        for k in range(q):
            b = np.float32(f[k] - f_i + floor[k])
            a = max(K_ii + diagonal[k] - np.float32(2.0) * K_i[k], least)
            gain[k] = b * b / a if b > tol else np.float32(0.0)
        j = second_index(gain_bits)
        if j < 0:
            return step
        K_j = K[j]
        a = max(np.float64(K_ii) + diagonal[j] - 2.0 * K_i[j], 1e-12)
        move = min((f[j] - f_i) / a, hi[i] - beta[i], beta[j] - lo[j])
        beta[i] = hi[i] if move == hi[i] - beta[i] else beta[i] + move
        beta[j] = lo[j] if move == beta[j] - lo[j] else beta[j] - move
        for m in (i, j):
            blocked[m] = 0.0 if beta[m] < hi[m] else -np.inf
            floor[m] = 0.0 if beta[m] > lo[m] else -np.inf
        for k in range(q):
            f[k] += move * (np.float64(K_i[k]) - np.float64(K_j[k]))
            rise[k] = blocked[k] - f[k]
    return max_iter


@compiled
def gather(store: Array, slots: Array, columns: Array, K: Array, rows: Array, at: Array) -> None:
    """K[rows_i, at_j] = store[slots_i, columns_j]."""
    for i in range(slots.size):
        row, k = store[slots[i]], K[rows[i]]
        for j in range(columns.size):
            k[at[j]] = row[columns[j]]


@compiled
def spread(T: Array, rows: Array, columns: Array, mirrored: Array, K: Array) -> None:
    """K[rows_i, columns_j] = T_ij, and K[columns_j, rows_i] too for some columns."""
    for i in range(rows.size):
        k, t = K[rows[i]], T[i]
        for j in range(columns.size):
            k[columns[j]] = t[j]
    for j in range(columns.size):
        if mirrored[j]:
            k = K[columns[j]]
            for i in range(rows.size):
                k[rows[i]] = T[i, j]


@compiled
def keep_rows(T: Array, slots: Array, start: int, store: Array) -> None:
    """store[slots_i, start + r] = T_ir, where there is a slot (≥ 0)."""
    for i in range(slots.size):
        if slots[i] >= 0:
            row, t = store[slots[i]], T[i]
            for r in range(t.size):
                row[start + r] = t[r]


@compiled
def add_rows(store: Array, start: int, slots: Array, weights: Array, out: Array) -> None:
    """out_r += Σ_c weights_c store[slots_c, start + r], added up in float64."""
    n, size = out.size, 2048
    for a in range(0, n, size):  # a piece of the sums stays in cache
        b = min(a + size, n)
        o = out[a:b]
        c = 0
        while c + 1 < slots.size:  # two rows a turn: half the traffic of the sums
            s, t = (
                store[slots[c], start + a : start + b],
                store[slots[c + 1], start + a : start + b],
            )
            v, w = weights[c], weights[c + 1]
            for r in range(o.size):
                o[r] += v * np.float64(s[r]) + w * np.float64(t[r])
            c += 2
        if c < slots.size:
            s, v = store[slots[c], start + a : start + b], weights[c]
            for r in range(o.size):
                o[r] += v * np.float64(s[r])
