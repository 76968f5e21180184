"""One pass over a piece of data: what `partial_fit` does between two pieces.

What the rule remembers is kept as plain arrays, so that a saved model goes on as it would
have.
"""

from __future__ import annotations

from typing import Any

from kiso.nn.layers.run import Run
from kiso.nn.training.engine import LayerEngine, Progress
from kiso.nn.training.feed import BatchFeed, Feed, RowFeed
from kiso.optim._rule import RuleState

from ._epochs import Batches, Problem

__all__ = ["one_epoch"]


def one_epoch(problem: Problem, memory: dict[str, Any]) -> tuple[Progress, dict[str, Any]]:
    """Train on all rows once; return what that did, and what the rule remembers.

    A rule around another remembers nothing from piece to piece.
    """
    p = problem
    assert p.rule is not None
    feed: Feed = RowFeed(p.X, p.t, p.weight, batch_size=p.batch_size, replace=False, rng=p.rng)
    if p.adversary is not None:
        feed = BatchFeed(Batches(p), 1)
    n_batches = -(-len(p.X) // p.batch_size)
    engine = LayerEngine(
        p.network, p.loss, feed, p.rule, Run(p.rng, reuse_buffers=True), p.alpha / p.batch_size
    )
    state = engine.rule_state
    if not isinstance(state, RuleState):
        return engine.advance(n_batches), {}
    if memory:
        engine.n_iter = state.step = memory["step"]
        for own, kept in zip(state.slots, memory["slots"], strict=True):
            for name, array in own.items():
                array[...] = kept[name]
    progress = engine.advance(n_batches)
    return progress, {"step": state.step, "slots": state.slots}
