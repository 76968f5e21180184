"""The 8 × 8 digits, a small network that knows them, and a brush."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from kiso.nn import Network

__all__ = ["N_SHOWN", "digits", "script_of_network", "stroke", "trained"]

Array = np.ndarray[Any, np.dtype[Any]]

SIZE = 8
N_SHOWN = 300  # digits that the network does not learn from


@cache
def digits() -> tuple[Array, Array]:
    """Return the digits that no network learns from: (300, 1, 8, 8) in [0, 1], and labels."""
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    shown = np.random.default_rng(0).permutation(len(X))[:N_SHOWN]
    return X[shown].reshape(-1, 1, 8, 8) / 16.0, y[shown]


@cache
def trained(seed: int) -> Network:
    """Return two convolutions with pooling and an affine layer, trained from this seed."""
    from sklearn.datasets import load_digits

    from kiso.losses import SoftmaxCrossEntropy
    from kiso.nn import Affine, Conv2D, Flatten, MaxPool, Network, ReLU, train
    from kiso.optim import Adam

    X, y = load_digits(return_X_y=True)
    learnt = np.random.default_rng(0).permutation(len(X))[300:]  # the others are shown
    X, y, rng = X[learnt].reshape(-1, 1, 8, 8) / 16.0, y[learnt], np.random.default_rng(seed)
    net = Network([
        Conv2D.create(1, 8, 3, padding="same", init="he", random_state=rng), ReLU(), MaxPool(2),
        Conv2D.create(8, 16, 3, padding="same", init="he", random_state=rng), ReLU(), MaxPool(2),
        Flatten(), Affine.create(64, 10, random_state=rng),
    ])  # fmt: skip
    for _ in train(net, SoftmaxCrossEntropy(), (X, np.eye(10)[y]), Adam(0.005), n_epochs=10,
                   batch_size=32, random_state=rng):  # fmt: skip
        pass
    return net


def script_of_network(seed: int) -> str:
    """Return the lines of Python that make `net`."""
    text = inspect.getsource(trained.__wrapped__).replace("-> Network:", "-> object:")
    return f"from functools import cache\n\n{text}\nnet = trained({seed})\n"


def stroke(image: Array, pixels: Sequence[Sequence[int]]) -> Array:
    """Paint along the lines between pixels, as wide as the digits' own strokes."""
    out = image.copy()
    at = np.clip(np.array(pixels, float).reshape(-1, 2), 0, SIZE - 1)
    pieces = [at[:1]]
    for a, b in pairwise(at):
        n = max(1, int(np.abs(b - a).max()))
        pieces.append(a + (b - a) * np.arange(1, n + 1)[:, None] / n)
    rows, columns = np.indices(image.shape)
    for row, column in np.vstack(pieces):
        distance = (rows - row) ** 2 + (columns - column) ** 2
        out = np.maximum(out, np.exp(-distance / 1.2))
    return np.where(out < 0.1, 0.0, out)
