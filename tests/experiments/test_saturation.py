import numpy as np
import pytest
from matplotlib.figure import Figure

from kiso.experiments import saturation


@pytest.mark.parametrize("seed", [0, 1])
def test_verdict(seed):
    outcome = saturation.run(seed)
    assert outcome.verdict, [c for c in outcome.checks if not c.holds]
    assert isinstance(saturation.draw(outcome), Figure)


def test_it_can_come_out_false():
    data = saturation.run(0).data
    norms = {kind: np.ones_like(n) for kind, n in data["norms"].items()}
    shares = {kind: s[::-1] * 0 + 0.1 for kind, s in data["shares"].items()}
    held = [c.holds for c in saturation.checks_of(norms, shares)]
    assert held == [False, True, True, False, False, False]
