"""Attacks: gradients against differences, closed forms, balls, and one pixel."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from sklearn.base import BaseEstimator

from kiso.adversarial import fgsm, loss_gradient, one_pixel, pgd
from kiso.linear_model import LogisticRegression
from kiso.neural_network import ConvClassifier, MLPClassifier
from kiso.svm import SVC


def data(n_classes, n=90, d=16):
    rng = np.random.default_rng(0)
    y = np.arange(n) % n_classes
    centres = rng.uniform(0.3, 0.7, (n_classes, d))
    return np.clip(centres[y] + 0.08 * rng.standard_normal((n, d)), 0, 1), y


def models(n_classes):
    X, y = data(n_classes)
    return [
        LogisticRegression(C=10).fit(X, y),
        MLPClassifier((12,), activation="tanh", solver="lbfgs", random_state=0).fit(X, y),
        ConvClassifier(
            "conv 4 3x3, tanh, dense 8, tanh", image_shape=(1, 4, 4), random_state=0,
            learning_rate_init=0.02, max_iter=20,
        ).fit(X, y),
    ]  # fmt: skip


def loss_of(model, X, y):
    return -np.log(model.predict_proba(X)[np.arange(len(X)), y])


@pytest.mark.parametrize("n_classes", [2, 3])
def test_gradient_of_the_loss_and_pgd_in_the_ball(n_classes):
    X, y = data(n_classes)
    h = 1e-5
    for model in models(n_classes):
        gradient = loss_gradient(model, X, y)
        for j in (0, 7, 15):
            e = h * np.eye(16)[j]
            slope = (loss_of(model, X + e, y) - loss_of(model, X - e, y)) / (2 * h)
            np.testing.assert_allclose(gradient[:, j], slope, atol=1e-6, rtol=1e-4)
        one = fgsm(model, X, y, eps=0.1)
        many = pgd(model, X, y, eps=0.1, n_steps=20)
        assert one.norms["linf"].max() <= 0.1 + 1e-12
        assert many.norms["linf"].max() <= 0.1 + 1e-12
        assert loss_of(model, many.images, y).mean() >= loss_of(model, one.images, y).mean() - 1e-9
        round_ball = pgd(model, X, y, eps=0.3, norm="l2", random_start=True, random_state=0)
        assert round_ball.norms["l2"].max() <= 0.3 + 1e-12
        assert loss_of(model, round_ball.images, y).mean() > loss_of(model, X, y).mean()


@pytest.mark.parametrize("n_classes", [2, 3])
def test_svc_gradient(n_classes):
    X, y = data(n_classes)
    model = SVC(kernel="rbf", gamma=1.0, decision_function_shape="ovo").fit(X, y)
    signs = {2: [[1.0], [-1.0]], 3: [[-1, -1, 0], [1, 0, -1], [0, 1, 1]]}[n_classes]

    def loss(X):
        values = model.decision_function(X).reshape(len(X), -1)
        return (np.array(signs)[y] * values).sum(axis=1)

    gradient, h = loss_gradient(model, X, y), 1e-5
    for j in (0, 9):
        e = h * np.eye(16)[j]
        slope = (loss(X + e) - loss(X - e)) / (2 * h)
        np.testing.assert_allclose(gradient[:, j], slope, atol=1e-6, rtol=1e-4)
    assert pgd(model, X, y, eps=0.3).success_rate > np.mean(model.predict(X) != y)


def test_fgsm_is_the_worst_case_of_a_linear_model():
    X, y = data(2)
    model = LogisticRegression().fit(X, y)
    result = fgsm(model, X, y, eps=0.1, bounds=(-1, 2))
    sign = np.where(y == 1, 1, -1)
    worst = sign * model.decision_function(X) - 0.1 * np.abs(model.coef_).sum()
    np.testing.assert_allclose(sign * model.decision_function(result.images), worst, atol=1e-12)
    np.testing.assert_array_equal(result.success, worst < 0)


def test_targets_and_pictures():
    X, y = data(3)
    model = LogisticRegression(C=10).fit(X, y)
    result = pgd(model, X, y, eps=0.4, target=2)
    assert result.success_rate == 1
    np.testing.assert_array_equal(result.after, 2)
    assert isinstance(result.plot(image_shape=(1, 4, 4), n=2), Figure)
    with pytest.raises(ValueError, match="image_shape"):
        result.plot()


def test_one_pixel_changes_one_and_needs_no_gradient():
    X, y = data(3)
    model = LogisticRegression(C=100).fit(X, y)
    result = one_pixel(model, X[:8], y[:8], image_shape=(1, 4, 4), random_state=0)
    assert result.norms["l0"].max() <= 1
    # the best single change of a linear model is at an end of the range: try them all
    for i in range(4):
        tries = np.repeat(X[[i]], 32, axis=0)
        tries[np.arange(32), np.arange(32) // 2] = np.arange(32) % 2
        best = loss_of(model, tries, np.full(32, y[i])).max()
        found = loss_of(model, result.images[[i]], y[[i]])[0]
        assert loss_of(model, X[[i]], y[[i]])[0] < found <= best + 1e-12
    machine = SVC(kernel="rbf").fit(X, y)
    assert one_pixel(machine, X[:2], y[:2], image_shape=(1, 4, 4)).norms["l0"].max() <= 1


def test_float32_stays():
    X, y = data(2)
    X = X.astype(np.float32)
    assert pgd(LogisticRegression().fit(X, y), X, y).images.dtype == np.float32


def test_bad_input():
    X, y = data(2)
    model = LogisticRegression().fit(X, y)
    with pytest.raises(ValueError, match="outside bounds"):
        fgsm(model, 2 * X, y)
    with pytest.raises(ValueError, match="eps=-1"):
        fgsm(model, X, y, eps=-1)
    with pytest.raises(ValueError, match="norm='l1'"):
        pgd(model, X, y, norm="l1")
    with pytest.raises(ValueError, match="not among"):
        fgsm(model, X, y + 5)

    class Deaf(BaseEstimator):
        classes_ = np.arange(2)

        def fit(self):
            return self

        def __sklearn_is_fitted__(self):
            return True

    with pytest.raises(TypeError, match="has no gradient"):
        loss_gradient(Deaf(), X, y)
    with pytest.raises(TypeError, match="predict_proba or decision_function"):
        one_pixel(Deaf(), X, y, image_shape=(1, 4, 4))
    X, y = data(3)
    pairs = SVC(decision_function_shape="ovo").fit(X, y)
    with pytest.raises(ValueError, match="a score a class"):
        one_pixel(pairs, X, y, image_shape=(1, 4, 4))
