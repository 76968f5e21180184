"""Prototypical and siamese networks: their losses, sklearn's contract, bad input, pictures."""

import copy
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.callback import ScoringMonitor
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from kiso.few_shot import (
    NearestExampleClassifier,
    PrototypicalNetwork,
    SiameseNetwork,
    plot_answers,
    plot_embedding,
    score_episodes,
)
from kiso.few_shot._episode_losses import pair_loss, prototype_loss
from kiso.few_shot._episodic import ClassSampler
from kiso.nn import Affine, Network, Run, TrainStatus
from kiso.optim import Adam, GradientDescent
from kiso.optim._tree import leaves_of
from kiso.persistence import FittedModel, load_model, save_model

NETWORKS = [PrototypicalNetwork, SiameseNetwork]
SMALL = "conv 4 3x3 same, batchnorm, relu, pool 2, dense 8"


@parametrize_with_checks([make(max_iter=10, every=5) for make in NETWORKS])
def test_estimator_checks(estimator, check):
    check(estimator)


# --- losses ------------------------------------------------------------------------------


def naive_prototype_loss(support, queries):
    total = 0.0
    centres = [examples.mean(axis=0) for examples in support]
    for k, of_class in enumerate(queries):
        for q in of_class:
            z = np.array([-((q - c) ** 2).sum() for c in centres])
            total += np.log(np.exp(z).sum()) - z[k]
    return total / (queries.shape[0] * queries.shape[1])


def naive_pair_loss(u, v, alpha, bias):
    n, total = len(u), 0.0
    for i in range(n):
        for j in range(n):
            p = 1 / (1 + np.exp(-(bias[0] - (alpha * abs(u[i] - v[j])).sum())))
            total -= np.log(p) if i == j else np.log(1 - p)
    return total / n**2


def check_slopes(loss, naive, arrays, rng):
    lesson = loss(*arrays)
    assert lesson.loss == pytest.approx(naive(*arrays), rel=1e-9)
    for position, gradient in enumerate(lesson.gradients):
        assert gradient.shape == arrays[position].shape
        d = rng.normal(size=gradient.shape)
        ends = []
        for step in (1e-6, -1e-6):
            moved = list(arrays)
            moved[position] = arrays[position] + step * d
            ends.append(naive(*moved))
        assert (gradient * d).sum() == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-4, abs=1e-7)


sizes = st.integers(2, 5), st.integers(1, 3), st.integers(1, 4), st.integers(1, 4)


@settings(deadline=None, max_examples=25)
@given(*sizes, st.integers(0, 2**32))
def test_prototype_loss(ways, shots, queries, d, seed):
    rng = np.random.default_rng(seed)
    arrays = [rng.normal(size=(ways, n, d)) for n in (shots, queries)]
    check_slopes(prototype_loss, naive_prototype_loss, arrays, rng)


@settings(deadline=None, max_examples=25)
@given(st.integers(2, 6), st.integers(1, 5), st.integers(0, 2**32))
def test_pair_loss(n, d, seed):
    rng = np.random.default_rng(seed)
    arrays = [rng.normal(size=s) for s in ((n, d), (n, d), (d,), (1,))]
    check_slopes(pair_loss, naive_pair_loss, arrays, rng)


@pytest.mark.parametrize("make", NETWORKS)
def test_a_learner_s_gradients_are_slopes(make):
    """Through the network, whose weights both sides of a pair share."""
    rng = np.random.default_rng(0)
    sampler = ClassSampler(rng.normal(size=(30, 3)), list(np.arange(30).reshape(6, 5)))
    network = Network.dense([3, 5, 4], random_state=0)
    learner = make()._learner(network, sampler, 4, 3, np.float64)
    gradients = leaves_of(learner.study(Run(7)).gradients)
    leaves = leaves_of(learner.parameters)
    assert [g.shape for g in gradients] == [p.shape for p in leaves]
    for p, g in zip(leaves, gradients, strict=True):
        d, losses = rng.normal(size=p.shape), []
        for step in (1e-6, -2e-6):
            p += step * d
            losses.append(learner.study(Run(7)).loss)
        p += 1e-6 * d
        assert (g * d).sum() == pytest.approx((losses[0] - losses[1]) / 2e-6, rel=1e-4, abs=1e-8)


