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


def test_shares_can_come_out_false():
    rng = np.random.default_rng(0)
    small = saturation.small_shares(rng)
    assert all(check.holds for check in saturation.share_checks(small))
    pairs = (("sigmoid", "leaky_relu"), ("relu", "sigmoid"), ("leaky_relu", "relu"))
    swapped = {kind: small[other] for kind, other in pairs}
    checks = saturation.share_checks({"σ'(0)": 0.3, **swapped})
    assert not any(check.holds for check in checks)
