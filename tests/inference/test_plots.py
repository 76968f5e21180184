"""The picture of Bayes beside maximum likelihood shows the numbers that it should."""

import subprocess
import sys

import numpy as np
import pytest
from matplotlib.figure import Figure
from numpy.testing import assert_allclose

from kiso.inference import (
    BetaBernoulli,
    GammaPoisson,
    NormalInverseGamma,
    NormalKnownVariance,
    plot_bayes_and_likelihood,
)


@pytest.mark.parametrize(
    ("prior", "data"),
    [
        (BetaBernoulli(2.0, 1.0), [1, 1, 0, 1]),
        (GammaPoisson(), [3, 0, 2, 5]),
        (NormalKnownVariance(0.0, 4.0, 2.0), [1.0, -1.0, 0.5, 2.0]),
    ],
)
def test_means_and_intervals(prior, data):
    ax = Figure().subplots()
    assert plot_bayes_and_likelihood(prior, data, truth=0.6, level=0.9, ax=ax) is ax
    bayes = next(line for line in ax.get_lines() if line.get_label().startswith("Bayes"))
    assert_allclose(bayes.get_ydata(), [prior.posterior(data[: n + 1]).mean for n in range(4)])
    band = ax.collections[0].get_paths()[0].vertices
    low, high = prior.posterior(data).credible_interval(0.9)
    at_end = band[band[:, 0] == 4, 1]
    assert_allclose([at_end.min(), at_end.max()], [low, high])
    (bars,) = ax.containers
    assert_allclose(bars[0].get_ydata(), np.cumsum(data) / np.arange(1, 5))
    labels = ax.get_legend_handles_labels()[1]
    assert len(labels) == 3
    assert "90 %" in labels[0]


def test_refusals():
    with pytest.raises(TypeError, match="prior="):
        plot_bayes_and_likelihood(NormalInverseGamma(), [1.0])
    with pytest.raises(ValueError, match="0 and 1"):
        plot_bayes_and_likelihood(BetaBernoulli(), [2.0])
    with pytest.raises(ValueError, match="level="):
        plot_bayes_and_likelihood(BetaBernoulli(), [1.0], level=2.0)


def test_importing_inference_is_light():
    code = "import sys, kiso.inference; print('\\n'.join(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(out.stdout.split()) & {"numba", "matplotlib"}
