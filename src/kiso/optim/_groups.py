"""Groups: parameters of different names move by different rules, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from kiso._validation import Array

from ._rule import Rule, check_rule, moves_in_place
from ._transform import innermost, refuse_bad_gradients
from ._tree import Tree, leaves_like, leaves_of, named_leaves, rebuild

__all__ = ["Groups", "GroupsState"]


@dataclass
class GroupsState:
    """The states of the rules, and which parameters (by position) each of them moves."""

    members: list[list[int]]
    states: list[Any]
    taken: int = 0

    @property
    def step(self) -> int:
        """Steps taken; setting it sets those of every rule."""
        return self.taken

    @step.setter
    def step(self, value: int) -> None:
        self.taken = value
        for state in self.states:
            innermost(state).step = value

    @property
    def slots(self) -> list[dict[str, Array]]:
        """The running averages of all rules, one after the other."""
        return [slots for state in self.states for slots in innermost(state).slots]


@dataclass(frozen=True)
class Groups:
    """Parameter groups: what a name says decides which rule moves a parameter.

    θ_name ← step of the rule of the first pattern that fits the name, else of `rule`.

    Parameters
    ----------
    rule : Rule
        Moves every parameter that no pattern fits.
    groups : mapping of str to Rule or None
        Patterns with ``*``, ``?`` and ``[...]`` of the names of parameters, as files of
        weights have them: ``0.W``, ``3.0.gamma``. The first that fits counts. None freezes
        the parameter: it stays as it is, whatever its gradient.

    Raises
    ------
    TypeError
        If something is no update rule.
    ValueError
        At `init`, if a pattern fits no parameter; the message lists their names.

    See Also
    --------
    kiso.nn.train : Its `weight_decay` decays weights and leaves biases, γ and β alone.

    Examples
    --------
    Decay without biases, and a first layer that is frozen:

    >>> import numpy as np
    >>> from kiso.optim import AdamW, Groups
    >>> rule = Groups(AdamW(0.1), {"0.*": None, "*.b": AdamW(0.1, weight_decay=0.0)})
    >>> params = [{"W": np.ones(2), "b": np.ones(1)}, {"W": np.ones(2), "b": np.ones(1)}]
    >>> grads = [{"W": np.ones(2), "b": np.zeros(1)}, {"W": np.zeros(2), "b": np.zeros(1)}]
    >>> params, state = rule.update(grads, rule.init(params), params)
    >>> params[0]["W"], params[1]["W"], params[1]["b"]
    (array([1., 1.]), array([0.999, 0.999]), array([1.]))
    """

    rule: Rule
    groups: Mapping[str, Rule | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_rule(self.rule)
        for pattern, rule in self.groups.items():
            if rule is not None:
                check_rule(rule, f"groups[{pattern!r}]")

    def _rules(self) -> list[Rule | None]:
        return [*self.groups.values(), self.rule]

    def init(self, params: Tree) -> GroupsState:
        """Return the states of the rules before the first step."""
        names, patterns = [name for name, _ in named_leaves(params)], list(self.groups)
        members: list[list[int]] = [[] for _ in range(len(patterns) + 1)]
        for i, name in enumerate(names):
            fits = (k for k, pattern in enumerate(patterns) if fnmatchcase(name, pattern))
            members[next(fits, len(patterns))].append(i)
        for pattern in patterns:
            if not any(fnmatchcase(name, pattern) for name in names):
                raise ValueError(f"groups: no parameter is named {pattern!r}; there are {names}")
        pairs = [
            (some, rule)
            for some, rule in zip(members, self._rules(), strict=True)
            if some and rule is not None
        ]
        leaves = leaves_of(params)
        states = [rule.init([leaves[i] for i in some]) for some, rule in pairs]
        return GroupsState(members, states)

    def update(
        self, grads: Tree, state: GroupsState, params: Tree, *, in_place: bool | None = None
    ) -> tuple[Tree, GroupsState]:
        """Take one step of each rule; as the `update` of each."""
        in_place = moves_in_place(params) if in_place is None else in_place
        leaves, g_leaves = leaves_of(params), leaves_like(params, grads)
        refuse_bad_gradients(params, leaves, g_leaves, state.step + 1)  # before any rule moves
        moved, states = list(leaves), iter(state.states)
        after = []
        for some, rule in zip(state.members, self._rules(), strict=True):
            if not some or rule is None:
                continue
            own, of_rule = rule.update(
                [g_leaves[i] for i in some],
                next(states),
                [leaves[i] for i in some],
                in_place=in_place,
            )
            after.append(of_rule)
            for i, leaf in zip(some, own, strict=True):
                moved[i] = leaf
        new = GroupsState(state.members, after, state.taken + 1)
        return (params if in_place else rebuild(params, iter(moved))), new
