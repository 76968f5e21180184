"""The dual of support vector machines by SMO on large working sets.

Every machine here is the same problem in signed duals β,

    min ½ βᵀ K β + pᵀ β   subject to   Σ β fixed,  lo ≤ β ≤ hi,

    classification      β_i = y_i α_i            p = −y    lo, hi = 0, C_i (y = 1); −C_i, 0
    regression          β_i = α_i, −α_i*         p = ε − z, −ε − z (two variables a row)
    one class           β = α                    p = 0     0, 1, Σ β = ν n

with gradient f = g + p, g = K β. It is optimal where no β that can rise has a smaller f than
one that can fall; −(their mean) is the intercept.

A round takes a working set of the worst violators (half of it from the rounds before), solves
the small problem on it (`_smo_loops`), and moves g of all rows by the Gram columns of the β
that changed. Several machines, the pairs of one-vs-one, go through their rounds together and
share those columns (`_gram_cache`).

The certificate is the duality gap. With b = −ρ the primal value is
½ βᵀ K β + Σ loss_i(b), and the gap is Σ_i of

    β_i (f_i − ρ) − lo_i max(0, f_i − ρ) + hi_i max(0, ρ − f_i)  ≥ 0.

Sources: Platt (1998); Keerthi et al. (2001); Fan, Chen & Lin (2005), working set selection
using second order information; Wen et al. (2018), ThunderSVM.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from kiso._compute.threads import lanes, run_lanes
from kiso._validation import Array

from ._gram_cache import GramCache, Known, Request
from ._smo_loops import solve_block

__all__ = ["Machine", "Origin", "Standing", "block_size", "round_of", "solve"]

_LARGEST = 2048  # variables of a working set
_SHARE, _SMALLEST = 4, 512  # a working set is about 1/4 of the variables,
_DEAR_SHARE, _DEAR_SMALLEST = 8, 256  # 1/8 where kernel values are dear
_CEILING = 10_000_000  # steps of a machine where max_iter is -1, 1/10 of it where C is infinite
_STEPS = 30  # a variable of the working set, in a round at most: Ctrl-C is heard between rounds
_GAP = 1e-6  # relative duality gap that ends a machine whatever `tol`
_NOTHING = 1e-10  # relative increase of the dual objective
_STALLED = 20  # rounds without a decrease worth the name, after which rounding is the reason


@dataclass
class Machine:
    """One dual problem and where it stands.

    Attributes
    ----------
    segments : list of int
        Segments of the Gram cache that its rows are.
    rows : ndarray of shape (n,)
        Its rows' numbers in the cache.
    row_of : ndarray of shape (N,)
        The row (of `rows`) of each variable.
    p, lo, hi, beta : ndarray of shape (N,)
    g : ndarray of shape (n,)
        K β.
    """

    segments: list[int]
    rows: Array
    row_of: Array
    p: Array
    lo: Array
    hi: Array
    beta: Array
    g: Array
    known: Known | None = None
    working: Array = field(default_factory=lambda: np.empty(0, np.intp))
    n_iter: int = 0
    n_rounds: int = 0
    stalled: int = 0
    why: str = ""  # it ended: "tol", "gap", "max_iter" or "rounding"
    violation: float = np.inf
    first_violation: float = 0.0
    size: int = 0  # of the working set at most, where that is not for the cache to say
    standing: Standing | None = None
    best: float = -np.inf  # dual objective
    origin: Origin | None = None

    @property
    def f(self) -> Array:
        """Gradient of the dual objective."""
        return self.g[self.row_of] + self.p

    def stand(self) -> Standing:
        """Objectives and intercept at the present duals; says if it is time to end."""
        f = self.f
        rho = self._rho(f)
        excess = f - rho
        if self.origin is None:
            dual = -0.5 * float((self.beta * (f + self.p)).sum())
        else:
            moved = self.beta - self.origin.beta
            dual = self.origin.dual - 0.5 * float((moved * (f + self.origin.f)).sum())
        lo, hi = self._finite(self.lo), self._finite(self.hi)
        gap = self.beta * excess
        gap -= np.where(excess > 0, lo, hi) * excess
        held = self.beta != 0
        bounded = held & self.at_bound()
        self.standing = Standing(
            dual=dual,
            gap=float(np.maximum(gap, 0.0).sum()),
            intercept=-rho,
            n_support=int(np.count_nonzero(held)),
            n_bounded=int(np.count_nonzero(bounded)),
            beta=self.beta.copy(),
        )
        if not self.why:
            if self.standing.gap <= _GAP * abs(self.standing.primal):
                self.why = "gap"
            rose = dual > self.best + _NOTHING * abs(self.best) or not np.isfinite(self.best)
            self.stalled = 0 if rose else self.stalled + 1
            self.best = max(self.best, dual)
            if self.stalled >= _STALLED:
                self.why = "rounding"
        return self.standing

    def at_bound(self) -> Array:
        """Which β are at a bound."""
        return np.asarray((self.beta == self.hi) | (self.beta == self.lo))

    def _finite(self, bound: Array) -> Array:
        """Bounds for the gap: twice the largest dual where C is infinite."""
        if np.isfinite(bound).all():
            return bound
        most = 2.0 * max(1.0, float(np.abs(self.beta).max()))
        return np.clip(bound, -most, most)

    def _rho(self, f: Array) -> float:
        """Mean of f over the free variables; else the middle of what the bounded ones allow."""
        free = (self.beta > self.lo) & (self.beta < self.hi)
        if free.any():
            return float(f[free].mean())
        can_move = self.hi > self.lo
        above = f[can_move & (self.beta <= self.lo)]
        below = f[can_move & (self.beta >= self.hi)]
        low = float(below.max()) if len(below) else np.nan
        high = float(above.min()) if len(above) else np.nan
        both = [value for value in (low, high) if np.isfinite(value)]
        return float(np.mean(both)) if both else 0.0


@dataclass(frozen=True)
class Origin:
    """Where a machine on a part of the variables began: β, f and the dual objective there.

    The others' β stay as they are, so the dual has fallen from there by
    (β − β₀)ᵀ (f + f₀) / 2, whatever g holds of the others.
    """

    beta: Array
    f: Array
    dual: float


@dataclass(frozen=True)
class Standing:
    """Objectives of a machine (as maximised: the dual) and its intercept.

    Attributes
    ----------
    dual : float
        −½ βᵀKβ − pᵀβ.
    gap : float
        Primal less dual objective, ≥ 0.
    intercept : float
        b of f(x) = Σ β_i k(x, x_i) + b.
    n_support, n_bounded : int
        How many β are not 0, and how many of those are at a bound.
    beta : ndarray of shape (N,)
    """

    dual: float
    gap: float
    intercept: float
    n_support: int
    n_bounded: int
    beta: Array

    @property
    def primal(self) -> float:
        """Objective of the primal problem."""
        return self.dual + self.gap


def solve(
    machines: list[Machine], cache: GramCache, *, tol: float, max_iter: int
) -> Iterator[None]:
    """Bring machines to their optimum, yielding after each round; they are changed in place."""
    waiting = list(machines)
    active: list[Machine] = []
    room = _room(machines, cache)
    while True:
        active = [m for m in active if not m.why]
        while waiting and len(active) < room:
            active.append(waiting.pop(0))
        if not active:
            return
        round_of(active, cache, tol=tol, max_iter=max_iter)
        yield


def round_of(active: list[Machine], cache: GramCache, *, tol: float, max_iter: int) -> None:
    """Bring each machine one round further: working set, small problem, gradient, standing."""
    moves: list[tuple[Machine, Array, Array] | None] = [None] * len(active)

    def advance(some: slice) -> None:
        for k in range(some.start, some.stop):
            moves[k] = _advance(active[k], cache, tol, max_iter)

    def stand(some: slice) -> None:
        for machine in active[some]:
            machine.stand()

    run_lanes(advance, lanes(len(active)))
    _apply([move for move in moves if move is not None], cache)
    run_lanes(stand, lanes(len(active)))


def _room(machines: list[Machine], cache: GramCache) -> int:
    """Machines that can go together without pushing out each other's columns."""
    q = max(block_size(m, cache) for m in machines)
    return max(1, min(len(machines), cache.columns_kept * len(cache.segments) // (4 * q)))


def block_size(machine: Machine, cache: GramCache) -> int:
    """Variables of a working set: a share of them all, as far as their square fits."""
    N = len(machine.beta)
    smallest, share = (_DEAR_SMALLEST, _DEAR_SHARE) if cache.dear else (_SMALLEST, _SHARE)
    q = min(N, machine.size or max(smallest, min(_LARGEST, N // share)))
    return max(2, min(q, int(np.sqrt(cache.n_bytes / 4))))


def _advance(
    machine: Machine, cache: GramCache, tol: float, max_iter: int
) -> tuple[Machine, Array, Array] | None:
    """Solve on the next working set; the rows whose β changed and by how much."""
    f = machine.f
    w = _select(machine, f, tol, block_size(machine, cache))
    if machine.why:
        return None
    machine.working = w
    w = w[np.argsort(machine.row_of[w], kind="stable")]
    local, inverse = np.unique(machine.row_of[w], return_inverse=True)
    columns = machine.rows[local]
    K = cache.square(columns, machine.segments, machine.known)
    if not cache.dear and len(machine.rows) > len(w):
        machine.known = Known(columns, K)
    if len(local) < len(w):
        K = np.ascontiguousarray(K[np.ix_(inverse, inverse)])
    beta, f_w, before = machine.beta[w], f[w], machine.beta[w]
    lo, hi = machine.lo[w], machine.hi[w]
    if max_iter < 0:
        max_iter = _CEILING if np.isfinite(machine.hi).all() else _CEILING // 10
    limit = min(_STEPS * len(w), max_iter - machine.n_iter)
    inner_tol = 0.5 * tol
    if len(w) < len(machine.beta):  # else this is the whole problem: solve it at once
        inner_tol = max(inner_tol, 0.1 * machine.violation)
    machine.n_iter += solve_block(K, np.diagonal(K).copy(), f_w, beta, lo, hi, inner_tol, limit)
    machine.n_rounds += 1
    if max_iter <= machine.n_iter:
        machine.why = "max_iter"
    machine.beta[w] = beta
    change = np.bincount(inverse, weights=beta - before, minlength=len(local))
    moved = np.flatnonzero(change)
    return machine, local[moved], change[moved]


def _select(machine: Machine, f: Array, tol: float, q: int) -> Array:
    """Choose the working set: the worst violators beside half of the last one, first its free."""
    up, low = machine.beta < machine.hi, machine.beta > machine.lo
    top = np.where(up, f, np.inf)
    bottom = np.where(low, f, -np.inf)
    smallest, largest = top.min(initial=np.inf), bottom.max(initial=-np.inf)
    machine.violation = float(largest - smallest)
    machine.first_violation = machine.first_violation or machine.violation
    if not machine.violation > tol:
        machine.why = "tol"
        return machine.working
    if len(f) <= q:
        return np.arange(len(f))
    last = machine.working
    free = up[last] & low[last]
    kept = np.concatenate([last[~free], last[free]])[-(q // 2) :]
    fresh = max(1, (q - len(kept)) // 2)
    top[kept], bottom[kept] = np.inf, -np.inf
    chosen = [kept]
    taken = _smallest(top, fresh, largest - tol)
    chosen.append(taken)
    bottom[taken] = -np.inf
    chosen.append(_smallest(-bottom, fresh, -smallest - tol))
    return np.concatenate(chosen)


def _smallest(values: Array, count: int, below: float) -> Array:
    """Indices of the `count` smallest values among those below a limit."""
    some = np.flatnonzero(values < below)
    if len(some) > count:
        some = some[np.argpartition(values[some], count)[:count]]
    return some


def _apply(moves: list[tuple[Machine, Array, Array]], cache: GramCache) -> None:
    """Move the gradients by the Gram columns of what changed."""
    requests: dict[int, list[Request]] = {}
    for machine, local, change in moves:
        if len(local) == 0:
            continue
        columns, at = machine.rows[local], 0
        for s in machine.segments:
            rows = cache.segments[s]
            size = rows.stop - rows.start
            requests.setdefault(s, []).append(Request(columns, change, machine.g[at : at + size]))
            at += size
    for s, some in requests.items():
        cache.add(s, some)
