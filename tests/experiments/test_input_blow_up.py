"""Convolutions as matrices: the verdict, and that a wrong adjoint is found."""

import pytest
from matplotlib.figure import Figure

from kiso.experiments import input_blow_up


@pytest.mark.parametrize("seed", [0, 1])
def test_verdict(seed):
    outcome = input_blow_up.run(seed)
    assert outcome.verdict, outcome.checks
    assert isinstance(input_blow_up.draw(outcome), Figure)


def test_a_wrong_adjoint_is_found(monkeypatch):
    right = input_blow_up.col2im
    monkeypatch.setattr(input_blow_up, "col2im", lambda *a: 2 * right(*a))
    assert not input_blow_up.run(0).verdict
