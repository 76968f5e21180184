"""What a network computes on the way, by the names of Higham & Higham (2019), section 5."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from kiso._validation import Array
from kiso.losses import Loss

from ..layers.layer import Layer, ShapeError

__all__ = ["Trace", "trace"]


@dataclass(frozen=True)
class Trace:
    """z⁽ˡ⁾, a⁽ˡ⁾ and δ⁽ˡ⁾ for l = 1 … L, one row a sample.

    Layers count as in the text: 1 is the input, and each layer with weights begins a new
    one. `a[1]` is x; `z` and `delta` begin at 2.

    Attributes
    ----------
    z : dict of int to ndarray
        What the layer with weights gives.
    a : dict of int to ndarray
        What goes on to the next: z after the activation (and dropout, pooling, …).
    delta : dict of int to ndarray
        ∂C/∂z⁽ˡ⁾ (empty without targets). The loss's "mean" divides it by the samples.
    cost : float or None
        C.
    """

    z: dict[int, Array] = field(default_factory=dict)
    a: dict[int, Array] = field(default_factory=dict)
    delta: dict[int, Array] = field(default_factory=dict)
    cost: float | None = None


def trace(
    layers: Sequence[Layer], x: Array, t: Array | None = None, loss: Loss | None = None
) -> Trace:
    """Run forwards layer by layer, then backwards by the same steps."""
    if (t is None) != (loss is None):
        raise ValueError("t and loss: give both, or neither")
    z, a, delta, backwards = {}, {1: x}, {}, []
    numbers: list[int | None] = []  # l where a layer begins one
    y, level = x, 1
    for position, layer in enumerate(layers):
        try:
            y, back = layer.forward(y)
        except ShapeError as error:
            raise ShapeError(f"layer {position}: {error}") from None
        backwards.append(back)
        if layer.parameters:
            level += 1
            z[level] = y
        numbers.append(level if layer.parameters else None)
        a[level] = y
    if loss is None or t is None:
        return Trace(z, a)
    cost, d = loss.value_and_gradient(y, t)
    for number, back in zip(reversed(numbers), reversed(backwards), strict=True):
        if number is not None:
            delta[number] = d
        d, _ = back(d)
    return Trace(z, a, dict(sorted(delta.items())), cost)
