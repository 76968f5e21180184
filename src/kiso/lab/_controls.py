"""What a user sets: each control has the real name and range of a parameter."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Action", "Choice", "Control", "Flag", "Layers", "Many", "Number"]


@dataclass(frozen=True, kw_only=True)
class Control:
    """A parameter of the scene.

    Attributes
    ----------
    name : str
        The parameter's name in the library; `controls.<name>` of the catalogue explains it.
    default : object
        The value to begin with.
    group : str
        Controls of one group stand together.
    when : tuple or None
        (name, values): shown only while that other control has one of these values.
    """

    name: str
    default: Any
    group: str = ""
    when: tuple[str, tuple[Any, ...]] | None = None

    def describe(self) -> dict[str, Any]:
        """Return the declaration as the page reads it."""
        return {"type": type(self).__name__.lower(), **asdict(self)}

    def check(self, value: Any) -> Any:
        """Return a value of the right type within the range, or raise ValueError."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Number(Control):
    """A number on a slider; `log` makes the slider logarithmic, `whole` integral."""

    low: float
    high: float
    step: float | None = None
    log: bool = False
    whole: bool = False

    def check(self, value: Any) -> Any:
        """Accept a finite number in [low, high]."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"{self.name}={value!r}: give a number")
        if not (math.isfinite(value) and self.low <= value <= self.high):
            raise ValueError(f"{self.name}={value!r}: give {self.low:g} to {self.high:g}")
        if self.whole and value != int(value):
            raise ValueError(f"{self.name}={value!r}: give a whole number")
        return int(value) if self.whole else float(value)


@dataclass(frozen=True, kw_only=True)
class Choice(Control):
    """One of several values."""

    options: tuple[Any, ...]

    def check(self, value: Any) -> Any:
        """Accept one of the options."""
        if value not in self.options:
            allowed = ", ".join(map(str, self.options))
            raise ValueError(f"{self.name}={value!r}: give one of {allowed}")
        return value


@dataclass(frozen=True, kw_only=True)
class Many(Control):
    """Any of several values, at least one."""

    options: tuple[str, ...]

    def check(self, value: Any) -> Any:
        """Accept a list of options, in the order of the declaration."""
        if not isinstance(value, list | tuple) or not value or set(value) - set(self.options):
            raise ValueError(f"{self.name}={value!r}: give some of {', '.join(self.options)}")
        return [option for option in self.options if option in value]


@dataclass(frozen=True, kw_only=True)
class Flag(Control):
    """Yes or no."""

    def check(self, value: Any) -> Any:
        """Accept a boolean."""
        if not isinstance(value, bool):
            raise ValueError(f"{self.name}={value!r}: give true or false")
        return value


@dataclass(frozen=True, kw_only=True)
class Layers(Control):
    """Sizes of hidden layers: layers and units are added and removed."""

    max_layers: int = 4
    max_units: int = 8

    def check(self, value: Any) -> Any:
        """Accept a list of at most `max_layers` sizes from 1 to `max_units`."""
        fits = isinstance(value, list | tuple) and len(value) <= self.max_layers
        if not fits or any(
            isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= self.max_units
            for n in value
        ):
            raise ValueError(
                f"{self.name}={value!r}: give at most {self.max_layers} sizes "
                f"from 1 to {self.max_units}"
            )
        return [int(n) for n in value]


@dataclass(frozen=True)
class Action:
    """A button of the scene: something the user does at a step.

    Attributes
    ----------
    kind : str
        Name of the action; `actions.<kind>` of the catalogue is the button's text.
    steps : int
        How many steps the page goes on after it.
    when : tuple or None
        (name, values): shown only while that control has one of these values.
    """

    kind: str
    steps: int = 1
    when: tuple[str, tuple[Any, ...]] | None = None

    def describe(self) -> dict[str, Any]:
        """Return the declaration as the page reads it."""
        return asdict(self)
