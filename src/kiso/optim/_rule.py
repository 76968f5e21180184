"""What an update rule is, and the base of the rules that treat every number alike.

θ_{t+1} = θ_t + Δ(g_t, s_t; η_t),  s_{t+1} = S(s_t, g_t):  params θ, grads g, state s.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Protocol, Self, TypeVar, runtime_checkable

import numpy as np

from kiso._compute import costs
from kiso._compute.threads import map_rows, n_threads
from kiso._validation import Array

from ._packing import Packing, Workspace, new_buffer
from ._rule_loops import all_finite
from ._schedules import LearningRate, check_learning_rate, rate_at
from ._tree import Tree, leaves_like, leaves_of

__all__ = ["ElementwiseRule", "NonFiniteGradientError", "Rule", "RuleState"]

UNIT = 1 << 10

T = TypeVar("T")


class NonFiniteGradientError(FloatingPointError):
    """A gradient holds NaN or infinity; parameters and state are as before the step.

    Attributes
    ----------
    step : int
        The step that was refused, counted from 1.
    path : str
        The parameter, as ``layers[1]['W']``.
    """

    def __init__(self, step: int, path: str, value: float):
        super().__init__(
            f"step {step}: the gradient of {path} holds {value}; the parameters were left as "
            "they were. Lower the learning rate, clip the gradient, or check the data."
        )
        self.step = step
        self.path = path
        self.value = value


@runtime_checkable
class Rule(Protocol):
    """An update rule: hyper-parameters, and two functions of trees of arrays.

    A tree is an array, or any nesting of dict, list and tuple of arrays (float32 or
    float64). `init` gives the state for parameters; `update` takes one step.
    """

    def init(self, params: Tree) -> Any:
        """Return the state before the first step."""

    def update(
        self, grads: Tree, state: Any, params: Tree, *, in_place: bool | None = None
    ) -> tuple[Tree, Any]:
        """Take one step; return (params, state)."""


def moves_in_place(params: Tree) -> bool:
    """Whether a tree says that its arrays are to be moved, not replaced."""
    return bool(getattr(params, "in_place", False))


def check_rule(value: Any, name: str = "rule") -> None:
    """Refuse what is no update rule (a class is none: it has to be made)."""
    if isinstance(value, type) or not isinstance(value, Rule):
        raise TypeError(f"{name}={value!r}: give an update rule such as Adam()")


@dataclass
class RuleState:
    """What a rule remembers between steps.

    Attributes
    ----------
    step : int
        Steps taken.
    slots : list of dict
        The running averages by name, flat, one dict for each bundle of parameters.
    """

    step: int
    packing: Packing
    slots: list[dict[str, Array]]
    _workspace: Workspace | None = None

    @property
    def workspace(self) -> Workspace:
        """What steps in place keep; no other state has it."""
        if self._workspace is None:
            self._workspace = Workspace(self.packing)
        return self._workspace

    def tree(self, name: str) -> Tree:
        """Return one of the running averages, nested and shaped as the parameters."""
        return self.packing.unpack([slots[name] for slots in self.slots])

    def copy(self) -> RuleState:
        """Return a state that shares no array with this one."""
        slots = [{name: slot.copy() for name, slot in each.items()} for each in self.slots]
        return RuleState(self.step, self.packing, slots)


@dataclass(frozen=True)
class ElementwiseRule(ABC):
    """Base of the rules in which each number moves by its own gradient and history.

    A subclass is a frozen dataclass that names its running averages in `slot_names` and
    moves flat arrays in `_move`.

    Parameters
    ----------
    learning_rate : float or Schedule
        η > 0, or a callable step → η (the first step is 0).
    check_finite : bool, default True
        Look at all gradients before anything is changed and refuse NaN and infinity.
    """

    learning_rate: LearningRate
    check_finite: bool = field(default=True, kw_only=True)

    slot_names: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        check_learning_rate("learning_rate", self.learning_rate)

    @abstractmethod
    def _move(self, p: Array, g: Array, slots: dict[str, Array], rate: float, step: int) -> None:
        """Take step number `step` (from 1) on flat arrays, writing to p and the slots."""

    def init(self, params: Tree) -> RuleState:
        """Return the state before the first step: all running averages zero.

        Raises
        ------
        TypeError
            If a parameter is not an array of float32 or float64.
        """
        packing = Packing(params)
        slots = [
            {name: np.zeros(b.size, b.dtype) for name in self.slot_names} for b in packing.bundles
        ]
        return RuleState(0, packing, slots)

    def update(
        self, grads: Tree, state: RuleState, params: Tree, *, in_place: bool | None = None
    ) -> tuple[Tree, RuleState]:
        """Take one step.

        Parameters
        ----------
        grads, params : tree of arrays
            Nested alike, with the same shapes as at `init`.
        state : RuleState
            From `init` or the last `update`.
        in_place : bool or None, default None
            True writes into the arrays of `params` and `state` (which are returned) instead of
            returning new ones; False changes nothing that was given. None is True for the
            `parameters` of a network of `kiso.nn`, else False.

        Returns
        -------
        params, state
            After the step.

        Raises
        ------
        NonFiniteGradientError
            If a gradient holds NaN or infinity; nothing has been changed then.
        ValueError
            If nesting or shapes do not fit.
        """
        in_place = moves_in_place(params) if in_place is None else in_place
        packing = state.packing
        p_leaves = leaves_of(params)
        g_leaves = leaves_like(params, grads)
        room = state.workspace.grad_buffer if in_place else new_buffer
        flat_grads = packing.gather_grads(g_leaves, room)
        if self.check_finite:
            self._refuse_non_finite(state, flat_grads)
        if in_place:
            flat_params = state.workspace.gather_params(p_leaves)
            self._step(flat_params, flat_grads, state)
            state.workspace.scatter()
            return params, state
        flat_params = packing.gather_params(p_leaves)
        state = state.copy()
        self._step(flat_params, flat_grads, state)
        return packing.unpack(flat_params), state

    def _step(self, flat_params: list[Array], flat_grads: list[Array], state: RuleState) -> None:
        rate = rate_at(self.learning_rate, state.step)
        state.step += 1
        for p, g, slots in zip(flat_params, flat_grads, state.slots, strict=True):
            self._move_in_lanes(p, g, slots, rate, state.step)

    def _move_in_lanes(
        self, p: Array, g: Array, slots: dict[str, Array], rate: float, step: int
    ) -> None:
        if p.size < 2 * costs.RULE_LANE_NUMBERS:
            self._move(p, g, slots, rate, step)
            return

        def lane(rows: slice) -> None:
            part = {name: slot[rows] for name, slot in slots.items()}
            self._move(p[rows], g[rows], part, rate, step)

        _in_lanes(lane, p.size)

    def _refuse_non_finite(self, state: RuleState, flat_grads: list[Array]) -> None:
        for bundle, flat in zip(state.packing.bundles, flat_grads, strict=True):
            if not _is_finite(flat):
                index = int(np.flatnonzero(~np.isfinite(flat))[0])
                path = state.packing.path_of(bundle, index)
                raise NonFiniteGradientError(state.step + 1, path, float(flat[index]))

    def with_rate(self, learning_rate: LearningRate) -> Self:
        """Return the same rule with another learning rate or schedule."""
        return replace(self, learning_rate=learning_rate)


def _is_finite(flat: Array) -> bool:
    if flat.size < 2 * costs.RULE_LANE_NUMBERS:
        return bool(all_finite(flat))
    return all(_in_lanes(lambda rows: all_finite(flat[rows]), flat.size))


def _in_lanes(task: Callable[[slice], T], size: int) -> list[T]:
    """Run a task on as many lanes as there are threads.

    Lanes end on whole units, which the compiler's vectors divide, so that where they end
    does not show in any number: one thread or many, the result is the same.
    """

    def lane(units: slice) -> T:
        last = units.stop * UNIT + UNIT > size
        return task(slice(units.start * UNIT, size if last else units.stop * UNIT))

    return map_rows(
        lane, size // UNIT, min_rows=costs.RULE_LANE_NUMBERS // UNIT, max_lanes=n_threads()
    )
