"""One pixel: the verdict follows the shares, the remark tells the distance; a small run."""

import numpy as np
from matplotlib.figure import Figure

from kiso.experiments import Outcome, one_pixel


def test_verdict_follows_the_shares():
    good = one_pixel.checks_of(30.0, 2.0, 1, 40)
    assert [c.holds for c in good] == [True, True, None]
    assert Outcome(good).verdict is None  # the published share is of other networks
    assert [c.holds for c in one_pixel.checks_of(10.0, 5.0, 2, 40)] == [False, False, None]
    assert not Outcome(one_pixel.checks_of(10.0, 5.0, 2, 40)).verdict


def test_runs_on_images_and_says_how_far_it_is(monkeypatch):
    rng = np.random.default_rng(0)

    def load(split, part):
        y = np.arange(60) % 2
        X = rng.integers(0, 100, (60, 3, 16, 16)).astype(np.uint8)
        X[y == 1, 0] += 130
        return X, y

    monkeypatch.setattr(one_pixel, "fetch_cifar10", load)
    monkeypatch.setattr(one_pixel, "ATTACKED", 3)
    outcome = one_pixel.run(0)
    assert not outcome.verdict  # classes that differ in every pixel: one does not deceive
    assert outcome.checks[0].holds
    assert "is 68 below" in outcome.remark
    result = outcome.data["result"]
    assert ((result.images != result.originals).any(axis=1).sum(axis=(1, 2)) <= 1).all()
    assert isinstance(one_pixel.draw(outcome), Figure)
