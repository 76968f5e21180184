"""A copy of the rows that lies turned, so that rows fill the processor's vectors.

Seeding and Lloyd's iterations look at all rows again and again. Turned once, feature after
feature in panels of rows, they go through the tiles of a product (or, for few features,
through a subtraction) as they lie, and what a lane of them needs done is one compiled call
(`_turned_loops`). Where that is less work than keeping bounds, no bounds are kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kiso._compute.matmul import flat_memory
from kiso._compute.matmul_loops import pack_transposed, packed_size
from kiso._compute.threads import blocks, lanes, map_rows
from kiso._validation import Array

from ._turned_loops import in_tiles

if TYPE_CHECKING:
    from ._rows import Rows

__all__ = ["SHARED_TILE_BYTES", "Turned", "room", "turned"]

LARGEST = 1 << 25  # bytes of rows that are copied: what caches hold; more would cost memory
_TILE_BYTES = 1 << 15  # of distances: half a core's first cache
SHARED_TILE_BYTES = 1 << 17  # where runs or candidates share it: each share has to be worth a look
_TILE_ROWS = 512
_BLOCK_ROWS = 1024


@dataclass(frozen=True)
class Turned:
    """Rows less s, turned; see `_turned_loops`.

    Attributes
    ----------
    rows : ndarray of shape (n, d)
        x_i as given; never written to, but of the one kind of array that loops are compiled for.
    values : ndarray of shape (n_padded * d,)
        P.
    n_padded : int
        n, rounded up to whole panels.
    direct : bool
        Whether distances are by subtraction.
    squares, reach : ndarray of shape (n,)
        ‖x_i − s‖² and, rounded up, ‖x_i − s‖, in the data's precision.
    rounding : float
        As of `kiso._compute.distances.Points`.
    """

    rows: Array
    values: Array
    n_padded: int
    direct: bool
    squares: Array
    reach: Array
    rounding: float

    def bounds(self, min_rows: int) -> Array:
        """Cut the rows into lanes of whole panels: where each begins, and the end."""
        n = len(self.squares)
        width = packed_size(self.values, 1, 1)
        count = len(lanes(n, min_rows=min_rows))
        starts = self.n_padded // width * np.arange(count + 1) // count * width
        return np.minimum(starts, n)


def turned(rows: Rows) -> Turned | None:
    """Turn the rows; None where they are sparse, on disk or too many."""
    X, n, d = rows.X, rows.n, rows.d
    if rows.sparse or isinstance(X, np.memmap) or X.nbytes > LARGEST:
        return None
    if not rows.direct and not rows.squares.max() < np.finfo(X.dtype).max / 8:
        return None
    width = packed_size(np.empty(0, X.dtype), 1, 1)
    n_padded = -(-n // width) * width
    values = np.empty(n_padded * d, X.dtype)
    values[(n_padded - width) * d :] = 0

    def lane(panels: slice) -> None:
        for at in blocks(slice(panels.start * width, min(n, panels.stop * width)), _BLOCK_ROWS):
            x, b = X[at], at.stop - at.start
            if rows.direct:
                values.reshape(d, n_padded)[:, at] = x.T
            else:
                x = x.copy() if rows.shift is None else x - rows.shift
                pack_transposed(x.reshape(-1), 0, d, 0, b, b, d, values, at.start * d)

    map_rows(lane, n_padded // width, min_rows=_BLOCK_ROWS // 8)
    reach = (np.sqrt(rows.squares) * (1 + 1e-6)).astype(X.dtype)
    rounding = (d / 2 + 8) * float(np.finfo(X.dtype).eps)
    return Turned(
        flat_memory(X).reshape(n, d),
        values,
        n_padded,
        rows.direct,
        rows.squares.astype(X.dtype),
        reach,
        rounding,
    )


def room(
    n_points: int, dtype: np.dtype, budget: int = _TILE_BYTES
) -> tuple[Array, Array, Array, Array]:
    """Give a tile for distances to so many points, and room for what is found in it."""
    size = budget // (max(1, n_points) * dtype.itemsize) // 128 * 128
    size = int(min(_TILE_ROWS, max(128, size)))
    return (
        np.empty((in_tiles(n_points), size), dtype), np.empty(size, dtype), np.empty(size, dtype),
        np.empty(size, np.int32),
    )  # fmt: skip
