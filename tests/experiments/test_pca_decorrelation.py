import numpy as np
import pytest
from matplotlib.figure import Figure

from kiso.decomposition import PCA
from kiso.experiments import pca_decorrelation


@pytest.mark.parametrize("seed", [0, 1])
def test_the_claims_hold(seed):
    outcome = pca_decorrelation.EXPERIMENT.run(seed)
    assert outcome.verdict, outcome.checks
    assert len(outcome.checks) == 6
    assert isinstance(pca_decorrelation.EXPERIMENT.draw(outcome), Figure)


def test_it_can_come_out_false():
    X = np.random.default_rng(0).normal(size=(100, 3)) @ np.triu(np.ones((3, 3)))
    model = PCA().fit(X)
    turned = model.transform(X) @ [[0.8, 0.6, 0], [-0.6, 0.8, 0], [0, 0, 1]]
    assert not pca_decorrelation.measure(X, turned, model)[0].holds
    assert not pca_decorrelation.measure(X, model.transform(X) * 1.01, model)[1].holds
    assert not pca_decorrelation.measure(X * 1.01, model.transform(X), model)[3].holds
