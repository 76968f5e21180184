"""The GAN as it comes learns a ring of eight Gaussians."""

import numpy as np
import pytest

from kiso.neural_network import GAN


@pytest.mark.slow
@pytest.mark.parametrize(("spread", "seed"), [(0.05, 0), (0.02, 1)])
def test_defaults_find_eight_modes(spread, seed):
    rng = np.random.default_rng(seed)
    angle = 2 * np.pi * np.arange(8) / 8
    means = 2 * np.column_stack([np.cos(angle), np.sin(angle)])
    X = means[rng.integers(8, size=5000)] + spread * rng.standard_normal((5000, 2))
    gan = GAN(random_state=seed).fit(X.astype(np.float32))
    samples = gan.sample(4000, random_state=1)
    distance = np.linalg.norm(samples[:, None] - means, axis=2)
    good = distance.min(axis=1) <= 3 * spread
    assert len(np.unique(distance.argmin(axis=1)[good])) == 8
    assert good.mean() >= 0.8
