"""The experiments on likelihood, Bayes and information; and that each can fail."""

from importlib import import_module

import numpy as np
import pytest
from matplotlib.figure import Figure

from kiso.experiments import (
    bayes_small_samples,
    closed_form_likelihood,
    consistency_efficiency,
    entropy_identities,
    kl_no_distance,
    likelihood_is_kl,
    no_free_lunch,
    variance_bias,
)
from kiso.inference import BetaBernoulli, Gaussian, kl_divergence, maximum_likelihood

NAMES = (
    "bayes_small_samples",
    "closed_form_likelihood",
    "consistency_efficiency",
    "entropy_identities",
    "kl_no_distance",
    "likelihood_is_kl",
    "no_free_lunch",
    "variance_bias",
)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", [0, 1])
def test_verdict(name, seed):
    experiment = import_module(f"kiso.experiments.{name}").EXPERIMENT
    outcome = experiment.run(seed)
    assert outcome.verdict, [c for c in outcome.checks if not c.holds]
    if seed == 0:
        figure = experiment.draw(outcome)
        assert isinstance(figure, Figure)
        figure.canvas.draw()


def failed(outcome):
    return [check.what for check in outcome.checks if not check.holds]


def test_a_wrong_closed_form_is_noticed(monkeypatch):
    class Unbiased(Gaussian):
        def fit(self, X, sample_weight=None):
            super().fit(X, sample_weight)
            self.covariance_ = self.covariance_ * len(X) / (len(X) - 1)
            return self

    monkeypatch.setattr(closed_form_likelihood, "Gaussian", Unbiased)
    assert failed(closed_form_likelihood.run(0)) == ["|optimiser − closed form|, normal (μ, log σ)"]
    monkeypatch.setattr(variance_bias, "Gaussian", Unbiased)
    monkeypatch.setattr(variance_bias, "SIZES", (2, 5, 100))
    assert len(failed(variance_bias.run(0))) >= 2


def test_a_likelihood_that_is_not_kl_is_noticed(monkeypatch):
    def penalised(log_prob, theta0, data):
        return maximum_likelihood(lambda t, x: log_prob(t, x) - 0.1 * (t[0] - 1) ** 2, theta0, data)

    monkeypatch.setattr(likelihood_is_kl, "maximum_likelihood", penalised)
    assert failed(likelihood_is_kl.run(0)) == ["|argmin KL − argmax likelihood|, optimisers"]


def test_an_inconsistent_estimator_is_noticed(monkeypatch):
    def stuck(draws):
        mean = draws[:11].mean(axis=0)  # looks at eleven observations only
        return mean, np.median(draws, axis=0)

    monkeypatch.setattr(consistency_efficiency, "errors", stuck)
    bad = failed(consistency_efficiency.run(0))
    assert "slope of log RMSE, mean, normal data" in bad
    assert "var(median)/var(mean), normal data" in bad


def test_a_symmetric_divergence_is_noticed(monkeypatch):
    def symmetric(p, q):
        if isinstance(p, Gaussian):
            return kl_divergence(p, q)
        return (kl_divergence(p, q) + kl_divergence(q, p)) / 2

    monkeypatch.setattr(kl_no_distance, "kl_divergence", symmetric)
    assert failed(kl_no_distance.run(0)) == ["median of |KL(p ‖ q) − KL(q ‖ p)| / KL(p ‖ q)"]


def test_a_guard_that_hides_infinity_is_noticed(monkeypatch):
    def guarded(p, q):
        return -np.sum(np.asarray(p) * np.log(np.asarray(q) + 1e-7), axis=-1)

    monkeypatch.setattr(entropy_identities, "cross_entropy", guarded)
    assert "cross-entropy of a right class given 0" in failed(entropy_identities.run(0))


def test_leaving_out_a_target_is_noticed(monkeypatch):
    """Over 255 of the 256 targets the error is not exactly one half."""
    full = no_free_lunch.off_training_errors

    def without_the_last(learner, train):
        errors = full(learner, train)
        errors[-1] = 0
        return errors

    monkeypatch.setattr(no_free_lunch, "off_training_errors", without_the_last)
    bad = failed(no_free_lunch.run(0))
    assert "mean off-training error, the opposite of the majority" in bad


def test_a_prior_that_is_wrong_is_noticed(monkeypatch):
    monkeypatch.setattr(bayes_small_samples, "BetaBernoulli", lambda: BetaBernoulli(20.0, 1.0))
    assert len(failed(bayes_small_samples.run(0))) >= 4
