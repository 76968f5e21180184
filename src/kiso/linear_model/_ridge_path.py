"""Ridge regression for many penalties from one decomposition, and what it misses one row at a time.

With A = √w (X − x̄) = U S Vᵀ, C = √w (Y − ȳ), λ = S² and W = Σ w (Golub, Heath & Wahba 1979;
Rifkin & Lippert 2007),

    b(α) = V (S Uᵀ C) / (λ + α)

    eᵢ(α) = (yᵢ − ŷᵢ) / (1 − wᵢ (1/W + Σⱼ pᵢⱼ² / (λⱼ + α))),   p = (X − x̄) V

where eᵢ is what the model fitted without row i misses by on that row (the term 1/W belongs to
the intercept). So all penalties take two products with each block of rows. With no more rows
than columns both parts of the fraction cancel; there the same error is

    eᵢ(α) = (Σⱼ uᵢⱼ (Uᵀ C)ⱼ / (λⱼ + α)) / (Σⱼ uᵢⱼ² / (λⱼ + α)) / √wᵢ

over all directions but that of the intercept, √w / ‖√w‖.

Λ comes from the inner products of the smaller side; where their squares have lost digits that
the smallest penalty does not cover, from a singular value decomposition.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg

from kiso._compute.qr import r_factor
from kiso._compute.threads import block_rows, blocks, map_rows
from kiso._validation import Array

from ._dual import WideRows
from ._moments import is_sparse, moments, sparse_moments

TRUSTED = 1e-8  # (λ + α) / λ₁ from which an eigenvalue of inner products has enough digits
MAX_DENSE = 50_000_000  # entries of sparse rows that may be made dense for a decomposition
_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class RidgePath:
    """The decomposition of one regression.

    Attributes
    ----------
    X : ndarray or CSR matrix of shape (n, d)
    Y : ndarray of shape (n, t)
    w : ndarray of shape (n,)
    x_mean, y_mean : ndarray of shape (d,), (t,)
        Zero without an intercept.
    intercept : bool
    values : ndarray of shape (r,)
        λ.
    V : ndarray of shape (d, r) or None
        None where U is known and n ≤ d.
    z : ndarray of shape (r, t)
        S Uᵀ C with V, Uᵀ C with U.
    U : ndarray of shape (n, r) or None
    """

    X: Any
    Y: Array
    w: Array
    x_mean: Array
    y_mean: Array
    intercept: bool
    values: Array
    V: Array | None
    z: Array
    U: Array | None = None

    def coef(self, alpha: Array | float) -> tuple[Array, Array]:
        """Return b (d, t) and the intercepts (t,); α is a number, or one for each target."""
        inner = self.z / (self.values[:, None] + alpha)
        if self.V is not None:
            b = self.V @ inner
        else:
            assert self.U is not None
            dual = np.sqrt(self.w)[:, None] * (self.U @ inner)
            b = np.asarray(self.X.T @ dual) - np.outer(self.x_mean, dual.sum(axis=0))
        return b, self.y_mean - self.x_mean @ b

    def errors(self, alphas: Array) -> Array:
        """Return e (n, t, n_alphas): the target less the prediction of a fit without that row."""
        n, t = self.Y.shape
        found = np.empty((n, t, len(alphas)))
        if self.V is None:
            self._wide_errors(alphas, found)
            return found
        inverse = 1.0 / (self.values[:, None] + alphas)  # (r, A)
        steps = self.z[:, :, None] * inverse[:, None, :]  # (r, t, A)
        flat = steps.reshape(len(steps), t * len(alphas))
        share = 1.0 / self.w.sum() if self.intercept else 0.0
        size = block_rows(max(self.X.shape[1], flat.shape[1]), 8)

        def lane(rows: slice) -> None:
            for block in blocks(rows, size):
                P = np.asarray(self.X[block] @ self.V) - self.x_mean @ self.V
                misses = (self.Y[block] - self.y_mean)[:, :, None] - (P @ flat).reshape(
                    -1, t, len(alphas)
                )
                leverage = self.w[block, None] * (share + P**2 @ inverse)
                found[block] = misses / np.maximum(1.0 - leverage, _EPS)[:, None, :]

        map_rows(lane, n, min_rows=1024)
        return found

    def _wide_errors(self, alphas: Array, found: Array) -> None:
        assert self.U is not None
        squares, root_w = self.U**2, np.sqrt(self.w)[:, None]
        counted = root_w[:, 0] > 0
        for at, alpha in enumerate(alphas):
            inverse = 1.0 / (self.values + alpha)
            with np.errstate(divide="ignore", invalid="ignore"):
                misses = (self.U * inverse) @ self.z / (squares @ inverse)[:, None] / root_w
            found[:, :, at] = misses
            if not counted.all():  # rows that no fit has seen
                b, b0 = self.coef(float(alpha))
                left = np.asarray(self.X[~counted] @ b) + b0
                found[~counted, :, at] = self.Y[~counted] - left


def ridge_path(
    X: Any,
    Y: Array,
    weights: Array | None,
    *,
    center: bool,
    least_alpha: float,
    svd: bool = False,
) -> RidgePath:
    """Decompose; `svd` asks for the singular value decomposition of dense data at once."""
    n, d = X.shape
    w = np.ones(n) if weights is None else weights.astype(np.float64)
    if n <= d:
        return _wide(X, Y, w, center=center, least_alpha=least_alpha, svd=svd)
    return _tall(X, Y, weights, w, center=center, least_alpha=least_alpha, svd=svd)


def _tall(
    X: Any,
    Y: Array,
    weights: Array | None,
    w: Array,
    *,
    center: bool,
    least_alpha: float,
    svd: bool,
) -> RidgePath:
    take = sparse_moments if is_sparse(X) else moments
    at = take(X, Y, weights, center=center)
    may_be_dense = not is_sparse(X) or X.shape[0] * X.shape[1] <= MAX_DENSE
    if at.exact and not (svd and not is_sparse(X)):
        constant = at.scale == 0.0
        XX, XY = at.XX.copy(), at.XY.copy()
        XX[constant], XX[:, constant], XY[constant] = 0.0, 0.0, 0.0
        values, V = scipy.linalg.eigh(XX, driver="evd", check_finite=False, overwrite_a=True)
        largest = float(values[-1]) if len(values) else 0.0
        if is_sparse(X):  # whose centring is a difference
            largest = max(largest, float((at.XX.diagonal() + at.total * at.x_mean**2).max()))
        varying = values[int(constant.sum()) :]  # constant columns are zeros that are exact
        least = float(varying[0]) if len(varying) else 0.0
        if largest <= 0 or least + least_alpha >= TRUSTED * largest or not may_be_dense:
            kept = values > len(values) * _EPS * largest
            V, values = V[:, kept], values[kept]
            return RidgePath(X, Y, w, at.x_mean, at.y_mean, center, values, V, V.T @ XY)
    means = (at.x_mean, at.y_mean)
    root_w = np.sqrt(w)[:, None]

    def rows(block: slice) -> Array:
        part = X[block].toarray() if is_sparse(X) else X[block]
        return root_w[block] * np.hstack([part - means[0], Y[block] - means[1]])

    d, t = X.shape[1], Y.shape[1]
    T = r_factor(rows, X.shape[0], d + t)
    U, s, Vt = scipy.linalg.svd(T[:d, :d], full_matrices=False, check_finite=False)
    kept = s > max(X.shape) * _EPS * s.max(initial=0.0)
    U, s, Vt = U[:, kept], s[kept], Vt[kept]
    z = s[:, None] * (U.T @ T[:d, d:])
    return RidgePath(X, Y, w, *means, center, s**2, Vt.T, z)


def _wide(X: Any, Y: Array, w: Array, *, center: bool, least_alpha: float, svd: bool) -> RidgePath:
    n, d = X.shape
    root_w = np.sqrt(w)
    unit = root_w / np.sqrt(w.sum())
    if is_sparse(X):
        K, x_mean, y_mean, size = _sparse_inner(X, Y, w, center=center)
        C = root_w[:, None] * (Y - y_mean)
    else:
        rows = WideRows(X, Y, w, center=center)
        K, C, x_mean, y_mean, size = rows.gram(), rows.C, rows.x_mean, rows.y_mean, 0.0
        if center:  # without the direction that is filled in there
            K -= float(unit @ K @ unit) * np.outer(unit, unit)
    values, U = scipy.linalg.eigh(K, driver="evd", check_finite=False)
    largest = max(float(values[-1]), size)
    least = float(values[min(int(center), n - 1)])  # but for the direction of the intercept
    dense_enough = not is_sparse(X) or n * d <= MAX_DENSE
    if dense_enough and (least + least_alpha < TRUSTED * largest or (svd and not is_sparse(X))):
        part = root_w[:, None] * ((X.toarray() if is_sparse(X) else X) - x_mean)
        U, s, _ = scipy.linalg.svd(part, full_matrices=False, check_finite=False)
        null = s <= 4 * max(n, d) * _EPS * s[0]
        values = s**2
    else:
        null = values <= 32 * n * _EPS * largest
    values = np.where(null, 0.0, values)
    if center:
        free = U[:, null] - np.outer(unit, unit @ U[:, null])
        basis, lengths, _ = scipy.linalg.svd(free, full_matrices=False, check_finite=False)
        U = np.hstack([U[:, ~null], basis[:, lengths > 0.5]])
        values = np.concatenate([values[~null], np.zeros(int((lengths > 0.5).sum()))])
    if least_alpha == 0.0:  # the solution of least norm has nothing in these directions
        U, values = U[:, values > 0], values[values > 0]
    return RidgePath(X, Y, w, x_mean, y_mean, center, values, None, U.T @ C, U)


def _sparse_inner(X: Any, Y: Array, w: Array, *, center: bool) -> tuple[Array, Array, Array, float]:
    """√w (X − x̄)(X − x̄)ᵀ √w of sparse rows, the means, and the size of what cancelled."""
    root_w = np.sqrt(w)
    A = X.astype(np.float64).multiply(root_w[:, None]).tocsr()
    K = np.asarray((A @ A.T).toarray())
    size = float(K.diagonal().max())
    x_mean, y_mean = np.zeros(X.shape[1]), np.zeros(Y.shape[1])
    if center:
        total = w.sum()
        x_mean, y_mean = np.asarray(A.T @ root_w) / total, w @ Y / total
        cross = np.outer(np.asarray(A @ x_mean), root_w)
        K += float(x_mean @ x_mean) * np.outer(root_w, root_w) - cross - cross.T
    return K, x_mean, y_mean, size
