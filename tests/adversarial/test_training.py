"""Adversarial training: attacks on the weights of the very step, and what they bring."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.pipeline import make_pipeline

from kiso.adversarial import AdversarialTraining, fgsm, loss_gradient, pgd
from kiso.losses import SoftmaxCrossEntropy
from kiso.neural_network import ConvClassifier, MLPClassifier
from kiso.nn import Network
from kiso.persistence import FittedModel, load_model, save_model

EPS = 0.15
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def digits(n=None):
    X, y = load_digits(return_X_y=True)
    return (X / 16)[:n], y[:n]


class Spy:
    """Keeps what the attack was given, and the weights then."""

    def __init__(self, attack):
        self.attack, self.seen = attack, []

    def __call__(self, network, loss, x, t, rng):
        out = self.attack(network, loss, x, t, rng)
        self.seen.append((network.vector.copy(), x.copy(), t.copy(), out.copy()))
        return out


def test_batch_is_attacked_against_the_weights_of_its_step():
    X, y = digits(96)
    spy = Spy(AdversarialTraining(EPS, share=1))
    model = MLPClassifier((), solver="sgd", momentum=0.0, alpha=0.0, batch_size=32, max_iter=1,
                          learning_rate_init=0.5, adversary=spy, random_state=0)  # fmt: skip
    model.fit(X, y)
    after = [vector for vector, *_ in spy.seen[1:]] + [model.parameters_]
    assert sorted(map(bytes, np.concatenate([x for _, x, *_ in spy.seen]))) == sorted(map(bytes, X))
    for (vector, x, t, out), following in zip(spy.seen, after, strict=True):
        W, b = vector[:640].reshape(64, 10), vector[640:]
        p = np.exp(x @ W + b)
        p /= p.sum(axis=1, keepdims=True)
        sign = np.sign((p - np.eye(10)[t]) @ W.T)
        np.testing.assert_allclose(out, np.clip(x + EPS * sign, 0, 1), atol=1e-12)
        q = np.exp(out @ W + b)
        q /= q.sum(axis=1, keepdims=True)
        step = out.T @ (q - np.eye(10)[t]) / len(x)
        np.testing.assert_allclose(following[:640].reshape(64, 10), W - 0.5 * step, atol=1e-10)


@pytest.mark.parametrize("n_steps", [1, 5])
def test_same_as_the_attacks_on_a_fitted_model(n_steps):
    X, y = digits(200)
    model = MLPClassifier((20,), solver="lbfgs", max_iter=400, random_state=0).fit(X, y)
    attack = AdversarialTraining(EPS, n_steps=n_steps, share=1)
    made = attack(model.network_, SoftmaxCrossEntropy(), X, y, np.random.default_rng(0))
    whole = fgsm(model, X, y, eps=EPS) if n_steps == 1 else pgd(model, X, y, eps=EPS, n_steps=5)
    sure = np.abs(loss_gradient(model, X, y)) > 1e-9  # elsewhere the sign is a rounding error
    if n_steps == 1:
        np.testing.assert_allclose(made[sure], whole.images[sure], atol=1e-12)
    assert np.abs(made - X).max() <= EPS + 1e-12
    assert (made.min(), made.max()) == (0, 1)
    assert model.score(made, y) == pytest.approx(1 - whole.success_rate, abs=0.02)


def test_robust_error_falls():
    X, y = digits()
    plain = MLPClassifier((50,), max_iter=40, tol=0.0, random_state=0)
    hard = clone(plain).set_params(adversary=AdversarialTraining(EPS))
    assert hard.get_params()["adversary"] == AdversarialTraining(EPS)
    errors = []
    for model in (plain, hard):
        model.fit(X[:1200], y[:1200])
        errors.append(fgsm(model, X[1200:], y[1200:], eps=EPS).success_rate)
    assert errors[1] < 0.7 * errors[0]
    assert hard.score(X[1200:], y[1200:]) > 0.85


def test_seed_pieces_and_warm_start():
    X, y = digits(120)
    attack = AdversarialTraining(EPS, n_steps=2, random_start=True)
    weight = np.linspace(0.5, 2, len(X))
    model = MLPClassifier((8,), max_iter=3, batch_size=50, random_state=1, adversary=attack)
    one, two = (clone(model).fit(X, y, weight).parameters_ for _ in range(2))
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, clone(model).set_params(random_state=2).fit(X, y).parameters_)
    first, second = (clone(model).partial_fit(X, y).partial_fit(X, y) for _ in range(2))
    np.testing.assert_array_equal(first.parameters_, second.parameters_)
    spy = Spy(attack)
    start = clone(model).partial_fit(X, y).set_params(adversary=spy)
    before = start.parameters_.copy()
    start.partial_fit(X, y)
    np.testing.assert_array_equal(spy.seen[0][0], before)
    again = clone(model).set_params(warm_start=True, adversary=spy).fit(X, y)
    before = again.parameters_.copy()
    spy.seen.clear()
    again.fit(X, y)
    np.testing.assert_array_equal(spy.seen[0][0], before)
    assert len(spy.seen) == 9


def test_pieces_are_attacked_in_each_batch():
    X, y = digits(120)
    calls = []

    def attack(network, loss, x, t, rng):
        assert isinstance(network, Network)
        calls.append((len(x), x.dtype))
        return x

    model = MLPClassifier((8,), batch_size=50, random_state=1, shuffle=False)
    plain = clone(model).partial_fit(X, y)
    same = clone(model).set_params(adversary=attack).partial_fit(X, y)
    assert [n for n, _ in calls] == [50, 50, 20]
    assert same.parameters_.shape == plain.parameters_.shape
    calls.clear()
    ConvClassifier("conv 2 3x3, relu, pool 2", augmentation="shift 1", max_iter=2, batch_size=60,
                   adversary=attack).fit(X.reshape(-1, 1, 8, 8).astype(np.float32), y)  # fmt: skip
    assert calls == [(60, np.float32)] * 4


def test_conv_classifier_learns_from_attacked_images():
    X, y = digits(150)
    attack = AdversarialTraining(0.1)
    model = ConvClassifier("conv 4 3x3, relu, pool 2", image_shape=(1, 8, 8), max_iter=15,
                           batch_size=25, learning_rate_init=0.01, adversary=attack,
                           random_state=0)  # fmt: skip
    assert model.fit(X.astype(np.float32), y).score(X.astype(np.float32), y) > 0.8


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"eps": -1}, "eps"),
        ({"n_steps": 0}, "n_steps"),
        ({"step": 0.0}, "step"),
        ({"share": 0.0}, "share"),
        ({"share": 1.5}, "share"),
        ({"bounds": (1, 0)}, "bounds"),
    ],
)
def test_bad_parameters(given, message):
    with pytest.raises(ValueError, match=message):
        AdversarialTraining(**given)


def test_bad_use():
    X, y = digits(60)
    attack = AdversarialTraining()
    with pytest.raises(ValueError, match=r"adversary.*lbfgs.*sgd"):
        MLPClassifier(solver="lbfgs", adversary=attack).fit(X, y)
    with pytest.raises(ValueError, match=r"X goes from .* bounds"):
        MLPClassifier(adversary=attack).fit(X * 16, y)
    with pytest.raises(ValueError, match="adversary: it gave shape"):
        MLPClassifier(adversary=lambda network, loss, x, t, rng: x[:2]).fit(X, y)
    with pytest.raises(ValueError, match="'adversary' parameter"):
        MLPClassifier(adversary=0.25).fit(X, y)


def test_a_file_keeps_it(tmp_path):
    X, y = digits(60)
    attack = AdversarialTraining(EPS, n_steps=3, bounds=(0.0, 1.0))
    model = MLPClassifier((), max_iter=1, adversary=attack, random_state=0).fit(X, y)
    whole = FittedModel(
        make_pipeline(model), "MLPClassifier", "classification", "digit", {"x": "number"}
    )
    again = load_model(save_model(whole, tmp_path / "model.kiso")).pipeline[-1]
    assert again.adversary == attack
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
