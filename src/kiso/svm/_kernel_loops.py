"""What is done with a tile of inner products while it is in cache; sparse products.

Symbols
-------
T          a tile of inner products x_i·s_j, made a tile of kernel values in place
a_i, b_j   squared norms of the rows and of the points
γ          of the Gaussian kernel exp(−γ ‖x − s‖²)

The exponential of float32 is computed here: with x = n ln 2 + r, n whole and |r| ≤ ½ ln 2,
eˣ = 2ⁿ eʳ; eʳ by Cephes' polynomial of degree 6 (relative error below 2e-7), 2ⁿ by adding n
to the exponent bits. All loops are plain enough to become vector instructions.
"""

from __future__ import annotations

import numpy as np

from kiso._compute.jit import compiled
from kiso._validation import Array


@compiled
def exp_row(t: Array, bits: Array, n: Array) -> None:
    """T = exp(t) of a float32 row with t ≤ 0; `bits` are the same bytes as int32, `n` room."""
    for j in range(t.size):
        z = max(t[j], np.float32(-87.0))
        whole = np.floor(z * np.float32(1.44269504088896341) + np.float32(0.5))
        r = z - whole * np.float32(0.693359375) + whole * np.float32(2.12194440e-4)
        p = np.float32(1.9875691500e-4)
        p = p * r + np.float32(1.3981999507e-3)
        p = p * r + np.float32(8.3334519073e-3)
        p = p * r + np.float32(4.1665795894e-2)
        p = p * r + np.float32(1.6666665459e-1)
        p = p * r + np.float32(5.0000001201e-1)
        t[j] = p * r * r + r + np.float32(1.0)
        n[j] = np.int32(whole)
    for j in range(t.size):
        bits[j] += n[j] << np.int32(23)


@compiled
def gaussian_tile(T: Array, a: Array, b: Array, gamma: float) -> None:
    """T_ij = exp(−γ max(0, a_i + b_j − 2 T_ij)), float32 and C-contiguous."""
    bits = T.view(np.int32)
    n = np.empty(T.shape[1], np.int32)
    g = np.float32(gamma)
    for i in range(T.shape[0]):
        t, a_i = T[i], a[i]
        for j in range(t.size):
            t[j] = -g * max(a_i + b[j] - np.float32(2.0) * t[j], np.float32(0.0))
        exp_row(t, bits[i], n)


@compiled
def sparse_products(data: Array, at: Array, start: Array, S: Array, T: Array) -> None:
    """T = X S for the rows of X in CSR (values, columns, row starts); S (d, m) is dense."""
    for i in range(T.shape[0]):
        t = T[i]
        for j in range(t.size):
            t[j] = 0.0
        k, stop = start[i], start[i + 1]
        while k + 3 < stop:  # four entries a turn: a third of the traffic of the sums
            a, b, c, d = data[k], data[k + 1], data[k + 2], data[k + 3]
            s_a, s_b, s_c, s_d = S[at[k]], S[at[k + 1]], S[at[k + 2]], S[at[k + 3]]
            for j in range(t.size):
                t[j] += (a * s_a[j] + b * s_b[j]) + (c * s_c[j] + d * s_d[j])
            k += 4
        while k < stop:
            a, s_a = data[k], S[at[k]]
            for j in range(t.size):
                t[j] += a * s_a[j]
            k += 1


@compiled
def minimum_tile(X: Array, S: Array, T: Array) -> None:
    """T_ij = Σ_f min(x_if, s_fj); S has its points along the inner axis."""
    for i in range(T.shape[0]):
        t = T[i]
        for j in range(t.size):
            t[j] = 0.0
        for f in range(X.shape[1]):
            x, s = X[i, f], S[f]
            for j in range(t.size):
                t[j] += min(x, s[j])
