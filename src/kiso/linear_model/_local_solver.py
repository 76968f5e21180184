"""Locally weighted regression on validated arrays: leaves, threads, bandwidth, robustness.

The symbols: X (n, d) rows, Y (n, m) outputs, v (n,) row weights, Σ⁻¹ the precision that
measures distances, τ the bandwidth, e⁽ⁱ⁾ the residual of row i and h⁽ⁱ⁾ its leverage.

- Left-out residuals without refitting: y⁽ⁱ⁾ − f₋ᵢ(x⁽ⁱ⁾) = e⁽ⁱ⁾ / (1 − h⁽ⁱ⁾), exact for every
  fit that is linear in y by weighted least squares.
- Robust weights: (1 − (e⁽ⁱ⁾/6s)²)² where |e⁽ⁱ⁾| < 6s, s the median of |e| (Cleveland 1979).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.linalg

from kiso._compute.threads import blocks, map_rows
from kiso._validation import Array

from ._local_cells_loops import POWERS, REACH, WIDTH, equations_from_cells, sum_cells
from ._local_loops import Rows, nearest_squares
from ._local_solve_loops import solve_queries
from ._local_sums_loops import GAUSSIAN, TRICUBE, Equations, Local, sum_rows

KERNELS = {"gaussian": GAUSSIAN, "tricube": TRICUBE}
LEAF_ROWS = 256

# 1 − h below this has lost half its digits or more: the row is left out in earnest
ALONE = 1e-7
GRID, GOLDEN_STEPS = 16, 10
# Cells are worth summing from so many rows in each and queries over each
CELL_ROWS, CELL_VISITS = 16, 64
EQUATIONS_BYTES = 1 << 18


def metric_root(precision: Array | None, n_features: int) -> Array | None:
    """Return R with Σ⁻¹ = RRᵀ, so that distances are Euclidean in XR.

    Raises
    ------
    ValueError
        If the precision has another shape, is not symmetric, or is negative somewhere.
    """
    if precision is None:
        return None
    P = np.asarray(precision, dtype=np.float64)
    if P.shape == (n_features,):
        P = np.diag(P)
    if P.shape != (n_features, n_features):
        raise ValueError(
            f"precision has shape {P.shape}: give ({n_features}, {n_features}), or "
            f"({n_features},) for a diagonal, as X has {n_features} features"
        )
    if not np.all(np.isfinite(P)):
        raise ValueError("precision holds NaN or infinity")
    size = np.abs(P).max()
    if np.abs(P - P.T).max() > 1e-8 * size:
        raise ValueError("precision is not symmetric")
    values, vectors = scipy.linalg.eigh((P + P.T) / 2)
    if values[0] < -1e-8 * size or size == 0:
        raise ValueError(
            f"precision has smallest eigenvalue {values[0]:.6g} and largest "
            f"{values[-1]:.6g}: it must be positive semi-definite, and not zero"
        )
    if np.count_nonzero(P - np.diag(np.diag(P))) == 0:
        return np.diag(np.sqrt(np.diag(P)))
    return vectors * np.sqrt(np.maximum(values, 0.0))


def arrange(X: Array, Y: Array, weight: Array, root: Array | None) -> tuple[Rows, Array]:
    """Put the rows of positive weight into leaves; also return their order.

    In one dimension the rows are sorted. In several each run is halved at the median of
    the coordinate in which it is widest, until it fits a leaf.
    """
    order = np.flatnonzero(weight > 0)
    Z = X if root is None else X @ root.astype(X.dtype)
    if X.shape[1] == 1 and Z.shape[1] == 1:
        order = order[np.argsort(Z[order, 0], kind="stable")]
        starts = np.append(np.arange(0, order.size, LEAF_ROWS), order.size)
    else:
        starts = np.asarray(_halve(Z, order))
    Xt = _transposed(X, order)
    Zt = Xt if root is None else _transposed(Z, order)
    return Rows(
        X=Xt,
        Z=Zt,
        Y=_transposed(Y, order),
        weight=weight[order] / weight.max(),
        starts=starts.astype(np.intp),
        low=np.ascontiguousarray(np.minimum.reduceat(Zt, starts[:-1], axis=1).T),
        high=np.ascontiguousarray(np.maximum.reduceat(Zt, starts[:-1], axis=1).T),
    ), order


def _transposed(X: Array, order: Array) -> Array:
    """X[order].T in memory, without a second copy on the way."""
    out = np.empty((X.shape[1], order.size), X.dtype)
    for a in range(X.shape[1]):
        out[a] = X[order, a]
    return out


def _halve(Z: Array, order: Array) -> list[int]:
    """Permute `order` in place into leaves; return where they start, and the end."""
    starts, pending = [], [(0, order.size)]
    while pending:
        start, stop = pending.pop()
        if stop - start <= LEAF_ROWS:
            starts.append(start)
            continue
        run = order[start:stop]
        widest = int(np.argmax([np.ptp(column[run]) for column in Z.T]))
        middle = (stop - start) // 2
        run[:] = run[np.argpartition(Z[run, widest], middle)]
        pending += [(start + middle, stop), (start, start + middle)]
    return [*starts, order.size]


def n_terms(n_features: int, degree: int) -> int:
    """Number of terms of the full polynomial of degree 0, 1 or 2."""
    return 1 + (degree > 0) * n_features + (degree > 1) * n_features * (n_features + 1) // 2


def _queries(Q: Array) -> Array:
    """Copy as contiguous, writeable float64: one compiled form serves all."""
    return np.array(Q, dtype=np.float64, order="C")


@dataclass(frozen=True)
class Cells:
    """The rows of one sorted feature, summed in cells of half a bandwidth."""

    x0: float
    local: Local
    m: Array  # (n_powers, n_cells)
    my: Array

    @classmethod
    def of(cls, rows: Rows, local: Local, n_queries: int) -> Cells | None:
        """Sum the cells where that pays: many rows a cell, and many queries that share it."""
        n = rows.weight.size
        if rows.X.shape[0] * rows.Y.shape[0] > 1 or local.kernel == TRICUBE or local.k > 0:
            return None
        x = rows.X[0]
        x0, span = float(x[0]), float(x[-1]) - float(x[0])
        width = WIDTH * local.tau
        if span * CELL_ROWS > width * n or n < CELL_ROWS:
            return None
        n_cells = int(span / width) + 1
        if n_queries * min(1.0, 2 * REACH / WIDTH / n_cells) < CELL_VISITS:
            return None
        edges = x0 + width * np.arange(1, n_cells)
        starts = np.concatenate([[0], np.searchsorted(x, edges), [n]]).astype(np.intp)
        m, my = np.empty((2, POWERS + 2 * local.degree, n_cells))

        def task(lane: slice) -> None:
            y, v = rows.Y[0], rows.weight
            sum_cells(x, y, v, starts, local.tau, lane.start, lane.stop, m, my)

        map_rows(task, n_cells)
        return cls(x0, local, m, my)

    def fill(self, Q: Array, equations: Equations, todo: Array) -> None:
        """Write the equations about each query, and that they are done where they are."""
        G, r = equations.G, equations.r
        equations_from_cells(Q, self.x0, self.local.tau, self.m, self.my, G, r, todo)
        equations.about_query[:] = np.diagonal(G, axis1=1, axis2=2)


def _no_equations(Q: Array, n_terms: int, n_outputs: int) -> tuple[Equations, Array]:
    """Room for the equations of some queries, and that all are still to do."""
    n = len(Q)
    equations = Equations(
        G=np.zeros((n, n_terms, n_terms)),
        r=np.empty((n, n_terms, n_outputs)),
        about_query=np.empty((n, n_terms)),
        centre=Q.copy(),
    )
    return equations, np.ones(n, dtype=np.bool_)


class LocalFit:
    """Local polynomials over fixed rows: kernel, degree and metric, at any bandwidth."""

    def __init__(self, rows: Rows, root: Array | None, kernel: str, degree: int):
        self.rows = rows
        self.root = root
        self.kernel = KERNELS[kernel]
        self.degree = degree

    def coordinates(self, Q: Array) -> Array:
        """Where queries lie for distances."""
        return Q if self.root is None else Q @ self.root

    def at(
        self,
        Q: Array,
        tau: float = 1.0,
        k: int = 0,
        *,
        skip: Array | None = None,
        rows: Rows | None = None,
        coef: bool = False,
    ) -> tuple[Array, Array, Array, Array]:
        """Fit at each query; values, leverages and, with `coef`, thetas and their centres."""
        data = self.rows if rows is None else rows
        n, d = Q.shape
        n_kept = n if coef else 0
        values = np.empty((n, data.Y.shape[0]))
        leverages = np.empty(n)
        thetas = np.empty((n_kept, n_terms(d, self.degree), data.Y.shape[0]))
        centres = np.empty((n_kept, d))
        left_out = np.full(n, -1, np.intp) if skip is None else skip
        local = Local(self.kernel, self.degree, float(tau), k)
        cells = Cells.of(data, local, n) if self.root is None and skip is None else None
        step = max(1, EQUATIONS_BYTES // (8 * thetas.shape[1] ** 2))

        def task(lane: slice) -> None:
            for block in blocks(lane, step):
                q = _queries(Q[block])
                z = q if self.root is None else np.ascontiguousarray(self.coordinates(q))
                equations, todo = _no_equations(q, thetas.shape[1], values.shape[1])
                if cells is not None:
                    cells.fill(q, equations, todo)
                sum_rows(q, z, left_out[block], todo, data, local, equations, values[block])
                kept = block if coef else slice(0)
                out = values[block], leverages[block], thetas[kept]
                solve_queries(q, self.degree, *equations, *out)
                centres[kept] = equations.centre[: len(centres[kept])]

        map_rows(task, n, min_rows=8)
        return values, leverages, thetas, centres

    def nearest(self, Q: Array, skip: Array, *, beyond: float = -1.0) -> Array:
        """Distance of each query's nearest row that is farther than `beyond`."""
        out = np.empty(len(Q))

        def task(lane: slice) -> None:
            z = np.ascontiguousarray(self.coordinates(_queries(Q[lane])))
            nearest_squares(z, self.rows, skip[lane], beyond, out[lane])

        map_rows(task, len(Q), min_rows=64)
        return np.sqrt(out)

    def leave_one_out(self, picked: Array, tau: float) -> float:
        """Mean squared residual of the picked rows, each left out of its own fit."""
        rows = self.rows
        Q, Y, v = rows.X[:, picked].T, rows.Y[:, picked].T, rows.weight[picked]
        values, leverages, _, _ = self.at(Q, tau)
        left = 1.0 - v * leverages
        alone = ~(left > ALONE)
        residuals = (Y - values) / np.where(alone, 1.0, left)[:, None]
        if alone.any():
            values = self.at(Q[alone], tau, skip=picked[alone])[0]
            residuals[alone] = Y[alone] - values
        return float(np.average(np.mean(residuals**2, axis=1), weights=v))


