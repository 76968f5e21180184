"""The oil wells and the four results: verdicts on two seeds, and that they can come out false."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from kiso.experiments import back_propagation, higham_higham
from kiso.nn import Network


@pytest.mark.jit
@pytest.mark.parametrize("seed", [0, 1])
def test_oil_wells(seed, monkeypatch):
    if seed:  # the second in a shorter form: fewer starts
        for name, value in (("N_OTHER", 5), ("N_SQUARES", 5)):
            monkeypatch.setattr(higham_higham, name, value)
    outcome = higham_higham.run(seed)
    assert outcome.verdict, [c for c in outcome.checks if not c.holds]
    if seed == 0:
        assert isinstance(higham_higham.draw(outcome), Figure)
        worse = {way: 30 * path for way, path in outcome.data["paths"].items()}
        failed = {c.what for c in higham_higham.checks_of(worse, outcome.data["best"])
                  if not c.holds}  # fmt: skip
        assert "cost after 10⁶ steps with replacement, median of 15 starts" in failed


def test_a_plateau_that_is_not_there_is_seen():
    at_once, never = np.full((5, 101), 0.1), np.full((5, 101), 1.7)
    assert not any(higham_higham.plateau_check(paths).holds for paths in (at_once, never))


@pytest.mark.parametrize("seed", [0, 1])
def test_back_propagation(seed):
    outcome = back_propagation.run(seed)
    assert outcome.verdict, [c for c in outcome.checks if not c.holds]
    assert isinstance(back_propagation.draw(outcome), Figure)
    errors = outcome.data["errors"]
    assert errors["central difference"].min() > 1e-13 > errors["complex step"].min()


def test_a_wrong_delta_is_seen():
    network = Network.dense([2, 2, 3, 2], activation="sigmoid", output="sigmoid", random_state=0)
    x, y = np.array([[0.2, 0.7]]), np.array([[1.0, 0.0]])
    seen = network.trace(x, y, back_propagation.LOSS)
    seen.delta[3][0, 1] *= 1 + 1e-9
    checks = back_propagation.four_results(network, seen, y)
    assert [c.holds for c in checks] == [True, False, True, True]