# --- what is fitted ------------------------------------------------------------------------


def bars(n_classes=8, n_each=8, side=8, seed=0):
    """Noisy pictures: class k has a pattern of its own."""
    rng = np.random.default_rng(seed)
    patterns = rng.random((n_classes, side, side)) < 0.3
    y = np.repeat(np.arange(n_classes), n_each)
    return patterns[y] + 0.1 * rng.normal(size=(len(y), side, side)), y


@pytest.mark.parametrize("make", NETWORKS)
def test_pictures_of_new_classes(make):
    X, y = bars(24)
    new, of_new = bars(seed=1)
    options = {"ways": 8, "rotations": True, "random_state": 0, "max_iter": 60, "every": 30}
    options["rule"] = Adam(0.01)
    model = make(SMALL, **options).fit(X, y)
    assert model.status_ is TrainStatus.COMPLETE
    assert model.objective_path_[-1] < model.objective_path_[0]
    assert model.predict(X[:3]).shape == (3,)
    scores = score_episodes(model, new, of_new, n_way=5, n_episodes=20, random_state=0)
    assert scores.error < 0.4  # chance is 0.8
    # rows of pixels, and pictures with channels, are the same pictures
    again = make(SMALL, **options, image_shape=(8, 8)).fit(X.reshape(len(X), -1), y)
    np.testing.assert_array_equal(again.embed(X.reshape(len(X), -1)), model.embed(X))
    channels = clone(again).set_params(image_shape=None).fit(X[:, None], y)
    np.testing.assert_array_equal(channels.embed(new[:, None]), model.embed(new))


@pytest.mark.parametrize("make", NETWORKS)
def test_tables_in_cross_validation(make):
    X, y = load_iris(return_X_y=True)
    scores = cross_val_score(make(max_iter=100, random_state=0), X, y, cv=3)
    assert scores.mean() > 0.9
    model = make(max_iter=10, random_state=0).fit(np.asfortranarray(X, dtype=np.float32), y)
    assert model.embed(X).dtype == np.float32


def test_pictures_in_cross_validation():
    X, y = bars(4, 10)
    names = np.array(list("abcd"))[y]
    model = PrototypicalNetwork(SMALL, max_iter=30, rule=Adam(0.01), random_state=0)
    assert cross_val_score(model, X, names, cv=2).mean() > 0.8


def test_distances_are_the_definitions():
    X, y = load_iris(return_X_y=True)
    model = PrototypicalNetwork(shots=2, max_iter=5, random_state=0).fit(X, y)
    model.support(X[::10], y[::10])
    e, s = model.embed(X[3:9]), model.embed(X[::10])
    centres = np.stack([s[y[::10] == k].mean(axis=0) for k in range(3)])
    np.testing.assert_allclose(model.prototypes_, centres, rtol=1e-9)
    expected = ((e[:, None] - centres) ** 2).sum(axis=2)
    np.testing.assert_allclose(model.distances(X[3:9]), expected, rtol=1e-6)
    np.testing.assert_allclose(model.predict_proba(X[3:9]).sum(axis=1), 1)

    pairs = SiameseNetwork(max_iter=5, random_state=0).fit(X, y).support(X[::50], y[::50])
    pairs.alpha_[::2] *= -1  # α has either sign
    u, v = pairs.embed(X[3:9]), pairs.embed(X[::50])
    z = pairs.bias_ - (pairs.alpha_ * abs(u[:, None] - v)).sum(axis=2)
    np.testing.assert_allclose(pairs.distances(X[3:9]), np.log1p(np.exp(-z)), rtol=1e-9)


