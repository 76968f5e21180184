"""A layer's forward pass returns its backward pass.

    y, backward = layer.forward(x)        x: (n, ...), n samples
    dx, gradients = backward(dy)          dy = ∂C/∂y, dx = ∂C/∂x, gradients: as `parameters`

A layer holds parameters and nothing of a particular call; `backward` never changes `dy`. So
a layer can stand twice in one graph, be differentiated with respect to its input, and be
used from two threads.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np

from kiso._validation import Array

from .run import Run

__all__ = [
    "Backward",
    "Layer",
    "Shape",
    "ShapeError",
    "Tree",
    "arrays_within",
    "call_backward",
    "call_forward",
    "check_nothing_hidden",
    "layers_within",
]

Tree: TypeAlias = Any  # nested dict / list of arrays
Shape: TypeAlias = tuple[int, ...]  # of one sample, without the batch axis
Backward: TypeAlias = Callable[..., tuple[Array, Tree]]


class ShapeError(ValueError):
    """An input does not fit a layer; the message names the layer and both shapes."""


class Layer(ABC):
    """Base of all layers.

    Attributes
    ----------
    lazy_dx : bool
        True where ∂C/∂x costs as much as the rest: `backward(dy, want_dx=False)` then
        returns None for it. A network asks for that at its first layer when it trains.
    lazy_gradients : bool
        True where `backward(dy, want_gradients=False)` returns ∂C/∂x alone, and {} for the
        gradients: what a network asks for that stands still.
    light : bool
        True where `layer(x)` costs less than `layer.forward(x)`.
    takes_images : bool
        True where a sample has the axes (channels, height, width).
    """

    lazy_dx = False
    lazy_gradients = False
    light = False
    takes_images = False
    _any_dtype = False  # made without saying which: a network gives it its own

    def __init_subclass__(cls, **options: Any) -> None:
        """Leave nothing inherited that was written for another `forward` than the class's own.

        A class that overrides a `forward` and says nothing of `__call__` and `output_shape`
        gets those that ask `forward`, so that a layer has one output however it is called.
        """
        super().__init_subclass__(**options)
        own = next(kind for kind in cls.__mro__ if "forward" in vars(kind))
        before = cls.__mro__[cls.__mro__.index(own) + 1 :]
        written = [kind for kind in before if _has_forward(kind)]
        if own is not cls or not written:
            return
        for name in ("__call__", "output_shape"):
            if name not in vars(cls):
                setattr(cls, name, getattr(Layer, name))
        for name in ("lazy_dx", "lazy_gradients", "light"):
            if name not in vars(cls):
                setattr(cls, name, False)

    @abstractmethod
    def forward(self, x: Array, *, train: Run | None = None) -> tuple[Array, Backward]:
        """Compute y = f(x) and the function that carries gradients back.

        Parameters
        ----------
        x : ndarray of shape (n, ...)
        train : Run or None
            The training run; None for inference.

        Returns
        -------
        y : ndarray of shape (n, ...)
        backward : callable
            `backward(dy) -> (dx, gradients)`.
        """

    @property
    def parameters(self) -> Tree:
        """The trainable arrays by name (the arrays themselves, no copies).

        Unless a layer says otherwise: every attribute that is an array of floating-point numbers,
        and the parameters of every attribute that is a layer or a list of layers; names that
        begin with an underscore are left out.
        """
        found: Tree = arrays_within(self)
        for name, value in vars(self).items():
            if name[0] == "_":
                continue
            tree: Tree = {}
            if isinstance(value, Layer):
                tree = value.parameters
            elif _all_layers(value):
                tree = [inner.parameters for inner in value]
            if next(_leaves(tree), None) is not None:
                found[name] = tree
        return found

    @property
    def statistics(self) -> dict[str, Array]:
        """Arrays that training moves but gradients do not (running means)."""
        return {}

    def absorb(self, statistics: dict[str, Array]) -> None:
        """Move `statistics` by those of a batch, as the layer recorded them in its `Run`."""
        raise NotImplementedError(f"{self!r} has no statistics")

    def output_shape(self, shape: Shape) -> Shape:
        """Return the shape of one sample after this layer; ShapeError where it does not fit.

        Unless a layer says otherwise it is found by running `forward` on one sample of zeros.
        """
        dtypes = [leaf.dtype for leaf in _leaves(self.parameters)]
        x = np.zeros((1, *shape), dtypes[0] if dtypes else np.float64)
        try:
            with np.errstate(all="ignore"):
                return np.shape(call_forward(self, x, None)[0])[1:]
        except ShapeError:
            raise
        except (ValueError, IndexError, RecursionError) as error:
            raise ShapeError(
                f"{self!r} does not take a sample of shape {shape}: {error} (its output_shape "
                "was found by running it on zeros; define output_shape if zeros will not do)"
            ) from error

    def flops(self, shape: Shape) -> int:
        """Return multiplications and additions of the forward pass of one sample."""
        return 0

    def __call__(self, x: Array) -> Array:
        """Return y = f(x) alone."""
        return call_forward(self, x, None)[0]

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def _all_layers(value: Any) -> bool:
    return (
        isinstance(value, list | tuple)
        and len(value) > 0
        and all(isinstance(inner, Layer) for inner in value)
    )


def _has_forward(kind: type) -> bool:
    """Whether a class has a forward pass that is more than a declaration."""
    forward = vars(kind).get("forward")
    return forward is not None and not getattr(forward, "__isabstractmethod__", False)


def _leaves(tree: Tree) -> Iterator[Any]:
    if isinstance(tree, dict | list | tuple):
        for child in tree.values() if isinstance(tree, dict) else tree:
            yield from _leaves(child)
    else:
        yield tree


def call_forward(layer: Layer, x: Array, train: Run | None) -> tuple[Array, Backward]:
    """Return `layer.forward(x, train=train)`; refuse what is not (y, backward)."""
    result: Any = layer.forward(x, train=train)
    if not (isinstance(result, tuple) and len(result) == 2 and callable(result[1])):
        raise TypeError(
            f"{layer!r}: forward returned {_kind_of(result)}; return (y, backward), where "
            "backward(dy) returns (dx, gradients)"
        )
    return result


def _kind_of(result: Any) -> str:
    if isinstance(result, tuple):
        return f"a tuple of {', '.join(type(part).__name__ for part in result)}"
    return f"a {type(result).__name__} alone"


def call_backward(
    layer: Layer, back: Backward, dy: Array, *, want_dx: bool = True, want_gradients: bool = True
) -> tuple[Any, Tree]:
    """Carry dy back through a layer, leaving out what is not wanted where the layer can."""
    options: dict[str, bool] = {}
    if not want_dx and layer.lazy_dx:
        options["want_dx"] = False
    if not want_gradients and layer.lazy_gradients:
        options["want_gradients"] = False
    result: Any = back(dy, **options)
    if not (isinstance(result, tuple) and len(result) == 2):
        raise TypeError(
            f"{layer!r}: backward returned {_kind_of(result)}; return (dx, gradients), with "
            "{} for a layer without parameters"
        )
    return result


def layers_within(layer: Layer, name: str = "") -> Iterator[tuple[str, Layer]]:
    """Yield the layer and every layer in its attributes, however deep, by the way there.

    A name is "3.0" for the first layer in the fourth of a network, "3.inner" for one that is
    an attribute. Containers themselves, which hold nothing but layers, are not among them.
    """
    inside = list(_attributes(layer))
    if not getattr(layer, "holds_layers_alone", False):
        yield name, layer
    for key, inner in inside:
        yield from layers_within(inner, f"{name}.{key}" if name else key)


def _attributes(layer: Layer) -> Iterator[tuple[str, Layer]]:
    """Yield the layers that are attributes, or stand in lists and dicts that are."""
    for name, value in vars(layer).items():
        if isinstance(value, Layer):
            yield name, value
        elif isinstance(value, list | tuple | dict):
            items = value.items() if isinstance(value, dict) else enumerate(value)
            alone = name == "layers" and getattr(layer, "holds_layers_alone", False)
            for key, inner in items:
                if isinstance(inner, Layer):
                    yield str(key) if alone else f"{name}.{key}", inner


def check_nothing_hidden(layer: Layer) -> None:
    """Refuse a layer whose parameters belong to no layer that can be found from it.

    What moves besides parameters (running statistics) is found through attributes; a layer
    that hides another would lose them when it is saved.
    """
    owned = {id(a) for _, inner in layers_within(layer) for a in _arrays(vars(inner))}
    for leaf in _leaves(layer.parameters):
        if not isinstance(leaf, np.ndarray):
            raise TypeError(f"{layer!r}: `parameters` holds a {type(leaf).__name__}, not an array")
        if id(leaf) not in owned and id(leaf.base) not in owned:
            raise TypeError(
                f"{layer!r}: `parameters` holds an array that is no attribute of the layer, nor "
                "of a layer in its attributes; keep arrays and layers in attributes (or in lists "
                "and dicts that are attributes), so that what training moves can be saved"
            )


def _arrays(held: Any) -> Iterator[Array]:
    for value in held.values() if isinstance(held, dict) else held:
        if isinstance(value, np.ndarray):
            yield value
        elif isinstance(value, dict | list | tuple):
            yield from _arrays(value)


def arrays_within(layer: Any) -> dict[str, Array]:
    """Return the public attributes that are arrays of floating-point (or complex) numbers."""
    return {
        name: value
        for name, value in vars(layer).items()
        if isinstance(value, np.ndarray) and value.dtype.kind in "fc" and name[0] != "_"
    }


def check_features(layer: Any, x: Array, n_in: int) -> None:
    """Refuse an input whose last axis is not `n_in` long, or that has no batch axis."""
    if x.ndim < 2 or x.shape[-1] != n_in:
        raise ShapeError(f"{layer!r} takes shape (n, {n_in}); it was given {x.shape}")
