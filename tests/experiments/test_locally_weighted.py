"""The experiment on locally weighted regression, and that it can fail."""

import dataclasses

import pytest
from matplotlib.figure import Figure

from kiso.experiments import locally_weighted
from kiso.linear_model import LocallyWeightedRegression


@pytest.mark.parametrize("seed", [0, 1])
def test_verdict(seed):
    outcome = locally_weighted.run(seed)
    assert outcome.verdict, [c for c in outcome.checks if not c.holds]
    assert isinstance(locally_weighted.draw(outcome), Figure)


def test_a_wrong_bandwidth_is_noticed(monkeypatch):
    class Careless(LocallyWeightedRegression):
        """Takes the widest bandwidth tried, whatever leave-one-out says of it."""

        def fit(self, X, y):
            super().fit(X, y)
            if self.tau == "loo":
                self.tau_ = float(self.loo_taus_[-1])
            return self

    monkeypatch.setattr(locally_weighted, "LocallyWeightedRegression", Careless)
    outcome = locally_weighted.run(0)
    failed = {c.what for c in outcome.checks if not c.holds}
    assert failed == {
        "leave-one-out error from the hat matrix / by refitting, − 1",
        "true error at the τ of leave-one-out / at the best τ tried",
        "true error of ordinary least squares / at the τ of leave-one-out",
    }


def test_a_wrong_theta_is_noticed(monkeypatch):
    class Wrong(LocallyWeightedRegression):
        def local_coef(self, X):
            return 1.001 * super().local_coef(X)

    monkeypatch.setattr(locally_weighted, "LocallyWeightedRegression", Wrong)
    outcome = locally_weighted.run(0)
    assert not outcome.verdict
    assert not dataclasses.replace(outcome, checks=()).verdict