@pytest.mark.parametrize("make", NETWORKS)
def test_steps_are_the_fit_and_draws_repeat(make):
    X, y = load_iris(return_X_y=True)
    model = make(max_iter=25, every=10, random_state=3)
    n_iters = []
    for state in model.steps(X, y):
        n_iters.append(state.n_iter)
        assert model.n_iter_ == state.n_iter
        assert model.predict(X).shape == y.shape
    assert n_iters == [10, 20, 25]
    assert state.converged
    watched = clone(model).set_callbacks(ScoringMonitor(scoring="accuracy")).fit(X, y)
    np.testing.assert_array_equal(watched.embed(X), model.embed(X))
    np.testing.assert_array_equal(watched.objective_path_, model.objective_path_)


def test_interrupted_fit_is_fitted():
    X, y = load_iris(return_X_y=True)
    model = PrototypicalNetwork(max_iter=100, every=1, random_state=0)

    class Rule(GradientDescent):
        n = 0

        def update(self, *args, **kwargs):
            Rule.n += 1
            if Rule.n == 4:
                raise KeyboardInterrupt
            return super().update(*args, **kwargs)

    with pytest.raises(KeyboardInterrupt):
        model.set_params(rule=Rule(0.01)).fit(X, y)
    assert model.n_iter_ == 3
    assert model.predict(X).shape == y.shape


@pytest.mark.parametrize("make", NETWORKS)
def test_divergence_is_a_status(make):
    X, y = load_iris(return_X_y=True)
    model = make("dense 8", rule=GradientDescent(1e300), max_iter=50, random_state=0)
    with pytest.warns(ConvergenceWarning, match=r"diverged at step \d+: .*not finite|the loss is"):
        model.fit(X, y)
    assert model.status_ is TrainStatus.DIVERGED


def test_rotations_are_classes():
    X = np.arange(2 * 3 * 4.0).reshape(6, 1, 2, 2)
    sampler = ClassSampler(X, [np.array([0, 1, 2]), np.array([3, 4, 5])], 4)
    assert sampler.n_classes == 8
    drawn = sampler.draw(np.random.default_rng(0), 8, 3)
    seen = {tuple(picture.ravel()) for picture in drawn}
    turned = {tuple(np.rot90(x[0], k).ravel()) for x in X for k in range(4)}
    assert seen == turned
    np.testing.assert_array_equal(X.ravel(), np.arange(24.0))  # the samples stay


def test_embeddings():
    X, y = load_iris(return_X_y=True)
    layer = Affine.create(4, 3, random_state=0)
    before = layer.W.copy()
    for form in ([layer], Network([layer]), lambda rng, shape, dtype: [layer]):
        model = PrototypicalNetwork(form, max_iter=3, random_state=0).fit(X, y)
        assert model.embed(X).shape == (150, 3)
        np.testing.assert_array_equal(layer.W, before)  # a copy was trained
    with pytest.raises(TypeError, match="embedding: 3, at place 0, is no layer"):
        PrototypicalNetwork([3]).fit(X, y)
    with pytest.raises(ValueError, match="embedding: place 0"):
        PrototypicalNetwork([Affine.create(5, 3)]).fit(X, y)
    with pytest.raises(ValueError, match="network is of float64, the samples of float32"):
        PrototypicalNetwork([layer]).fit(X.astype(np.float32), y)
    with pytest.raises(ValueError, match="embedding: 'denze 3'"):
        PrototypicalNetwork("denze 3").fit(X, y)


# --- bad input -----------------------------------------------------------------------------


