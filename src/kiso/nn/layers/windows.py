"""How a window slides over an image: its size, stride, padding and dilation.

    along an axis of length m, with p₀ + p₁ zeros around it and taps d apart:
    reach = d (k − 1) + 1,   outputs = ⌊(m + p₀ + p₁ − reach)/s⌋ + 1

Output o sees the pixels o·s − p₀ + d·i, i = 0 … k − 1. "same" padding gives ⌈m/s⌉ outputs;
where the zeros cannot be shared evenly, one more stands after than before.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, Literal, Self, TypeAlias

import numpy as np

from kiso._validation import Array, Integral

from .layer import Shape, ShapeError

__all__ = ["Padding", "Pads", "Pair", "Sizes", "Window", "check_images", "warn_unscaled"]

Pair: TypeAlias = tuple[int, int]  # height, width
Pads: TypeAlias = tuple[Pair, Pair]  # (top, bottom), (left, right)
Sizes: TypeAlias = int | tuple[int, int]
Padding: TypeAlias = Literal["same", "valid"] | int | tuple[int, int] | Pads


@dataclass(frozen=True)
class Window:
    """A window and its steps, before the size of the image is known."""

    size: Pair
    stride: Pair = (1, 1)
    padding: Pads | None = ((0, 0), (0, 0))  # None: "same"
    dilation: Pair = (1, 1)
    ceil: bool = False  # also windows that reach beyond the last pixel

    @classmethod
    def create(
        cls,
        size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        name: str = "size",
        *,
        ceil: bool = False,
    ) -> Self:
        """Read what a user gives: a number for both axes, or one for each.

        Raises
        ------
        ValueError
            If a number is none, or too small; the message names it.
        """
        return cls(
            _pair(name, size, 1), _pair("stride", stride, 1), _pads(padding),
            _pair("dilation", dilation, 1), bool(ceil),
        )  # fmt: skip

    @property
    def reach(self) -> Pair:
        """Pixels from the first to the last that the window sees."""
        (kh, kw), (dh, dw) = self.size, self.dilation
        return dh * (kh - 1) + 1, dw * (kw - 1) + 1

    def pads(self, height: int, width: int) -> Pads:
        """Return the zeros before and after each axis of an image of this size."""
        asked = self.asked_pads(height, width)
        if not getattr(self, "ceil", False):
            return asked
        around = []
        sizes = zip((height, width), asked, self.stride, self.reach, strict=True)
        for m, (before, after), s, r in sizes:
            outputs = -(-max(0, m + before + after - r) // s) + 1
            if (outputs - 1) * s >= m + before:  # it would begin behind the last pixel
                outputs -= 1
            around.append((before, max(after, (outputs - 1) * s + r - m - before)))
        return around[0], around[1]

    def asked_pads(self, height: int, width: int) -> Pads:
        """Return the zeros that the padding asks for, without those of `ceil`."""
        if self.padding is not None:
            return self.padding
        around = []
        for m, s, r in zip((height, width), self.stride, self.reach, strict=True):
            total = max(0, (-(-m // s) - 1) * s + r - m)
            around.append((total // 2, total - total // 2))
        return around[0], around[1]

    def output(self, height: int, width: int, layer: Any = "the window") -> Pair:
        """Return the size of the output.

        Raises
        ------
        ShapeError
            If it has no pixel; the message names `layer` and the shapes.
        """
        pads = self.pads(height, width)
        out = [
            (m + before + after - r) // s + 1 if m + before + after >= r else 0
            for m, s, r, (before, after) in zip(
                (height, width), self.stride, self.reach, pads, strict=True
            )
        ]
        if min(out) < 1 or min(height, width) < 1:
            padded = [m + sum(p) for m, p in zip((height, width), pads, strict=True)]
            raise ShapeError(
                f"{layer!s} leaves no pixel of an image of {height}×{width}: the window reaches "
                f"over {self.reach[0]}×{self.reach[1]} of {padded[0]}×{padded[1]} with padding; "
                "take a smaller filter or dilation, or more padding"
            )
        return out[0], out[1]

    def __str__(self) -> str:
        parts = [f"{self.size[0]}×{self.size[1]}"]
        if self.stride != (1, 1):
            parts.append(f"stride {_text(self.stride)}")
        if self.padding is None:
            parts.append("same")
        elif self.padding != ((0, 0), (0, 0)):
            (top, bottom), (left, right) = self.padding
            even = (top, left) == (bottom, right)
            parts.append(f"padding {_text((top, left)) if even else self.padding}")
        if self.dilation != (1, 1):
            parts.append(f"dilation {_text(self.dilation)}")
        return ", ".join(parts)


def _text(pair: Pair) -> str:
    return str(pair[0]) if pair[0] == pair[1] else f"{pair[0]}×{pair[1]}"


def _pair(name: str, given: Any, least: int) -> Pair:
    each = (given, given) if isinstance(given, Integral | np.integer) else given
    if not (
        isinstance(each, tuple | list)
        and len(each) == 2
        and all(isinstance(m, int | np.integer) and m >= least for m in each)
    ):
        raise ValueError(f"{name}={given!r}: give a whole number >= {least}, or two of them")
    return int(each[0]), int(each[1])


def _pads(given: Any) -> Pads | None:
    if given == "same":
        return None
    if given == "valid":
        return (0, 0), (0, 0)
    try:
        if isinstance(given, tuple | list) and len(given) == 2 and isinstance(given[0], tuple):
            return _pair("padding", given[0], 0), _pair("padding", given[1], 0)
        high, wide = _pair("padding", given, 0)
    except ValueError:
        raise ValueError(
            f"padding={given!r}: give 'same', 'valid', a number >= 0, (height, width), or "
            "((top, bottom), (left, right))"
        ) from None
    return (high, high), (wide, wide)


def check_images(layer: Any, shape: Shape, n_channels: int | None = None) -> None:
    """Refuse what is no batch of images (n, channels, height, width) of so many channels."""
    wanted = "channels" if n_channels is None else str(n_channels)
    if len(shape) != 4:
        raise ShapeError(
            f"{layer!s} takes shape (n, {wanted}, height, width); it was given {shape}"
        )
    if n_channels is not None and shape[1] != n_channels:
        raise ShapeError(
            f"{layer!s} takes shape (n, {wanted}, height, width); it was given {shape}"
            + layout_hint(shape, n_channels)
        )


def layout_hint(shape: Shape, n_channels: int) -> str:
    """Return a hint where the channels seem to stand last."""
    if len(shape) != 4 or shape[3] != n_channels or shape[1] == n_channels:
        return ""
    return ", which looks like (n, height, width, channels): give np.moveaxis(X, -1, 1)"


def warn_unscaled(x: Array, stacklevel: int = 3) -> None:
    """Warn of images whose pixels are bytes, 0 to 255."""
    if x.dtype == np.uint8 and x.size and x.max() > 1:
        warnings.warn(
            f"the images are bytes up to {x.max()}: the layers expect numbers of about unit size; "
            "give X / np.float32(255)",
            UserWarning,
            stacklevel=stacklevel,
        )
