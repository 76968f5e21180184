"""Functions on [−1, 1] to approximate, and where their errors are measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import _marks as m
from .._marks import Axis
from .._scene import Msg

Array = np.ndarray[Any, np.dtype[Any]]

FINE = np.linspace(-1, 1, 2001)
DRAWN = np.linspace(-1, 1, 401)
NEAR = 0.05  # nearer to a jump than this no continuous function can follow it


@dataclass(frozen=True)
class Target:
    """A function, its slope, and its text in a script."""

    f: Callable[[Any], Any]
    slope: Callable[[Any], Any] | None
    text: str
    jump: bool = False

    def error(self, h: Callable[[Array], Array]) -> float:
        """Return max |h − f| on `FINE`; beside a jump, where |x| ≥ `NEAR`."""
        return float(np.max(np.abs((h(FINE) - self.f(FINE))[self.counted])))

    @property
    def counted(self) -> Array:
        """Which of `FINE` count."""
        return np.abs(FINE) >= NEAR - 1e-12 if self.jump else np.ones(len(FINE), bool)

    def marks(self) -> list[dict[str, Any]]:
        """Draw it, dashed."""
        values = np.asarray(self.f(DRAWN), float)
        if self.jump:
            values[np.abs(DRAWN) < 1e-9] = np.nan
        return [m.line("target", np.column_stack([DRAWN, values]), color="muted", dash=True,
                       term="f")]  # fmt: skip


TARGETS = {
    "runge": Target(lambda x: 1 / (1 + 25 * x**2), lambda x: -50 * x / (1 + 25 * x**2) ** 2,
                    "lambda x: 1 / (1 + 25 * x**2)"),
    "abs": Target(np.abs, None, "np.abs"),
    "jump": Target(lambda x: (x > 0) * 1.0, None, "lambda x: (x > 0) * 1.0", jump=True),
}  # fmt: skip

SCRIPT = """
fine = np.linspace(-1, 1, 2001)
counted = {counted}
f = {text}

def error(h):
    return float(np.max(np.abs((h(fine) - f(fine))[counted])))
"""


def script_of(name: str) -> str:
    """Return the lines that define f and its largest error."""
    target = TARGETS[name]
    counted = f"np.abs(fine) >= {NEAR} - 1e-12" if target.jump else "np.ones(len(fine), bool)"
    return SCRIPT.format(counted=counted, text=target.text)


def axes() -> tuple[Axis, Axis]:
    """Return the axes of the function's picture."""
    return Axis(-1.0, 1.0, "x"), Axis(-0.55, 1.65, "y")


def place(focus: Any, keys: tuple[str, ...], default: float) -> float:
    """Return the x under the pointer, if it is over one of these curves."""
    if focus is not None and focus["key"] in keys and 0 <= int(focus["index"]) < len(DRAWN):
        return float(DRAWN[int(focus["index"])])
    return default


def numbered(focus: Any, prefix: str, n: int) -> int | None:
    """Return j where the pointer is over the mark `prefix`j, j < n."""
    key = "" if focus is None else str(focus["key"])
    found = key.removeprefix(prefix)
    if key.startswith(prefix) and found.isdigit() and int(found) < n:
        return int(found)
    return None


def largest(jump: bool) -> Msg:
    """Return the name of the error."""
    return Msg("approximation.fact.error.jump" if jump else "approximation.fact.error")
