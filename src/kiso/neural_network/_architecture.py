"""A network from a line of text: "conv 20 5x5, relu, pool 2, dense 500, relu, dropout 0.5".

    text  = item, item, …
    item  = word, values, options
    conv  filters size     [stride s] [pad p | same] [dilation d] [groups g]
    depthwise size         the same options; one filter a channel
    pool size, avgpool size  [stride s] [pad p | same];   globalpool
    dense units;  dropout p;  batchnorm;  flatten
    relu, tanh, …          the activations of `kiso.nn`
    shift n, flip [p], crop size   random changes while training

A size is 5 or 5x5. What a layer is given (channels, pixels) follows from those before it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from kiso.nn import (
    Affine,
    AveragePool,
    BatchNorm,
    Conv2D,
    Dropout,
    Flatten,
    GlobalAveragePool,
    Layer,
    MaxPool,
    RandomCrop,
    RandomFlip,
    RandomShift,
    Shape,
    ShapeError,
    activation,
)

__all__ = ["AUGMENTATIONS", "Builder", "default_architecture"]

AUGMENTATIONS = ("shift", "flip", "crop")

ACTIVATIONS = ("relu", "leaky_relu", "tanh", "logistic", "sigmoid", "softplus", "gelu")


def default_architecture(shape: Shape) -> str:
    """Return two convolutions with pooling; for images too small for that, none is pooled."""
    if min(shape[1:]) >= 8:
        return (
            "conv 32 3x3 same, relu, pool 2, conv 64 3x3 same, relu, pool 2, "
            "dense 128, relu, dropout 0.5"
        )
    return f"conv 16 {min(3, shape[1])}x{min(3, shape[2])} same, relu, dense 64, relu"


@dataclass
class Builder:
    """Adds layers one by one and keeps the shape of a sample."""

    shape: Shape
    init: str
    rng: np.random.Generator
    dtype: Any

    def __post_init__(self) -> None:
        self.layers: list[Layer] = []

    def read(self, text: str, argument: str = "architecture", only: Any = None) -> None:
        """Add the layers of a line of text.

        Raises
        ------
        ValueError
            For what is not understood or does not fit; the message quotes the item.
        """
        for item in filter(None, (part.strip() for part in text.split(","))):
            word, *rest = item.lower().replace("×", "x").split()
            if word not in (only or {*_ITEMS, *ACTIVATIONS}):
                known = only or [*_ITEMS, *ACTIVATIONS]
                raise ValueError(f"{argument}: {item!r}: begin with one of {', '.join(known)}")
            try:
                if word in ACTIVATIONS:
                    _no_more(_Values(rest))
                    self.add(activation(word))
                else:
                    _ITEMS[word](self, _Values(rest))
            except ShapeError as error:
                raise ShapeError(f"{argument}: {item!r}: {error}") from None
            except ValueError as error:
                raise ValueError(f"{argument}: {item!r}: {error}") from None

    def add(self, layer: Layer) -> None:
        """Add a layer; ShapeError if it does not fit."""
        self.shape = layer.output_shape(self.shape)
        self.layers.append(layer)

    def dense(self, n_out: int) -> None:
        """Add an affine layer, flattened before if need be."""
        if len(self.shape) > 1:
            self.add(Flatten())
        self.add(
            Affine.create(
                self.shape[0], n_out, init=self.init, random_state=self.rng, dtype=self.dtype
            )
        )

    def conv(self, n_out: int, size: Any, options: dict[str, Any]) -> None:
        """Add a convolution of what comes."""
        if len(self.shape) != 3:
            raise ShapeError(f"it takes images; what comes has shape {self.shape}")
        self.add(
            Conv2D.create(
                self.shape[0], n_out, size, init=self.init, random_state=self.rng,
                dtype=self.dtype, **options,
            )
        )  # fmt: skip


class _Values:
    """The words of an item after the first."""

    def __init__(self, words: list[str]):
        self.words = words

    def number(self, what: str, kind: Callable[[str], Any] = int, default: Any = None) -> Any:
        if not self.words or self.words[0].isalpha():
            return default if default is not None else _refuse(f"give {what}")
        word = self.words.pop(0)
        try:
            return kind(word)
        except ValueError:
            return _refuse(f"{word!r}: give {what}")

    def size(self, what: str = "a size like 5 or 5x5") -> Any:
        return self.number(what, _size)

    def options(self, *names: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while self.words:
            word = self.words.pop(0)
            if word in ("same", "valid") and "pad" in names:
                found["padding"] = word
            elif word in names:
                found[_NAMES.get(word, word)] = self.size(f"a number after {word!r}")
            else:
                _refuse(f"{word!r}: give {', '.join(names)} or nothing")
        return found


_NAMES = {"pad": "padding"}


def _size(word: str) -> int | tuple[int, int]:
    parts = [int(part) for part in word.split("x")]
    if len(parts) > 2:
        raise ValueError
    return parts[0] if len(parts) == 1 else (parts[0], parts[1])


def _refuse(message: str) -> NoReturn:
    raise ValueError(message)


def _no_more(values: _Values) -> None:
    values.options()


_STEPS = ("stride", "pad", "same", "valid")


def _conv(builder: Builder, values: _Values) -> None:
    n_out, size = values.number("the number of filters"), values.size()
    if n_out < 1:
        _refuse("give at least one filter")
    builder.conv(n_out, size, values.options(*_STEPS, "dilation", "groups"))


def _depthwise(builder: Builder, values: _Values) -> None:
    size, channels = values.size(), builder.shape[0]
    builder.conv(channels, size, values.options(*_STEPS, "dilation") | {"groups": channels})


def _pool(kind: type[MaxPool] | type[AveragePool]) -> Callable[[Builder, _Values], None]:
    def add(builder: Builder, values: _Values) -> None:
        builder.add(kind(values.size(), **values.options(*_STEPS)))

    return add


def _plain(make: Callable[[Builder], Layer]) -> Callable[[Builder, _Values], None]:
    def add(builder: Builder, values: _Values) -> None:
        _no_more(values)
        builder.add(make(builder))

    return add


def _dense(builder: Builder, values: _Values) -> None:
    n_out = values.number("the number of units")
    _no_more(values)
    if n_out < 1:
        _refuse("give at least one unit")
    builder.dense(n_out)


def _with_number(make: Callable[[Any], Layer], what: str, kind: Any, default: Any = None) -> Any:
    def add(builder: Builder, values: _Values) -> None:
        given = values.number(what, kind, default)
        _no_more(values)
        builder.add(make(given))

    return add


_ITEMS: dict[str, Callable[[Builder, _Values], None]] = {
    "conv": _conv,
    "depthwise": _depthwise,
    "pool": _pool(MaxPool),
    "maxpool": _pool(MaxPool),
    "avgpool": _pool(AveragePool),
    "globalpool": _plain(lambda _: GlobalAveragePool()),
    "dense": _dense,
    "flatten": _plain(lambda _: Flatten()),
    "batchnorm": _plain(lambda builder: BatchNorm(builder.shape[0], dtype=builder.dtype)),
    "dropout": _with_number(Dropout, "a probability", float, 0.5),
    "shift": _with_number(RandomShift, "the largest shift in pixels", _size),
    "flip": _with_number(RandomFlip, "a probability", float, 0.5),
    "crop": _with_number(RandomCrop, "a size like 24 or 24x24", _size),
}
