"""Every estimator, every container, every value that must not get in."""

import re
import warnings

import numpy as np
import pytest

from .containers import ANY_SHAPE, MISSING, MISSING_IN_VECTORS, POISONS, SPARSE, TABLES, VECTORS
from .registry import CLASSES, SUBJECTS

every = pytest.mark.parametrize("subject", SUBJECTS, ids=lambda s: s.name)
REFUSED = (ValueError, TypeError)


def test_registry_is_whole():
    assert {s.name for s in SUBJECTS} == set(CLASSES)


def weights_of(subject, n):
    return np.arange(1.0, n + 1) % 3 + 1 if subject.weights else None


def quietly(call, *args, **kwargs):
    """Warnings of convergence are none of this test's business; of casts they are."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.filterwarnings("error", category=np.exceptions.ComplexWarning)
        return call(*args, **kwargs)


def same(a, b):
    if a.dtype.kind in "fc":
        np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-9)
    else:
        np.testing.assert_array_equal(a, b)


@every
def test_containers_of_X_do_not_matter(subject):
    X, y = subject.draw()
    X[np.abs(X) < 0.2] = 0.0
    model = quietly(subject.fit, X, y)
    kinds = {**ANY_SHAPE, **(TABLES if subject.data == "table" else {})}
    for name, make in kinds.items():
        given = make(X)
        found = quietly(subject.answer, quietly(subject.fit, given, y), given)
        try:
            same(found, quietly(subject.answer, model, X))
        except AssertionError as error:
            raise AssertionError(f"X as {name}: {error}") from None
    if not subject.sparse:
        return
    answers = []
    for make in SPARSE.values():
        given = make(X)
        answers.append(quietly(subject.answer, quietly(subject.fit, given, y), given))
    for name, found in zip(SPARSE, answers, strict=True):
        try:
            np.testing.assert_allclose(found, answers[0], rtol=1e-6, atol=1e-8)
        except AssertionError as error:
            raise AssertionError(f"X as {name}: {error}") from None


@every
def test_containers_of_y_and_weights_do_not_matter(subject):
    X, y = subject.draw()
    w = weights_of(subject, len(X))
    expected = quietly(subject.answer, quietly(subject.fit, X, y, w), X)
    for name, make in VECTORS.items():
        if name == "object" and subject.classifies:
            continue  # scikit-learn's classifiers take objects that are strings alone
        given = [None if v is None else make(v) for v in (y, w)]
        try:
            same(quietly(subject.answer, quietly(subject.fit, X, *given), X), expected)
        except Exception as error:
            raise AssertionError(f"as {name}: {type(error).__name__}: {error}") from error


def refused(argument, poison, call, *args):
    try:
        quietly(call, *args)
    except REFUSED as error:
        return str(error)
    except Exception as error:
        raise AssertionError(f"{argument} with {poison}: {type(error).__name__}") from error
    raise AssertionError(f"{argument} with {poison} was taken")


@every
def test_poisoned_X_is_refused(subject):
    X, y = subject.draw()
    model = quietly(subject.fit, X, y)
    for name, spoil in {**POISONS, **({} if subject.missing else MISSING)}.items():
        if "infinity" in name and subject.infinite:
            continue
        refused("X", name, subject.fit, spoil(X), y)
        refused("X of predict", name, subject.answer, model, spoil(X))
    if subject.data != "table":
        return
    frame = TABLES["frame"](X)
    frame["c0"] = np.arange(len(X)).astype("M8[s]")
    frame.iloc[1, 0] = np.datetime64("NaT")
    refused("X", "NaT in a column", subject.fit, frame, y)


@every
def test_poisoned_y_is_refused(subject):
    X, y = subject.draw()
    if y is None:
        pytest.skip("it takes no y")
    for name, spoil in {**POISONS, **MISSING, **MISSING_IN_VECTORS}.items():
        message = refused("y", name, subject.fit, X, spoil(y))
        assert re.search(r"\by\b|[Cc]omplex", message), f"{name}: {message}"


@every
def test_poisoned_weights_are_refused(subject):
    X, y = subject.draw()
    if not subject.weights:
        pytest.skip("it takes no weights")
    w = weights_of(subject, len(X))
    for name, spoil in {**POISONS, **MISSING, **MISSING_IN_VECTORS}.items():
        message = refused("sample_weight", name, subject.fit, X, y, spoil(w))
        assert re.search(r"weight|[Cc]omplex", message), f"{name}: {message}"
    refused("sample_weight", "a sum that overflows", subject.fit, X, y, np.full(len(X), 1e308))
    refused("sample_weight", "its length", subject.fit, X, y, w[:-1])
    if subject.name not in {"SVC", "SVR", "OneClassSVM"}:  # they leave such rows out, as LIBSVM
        message = refused("sample_weight", "−1", subject.fit, X, y, np.append(w[:-1], -1.0))
        assert "weight" in message, message


@every
def test_poison_does_not_enter_by_other_doors(subject):
    """partial_fit, steps, fit_predict and support validate as fit does."""
    X, y = subject.draw()
    model = quietly(subject.fit, X, y)
    for door in ("partial_fit", "steps", "fit_predict", "support"):
        method = getattr(model, door, None)
        if method is None:
            continue
        for name in ("masked", "NaT among objects", "complex"):
            refused(f"X of {door}", name, method, POISONS[name](X), y)
            if y is not None:
                refused(f"y of {door}", name, method, X, POISONS[name](y))
