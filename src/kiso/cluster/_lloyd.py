"""Lloyd's algorithm: assign each row to its nearest centre, move the centres to the means.

    a_i = argmin_j ‖x_i − c_j‖²                    φ = Σ w_i ‖x_i − c_{a_i}‖²
    c_j = Σ_{i: a_i = j} w_i x_i / Σ_{i: a_i = j} w_i

Neither step can raise φ, and there are finitely many assignments, so it ends. What comes
out is Lloyd's to the last row; how it is computed:

- one pass over blocks of rows for all runs: products with the centres in register tiles, and
  everything else while the tile is in cache (`_panels_loops`);
- the bounds of Hamerly (2010) where they pay (`_assignment`);
- the sums over clusters change by the rows that changed clusters alone, and with them

      φ = Σ w_i ‖x_i − s‖² − Σ_j (2 (c_j − s)·S_j − W_j ‖c_j − s‖²)

  without another look at the rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from kiso._validation import Array
from kiso.base import State

from ._assign_loops import SETTLED
from ._assignment import Assignment
from ._rows import Rows

__all__ = ["LloydState", "lloyd", "lloyd_state"]


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


def lloyd(
    rows: Rows, centers: Array, *, max_iter: int, tol: float, always_bounded: bool = False
) -> Iterator[LloydState]:
    """Run Lloyd's algorithm from these centres: a state for them, and one an iteration.

    Ends when no label changes (and counts, as scikit-learn does, the iteration that sees
    it), when the centres together move by no more than `tol` (squared, in the data's
    units), or after `max_iter` iterations.
    """
    run = Assignment(rows, centers[None], tol=tol, max_iter=max_iter, always_bounded=always_bounded)
    while True:
        run.advance(1)
        state = lloyd_state(run, 0)
        yield state
        if not len(run.going):
            return


def lloyd_state(run: Assignment, r: int, number: int = 0, *, exact: bool = False) -> LloydState:
    """Give the state of a run; φ is added up row by row where `exact`, and at its end."""
    progress, ended = run.progress, r not in run.going
    n_iter, settled = int(progress.done[r]), bool(progress.status[r] == SETTLED)
    if ended or exact:
        run.paths[r][-1:] = [run.inertia(r)]
    if settled and progress.shift[r] > run.rule.tol:
        n_iter = min(n_iter + 1, run.rule.max_iter)
    inertia = float(run.paths[r][-1])
    return LloydState(
        n_iter=n_iter,
        objective=inertia,
        centers=run.runs.centers[r].copy(),
        labels=run.runs.label[r].copy(),
        inertia=inertia,
        shift=float(progress.shift[r]),
        n_changed=int(progress.moved[r]),
        run=number,
        settled=settled,
    )
