"""random_state, once turned into a Generator."""

import numpy as np
import pytest

from kiso._validation import check_generator


def test_int_reproduces():
    assert check_generator(3).random() == check_generator(3).random()
    assert check_generator(np.int64(3)).random() == check_generator(3).random()


def test_generator_is_used_as_it_is():
    rng = np.random.default_rng(0)
    assert check_generator(rng) is rng


def test_random_state_moves_on():
    state = np.random.RandomState(0)
    assert check_generator(state).random() != check_generator(state).random()


def test_global_seed_reproduces_none():
    np.random.seed(5)  # noqa: NPY002
    first = check_generator(None).random()
    np.random.seed(5)  # noqa: NPY002
    assert check_generator(None).random() == first


@pytest.mark.parametrize("bad", ["7", 1.5, True, -1])
def test_anything_else_is_refused(bad):
    with pytest.raises(ValueError, match="random_state"):
        check_generator(bad)
