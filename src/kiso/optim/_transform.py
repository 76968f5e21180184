"""Rules around rules: the gradient is changed, then an inner rule takes the step."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from kiso._validation import Array

from ._rule import NonFiniteGradientError, Rule, check_rule, moves_in_place
from ._tree import Tree, leaves_like, leaves_of, paths_of, rebuild

__all__ = ["GradientTransform", "TransformState", "innermost", "refuse_bad_gradients"]


@dataclass
class TransformState:
    """The inner rule's state, and room for the changed gradient."""

    inner: Any
    grads: Tree

    @property
    def step(self) -> int:
        """Steps taken."""
        return int(self.inner.step)


@dataclass(frozen=True)
class GradientTransform(ABC):
    """Base of the rules that change the gradient g ← T(g, θ) before an inner rule."""

    rule: Rule

    def __post_init__(self) -> None:
        check_rule(self.rule)

    @abstractmethod
    def _transform(self, grads: list[Array], params: list[Array], out: list[Array]) -> None:
        """Write the changed gradients to `out`."""

    def init(self, params: Tree) -> TransformState:
        """Return the state before the first step."""
        inner = self.rule.init(params)
        grads = rebuild(params, map(np.empty_like, leaves_of(params)))
        return TransformState(inner, grads)

    def update(
        self, grads: Tree, state: TransformState, params: Tree, *, in_place: bool | None = None
    ) -> tuple[Tree, TransformState]:
        """Take one step; as the inner rule's `update`. `grads` is never changed."""
        in_place = moves_in_place(params) if in_place is None else in_place
        p_leaves = leaves_of(params)
        g_leaves = leaves_like(params, grads)
        changed = state.grads if in_place else rebuild(params, map(np.empty_like, p_leaves))
        refuse_bad_gradients(params, p_leaves, g_leaves, state.step + 1)
        self._transform(g_leaves, p_leaves, leaves_of(changed))
        params, inner = self.rule.update(changed, state.inner, params, in_place=in_place)
        return params, TransformState(inner, state.grads)


def innermost(state: Any) -> Any:
    """Return the state of the innermost rule: those around it remember nothing."""
    while hasattr(state, "inner"):
        state = state.inner
    return state


def refuse_bad_gradients(params: Tree, p_leaves: list[Any], g_leaves: list[Any], step: int) -> None:
    """Raise where a gradient has another shape than its parameter, or NaN or infinity."""
    for i, (p, g) in enumerate(zip(p_leaves, g_leaves, strict=True)):
        if np.shape(g) != np.shape(p):
            path = paths_of(params)[i]
            raise ValueError(f"grads: {path} has shape {np.shape(g)}, expected {np.shape(p)}")
        finite = np.isfinite(g)
        if not finite.all():
            value = float(np.asarray(g)[~finite][0])
            raise NonFiniteGradientError(step, paths_of(params)[i], value)
