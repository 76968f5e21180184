"""One machine by SMO, on the rows that still matter, with a final check on all of them.

A β at a bound, with an f beyond all that β could be paired with, does not move: at the lower
bound with f above the largest f of those that can fall, at the upper one with f below the
smallest f of those that can rise. When enough rows are idle so, the machine goes on without
them (their β stay, their part of g stays, their share of the gap is 0). When that part is
optimal, g of the idle rows is brought up to date, by the columns of the β that have changed,
and all rows are looked at; if some were idle wrongly, the machine goes on with all.

Source: Joachims (1998), Making large-scale SVM learning practical.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from kiso._compute import costs
from kiso._validation import Array

from ._gram_cache import GramCache
from ._smo import Machine, Origin, block_size, round_of
from ._sums import kernel_sums

__all__ = ["solve_shrinking"]

_NEAR = 0.1  # of the first violation: before, too many rows still come and go
_CHECKS = 3  # after so many final checks that failed, nothing is left out any more


def solve_shrinking(
    machine: Machine, cache: GramCache, *, tol: float, max_iter: int
) -> Iterator[None]:
    """Bring a machine to its optimum, yielding after each round; it is changed in place."""
    part, part_cache, rows = machine, cache, np.arange(len(machine.rows))
    settled, failed = machine.beta.copy(), 0
    while not machine.why:
        round_of([part], part_cache, tol=tol, max_iter=max_iter)
        ended = part.why
        if part is not machine:
            _take_over(machine, part, rows)
            if ended:
                _bring_up_to_date(machine, cache, part, rows, settled)
                part, part_cache, rows = machine, cache, np.arange(len(machine.rows))
                failed += 1
                if ended == "max_iter":
                    machine.why = ended
                    machine.stand()
        yield
        near = machine.violation < _NEAR * machine.first_violation
        if not near or ended or failed >= _CHECKS or len(part.rows) < costs.SHRINKING_LEAST_ROWS:
            continue
        wanted = _lively(part)
        if len(wanted) < costs.SHRINKING_SHARE * len(part.rows):
            if part is machine:
                settled = machine.beta.copy()
            part_cache = part_cache.restricted(wanted)
            part = _restricted(part, wanted)
            part.size = block_size(machine, cache)
            rows = rows[wanted]


def _lively(machine: Machine) -> Array:
    """Rows with a variable that may still move."""
    f = machine.f
    up, low = machine.beta < machine.hi, machine.beta > machine.lo
    if not (up.any() and low.any()):
        return np.arange(len(machine.rows))
    smallest, largest = f[up].min(), f[low].max()
    idle = (~low & (f > largest)) | (~up & (f < smallest))
    return np.unique(machine.row_of[~idle])


def _restricted(machine: Machine, rows: Array) -> Machine:
    """The machine on some of its rows, as it stands."""
    at = np.full(len(machine.rows), -1, np.intp)
    at[rows] = np.arange(len(rows))
    some = np.flatnonzero(at[machine.row_of] >= 0)
    number = np.full(len(machine.beta), -1, np.intp)
    number[some] = np.arange(len(some))
    standing = machine.standing or machine.stand()
    working = number[machine.working]
    return Machine(
        segments=[0],
        rows=np.arange(len(rows)),
        row_of=at[machine.row_of[some]],
        p=machine.p[some],
        lo=machine.lo[some],
        hi=machine.hi[some],
        beta=machine.beta[some],
        g=machine.g[rows],
        working=working[working >= 0],
        n_iter=machine.n_iter,
        n_rounds=machine.n_rounds,
        best=machine.best,
        first_violation=machine.first_violation,
        origin=Origin(machine.beta[some], machine.f[some], standing.dual),
    )


def _take_over(machine: Machine, part: Machine, rows: Array) -> None:
    """Let the whole machine know where a part of it stands."""
    machine.beta[_variables(machine, rows)] = part.beta
    machine.n_iter, machine.n_rounds = part.n_iter, part.n_rounds
    machine.violation, machine.best = part.violation, part.best
    standing = part.standing or part.stand()
    others = machine.beta != 0
    others[_variables(machine, rows)] = False
    counts = np.count_nonzero(others), np.count_nonzero(others & machine.at_bound())
    machine.standing = replace(
        standing,
        n_support=standing.n_support + int(counts[0]),
        n_bounded=standing.n_bounded + int(counts[1]),
        beta=machine.beta.copy(),
    )


def _variables(machine: Machine, rows: Array) -> Array:
    there = np.zeros(len(machine.rows), bool)
    there[rows] = True
    return np.flatnonzero(there[machine.row_of])


def _bring_up_to_date(
    machine: Machine, cache: GramCache, part: Machine, rows: Array, settled: Array
) -> None:
    """Give the whole machine the gradient of all rows; it has that of the duals `settled`."""
    change = np.bincount(machine.row_of, machine.beta - settled, minlength=len(machine.rows))
    moved = np.flatnonzero(change)
    idle = np.ones(len(machine.rows), bool)
    idle[rows] = False
    points = cache.points
    if len(moved) and idle.any():
        machine.g[idle] += kernel_sums(
            cache.kernel, points.take(idle), points.take(moved), change[moved, None]
        )[:, 0]
    machine.g[rows] = part.g
    machine.working = np.empty(0, np.intp)
