"""The MNIST experiments of the SVM: a quick pass on few rows, and verdicts that can fail."""

import numpy as np
from matplotlib.figure import Figure

from kiso.experiments import Outcome, svm_mnist, svm_mnist_full


def test_verdict_follows_the_errors():
    sizes = np.array(svm_mnist.SIZES)
    law = 0.103 * (sizes / svm_mnist.ALL_ROWS) ** -0.15
    good = svm_mnist.checks_of("x", law, 0.103, 0.01)
    assert all(check.holds for check in good)
    flat = svm_mnist.checks_of("x", np.full(3, 0.103), 0.103, 0.01)
    assert [check.holds for check in flat] == [False, True]
    assert not svm_mnist.checks_of("x", 1.2 * law, 0.103, 0.01)[1].holds


def test_runs_on_images(monkeypatch):
    rng = np.random.default_rng(0)

    def load(split):
        y = rng.integers(0, 10, 300).astype(np.uint8)
        X = rng.integers(0, 256, (300, 6, 6)).astype(np.uint8)
        X[:, 0, 0] = 20 * y
        return X, y

    sets = {name: (load, *rest[1:]) for name, rest in svm_mnist.SETS.items()}
    monkeypatch.setattr(svm_mnist, "SETS", sets)
    monkeypatch.setattr(svm_mnist, "SIZES", (100, 200, 300))
    outcome = svm_mnist.run(0)
    assert not outcome.verdict
    assert isinstance(svm_mnist.draw(outcome), Figure)
    full = {name: (load, *rest[1:]) for name, rest in svm_mnist_full.SETS.items()}
    monkeypatch.setattr(svm_mnist_full, "SETS", full)
    outcome = svm_mnist_full.run(0)
    assert not outcome.verdict
    assert "MiB at most" in outcome.remark
    assert isinstance(svm_mnist_full.draw(outcome), Figure)


def test_the_full_verdict_follows_the_errors():
    published = {name: rest[3] for name, rest in svm_mnist_full.SETS.items()}
    assert Outcome(tuple(svm_mnist_full.checks_of(published))).verdict
    published["MNIST, pixels"] = 0.02
    assert not Outcome(tuple(svm_mnist_full.checks_of(published))).verdict
