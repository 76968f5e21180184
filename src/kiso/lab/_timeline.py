"""A run as the stage sees it: states that are kept, so that a step back is a look back."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ._codec import digest
from ._data import Files, edited, read_data
from ._scene import Frame, Scene, Setup, View, scene_named

__all__ = ["Timeline", "read_setup"]

MAX_ACTIONS = 500
MAX_EDITS = 5000


def read_setup(given: Any) -> Setup:
    """Check what a link or a page says, and return it as a setup.

    Raises
    ------
    ValueError, TypeError, KeyError
        If it is not one.
    """
    if not isinstance(given, Mapping):
        raise ValueError("a setup is a mapping")
    kind = scene_named(str(given.get("scene")))
    params, data = given.get("params") or {}, given.get("data") or {}
    actions, seed = given.get("actions") or [], given.get("seed", 0)
    if not isinstance(params, Mapping) or not isinstance(data, Mapping):
        raise ValueError("params and data of a setup are mappings")
    if not isinstance(actions, list) or len(actions) > MAX_ACTIONS:
        raise ValueError(f"actions: give a list of at most {MAX_ACTIONS}")
    if not all(isinstance(a, Mapping) and isinstance(a.get("t"), int) for a in actions):
        raise ValueError("an action is a mapping with the step t at which it was done")
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise ValueError(f"seed={seed!r}: give a whole number from 0 to 2³² − 1")
    if len(data.get("edits", ())) > MAX_EDITS:
        raise ValueError(f"edits: at most {MAX_EDITS}")
    if kind.data is None:
        data = {}
    elif not ({"set", "file", "rows"} & set(data)):
        data = {"set": kind.data.sets[0], "n": kind.data.n, "seed": 0, **data}
    return Setup(kind.name, dict(params), dict(data), seed, tuple(map(dict, actions)))


class Timeline:
    """The states of one setup, made as far as they are asked for.

    Parameters
    ----------
    setup : Setup
    files : Files or None
        Where tables that were brought are.

    Examples
    --------
    >>> from kiso.lab import Setup, Timeline
    >>> run = Timeline(Setup("gradient-descent"))
    >>> run.reach(3)
    3
    """

    def __init__(self, setup: Setup, files: Files | None = None):
        self.files = files or Files()
        self.setup = setup
        self.kind = scene_named(setup.scene)
        self.scenes: list[Scene] = []
        self.states: list[Any] = []
        self.values: list[list[float]] = []
        self.done = False
        self.limit = ""
        self._begin()

    # --- which run ------------------------------------------------------------------------

    def _scene(self, data: Mapping[str, Any]) -> Scene:
        spec = self.kind.data
        if spec is None:
            return self.kind(self.setup.params, None, self.setup.seed)
        if not ({"set", "file", "rows"} & set(data)):
            data = {"set": spec.sets[0], "n": spec.n, "seed": 0, **data}
        return self.kind(self.setup.params, read_data(data, self.files), self.setup.seed)

    def _begin(self) -> None:
        self.scene = self._scene(self.setup.data)
        self.source: Iterator[Any] = iter(self.scene.states())
        self.scenes, self.states, self.values, self.done, self.limit = [], [], [], False, ""
        self._acted = 0
        self._before: tuple[Scene, Any, list[float]] | None = None  # at the last action's step

    def become(self, setup: Setup) -> None:
        """Take on a setup; what both have in common is kept."""
        old = self.setup
        same = (old.scene, old.params, old.data, old.seed) == (
            setup.scene, setup.params, setup.data, setup.seed,
        )  # fmt: skip
        if same and old.actions == setup.actions:
            return
        if same and setup.actions[: self._acted] == old.actions[: self._acted]:
            self.setup = setup
            return
        if same and self._replaces_last(setup):
            self._take_back(int(old.actions[self._acted - 1]["t"]))
            self.setup = setup
            return
        kept = (self.setup, self.kind, self.scene, self.source, self.scenes, self.states,
                self.values, self.done, self.limit, self._acted, self._before)  # fmt: skip
        try:
            self.setup = setup
            self.kind = scene_named(setup.scene)
            self._begin()
        except Exception:
            (self.setup, self.kind, self.scene, self.source, self.scenes, self.states,
             self.values, self.done, self.limit, self._acted, self._before) = kept  # fmt: skip
            raise

    def _replaces_last(self, setup: Setup) -> bool:
        """Whether the last action done is replaced at its step, as while a handle is dragged."""
        done, old = self._acted, self.setup.actions
        return (
            self._before is not None
            and len(setup.actions) >= done
            and setup.actions[: done - 1] == old[: done - 1]
            and setup.actions[done - 1]["t"] == old[done - 1]["t"]
        )

    def _take_back(self, t: int) -> None:
        """Put back the state that the last action began from: nothing before it is made anew."""
        assert self._before is not None
        del self.scenes[t:], self.states[t:], self.values[t:]
        scene, state, value = self._before
        self.scenes.append(scene)
        self.states.append(state)
        self.values.append(value)
        self._before = None
        self._acted -= 1

    # --- how far --------------------------------------------------------------------------

    def reach(self, t: int, seconds: float = float("inf")) -> int:
        """Make states up to step t, or as far as the time allows; return the step reached."""
        deadline = time.monotonic() + seconds
        while True:
            pending = self.setup.actions[self._acted :]
            if pending and pending[0]["t"] < len(self.states):
                self._act(pending[0])
                continue
            if len(self.states) > t:
                break
            if (self.states and time.monotonic() > deadline) or not self._next():
                break
        return min(t, len(self.states) - 1)

    def _next(self) -> bool:
        if self.done:
            return False
        if len(self.states) >= self.kind.max_states:
            self.done, self.limit = True, "states"
            return False
        state = next(self.source, None)
        if state is None:
            self.done = True
            return False
        self._append(state)
        return True

    def _append(self, state: Any) -> None:
        self.scenes.append(self.scene)
        self.states.append(state)
        self.values.append([float(v) for v in self.scene.objective(state)])

    def _act(self, action: Mapping[str, Any]) -> None:
        """Cut the run off after the action's step and go on as the scene says."""
        t = int(action["t"])
        state = self.states[t]
        scene = self.scenes[t]
        if action.get("kind") == "edit" and scene.points is not None:
            X, y = edited(scene.X, scene.y, action.get("edits", ()))
            if not len(X):
                raise ValueError("no point is left: click into the picture to add one")
            points = replace(scene.points, X=X, y=y)
            scene = self.kind(self.setup.params, points, self.setup.seed)
        source = iter(scene.resume(state, action))
        first = next(source)
        self._before = self.scenes[t], state, self.values[t]
        del self.scenes[t:], self.states[t:], self.values[t:]
        self.scene, self.source, self.done, self.limit = scene, source, False, ""
        self._append(first)
        self._acted += 1

    # --- what is shown --------------------------------------------------------------------

    def frame(self, t: int, focus: Mapping[str, Any] | None = None) -> Frame:
        """Draw step t."""
        return self.scenes[t].frame(self.states[t], focus)

    def trace(self, t: int) -> Mapping[str, Any]:
        """Return the numbers of step t."""
        return self.scenes[t].trace(self.states[t])

    def hash(self, t: int) -> str:
        """Return the hash of step t's numbers."""
        return digest(self.trace(t))

    def series(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Return the objectives so far, (n_states, n_objectives)."""
        return np.array(self.values, float).reshape(len(self.values), len(self.kind.objectives))

    def solved(self, t: int) -> list[str]:
        """Return the tasks that step t solves."""
        view = View(
            self.scenes[t],
            self.states[: t + 1],
            self.series()[: t + 1, 0],
            self.done and not self.limit and t == len(self.states) - 1,
        )
        return [task.key for task in self.kind.tasks if task.solved(view)]

    def script(self, t: int, file_name: str = "") -> str:
        """Return Python that makes steps 0 to t."""
        from ._data import script_of

        scene = self.scenes[0]
        head = "import numpy as np\n"
        if self.kind.data is not None:
            spec = self.kind.data
            data = self.setup.data
            if not ({"set", "file", "rows"} & set(data)):
                data = {"set": spec.sets[0], "n": spec.n, "seed": 0, **data}
            head += script_of(data, file_name) + "\n"
        done = self.setup.actions[: self._acted]
        return head + scene.script(done, t).strip() + "\n"
