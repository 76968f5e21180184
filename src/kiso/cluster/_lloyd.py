"""Lloyd's algorithm: assign each row to its nearest centre, move the centres to the means.

    a_i = argmin_j ‖x_i − c_j‖²                    φ = Σ w_i ‖x_i − c_{a_i}‖²
    c_j = Σ_{i: a_i = j} w_i x_i / Σ_{i: a_i = j} w_i

Neither step can raise φ, and there are finitely many assignments, so it ends. What comes
out is Lloyd's to the last row; how it is computed:

- one pass over blocks of rows: products with the centres by BLAS, and everything else
  while the tile is in cache (`kiso._compute.distances`);
- the bounds of Hamerly (2010), kept for every row at no cost by that pass: a row whose
  upper bound on the own distance lies below the lower bound on the others is not looked at
  again. Where they leave more than `_OPEN_SHARE` of a lane open, the lane goes through
  whole, as it would without them; so they never cost, whatever the data;
- the sums over clusters change by the rows that changed clusters alone, and with them

      φ = Σ w_i ‖x_i − s‖² − Σ_j (2 (c_j − s)·S_j − W_j ‖c_j − s‖²)

  without another look at the rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from kiso._validation import Array
from kiso.base import State

from ._assignment import assignment
from ._rows import Rows

__all__ = ["LloydState", "lloyd"]


@dataclass(frozen=True, kw_only=True)
class LloydState(State):
    """Centres, and the clusters they make.

    Attributes
    ----------
    centers : ndarray of shape (n_clusters, n_features)
        c_j.
    labels : ndarray of shape (n_samples,), int32
        The nearest centre of each row.
    inertia : float
        φ of these centres and labels.
    shift : float
        Σ_j ‖c_j − previous c_j‖²; infinite for the initial centres.
    n_changed : int
        Rows whose label this step changed.
    run : int
        Which of the `n_init` runs this is, from 0.
    settled : bool
        Whether the run has met its stopping rule.
    best : LloydState or None
        The best end of the runs before.
    """

    centers: Array
    labels: Array
    inertia: float
    shift: float
    n_changed: int
    run: int = 0
    settled: bool = False
    best: LloydState | None = field(default=None, repr=False)


def lloyd(rows: Rows, centers: Array, *, max_iter: int, tol: float) -> Iterator[LloydState]:
    """Run Lloyd's algorithm from these centres: a state for them, and one an iteration.

    Ends when no label changes (and counts, as scikit-learn does, the iteration that sees
    it), when the centres together move by no more than `tol` (squared, in the data's
    units), or after `max_iter` iterations.
    """
    clusters = assignment(rows, len(centers))
    changed = clusters.assign(centers)
    inertia, shift, n_iter, settled = clusters.inertia(), np.inf, 0, False
    while True:
        yield LloydState(
            n_iter=n_iter,
            objective=inertia,
            centers=centers,
            labels=clusters.labels,
            inertia=inertia,
            shift=shift,
            n_changed=changed,
            settled=settled,
        )
        if settled or n_iter >= max_iter:
            return
        centers, shift = clusters.move()
        changed = clusters.assign(centers)
        n_iter += 1
        settled = shift <= tol or changed == 0
        inertia = clusters.inertia(exact=settled or n_iter >= max_iter)
        if settled and shift > tol:
            n_iter = min(n_iter + 1, max_iter)
