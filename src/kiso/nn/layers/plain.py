"""One switch that turns every faster form off: what runs then is what the layers say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["is_plain", "plain"]

_plain: ContextVar[bool] = ContextVar("kiso.nn.plain", default=False)


@contextmanager
def plain() -> Iterator[None]:
    """Run layers one by one, each by its own `forward` in NumPy, inside this context.

    No compiled loop, no layers that run as one, no lanes of rows over threads: for reading,
    for a debugger, and for finding out whether a faster form is to blame. It holds for the
    thread (or the asynchronous task) that entered it, for inference and for training, where
    `loop="auto"` then goes layer by layer. Results are the same but for rounding.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.nn import Affine, plain
    >>> layer = Affine(np.array([[2.0]]), np.array([1.0]))
    >>> with plain():
    ...     layer(np.array([[3.0]]))
    array([[7.]])
    """
    token = _plain.set(True)
    try:
        yield
    finally:
        _plain.reset(token)


def is_plain() -> bool:
    """Whether the caller is inside `plain()`."""
    return _plain.get()
