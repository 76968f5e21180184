import numpy as np
import pytest
from matplotlib.figure import Figure

from kiso.experiments import scattering_mnist, scattering_stability


@pytest.mark.parametrize("seed", [0, 1])
def test_stability(seed, monkeypatch):
    if seed:  # the second in a shorter form
        monkeypatch.setattr(scattering_stability, "SCALES", (1, 2, 3))
    outcome = scattering_stability.run(seed)
    assert outcome.verdict, [c for c in outcome.checks if not c.holds]
    if seed:
        moved = outcome.data["moved"]
        swapped = {"scattering": moved["Fourier"], "Fourier": moved["scattering"]}
        checks = scattering_stability.checks_of(swapped, [1.0, 0.9], 1.1)
        assert not any(check.holds for check in checks[1:])
    else:
        assert isinstance(scattering_stability.draw(outcome), Figure)


@pytest.mark.parametrize("seed", [0, 1])
def test_mnist(seed, real_data, monkeypatch):
    real_data("mnist/train-images-idx3-ubyte.gz")
    monkeypatch.setattr(scattering_mnist, "N_TEST", 1000)
    monkeypatch.setattr(scattering_mnist, "ALPHAS", (300.0,))
    outcome = scattering_mnist.run(seed)
    assert outcome.verdict, [c for c in outcome.checks if not c.holds]
    if not seed:
        assert isinstance(scattering_mnist.draw(outcome), Figure)


def test_mnist_can_come_out_false():
    checks = scattering_mnist.checks_of(
        {"scattering": 6.0, "pixels": 12.0, "pixels, logistic": 9.0}
    )
    assert not any(c.holds for c in checks)
    assert np.isclose(checks[2].measured, 1.5)
