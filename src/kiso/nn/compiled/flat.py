"""The parameters of a dense network, and what its rule remembers, as flat arrays and back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from kiso._validation import Array
from kiso.optim import Rule
from kiso.optim._tree import leaves_of, rebuild

from ..training.network import Network
from . import dense_loops as loops
from .dense_codes import RULES, hyper_of, layer_codes
from .records_loops import Dense
from .records_loops import Rule as RuleRecord

__all__ = ["FlatParameters"]


class FlatParameters:
    """What the loops of `dense_loops.py` move, copied from a network and its rule, and back.

    Parameters
    ----------
    network : Network
        Affine layers, each with at most one activation.
    rule : Rule
        One of `RULES`.
    mean : sequence of ndarray
        A running mean of the parameters, where there is one: read and written with them.
    packed : bool
        Whether products read packed copies of the weights.
    """

    def __init__(
        self, network: Network, rule: Rule, mean: Sequence[Array] = (), *, packed: bool = True
    ):
        self.parameters, self.rule = network.parameters, rule
        self.leaves, self.mean_leaves = leaves_of(self.parameters), list(mean)
        self.slots: tuple[str, ...] = tuple(rule.slot_names)  # type: ignore[attr-defined]
        self.p = np.concatenate([leaf.ravel() for leaf in self.leaves])
        self.g = np.zeros_like(self.p)
        self.averages = [np.zeros_like(self.p) for _ in self.slots]
        self.mean = np.empty(self.p.size if self.mean_leaves else 0, self.p.dtype)
        weights = self.leaves[::2]
        self.sizes = np.array([len(weights[0]), *(W.shape[1] for W in weights)], np.intp)
        self.codes, self.leaks = layer_codes(network)
        size = loops.size_of_packed(self.p, self.sizes) if packed else 0
        self.packed = np.empty(size, self.p.dtype)

    def net(self) -> Dense:
        """Return the arrays as the loops take them."""
        m, v = (*self.averages, self.g, self.g)[:2]
        return Dense(self.p, self.g, m, v, self.packed, self.sizes, self.codes, self.leaks)

    def rule_record(self, step: int, decay: float = 0.0) -> RuleRecord:
        """Return the rule as the loops take it, after so many steps."""
        rule: Any = self.rule
        return RuleRecord(RULES[type(rule)], hyper_of(rule), decay, step, rule.check_finite)

    def gradients(self) -> Any:
        """Return views of the gradients, nested and shaped as the parameters."""
        return rebuild(self.parameters, iter(self._split(self.g)))

    def read(self, memory: Any) -> None:
        """Copy from the network and from what the rule remembers."""
        for array, part in self._pairs(memory):
            part[...] = array

    def write(self, memory: Any) -> None:
        """Copy to the network and to what the rule remembers."""
        for array, part in self._pairs(memory):
            array[...] = part

    def _split(self, flat: Array) -> list[Array]:
        """Return views of a flat array, shaped as the parameters."""
        ends = np.cumsum([leaf.size for leaf in self.leaves])[:-1]
        parts = np.split(flat, ends)
        return [part.reshape(leaf.shape) for part, leaf in zip(parts, self.leaves, strict=True)]

    def _pairs(self, memory: Any) -> Iterator[tuple[Array, Array]]:
        """Yield each array of network, rule and running mean, and its place in a flat one."""
        yield from zip(self.leaves, self._split(self.p), strict=True)
        for name, flat in zip(self.slots, self.averages, strict=True):
            yield from zip(leaves_of(memory.tree(name)), self._split(flat), strict=True)
        if self.mean_leaves:
            yield from zip(self.mean_leaves, self._split(self.mean), strict=True)