def choose_tau(fit: LocalFit, picked: Array) -> tuple[float, Array, Array]:
    """Minimise the leave-one-out error over τ: a geometric grid, then golden section.

    The grid goes from the median distance of a row to its nearest other to ten times the
    farthest distance from the middle row, where the local fit is the global one.

    Returns
    -------
    tau, taus, errors
        The best, and all that were tried, in ascending order of τ, with their errors.
    """
    if fit.rows.weight.size == 1:  # nothing is left when it is left out
        return 1.0, np.ones(1), np.full(1, np.nan)
    nearest = fit.nearest(fit.rows.X[:, picked].T, picked, beyond=0.0)
    nearest = nearest[np.isfinite(nearest)]
    if nearest.size == 0:  # every row at the same point
        return 1.0, np.ones(1), np.array([fit.leave_one_out(picked, 1.0)])
    middle = fit.rows.Z.mean(axis=1, dtype=np.float64)
    corners = np.maximum(abs(fit.rows.low - middle), abs(fit.rows.high - middle))
    span = float(np.linalg.norm(corners, axis=1).max())
    low, high = np.log([np.median(nearest), 10.0 * span])

    def error(log_tau: float) -> float:
        return fit.leave_one_out(picked, float(np.exp(log_tau)))

    grid = [float(s) for s in np.linspace(low, high, GRID)]
    tried = {s: error(s) for s in grid}
    best = _smoothest(np.asarray(list(tried.values())))
    _golden_section(error, grid[max(best - 1, 0)], grid[min(best + 1, GRID - 1)], tried)
    logs = np.sort(list(tried))
    errors = np.asarray([tried[s] for s in logs])
    taus = np.exp(logs)
    return float(taus[_smoothest(errors)]), taus, errors


