"""Layers that run as one: a convolution or batch normalisation, its rectifier, its 2×2 pooling.

What stands between them then is never written to memory, and backwards all that is kept
of it is which pixel of each window was the largest. The numbers are those of the layers
one by one.
"""

from __future__ import annotations

from collections.abc import Sequence

from kiso._validation import Array

from ..layers.activations import ReLU
from ..layers.convolution import Conv2D
from ..layers.layer import Backward, Layer, call_forward
from ..layers.normalise import BatchNorm
from ..layers.plain import is_plain
from ..layers.pooling import MaxPool
from ..layers.run import Run
from ..layers.windows import Window
from . import convolution as fast

__all__ = ["forward_from"]

_HALVES = Window((2, 2), (2, 2))


def forward_from(
    layers: Sequence[Layer], position: int, x: Array, train: Run | None
) -> tuple[int, Array, Backward]:
    """Run the layer at a position, and those after it that can be run with it.

    Returns
    -------
    count : int
        Layers that were run. `backward` gives the gradients of the first; the others have
        no parameters.
    y, backward
        As of a layer's `forward`.
    """
    layer = layers[position]
    if is_plain() or type(layer) not in (Conv2D, BatchNorm) or not layer.runs_fast(x):  # type: ignore[attr-defined]
        return 1, *call_forward(layer, x, train)
    shape = _images_behind(layer, x)
    after = [type(other) for other in layers[position + 1 : position + 3]]
    count = 1
    rectify = pool = False
    while count <= len(after):
        if after[count - 1] is ReLU and not rectify:
            rectify = True
        elif after[count - 1] is MaxPool and not pool and _halves(layers[position + count], shape):
            pool = True
        else:
            break
        count += 1
    if isinstance(layer, BatchNorm):
        return count, *layer.forward_fast(x, train, rectify=rectify, pool=pool)
    assert isinstance(layer, Conv2D)
    return count, *fast.convolve(
        x, layer.W, layer.b, layer.window, layer.groups, train, rectify=rectify, pool=pool
    )


def _images_behind(layer: Layer, x: Array) -> tuple[int, ...]:
    """Height and width of what the layer makes of images; nothing where they are none."""
    if isinstance(layer, Conv2D):
        return layer.window.output(x.shape[2], x.shape[3])
    return x.shape[2:] if x.ndim == 4 else ()


def _halves(pool: Layer, shape: tuple[int, ...]) -> bool:
    assert isinstance(pool, MaxPool)
    return pool.window == _HALVES and len(shape) == 2 and min(shape) >= 2
