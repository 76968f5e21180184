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
