import numpy as np
import pytest
from matplotlib.figure import Figure

from kiso.experiments import vanishing_gradients


@pytest.mark.parametrize("seed", [0, 1])
def test_verdict(seed):
    outcome = vanishing_gradients.run(seed)
    assert outcome.verdict, [c for c in outcome.checks if not c.holds]
    assert isinstance(vanishing_gradients.draw(outcome), Figure)


def test_it_can_come_out_false():
    norms = {kind: np.ones(5) for kind, _ in vanishing_gradients.KINDS}
    held = [c.holds for c in vanishing_gradients.checks_of(norms)]
    assert held == [False, True, True, True]