@pytest.mark.parametrize("make", NETWORKS)
def test_what_cannot_be_learned_from(make):
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match="ways=5: give 2 to 3, the classes of y"):
        make(ways=5).fit(X, y)
    with pytest.raises(ValueError, match="class '2' has n_samples=1; an episode takes 2"):
        make().fit(X[:101], y[:101])
    with pytest.raises(ValueError, match="rotations=True is for square pictures"):
        make(rotations=True).fit(X, y)
    with pytest.raises(ValueError, match=r"square pictures; the samples are of shape \(1, 1, 4\)"):
        make(rotations=True).fit(X.reshape(-1, 1, 4), y)
    with pytest.raises(ValueError, match="NaN"):
        make().fit(np.where(X > 7, np.nan, X), y)
    model = make(max_iter=2, random_state=0).fit(X, y)
    before = model.predict(X)
    with pytest.raises(ValueError, match=r"support: samples of shape|features"):
        model.support(X[:2, :3], y[:2])
    with pytest.raises(ValueError, match="NaN"):
        model.support(X[:2] * np.nan, y[:2])
    with pytest.raises(ValueError, match="not finite"):
        model.support(np.full((2, 4), 1e308), y[:2])
    np.testing.assert_array_equal(model.predict(X), before)  # the support set stays


def test_episodes_need_samples():
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match=r"takes 60 of each class \(shots=20 \+ queries=40\)"):
        PrototypicalNetwork(shots=20, queries=40).fit(X, y)
    pictures, labels = bars(4, 4)
    model = PrototypicalNetwork(SMALL, max_iter=2).fit(pictures, labels)
    with pytest.raises(ValueError, match=r"support: samples of shape \(8, 9\).*\(8, 8\)"):
        model.support(np.ones((2, 8, 9)), [0, 1])


def test_copies_share_nothing_that_support_changes():
    X, y = load_iris(return_X_y=True)
    model = SiameseNetwork(max_iter=2, random_state=0).fit(X, y)
    other = copy.copy(model).support(X[:2], ["a", "b"])
    assert set(other.predict(X)) <= {"a", "b"}
    assert set(model.predict(X)) <= {0, 1, 2}


def test_nothing_warns_in_a_plain_fit():
    X, y = load_iris(return_X_y=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        PrototypicalNetwork(max_iter=3).fit(X, y)


@pytest.mark.parametrize("make", NETWORKS)
def test_model_files_bring_back_the_same(make, tmp_path):
    X, y = bars(4, 4)
    model = make(SMALL, augmentation="affine", max_iter=3, random_state=0).fit(X, y)
    model.support(X[:8:4], ["a", "b"])
    about = {"estimator": make.__name__, "task": "classification", "target": "y", "columns": {}}
    content = FittedModel(
        pipeline=Pipeline([("model", model)]),
        class_names=["a", "b"],
        n_rows=16,
        versions={},
        **about,
    )
    back = load_model(save_model(content, tmp_path / "model.kiso")).pipeline[-1]
    np.testing.assert_array_equal(back.distances(X), model.distances(X))
    assert back.status_ is TrainStatus.COMPLETE
    assert set(back.predict(X)) <= {"a", "b"}


def test_pictures_of_answers():
    X, y = bars(5, 3)
    model = NearestExampleClassifier().fit(X[:2], [8, 9])
    before = model.classes_
    figure = plot_answers(model, X[::3], y[::3], X[1::3], y[1::3][::-1])
    assert len(figure.axes) == 15
    colours = {ax.spines["left"].get_edgecolor() for ax in figure.axes[10:]}
    assert len(colours) == 2  # the middle one is right, as the truth is turned round
    assert model.classes_ is before
    assert len(plot_answers(model, X[::3], y[::3], X, n_shown=4).axes) == 8
    with pytest.raises(ValueError, match="class '7' has no example"):
        plot_answers(model, X[::3], y[::3], X[:1], [7])
    with pytest.raises(ValueError, match="give pictures"):
        plot_answers(model, X[0], [0], X[:1])


def test_the_embedding_in_a_plane():
    X, y = load_iris(return_X_y=True)
    model = SiameseNetwork(max_iter=3, random_state=0).fit(X, y)
    (ax,) = plot_embedding(model, X, y).axes
    assert sum(len(c.get_offsets()) for c in ax.collections) == 150
    centred = model.embed(X) - model.embed(X).mean(axis=0)
    first = np.linalg.svd(centred, compute_uv=False)[0]
    drawn = np.concatenate([c.get_offsets() for c in ax.collections])
    assert np.linalg.norm(drawn[:, 0]) == pytest.approx(first)
