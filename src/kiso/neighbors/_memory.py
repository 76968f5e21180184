"""Arrays that share one allocation, because fresh memory is dear in small pages.

A page is handed out when it is first written, which for pages of 4 KiB takes as long as
building a tree in them. NumPy asks for pages of 2 MiB where an allocation has at least 4 MiB
(on Linux): arrays that are needed together are cut out of one so large, from where such a
page begins.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from kiso._validation import Array

__all__ = ["arrays"]

_LARGE = 1 << 22  # bytes from which NumPy asks for large pages
_PAGE = 1 << 21  # bytes of a large page
_WORTH = 1 << 18  # bytes below which it is of no use
_LINE = 64  # bytes of a cache line, to which arrays are aligned


def arrays(*wanted: tuple[tuple[int, ...], Any]) -> list[Array]:
    """Allocate an array, with any content, for each (shape, dtype).

    All live as long as one of them does. What is never written takes no memory.
    """
    kinds = [np.dtype(kind) for _, kind in wanted]
    sizes = [prod(shape) * kind.itemsize for (shape, _), kind in zip(wanted, kinds, strict=True)]
    rooms = [-(-size // _LINE) * _LINE for size in sizes]
    total, start = sum(rooms), _LINE
    if total > _WORTH:
        total, start = max(-(-total // _PAGE) * _PAGE, _LARGE), _PAGE
    whole = np.empty(total + start, np.uint8)
    at = -whole.ctypes.data % start
    cut = []
    for (shape, _), kind, size, room in zip(wanted, kinds, sizes, rooms, strict=True):
        cut.append(whole[at : at + size].view(kind).reshape(shape))
        at += room
    return cut
