"""What an experiment is: a claim of a text, measured, with a verdict that can come out false."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Check:
    """One number, bound or slope that the text states, beside what was measured.

    Attributes
    ----------
    what : str
        The quantity, in words ("intercept, area only").
    claimed : str
        What the text says of it ("71.2705").
    measured : float or str
        What came out here.
    holds : bool or None
        Whether the claim holds, within the tolerance that `claimed` names or implies; None where
        it cannot be tested here (data or time that the published number needs are absent).
    """

    what: str
    claimed: str
    measured: float | str
    holds: bool | None


@dataclass(frozen=True)
class Outcome:
    """What a run of an experiment gives.

    Attributes
    ----------
    checks : tuple of Check
        At least one; the verdict is that all hold. One that cannot be tested here leaves the
        verdict open, unless another is false.
    data : mapping
        What the picture needs (arrays, fitted estimators).
    remark : str
        What a reader of the original would be surprised by, in a sentence or two.
    erratum : str
        Where the text is wrong: what it says, and what is right.
    """

    checks: tuple[Check, ...]
    data: Mapping[str, Any] = field(default_factory=dict)
    remark: str = ""
    erratum: str = ""

    @property
    def verdict(self) -> bool | None:
        """Whether every check holds; None if one cannot be tested here and none is false."""
        holds = [check.holds for check in self.checks]
        if not holds or False in holds:
            return False
        return None if None in holds else True


@dataclass(frozen=True)
class Experiment:
    """A topic of the source notes as something that runs.

    Attributes
    ----------
    title : str
        One line.
    rows : tuple of int
        The rows of the inventory of the notes that it covers.
    claim : str
        What the text claims, in a sentence or a formula.
    formula : str
        The claim's formula in LaTeX, typeset on the page of experiments.
    code : str
        A few lines of public API that do what the experiment is about.
    source : str
        Book and section, paper and equation.
    run : callable
        `run(seed) -> Outcome`; measures through kiso's public API alone.
    draw : callable
        `draw(outcome) -> matplotlib Figure`.
    slow : bool
        Takes minutes: left out of `--all` unless asked for.
    needs : tuple of str
        Data sets that have to be present (names of `kiso.datasets`).
    animate : callable or None
        `animate(outcome) -> sequence of Figure`, frames that the page plays step by step.
    name : str
        The file's name with dashes; filled in by the registry.
    """

    title: str
    rows: tuple[int, ...]
    claim: str
    source: str
    run: Callable[[int], Outcome]
    draw: Callable[[Outcome], Figure]
    slow: bool = False
    needs: tuple[str, ...] = ()
    formula: str = ""
    code: str = ""
    animate: Callable[[Outcome], Sequence[Figure]] | None = None
    name: str = ""


def close(what: str, claimed: float, measured: float, *, atol: float, digits: int = 6) -> Check:
    """Check that a measured number equals a stated one to within `atol`."""
    holds = abs(measured - claimed) <= atol
    return Check(what, f"{claimed:.{digits}g} ± {atol:.1g}", float(measured), bool(holds))


def at_most(what: str, bound: float, measured: float, *, digits: int = 6) -> Check:
    """Check that a measured number does not exceed a bound."""
    return Check(what, f"≤ {bound:.{digits}g}", float(measured), bool(measured <= bound))


def at_least(what: str, bound: float, measured: float, *, digits: int = 6) -> Check:
    """Check that a measured number reaches a bound."""
    return Check(what, f"≥ {bound:.{digits}g}", float(measured), bool(measured >= bound))


def untestable(what: str, claimed: str, measured: float | str) -> Check:
    """Set a published number beside what was measured where it cannot be tested here."""
    return Check(what, claimed, measured, None)
