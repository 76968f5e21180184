import numpy as np
import pytest
from matplotlib.figure import Figure

from kiso.experiments.tree_staircase import EXPERIMENT, LEAVES, verdicts


@pytest.mark.parametrize("seed", [0, 1])
def test_staircase(seed):
    outcome = EXPERIMENT.run(seed)
    assert outcome.verdict, outcome.checks
    assert isinstance(EXPERIMENT.draw(outcome), Figure)


def test_checks_can_fail():
    flat = verdicts(np.full(len(LEAVES), 0.25), 0.1)
    assert [check.holds for check in flat] == [False, True, True, False]
