"""Which samples a step sees: m′ of m rows, with or without replacement, or all.

With rows drawn so, the batch mean ĝ = (1/m′) Σ ∇L over the rows of the batch estimates
g = (1/m) Σ ∇L without bias: E ĝ = g, for each batch by itself where rows are drawn with
replacement, and for each full batch where they are not. Over an epoch without replacement
Σ weight · ĝ = (m/m′) g exactly, the short last batch included.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

import numpy as np

from kiso._validation import Array, RandomState, check_generator

from ._check import check_count

__all__ = ["Batch", "full_batch", "with_replacement", "without_replacement"]


@dataclass(frozen=True)
class Batch:
    """The rows of one step.

    Attributes
    ----------
    rows : ndarray of intp
        Row numbers.
    epoch : int
        Passes over the data that were complete when it was drawn.
    weight : float
        Its size over the size asked for: 1, or less for the short last batch of an epoch.
        A step with the mean gradient of the batch times this counts every sample alike.
    """

    rows: Array
    epoch: int
    weight: float = 1.0


def full_batch(n_samples: int, *, n_epochs: int | None = None) -> Iterator[Batch]:
    """Yield all rows at every step.

    Parameters
    ----------
    n_samples : int
        m, at least 1.
    n_epochs : int or None, default None
        Batches to yield; None for no end.

    Examples
    --------
    >>> from kiso.optim import full_batch
    >>> [batch.rows.tolist() for batch in full_batch(3, n_epochs=2)]
    [[0, 1, 2], [0, 1, 2]]
    """
    check_count("n_samples", n_samples, least=1)
    epochs = _epochs(n_epochs)
    rows = np.arange(n_samples)
    return (Batch(rows, epoch) for epoch in epochs)


def with_replacement(
    n_samples: int,
    batch_size: int = 1,
    *,
    n_steps: int | None = None,
    random_state: RandomState = None,
) -> Iterator[Batch]:
    """Yield batches whose rows are drawn independently and uniformly.

    Parameters
    ----------
    n_samples : int
        m, at least 1.
    batch_size : int, default 1
        m′, at least 1; may exceed m.
    n_steps : int or None, default None
        Batches to yield; None for no end.
    random_state : int, Generator, RandomState or None
        Where the rows come from.

    References
    ----------
    Higham & Higham (2019), Deep learning: an introduction for applied mathematicians,
    section 4; Goodfellow et al. (2016), Deep Learning, section 8.1.3.

    Examples
    --------
    >>> from kiso.optim import with_replacement
    >>> [batch.rows.tolist() for batch in with_replacement(9, 4, n_steps=2, random_state=0)]
    [[7, 5, 4, 2], [2, 0, 0, 0]]
    """
    check_count("n_samples", n_samples, least=1)
    check_count("batch_size", batch_size, least=1)
    rng, steps = check_generator(random_state), _epochs(n_steps, "n_steps")

    def draw() -> Iterator[Batch]:
        for step in steps:
            rows = rng.integers(n_samples, size=batch_size, dtype=np.intp)
            yield Batch(rows, step * batch_size // n_samples)

    return draw()


def without_replacement(
    n_samples: int,
    batch_size: int = 1,
    *,
    n_epochs: int | None = None,
    drop_last: bool = False,
    random_state: RandomState = None,
) -> Iterator[Batch]:
    """Yield the rows in a new random order each epoch, cut into batches.

    Parameters
    ----------
    n_samples : int
        m, at least 1.
    batch_size : int, default 1
        m′, from 1 to m.
    n_epochs : int or None, default None
        Passes over the data; None for no end.
    drop_last : bool, default False
        Leave out the rows that are left where m′ does not divide m. Otherwise they are a
        last, short batch, whose `weight` is below 1.
    random_state : int, Generator, RandomState or None
        Where the orders come from.

    References
    ----------
    Higham & Higham (2019), section 4; Goodfellow et al. (2016), section 8.1.3.

    Examples
    --------
    >>> from kiso.optim import without_replacement
    >>> for batch in without_replacement(5, 2, n_epochs=1, random_state=0):
    ...     print(batch.rows, batch.weight)
    [2 4] 1.0
    [3 0] 1.0
    [1] 0.5
    """
    check_count("n_samples", n_samples, least=1)
    check_count("batch_size", batch_size, least=1)
    if batch_size > n_samples:
        raise ValueError(f"batch_size={batch_size}: give at most n_samples={n_samples}")
    rng, epochs = check_generator(random_state), _epochs(n_epochs)
    stop = n_samples - n_samples % batch_size if drop_last else n_samples

    def draw() -> Iterator[Batch]:
        for epoch in epochs:
            order = rng.permutation(n_samples)
            for start in range(0, stop, batch_size):
                rows = order[start : start + batch_size]
                yield Batch(rows, epoch, len(rows) / batch_size)

    return draw()


def _epochs(n: int | None, name: str = "n_epochs") -> Iterator[int] | range:
    if n is None:
        return count()
    check_count(name, n)
    return range(n)
