"""Least squares under b ≥ 0: on the triangle of the data, or by projected quasi-Newton.

Dense data: ‖√w (y − ȳ − (X − x̄) b)‖² + α ‖b‖² differs by a constant from ‖R b − z‖², with R
the d × d triangle of the data (and of √α I), so that Lawson and Hanson's active-set method
(`scipy.optimize.nnls`) works on d rows instead of n. Sparse data: L-BFGS-B.
"""

from __future__ import annotations

import numpy as np

from kiso._validation import Array

from ._conjugate_gradient import CentredRows
from ._orthogonal import triangle


def solve_dense(
    X: Array,
    Y: Array,
    weights: Array | None,
    means: tuple[Array, Array],
    scale: Array,
    alphas: Array,
) -> tuple[Array, Array]:
    """Return b (d, t) ≥ 0 and the residual sums of squares (t,)."""
    from scipy.optimize import nnls

    d = X.shape[1]
    T = triangle(X, Y, weights, means, scale)
    R, Z, E = T[:d, :d], T[:d, d:], T[d:, d:]
    inverse = np.divide(1.0, scale, out=np.zeros(d), where=scale > 0)
    coef = np.empty((d, len(alphas)))
    for j, alpha in enumerate(alphas):
        A = np.vstack([R, np.diag(np.sqrt(alpha) * inverse)]) if alpha > 0 else R
        rhs = np.concatenate([Z[:, j], np.zeros(len(A) - len(R))])
        coef[:, j] = nnls(A, rhs, maxiter=max(100, 10 * d))[0]
    rss = ((Z - R @ coef) ** 2).sum(axis=0) + (E**2).sum(axis=0)
    return inverse[:, None] * coef, rss


def solve_sparse(
    rows: CentredRows, alphas: Array, *, max_iter: int, tol: float
) -> tuple[Array, Array, Array]:
    """Return b (d, t) ≥ 0, the residual sums of squares (t,) and the iterations (t,)."""
    from scipy.optimize import minimize

    norms = np.sqrt(rows.squares())
    norms[norms == 0] = 1.0
    found = [
        minimize(
            _objective,
            np.zeros(rows.d),
            args=(rows, norms, rows.C[:, [j]], float(alpha)),
            jac=True,
            method="L-BFGS-B",
            bounds=[(0.0, None)] * rows.d,
            options={
                "maxiter": max_iter,
                "ftol": 1e-15,
                "gtol": 1e-2 * tol * float(np.abs(rows.back(rows.C[:, [j]])[:, 0] / norms).max()),
            },
        )
        for j, alpha in enumerate(alphas)
    ]
    coef = np.stack([one.x / norms for one in found], axis=1)
    rss = ((rows.C - rows.forth(coef)) ** 2).sum(axis=0)
    return coef, rss, np.array([one.nit for one in found])


def _objective(
    v: Array, rows: CentredRows, norms: Array, y: Array, alpha: float
) -> tuple[float, Array]:
    """½ ‖y − X b‖² + ½ α ‖b‖² and its gradient in v, where b = v / norms."""
    b = (v / norms)[:, None]
    r = y - rows.forth(b)
    gradient = (alpha * b - rows.back(r))[:, 0] / norms
    return 0.5 * float((r**2).sum() + alpha * (b**2).sum()), gradient
