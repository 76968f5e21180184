"""Softmax and its loss; the affine layer's gradients; the memory of a training run."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from kiso.experiments import affine_gradients, softmax_loss, training_memory
from kiso.nn import check_gradients


@pytest.mark.parametrize("experiment", [softmax_loss, affine_gradients])
@pytest.mark.parametrize("seed", [0, 1])
def test_verdict(experiment, seed):
    outcome = experiment.run(seed)
    assert outcome.verdict, [c for c in outcome.checks if not c.holds]
    if seed == 0:
        assert isinstance(experiment.draw(outcome), Figure)


def test_softmax_can_come_out_false():
    rng = np.random.default_rng(0)

    def as_written(v):
        with np.errstate(over="ignore", invalid="ignore"):
            e = np.exp(v)
            return e / e.sum(axis=1, keepdims=True)

    held = [c.holds for c in softmax_loss.softmax_checks(as_written, rng)]
    assert held == [False, False, True]
    starts = {k: 1.01 * np.log(k) for k in softmax_loss.CLASSES}
    assert not any(c.holds for c in softmax_loss.start_checks(starts))
    flat = dict.fromkeys("abc", softmax_loss.guarded(softmax_loss.MARGINS))
    assert [c.holds for c in softmax_loss.margin_checks(flat)] == [False, False, False, True]


def test_mutants_can_be_missed():
    rng = np.random.default_rng(0)
    W, b = rng.standard_normal((4, 4)), rng.standard_normal(4)
    right = affine_gradients.Affine(W, b)
    reports = dict.fromkeys(affine_gradients.MISTAKES, check_gradients(right, np.ones((2, 4))))
    assert not any(c.holds for c in affine_gradients.mutant_checks(reports))


def test_memory_that_grows_is_seen():
    outcome = training_memory.run(0)
    assert outcome.verdict, [c for c in outcome.checks if not c.holds]
    assert isinstance(training_memory.draw(outcome), Figure)
    traces, control = outcome.data["traces"], outcome.data["control"]
    swapped = dict.fromkeys(traces, control)
    checks = training_memory.checks_of(swapped, traces["dense, compiled loop"])
    assert not any(c.holds for c in checks)
