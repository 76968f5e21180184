"""What LinearSVC and LinearSVR share: machines side by side, states, and when to stop."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy import sparse

from kiso._compute import costs
from kiso._compute.threads import lanes, run_lanes
from kiso._validation import (
    RANDOM_STATE,
    Array,
    Integral,
    RandomState,
    StrOptions,
    check_generator,
    positive,
)
from kiso.base import IterativeEstimator, State

from ._linear_machines import CoordinateDescent, Data, Dual, Machine
from ._linear_newton import Newton

__all__ = ["GAP_OF_TOL", "LinearMachines", "LinearSVMState", "Problem", "as_rows"]

GAP_OF_TOL = 0.01  # the relative duality gap that `tol` stands for
_MOST_ROWS, _MOST_ENTRIES = 1000, 1 << 14  # looked at to see the scales of the features
_UNEQUAL = 1e8  # ratio of scales that is warned of
_CRAWLING = 100  # passes over the data by which coordinate descent should be done


@dataclass(frozen=True, kw_only=True)
class LinearSVMState(State):
    """Where linear support vector machines stand after a chunk of epochs or a Newton step.

    `objective` is the primal, summed over the machines (one for two classes or a
    regression, else one a class).

    Attributes
    ----------
    dual_objective : float
        The dual, a lower bound on the least possible objective.
    coef : ndarray of shape (n_machines, n_features)
    intercept : ndarray of shape (n_machines,)
    dual_coef : ndarray of shape (n_machines, n_samples)
        β: α with the sign of the class, or α − α*.
    n_support : ndarray of shape (n_machines,)
        Support vectors: samples with β ≠ 0.
    n_bounded : ndarray of shape (n_machines,)
        Those with |β| at its bound, C times the sample's weight.
    """

    dual_objective: float
    coef: Array
    intercept: Array
    dual_coef: Array
    n_support: Array
    n_bounded: Array

    @property
    def dual_gap(self) -> float:
        """`objective` is at most this far above the least one."""
        return max(0.0, self.objective - self.dual_objective)


@dataclass(frozen=True)
class Problem:
    """What is to be solved: the rows, and a dual for each machine."""

    data: Data
    duals: list[Dual]


def as_rows(X: Any) -> Any:
    """Return CSR as the loops want it, in canonical form with 32-bit indices where they fit."""
    if isinstance(X, np.ndarray):
        return X
    if not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
    if X.indices.dtype != np.int32 and max(X.nnz, *X.shape) < 2**31:
        parts = (X.data, X.indices.astype(np.int32), X.indptr.astype(np.int32))
        X = sparse.csr_array(parts, shape=X.shape)
    return X


def warn_of_scales(X: Any) -> None:
    """Warn where features are of so different sizes that the penalty sees the small ones alone."""
    n, d = X.shape
    if isinstance(X, np.ndarray):
        sizes = np.abs(X[:: max(1, n // _MOST_ROWS)]).max(axis=0)
    else:
        some = slice(None, None, max(1, X.nnz // _MOST_ENTRIES))
        sizes = np.zeros(d)
        np.maximum.at(sizes, X.indices[some], np.abs(X.data[some]))
    sizes = sizes[sizes > 0]
    if sizes.size and sizes.max() > _UNEQUAL * sizes.min():
        warnings.warn(
            f"Features range from {sizes.min():.2g} to {sizes.max():.2g} in size: the penalty "
            "acts on the weights of the small ones alone. Scale them first (StandardScaler, "
            "MaxAbsScaler).",
            UserWarning,
            stacklevel=6,
        )


class LinearMachines(IterativeEstimator[Problem, LinearSVMState]):
    """Fits of one or several machines on the same rows, each on a thread."""

    C: float
    tol: float
    dual: bool | str
    fit_intercept: bool
    intercept_scaling: float
    max_iter: int
    random_state: RandomState
    loss: str

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "dual": ["boolean", StrOptions({"auto"})],
        "tol": [positive()],
        "C": [positive()],
        "fit_intercept": ["boolean"],
        "intercept_scaling": [positive()],
        "verbose": ["verbose"],
        "random_state": RANDOM_STATE,
        "max_iter": [positive(Integral)],
    }

    @property
    def _squared(self) -> bool:
        return self.loss.startswith("squared")

    def _check_dual(self) -> None:
        if self.dual is False and not self._squared:
            raise ValueError(
                f"dual=False with loss={self.loss!r}, which has no slope everywhere: give "
                f"dual=True or 'auto', or loss='squared_{self.loss}'"
            )

    def _data(self, X: Any) -> Data:
        self._check_dual()
        warn_of_scales(X)
        return Data(as_rows(X), float(self.intercept_scaling) if self.fit_intercept else 0.0)

    def _in_the_dual(self, data: Data) -> bool:
        if self.dual != "auto" or not self._squared:
            return bool(self.dual)
        n, d = data.X.shape
        return n < d or (not data.dense and d > costs.LINEAR_SVM_NEWTON_COLUMNS)

    def _machines(self, problem: Problem) -> list[Machine]:
        data, tol = problem.data, GAP_OF_TOL * self.tol
        if not self._in_the_dual(data):
            return [Newton(data, dual, tol) for dual in problem.duals]
        rng = check_generator(0 if self.random_state is None else self.random_state)
        seeds = rng.integers(1, 2**63, size=len(problem.duals))
        return [
            CoordinateDescent(data, dual, tol, int(seed))
            for dual, seed in zip(problem.duals, seeds, strict=True)
        ]

    def _relieved(self, machine: Machine) -> Machine:
        """Let Newton's method go on from where coordinate descent crawls."""
        if (
            self.dual == "auto"
            and isinstance(machine, CoordinateDescent)
            and machine.standing.n_iter >= _CRAWLING
            and len(machine.w) <= costs.NEWTON_CHOLESKY_COLUMNS
        ):
            return Newton(machine.data, machine.dual, machine.tol, machine.standing)
        return machine

    def _iterate(self, problem: Problem) -> Iterator[LinearSVMState]:
        team = self._machines(problem)
        cut = lanes(len(team))

        def lane(numbers: slice) -> None:
            for k in range(numbers.start, numbers.stop):
                if not team[k].standing.converged and team[k].standing.n_iter < self.max_iter:
                    team[k] = self._relieved(team[k])
                    team[k].advance(self.max_iter)

        while True:
            run_lanes(lane, cut)
            state = _state(problem, team)
            yield state
            if state.converged or all(
                m.standing.converged or m.standing.n_iter >= self.max_iter for m in team
            ):
                return

    def _fitted(self, problem: Problem, state: LinearSVMState) -> dict[str, Any]:
        dtype = problem.data.X.dtype
        return {
            "coef_": state.coef.astype(dtype),
            "intercept_": state.intercept.astype(dtype),
            "n_iter_": state.n_iter,
            "dual_gap_": state.dual_gap,
        }

    def _not_converged(self, problem: Problem, state: LinearSVMState) -> str | None:
        share = state.dual_gap / max(abs(state.objective), np.finfo(float).tiny)
        return (
            f"{type(self).__name__} did not converge in {state.n_iter} iterations: its objective "
            f"{state.objective:.6g} is at most {state.dual_gap:.3g} ({share:.2g} of it) above the "
            f"least one, and tol={self.tol:g} asks for {GAP_OF_TOL * self.tol:.1g}. Scale the "
            "features, lower C, raise max_iter or tol."
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _state(problem: Problem, team: list[Machine]) -> LinearSVMState:
    standings = [machine.standing for machine in team]
    w = np.vstack([s.w for s in standings])
    beta = np.vstack([s.beta for s in standings])
    used = beta != 0.0
    bounded = [
        np.count_nonzero(((b == dual.hi) | (b == dual.lo)) & on)
        for b, dual, on in zip(beta, problem.duals, used, strict=True)
    ]
    return LinearSVMState(
        n_iter=max(1, *(s.n_iter for s in standings)),
        objective=float(sum(s.primal for s in standings)),
        converged=all(s.converged for s in standings),
        dual_objective=float(sum(s.dual for s in standings)),
        coef=w[:, :-1],
        intercept=problem.data.a * w[:, -1],
        dual_coef=beta,
        n_support=np.count_nonzero(used, axis=1),
        n_bounded=np.array(bounded),
    )
