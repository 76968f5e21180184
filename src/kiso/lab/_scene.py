"""What a scene is: data and parameters give states, a state gives a frame."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, ClassVar

import numpy as np

from ._controls import Action, Control
from ._data import Data, DataSpec
from ._marks import Picture

__all__ = [
    "Check",
    "DataSpec",
    "Frame",
    "Msg",
    "Rule",
    "Scene",
    "Setup",
    "Task",
    "View",
    "all_scenes",
    "scene_named",
]  # fmt: skip


class Msg(dict[str, Any]):
    """A text of the catalogues: `Msg("kmeans.assign", n=3)`; numbers are set by the page."""

    def __init__(self, text: str, /, **args: Any):
        super().__init__(msg=text, args={k: _plain(v) for k, v in args.items()})


@dataclass(frozen=True)
class Rule:
    r"""An update rule with symbols, and the same with this step's numbers.

    Attributes
    ----------
    symbols : str
        LaTeX; ``\t{name}{...}`` marks a piece as the term `name`.
    numbers : str
        LaTeX in which ``@name`` is the value of a term (a number, vector or matrix).
    terms : mapping of str to number or array
        What the state says.
    result : str
        The term that the formula gives.
    compute : callable
        The formula, of the other terms by name: a test compares it with `terms[result]`.
    caption : Msg or None
        What it does, in words.
    """

    symbols: str
    numbers: str
    terms: Mapping[str, Any]
    result: str
    compute: Callable[..., Any]
    caption: Msg | None = None

    def evaluate(self) -> Any:
        """Return what the formula gives for the terms."""
        return self.compute(**{k: v for k, v in self.terms.items() if k != self.result})

    def describe(self) -> dict[str, Any]:
        """Return it as the page reads it."""

        def value(found: re.Match[str]) -> str:
            name = found.group(1)
            number = tex(self.terms[name])
            before = self.numbers[: found.start()].rstrip()
            if number.startswith("-") and before and before[-1] not in "=({":
                number = rf"({number})"  # a sign never follows a sign
            return rf"\t{{{name}}}{{{number}}}"

        return {
            "symbols": self.symbols,
            "numbers": re.sub(r"@([A-Za-z]\w*)", value, self.numbers),
            "caption": self.caption,
            "terms": {k: np.asarray(v, float).tolist() for k, v in self.terms.items()},
            "result": self.result,
        }


def tex(value: Any) -> str:
    """Write a number, vector or matrix in LaTeX with four significant digits."""
    a = np.asarray(value)
    if a.size == 1:
        a = a.reshape(())
    if a.ndim == 0:
        return _number(float(a), whole=a.dtype.kind in "iub")
    rows = a.reshape(-1, 1) if a.ndim == 1 else a
    cells = r" \\ ".join(" & ".join(_number(float(v)) for v in row) for row in rows)
    return rf"\begin{{pmatrix}} {cells} \end{{pmatrix}}"


def _number(v: float, *, whole: bool = False) -> str:
    if not np.isfinite(v):
        return r"\mathrm{NaN}" if v != v else (r"\infty" if v > 0 else r"-\infty")
    if whole:
        return f"{int(v)}"
    if v == 0:
        return "0"
    size = abs(v)
    if 1e-3 <= size < 1e5:
        return f"{v:.{max(0, 3 - int(np.floor(np.log10(size))))}f}"
    mantissa, power = f"{v:.3e}".split("e")
    return rf"{mantissa} \times 10^{{{int(power)}}}"


@dataclass(frozen=True)
class Check:
    """An independent result, live.

    Attributes
    ----------
    label : Msg
        What it is compared with (a closed form, scikit-learn, a naive oracle).
    ours, reference : array-like
        What the lab shows, and the other.
    tol : float
        Largest difference that counts as the same.
    """

    label: Msg
    ours: Any
    reference: Any
    tol: float = 1e-9

    def describe(self) -> dict[str, Any]:
        """Return the greatest difference, as the page reads it."""
        a, b = np.asarray(self.ours, float), np.asarray(self.reference, float)
        difference = float(np.max(np.abs(a - b))) if a.size else 0.0
        return {
            "label": self.label,
            "difference": difference,
            "same": difference <= self.tol,
            "ours": float(a.ravel()[0]) if a.size == 1 else None,
            "reference": float(b.ravel()[0]) if b.size == 1 else None,
        }


@dataclass(frozen=True)
class Frame:
    """What is shown of a state.

    Attributes
    ----------
    pictures : sequence of Picture
    rules : sequence of Rule
        The update of this very step.
    summary : Msg
        One sentence on this step, also read by screen readers.
    phase : str
        The sub-step; `<scene>.phases.<phase>` of the catalogue.
    hints : mapping
        For a control, places on its slider with a name: {"learning_rate": [(0.2, "2/λmax")]}.
    diverged : bool
        The run ended here since something was not finite; shown as "diverged at step t".
    facts : sequence of (Msg, value)
        Numbers beside the picture.
    """

    pictures: Sequence[Picture]
    rules: Sequence[Rule]
    summary: Msg
    phase: str = ""
    hints: Mapping[str, Sequence[tuple[float, str]]] = field(default_factory=dict)
    diverged: bool = False
    facts: Sequence[tuple[Msg, Any]] = ()

    def describe(self) -> dict[str, Any]:
        """Return it as the page reads it."""
        return {
            "pictures": [picture.describe() for picture in self.pictures],
            "rules": [rule.describe() for rule in self.rules],
            "summary": self.summary,
            "phase": self.phase,
            "hints": {k: [list(v) for v in places] for k, places in self.hints.items()},
            "diverged": self.diverged,
            "facts": [{"label": label, "value": _plain(value)} for label, value in self.facts],
        }


@dataclass(frozen=True)
class View:
    """What a task looks at: the run up to the step that is shown.

    Attributes
    ----------
    scene : Scene
    states : list
        From step 0 to the step shown.
    objective : ndarray
        The first objective at each of them.
    done : bool
        Whether the step shown is the last of a run that has ended.
    """

    scene: Any
    states: Sequence[Any]
    objective: np.ndarray[Any, np.dtype[np.float64]]
    done: bool

    @property
    def state(self) -> Any:
        """The state that is shown."""
        return self.states[-1]


@dataclass(frozen=True)
class Task:
    """Something to find; recognised from the states.

    Attributes
    ----------
    key : str
        `<scene>.tasks.<key>` of the catalogue says what to do.
    solved : callable
        View → bool.
    """

    key: str
    solved: Callable[[View], bool]


@dataclass(frozen=True)
class Setup:
    """Everything that a run depends on: what a permalink holds, but for the step.

    Attributes
    ----------
    scene : str
    params : mapping
        Values of controls that are not the default.
    data : mapping
        Where the points come from: {"set", "n", "seed"}, or {"file", "x", "y", "class"}, or
        {"rows"}; and "edits" in order.
    seed : int
    actions : tuple of mappings
        What the user did, in order: {"t", "kind", ...}.
    """

    scene: str
    params: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    actions: tuple[Mapping[str, Any], ...] = ()


class Scene(ABC):
    """A run on the stage: made of a setup, it yields states and draws them.

    A subclass declares the class attributes below and gives `states`, `objective`, `trace`,
    `frame` and `script`; where it has them, `resume` and `check`. `self.p` has the values of
    the controls, `self.X` (n, 2) and `self.y` (n,) the data, `self.seed` the seed.

    Attributes
    ----------
    name : str
        In links and on the command line.
    rows : tuple of int
        Rows of the source notes that it shows.
    controls : tuple of Control
    data : DataSpec or None
        The ready sets that it offers; None where it has no points.
    beside : mapping
        Parameters of the second run that "beside it" begins with.
    presets : mapping of str to {"params", "data"}
        Set-ups to choose from; `<scene>.presets.<name>` of the catalogue names them.
    actions : tuple of Action
        Further buttons.
    tasks : tuple of Task
    objectives : tuple of str
        Names of what `objective` returns; `<scene>.objectives.<name>` of the catalogue.
    log_objective : bool
        Whether the objective's axis is logarithmic.
    max_states : int
        A run is stopped after so many, and the page says so.
    keep_step : bool
        A changed parameter shows the same step of the new run; else step 0.
    edits_go_on : bool
        An edited point goes on from the state shown (`resume` with kind "edit") instead of
        beginning anew.
    """

    name: ClassVar[str]
    rows: ClassVar[tuple[int, ...]] = ()
    controls: ClassVar[tuple[Control, ...]] = ()
    data: ClassVar[DataSpec | None] = None
    beside: ClassVar[Mapping[str, Any]] = {}
    presets: ClassVar[Mapping[str, Any]] = {}
    actions: ClassVar[tuple[Action, ...]] = ()
    tasks: ClassVar[tuple[Task, ...]] = ()
    objectives: ClassVar[tuple[str, ...]] = ("objective",)
    log_objective: ClassVar[bool] = False
    max_states: ClassVar[int] = 1000
    keep_step: ClassVar[bool] = False
    edits_go_on: ClassVar[bool] = False

    def __init__(self, params: Mapping[str, Any], data: Data | None, seed: int):
        known = {control.name: control for control in self.controls}
        unknown = sorted(set(params) - set(known))
        if unknown:
            raise ValueError(f"{self.name} has no parameter {unknown[0]!r}: {', '.join(known)}")
        self.p: dict[str, Any] = {
            name: control.check(params.get(name, control.default))
            for name, control in known.items()
        }
        self.points = data
        self.X = np.empty((0, 2)) if data is None else data.X
        self.y = np.empty(0, np.int64) if data is None else data.y
        self.seed = seed

    @abstractmethod
    def states(self) -> Iterator[Any]:
        """Yield step 0, and a state after each step."""

    def resume(self, state: Any, action: Mapping[str, Any]) -> Iterator[Any]:
        """Go on from a state after an action of the user: first the state as it is now."""
        raise ValueError(f"{self.name} knows no action {action.get('kind')!r}")

    @abstractmethod
    def objective(self, state: Any) -> Sequence[float]:
        """Return the numbers that are plotted over the steps, in the order of `objectives`."""

    @abstractmethod
    def trace(self, state: Any) -> Mapping[str, Any]:
        """Return the numbers and arrays that make the state: hashed, exported, compared."""

    @abstractmethod
    def frame(self, state: Any, focus: Mapping[str, Any] | None) -> Frame:
        """Draw a state.

        `focus` is what the pointer is over, {"key", "index"} of a mark's element, or None:
        it chooses what the rule is written for.
        """

    def check(self, state: Any) -> list[Check]:
        """Compare the state with an independent result."""
        return []

    @abstractmethod
    def script(self, actions: Sequence[Mapping[str, Any]], last: int) -> str:
        """Return a script that makes the same run: it ends with `trace`, a list of dicts
        with the keys of `trace`, one for each of the steps 0 to `last`."""  # noqa: D209

    @classmethod
    def describe(cls) -> dict[str, Any]:
        """Return the declaration as the page reads it."""
        return {
            "name": cls.name,
            "rows": list(cls.rows),
            "controls": [control.describe() for control in cls.controls],
            "data": None if cls.data is None else cls.data.describe(),
            "beside": dict(cls.beside),
            "presets": dict(cls.presets),
            "actions": [action.describe() for action in cls.actions],
            "tasks": [task.key for task in cls.tasks],
            "objectives": list(cls.objectives),
            "log_objective": cls.log_objective,
            "keep_step": cls.keep_step,
            "edits_go_on": cls.edits_go_on,
        }


def all_scenes() -> list[type[Scene]]:
    """Return all scenes, in the order of the start page."""
    from . import scenes as folder

    found = [
        import_module(f"{folder.__name__}.{module.name}").SCENE
        for module in iter_modules(folder.__path__)
        if not module.name.startswith("_")
    ]
    return sorted(found, key=lambda scene: (folder.ORDER.get(scene.name, 99), scene.name))


def scene_named(name: str) -> type[Scene]:
    """Return the scene of this name.

    Raises
    ------
    ValueError
        If there is none; the message lists them.
    """
    known = {scene.name: scene for scene in all_scenes()}
    if name not in known:
        raise ValueError(f"there is no scene {name!r}: {', '.join(known)}")
    return known[name]


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