def _smoothest(errors: Array) -> int:
    """Index of the least error; of several that are equal to rounding, the last."""
    return int(np.flatnonzero(errors <= errors.min() * (1 + 1e-9))[-1])


def _golden_section(
    f: Callable[[float], float], low: float, high: float, tried: dict[float, float]
) -> None:
    """Narrow a bracket of a minimum of f, noting each value of f in `tried`."""
    ratio = (np.sqrt(5.0) - 1.0) / 2.0
    left, right = high - ratio * (high - low), low + ratio * (high - low)
    for _ in range(GOLDEN_STEPS):
        for s in (left, right):
            if s not in tried:
                tried[s] = f(s)
        if tried[left] < tried[right]:
            high, right = right, left
            left = high - ratio * (high - low)
        else:
            low, left = left, right
            right = low + ratio * (high - low)


def robust_weights(fit: LocalFit, tau: float, k: int, n_iter: int) -> Array:
    """Bisquare weights of the rows after `n_iter` rounds of fit, residuals, weights."""
    rows = fit.rows
    robust = np.ones(rows.weight.size)
    # residuals of this size are rounding, which an exact fit of most rows would scale up
    floor = 1e3 * float(np.finfo(rows.Y.dtype).eps) * float(np.abs(rows.Y).max())
    for _ in range(n_iter):
        reweighted = rows._replace(weight=rows.weight * robust)
        values = fit.at(rows.X.T, tau, k, rows=reweighted)[0]
        sizes = np.linalg.norm(rows.Y.T - values, axis=1)
        scale = 6.0 * max(float(np.median(sizes)), floor)
        if scale == 0.0:
            break
        robust = np.square(1.0 - np.square(np.minimum(sizes / scale, 1.0)))
    return robust


def shifted(theta: Array, s: Array) -> Array:
    """Rewrite polynomials in δ = e + s as polynomials in e.

    Parameters
    ----------
    theta : (n, n_terms, n_outputs)
        Coefficients of 1, δ_a and, where there are that many, δ_aδ_b with a ≤ b.
    s : (n, n_features)
    """
    out = theta.copy()
    d = s.shape[1]
    if theta.shape[1] == 1:
        return out
    out[:, 0] += np.einsum("nd,ndm->nm", s, theta[:, 1 : 1 + d])
    if theta.shape[1] > 1 + d:
        a, b = np.triu_indices(d)
        quadratic = theta[:, 1 + d :]
        for term in range(a.size):
            left, right = s[:, a[term], None], s[:, b[term], None]
            out[:, 0] += left * right * quadratic[:, term]
            out[:, 1 + b[term]] += left * quadratic[:, term]
            out[:, 1 + a[term]] += right * quadratic[:, term]
    return out
