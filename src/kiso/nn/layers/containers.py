"""Layers made of layers: one after the other, side by side, round a short cut."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from kiso._validation import Array
from kiso.optim._tree import map_tree

from ..compiled.fusion import forward_from
from .layer import (
    Backward,
    Layer,
    Shape,
    ShapeError,
    Tree,
    call_backward,
    call_forward,
    check_nothing_hidden,
)
from .run import Run

__all__ = ["Parallel", "Parameters", "Residual", "Sequential"]


class Parameters(list[Any]):
    """The parameters of a container: the arrays themselves, so that a rule moves them in place."""

    in_place = True


class _Container(Layer):
    """A layer with layers in it."""

    lazy_dx = True
    holds_layers_alone = True

    def __init__(self, layers: Iterable[Layer]):
        self.layers = list(layers)
        for layer in self.layers:
            if not isinstance(layer, Layer):
                raise TypeError(f"{layer!r} is not a layer")
            check_nothing_hidden(layer)

    @property
    def parameters(self) -> Parameters:
        """One entry a layer; {} where a layer stands again."""
        again = self._again()
        return Parameters(
            {} if i in again else layer.parameters for i, layer in enumerate(self.layers)
        )

    def _again(self) -> dict[int, int]:
        """Return where a layer stands again, and where it stood first."""
        first: dict[int, int] = {}
        places = [first.setdefault(id(layer), i) for i, layer in enumerate(self.layers)]
        return {i: place for i, place in enumerate(places) if place != i}

    def _add_shared(self, gradients: list[Tree]) -> list[Tree]:
        """Add the gradients of a layer that stands again to those of its first place."""
        for i, place in self._again().items():
            gradients[place] = map_tree(np.add, gradients[place], gradients[i])
            gradients[i] = {}
        return gradients

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.layers)

    def __getitem__(self, position: int) -> Layer:
        return self.layers[position]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.layers))})"


class Sequential(_Container):
    """Layers one after the other: y = f_L(… f₂(f₁(x))).

    The chain rule runs backwards through the list: δ⁽ˡ⁾ comes from δ⁽ˡ⁺¹⁾ (equations 22 and
    23 of Higham & Higham 2019).

    Parameters
    ----------
    layers : iterable of Layer
    """

    lazy_gradients = True
    light = True

    def forward(self, x: Array, *, train: Run | None = None) -> tuple[Array, Backward]:
        """Pass x through all layers."""
        backwards: list[tuple[int, Backward]] = []  # from which layer on, and its way back
        y, position = x, 0
        while position < len(self.layers):
            try:
                count, y, back = forward_from(self.layers, position, y, train)
            except ShapeError as error:
                raise ShapeError(f"layer {position}: {error}") from None
            backwards.append((position, back))
            position += count

        def backward(
            dy: Array, want_dx: bool = True, want_gradients: bool = True
        ) -> tuple[Any, list[Tree]]:
            gradients: list[Tree] = [{} for _ in self.layers]
            first = 0 if want_dx else self._first_to_learn()
            d: Any = dy
            for position, back in reversed(backwards):
                if position < first:
                    break
                d, gradients[position] = call_backward(
                    self.layers[position], back, d, want_dx=want_dx or position > first,
                    want_gradients=want_gradients,
                )  # fmt: skip
            return d, self._add_shared(gradients) if want_gradients else []

        return y, backward

    def __call__(self, x: Array) -> Array:
        """Return y = f(x) alone."""
        y, position = x, 0
        try:
            while position < len(self.layers):
                layer = self.layers[position]
                if layer.light:
                    y, count = layer(y), 1
                else:
                    count, y, _ = forward_from(self.layers, position, y, None)
                position += count
        except ShapeError as error:
            raise ShapeError(f"layer {position}: {error}") from None
        return y

    def _first_to_learn(self) -> int:
        """Return the first layer with parameters: no gradient is needed before it."""
        learns = (i for i, layer in enumerate(self.layers) if layer.parameters != {})
        return next(learns, len(self.layers))

    def output_shape(self, shape: Shape) -> Shape:
        """Shape after the last layer; ShapeError names the layer that does not fit."""
        for position, layer in enumerate(self.layers):
            try:
                shape = layer.output_shape(shape)
            except ShapeError as error:
                raise ShapeError(f"layer {position}: {error}") from None
        return shape

    def flops(self, shape: Shape) -> int:
        """Sum over the layers."""
        total = 0
        for layer in self.layers:
            total += layer.flops(shape)
            shape = layer.output_shape(shape)
        return total


class Parallel(_Container):
    """The same input through several layers, their outputs side by side.

    y = [f₁(x), …, f_m(x)];  ∂C/∂x = Σᵢ ∂C/∂yᵢ ∂fᵢ/∂x.

    Parameters
    ----------
    layers : iterable of Layer
    axis : int, default=-1
        Along which axis of a batch they stand; 1 puts the channels of images side by side.
    """

    def __init__(self, layers: Iterable[Layer], *, axis: int = -1):
        super().__init__(layers)
        if not self.layers:
            raise ValueError("layers: give at least one")
        if not isinstance(axis, int) or axis == 0:
            raise ValueError(f"axis={axis!r}: give an axis of a batch but the first (samples)")
        self.axis = axis

    def forward(self, x: Array, *, train: Run | None = None) -> tuple[Array, Backward]:
        """Concatenate what the branches give."""
        pairs = [call_forward(layer, x, train) for layer in self.layers]
        ys, backwards = zip(*pairs, strict=True)
        axis = self._checked_axis([y.shape[1:] for y in ys]) + 1
        cuts = np.cumsum([y.shape[axis] for y in ys])[:-1]

        def backward(dy: Array, want_dx: bool = True) -> tuple[Any, list[Tree]]:
            parts = np.split(dy, cuts, axis=axis)
            pairs = [
                call_backward(layer, back, part)
                for layer, back, part in zip(self.layers, backwards, parts, strict=True)
            ]
            dx = sum(pair[0] for pair in pairs) if want_dx else None
            return dx, self._add_shared([pair[1] for pair in pairs])

        return np.concatenate(ys, axis=axis), backward

    def output_shape(self, shape: Shape) -> Shape:
        """The lengths along the axis add up; the others have to agree."""
        shapes = [layer.output_shape(shape) for layer in self.layers]
        at = self._checked_axis(shapes)
        return (*shapes[0][:at], sum(s[at] for s in shapes), *shapes[0][at + 1 :])

    def _checked_axis(self, shapes: list[Shape]) -> int:
        """Return the axis of a sample; refuse branches that do not fit along it."""
        n = len(shapes[0])
        at = getattr(self, "axis", -1)  # a file of before this was a choice
        at = at + n if at < 0 else at - 1
        if not 0 <= at < n or len({(*s[:at], *s[at + 1 :]) for s in shapes}) != 1:
            raise ShapeError(
                f"Parallel: the branches give samples of {shapes}, which cannot stand side by "
                f"side along axis={getattr(self, 'axis', -1)}"
                + ("; axis=1 joins channels" if n == 3 else "")
            )
        return at

    def flops(self, shape: Shape) -> int:
        """Sum over the branches."""
        return sum(layer.flops(shape) for layer in self.layers)


class Residual(_Container):
    """y = x + f(x): a block round which the signal has a short cut (He et al. 2016).

    Parameters
    ----------
    inner : Layer
        Keeps the shape of its input.
    """

    def __init__(self, inner: Layer):
        super().__init__([inner])

    def forward(self, x: Array, *, train: Run | None = None) -> tuple[Array, Backward]:
        """Add the block's output to its input."""
        inner, back = call_forward(self.layers[0], x, train)
        if inner.shape != x.shape:
            raise ShapeError(f"Residual: the block turns {x.shape} into {inner.shape}")

        def backward(dy: Array, want_dx: bool = True) -> tuple[Any, list[Tree]]:
            d, gradients = call_backward(self.layers[0], back, dy, want_dx=want_dx)
            return (d + dy if want_dx else None), [gradients]

        return inner + x, backward

    def output_shape(self, shape: Shape) -> Shape:
        """Shape is kept."""
        after = self.layers[0].output_shape(shape)
        if after != shape:
            raise ShapeError(f"Residual: the block turns {shape} into {after}")
        return shape

    def flops(self, shape: Shape) -> int:
        """The block's, and one addition a number."""
        return self.layers[0].flops(shape) + int(np.prod(shape))
