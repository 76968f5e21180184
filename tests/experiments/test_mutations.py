"""Every claim can come out false: the thing claimed is broken, and the verdict has to turn.

A mutation breaks code or data, never the outcome. Some stand in the files of
tests of their experiments; here is one table, a line a mutation: what breaks, which check sees it.
"""

from importlib import import_module

import numpy as np
import pytest

from kiso.nn import AveragePool, Dropout, MaxPool, col2im


def module_of(name):
    return import_module(f"kiso.experiments.{name}")


def upside_down(right):
    return lambda *a, **k: right(*a, **k)[::-1]


def nonsense(right):
    """Numbers of the right shape that have nothing to do with the right ones."""

    def wrong(*a, **k):
        shape = right(*a, **k).shape
        return np.random.default_rng(0).standard_normal(shape)

    return wrong


def doubled(right):
    return lambda *a, **k: 2 * right(*a, **k)


class SpreadMax(MaxPool):
    """Its gradient goes to every pixel alike."""

    def forward(self, x, *, train=None):
        return MaxPool.forward(self, x, train=train)[0], AveragePool(
            self.window.size, stride=self.window.stride
        ).forward(x, train=train)[1]


class HalfMean(AveragePool):
    """A mean over twice as many pixels."""

    def forward(self, x, *, train=None):
        y, backward = super().forward(x, train=train)
        return y / 2, lambda dy: (backward(dy)[0] / 2, {})

    def __call__(self, x):
        return super().__call__(x) / 2


class Unscaled(Dropout):
    """Drops and does not divide the survivors."""

    def forward(self, x, *, train=None):
        y, backward = super().forward(x, train=train)
        return (y if train is None else y * (1 - self.p)), backward


class Reckless(Dropout):
    """Drops with probability p²."""

    def __init__(self, p=0.5):
        super().__init__(p * p)


def repaired(col, shape, filter_h, filter_w, stride=1, pad=0, is_backward=False):
    """The memo's col2im without its faults: then nothing is wrong with it to be shown."""
    return col2im(col, shape, (filter_h, filter_w), stride=stride, padding=pad)


def wrong_gradient(self, p):
    return 1.01 * TAYLOR_GRADIENT(self, p)


TAYLOR_GRADIENT = module_of("taylor_step").Cost.gradient

MUTATIONS = [
    ("input_blow_up", "convolution_matrix", upside_down, "[1, −1]: entries"),
    ("input_blow_up", "convolution_matrix", nonsense, "stride 2: M x"),
    ("input_blow_up", "col2im", doubled, "<im2col x, g>"),
    ("input_blow_up", "im2col", upside_down, "im2col against sliding"),
    ("pooling", "MaxPool", lambda _: SpreadMax, "gradient of max"),
    ("pooling", "AveragePool", lambda _: HalfMean, "mean against a loop"),
    ("dropout_mean", "Dropout", lambda _: Unscaled, "factor of those kept"),
    ("dropout_mean", "Dropout", lambda _: Reckless, "share of numbers dropped"),
    ("memo_layers", "im2col", doubled, "im2col of the memo"),
    ("memo_layers", "col2im", doubled, "col2im of the memo"),
    ("memo_layers", "memo_col2im", lambda _: repaired, "E10: output of 3×4"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "target", "broken", "seen_by"), MUTATIONS, ids=[f"{m[0]}-{m[1]}-{i}" for i, m in
                                                             enumerate(MUTATIONS)]
)  # fmt: skip
def test_a_broken_claim_is_false(monkeypatch, name, target, broken, seen_by):
    module = module_of(name)
    monkeypatch.setattr(module, target, broken(getattr(module, target)))
    outcome = module.run(0)
    failed = [check.what for check in outcome.checks if check.holds is False]
    assert outcome.verdict is False
    assert any(what.startswith(seen_by) for what in failed), failed


def test_a_wrong_gradient_is_not_of_second_order(monkeypatch):
    module = module_of("taylor_step")
    monkeypatch.setattr(module.Cost, "gradient", wrong_gradient)
    assert module.run(0).verdict is False


@pytest.mark.parametrize("name", sorted({m[0] for m in MUTATIONS} | {"taylor_step"}))
@pytest.mark.parametrize("seed", [0, 1])
def test_unbroken_it_holds(name, seed):
    outcome = module_of(name).run(seed)
    assert outcome.verdict, [c for c in outcome.checks if not c.holds]
