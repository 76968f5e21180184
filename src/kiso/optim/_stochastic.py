"""Stochastic gradient descent: a rule, a function of parameters and rows, batches of rows.

g_k = weight · ∇(1/m′) Σ_{i in batch k} L(xᵢ, yᵢ; θ_k);  θ_{k+1} by the rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from kiso._validation import Array
from kiso.base import State

from ._check import check_count
from ._problem import Status
from ._rule import NonFiniteGradientError, Rule, check_rule
from ._sampling import Batch
from ._tree import Tree, map_tree

__all__ = ["StochasticState", "stochastic_descent"]


@dataclass(frozen=True, kw_only=True)
class StochasticState(State):
    """Where a stochastic descent stands.

    Attributes
    ----------
    n_iter : int
        Steps (batches) taken.
    objective : float
        Mean loss of the last batch, before its step.
    params : tree of arrays
        The parameters after the step.
    epoch : int
        The batch's.
    status : Status
        RUNNING but for the last state.
    detail : str
        For NON_FINITE_GRADIENT, at which step and in which parameter.
    """

    params: Tree
    epoch: int
    status: Status = Status.RUNNING
    detail: str = ""


def stochastic_descent(
    fun: Callable[[Tree, Array], tuple[float, Tree]],
    params: Tree,
    batches: Iterable[Batch],
    rule: Rule,
    *,
    every: int = 1,
) -> Iterator[StochasticState]:
    """Take one step a batch; yield a state every so many.

    Parameters
    ----------
    fun : callable
        (params, rows) → (mean loss over the rows, its gradient, nested as `params`).
    params : tree of arrays
        Where to begin; not changed.
    batches : iterable of Batch
        From `with_replacement`, `without_replacement` or `full_batch`. The gradient is
        multiplied by the batch's weight, so that a short last batch counts each of its
        samples as much as the others do.
    rule : Rule
        Takes the steps.
    every : int, default 1
        Steps from one state to the next; the last step always gives a state.

    Yields
    ------
    StochasticState
        The last has the status EXHAUSTED, or NON_FINITE_GRADIENT with the parameters as
        they were before the step that was refused.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.optim import GradientDescent, stochastic_descent, without_replacement
    >>> y = np.array([1.0, 2.0, 3.0, 6.0])
    >>> def loss(mean, rows):
    ...     gap = mean - y[rows]
    ...     return np.mean(gap**2) / 2, np.array(gap.mean())
    >>> batches = without_replacement(4, 2, n_epochs=200, random_state=0)
    >>> for state in stochastic_descent(loss, np.array(0.0), batches, GradientDescent(0.01)):
    ...     pass
    >>> state.n_iter, state.status.name, state.params.round(1)
    (400, 'EXHAUSTED', np.float64(2.9))
    """
    check_rule(rule)
    check_count("every", every, least=1)
    moving = map_tree(np.array, params)
    return _steps(fun, moving, rule.init(moving), batches, rule, every)


def _steps(
    fun: Callable[[Tree, Array], tuple[float, Tree]],
    params: Tree,
    memory: Any,
    batches: Iterable[Batch],
    rule: Rule,
    every: int,
) -> Iterator[StochasticState]:
    n_iter, epoch, objective = 0, 0, float("nan")

    def state(status: Status = Status.RUNNING, detail: str = "") -> StochasticState:
        kept = map_tree(np.array, params)
        return StochasticState(
            n_iter=n_iter,
            objective=objective,
            converged=status is Status.EXHAUSTED,
            params=kept,
            epoch=epoch,
            status=status,
            detail=detail,
        )

    held = False  # a step was taken that no state has told of
    for batch in batches:
        if held and n_iter % every == 0:
            yield state()
        value, grads = fun(params, batch.rows)
        if batch.weight != 1.0:
            grads = map_tree(lambda g, w=batch.weight: np.multiply(g, w, dtype=g.dtype), grads)
        try:
            params, memory = rule.update(grads, memory, params, in_place=True)
        except NonFiniteGradientError as stop:
            yield state(Status.NON_FINITE_GRADIENT, str(stop))
            return
        n_iter, epoch, objective, held = n_iter + 1, batch.epoch, float(value), True
    yield state(Status.EXHAUSTED)
