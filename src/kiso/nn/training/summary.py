"""A network as a table of text."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from kiso.optim._tree import leaves_of

from ..layers.layer import Layer, Shape, ShapeError

__all__ = ["summary_table"]

HEAD = ("layer", "output", "parameters", "FLOPs", "memory")


def summary_table(layers: Iterable[Layer], shape: Shape, itemsize: int) -> str:
    """Return one line a layer; memory is that of its parameters and of one sample's output."""
    counts = [(0, 0, itemsize * int(np.prod(shape)))]
    rows = [("input", _shape(shape))]
    for position, layer in enumerate(layers):
        try:
            after = layer.output_shape(shape)
        except ShapeError as error:
            raise ShapeError(f"layer {position}: {error}") from None
        n = sum(leaf.size for leaf in leaves_of(layer.parameters))
        counts.append((n, layer.flops(shape), itemsize * (n + int(np.prod(after)))))
        shape = after
        rows.append((repr(layer), _shape(shape)))
    totals = [sum(column) for column in zip(*counts, strict=True)]
    table: list[tuple[str, ...]] = [HEAD]
    for name, (n, flops, size) in zip([*rows, ("total", "")], [*counts, totals], strict=True):
        table.append((*name, f"{n:,}", f"{flops:,}", memory_text(size)))
    return _aligned(table)


def _shape(shape: Shape) -> str:
    return "×".join(map(str, shape)) or "1"


def memory_text(n_bytes: float) -> str:
    """Return a size in the unit that leaves fewer than four digits before the point."""
    for unit in ("B", "KiB", "MiB"):
        if n_bytes < 1000:
            return f"{n_bytes:.3g} {unit}"
        n_bytes /= 1024
    return f"{n_bytes:.3g} GiB"


def _aligned(table: list[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = []
    for row in table:
        cells = [
            cell.ljust(width) if i < 2 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
