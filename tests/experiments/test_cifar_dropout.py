from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

from kiso.datasets import available
from kiso.experiments import Outcome, cifar_dropout, load


def test_the_network_of_the_text():
    model = cifar_dropout.network(True, 0)
    assert model.n_parameters == 145_578
    assert model.output_shape((3, 32, 32)) == (10,)
    assert cifar_dropout.network(False, 0).n_parameters == 145_578


def test_the_pattern_can_be_missed():
    epoch = np.arange(10)
    falling = np.column_stack([2.0**-epoch, 2.1 * 2.0**-epoch, epoch / 20])
    turning = falling.copy()
    turning[:, 1] = 1 + (epoch - 5) ** 2 / 20
    assert all(check.holds for check in cifar_dropout.checks_of(turning, falling))
    assert not all(check.holds for check in cifar_dropout.checks_of(falling, turning))


@pytest.mark.skipif(not available("cifar10-part"), reason="CIFAR-10 is not at hand")
def test_a_few_images():
    form = replace(cifar_dropout.PART, n_train=200, n_test=50, epochs=2)
    outcome = cifar_dropout.measure(form, 0)
    assert outcome.checks[0].holds
    assert isinstance(cifar_dropout.draw(outcome), Figure)
    assert isinstance(outcome, Outcome)
    assert load("cifar-dropout").slow


@pytest.mark.skipif(not available("cifar10-part"), reason="CIFAR-10 is not at hand")
def test_published_numbers_are_left_open_without_all_images(monkeypatch):
    form = replace(cifar_dropout.FULL, n_train=100, n_test=50, epochs=2)
    monkeypatch.setattr(cifar_dropout, "FULL", form)
    monkeypatch.setattr(cifar_dropout, "checks_of", lambda *_: ())
    whole = cifar_dropout.measure(form, 0)  # it has what the form asks for
    assert whole.verdict is False  # and two epochs are not 80 %
    few = replace(form, n_train=10**6)
    monkeypatch.setattr(cifar_dropout, "FULL", few)
    part = cifar_dropout.measure(few, 0)
    assert part.verdict is None
    assert [check.holds for check in part.checks] == [True, None, None, None]


def test_the_rate_falls_as_in_the_text():
    falls = [epoch * 500 for epoch in cifar_dropout.FULL.falls]
    rate = cifar_dropout.StepDecay(cifar_dropout.FULL.rate, every=falls, factor=0.1)
    by_epoch = [rate(500 * epoch) for epoch in range(45)]
    np.testing.assert_allclose(by_epoch, [0.05] * 30 + [0.005] * 10 + [0.0005] * 5)
