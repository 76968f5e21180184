import numpy as np
import pytest
from matplotlib.figure import Figure

from kiso.experiments import (
    distance_concentration,
    fashion_neighbors,
    irrelevant_features,
    load,
    local_constancy,
    manifold_hypothesis,
    nearest_neighbor_limit,
    occupied_cells,
    three_neighbors,
)

NAMES = {
    "occupied-cells": 23,
    "three-neighbors": 24,
    "distance-concentration": 25,
    "nearest-neighbor-limit": 26,
    "irrelevant-features": 27,
    "local-constancy": 29,
    "manifold-hypothesis": 30,
}


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", NAMES)
def test_verdict_and_picture(name, seed):
    loaded = load(name)
    outcome = loaded.run(seed)
    assert outcome.verdict, [check for check in outcome.checks if not check.holds]
    assert loaded.rows == (NAMES[name],)
    if seed == 0:
        figure = loaded.draw(outcome)
        assert isinstance(figure, Figure)
        figure.canvas.draw()


@pytest.mark.slow
def test_fashion(real_data):
    real_data("fashion-mnist/train-images-idx3-ubyte.gz")
    real_data("mnist/train-images-idx3-ubyte.gz")
    loaded = load("fashion-neighbors")
    outcome = loaded.run(0)
    assert outcome.verdict, outcome.checks
    assert isinstance(loaded.draw(outcome), Figure)


def none_hold(checks):
    return not any(check.holds for check in checks)


def test_wrong_measurements_are_refused():
    assert none_hold(occupied_cells.cell_checks(np.full((40, 3), 0.2)))
    d = len(distance_concentration.DIMENSIONS)
    flat = distance_concentration.concentration_checks(np.ones(d), np.linspace(0.5, 0.1, d))
    assert none_hold(flat)
    twice = [2 * eta for eta in nearest_neighbor_limit.ETAS]
    doubled = nearest_neighbor_limit.limit_checks(twice)
    assert [c.holds for c in doubled] == [
        abs(2 * e * e) <= 0.012 for e in nearest_neighbor_limit.ETAS
    ] + [True]
    assert none_hold(irrelevant_features.irrelevance_checks(0.01, 0.3, 0.9))
    assert none_hold(local_constancy.constancy_checks(0.5, 0.9, 0.4))
    assert not manifold_hypothesis.noise_check(np.array([0.5]), np.array([0.6])).holds
    assert none_hold(
        fashion_neighbors.published_checks({"Fashion-MNIST": (0.9, 0.9), "MNIST": (0.97, 0.944)})
    )


def test_another_rule_is_not_the_majority_of_three():
    def first(X, y, Q):
        squares = ((Q[:, None] - X[None]) ** 2).sum(axis=2)
        return y[squares.argmin(axis=1)]

    assert three_neighbors.agreement(first, np.random.default_rng(0)) < 1


def test_gaussian_cloud_is_not_of_dimension_two():
    rng = np.random.default_rng(0)
    assert manifold_hypothesis.local_dimension(rng.standard_normal((2000, 5)), rng) > 3
