"""What a page asks for, and the answers: runs in a process of their own."""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ._codec import lines, pack
from ._data import Files, FileWantedError
from ._scene import scene_named
from ._timeline import Timeline, read_setup

__all__ = ["Session", "warm", "work"]

SLICE = 0.25  # seconds of work before an answer says how far it came
MAX_TRACE = 2000  # steps that an export holds


class Session:
    """The runs of one page: the one on the stage, and the one beside it."""

    def __init__(self) -> None:
        self.files = Files()
        self.lanes: list[Timeline] = []
        self.known: set[str] = set()
        self.scene = ""

    def answer(self, request: Mapping[str, Any]) -> bytes:
        """Do what a request says; an error is an answer too, in one sentence."""
        op = request.get("op")
        try:
            handler = {"show": self.show, "rules": self.rules, "upload": self.upload,
                       "script": self.script, "trace": self.trace}.get(str(op))  # fmt: skip
            if handler is None:
                raise ValueError(f"op={op!r} is not known")
            message = handler(request)
        except FileWantedError as error:
            message = {"error": str(error), "wants": error.digest}
        except (ValueError, TypeError, KeyError, IndexError) as error:
            message = {"error": str(error).strip("'\"") or type(error).__name__}
        except Exception as error:
            message = {"error": f"{type(error).__name__}: {error}",
                       "detail": traceback.format_exc(limit=8)}  # fmt: skip
        return pack({"id": request.get("id"), **message}, self.known)

    def _set(self, given: Mapping[str, Any], beside: Mapping[str, Any] | None) -> None:
        first = read_setup(given)
        setups = [first]
        if beside is not None:
            if not isinstance(beside, Mapping):
                raise ValueError("beside: a mapping of parameters")
            setups.append(replace(first, params={**first.params, **beside}))
        for number, setup in enumerate(setups):
            if number < len(self.lanes):
                self.lanes[number].become(setup)
            else:
                self.lanes.append(Timeline(setup, self.files))
        del self.lanes[len(setups) :]

    def show(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Show step t of a setup."""
        setup = request["setup"]
        if request.get("fresh"):
            self.known.clear()
        self._set(setup, setup.get("beside"))
        t = request.get("t", 0)
        if isinstance(t, bool) or not isinstance(t, int) or t < 0:
            raise ValueError(f"t={t!r}: give a step, 0 or more")
        reached = max(lane.reach(t, SLICE) for lane in self.lanes)
        short = any(len(lane.states) <= t and not lane.done for lane in self.lanes)
        lanes = [self._lane(lane, reached, request) for lane in self.lanes]
        message = {"t": reached, "pending": short, "lanes": lanes,
                   "solved": self.lanes[0].solved(lanes[0]["t"])}  # fmt: skip
        if request.get("describe"):
            message["scene"] = scene_named(setup["scene"]).describe()
        return message

    def _lane(self, lane: Timeline, t: int, request: Mapping[str, Any]) -> dict[str, Any]:
        at = min(t, len(lane.states) - 1)
        frame = lane.frame(at, request.get("focus"))
        scene = lane.scenes[at]
        shown = {
            "t": at,
            "n": len(lane.states),
            "done": lane.done,
            "limit": lane.limit,
            "hash": lane.hash(at),
            "frame": frame.describe(),
            "series": lane.series(),
            "params": scene.p,
            "points": None if scene.points is None else {
                "xy": scene.X, "y": scene.y, "names": scene.points.names,
                "source": scene.points.source, "classes": scene.points.classes},
        }  # fmt: skip
        if request.get("check"):
            shown["checks"] = [check.describe() for check in scene.check(lane.states[at])]
        return shown

    def rules(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Write the rule of the step shown for what the pointer is over."""
        lane = self.lanes[int(request.get("lane", 0))]
        t = min(int(request["t"]), len(lane.states) - 1)
        frame = lane.frame(t, request.get("focus"))
        return {"rules": [rule.describe() for rule in frame.rules]}

    def upload(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Read a table that the user brings."""
        return {"table": self.files.add(str(request["name"]), request["raw"])}

    def script(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return Python for the run shown."""
        lane = self.lanes[0]
        name = ""
        digest = lane.setup.data.get("file")
        if digest in self.files.tables:
            name = self.files.tables[digest][0]
        return {"script": lane.script(min(int(request["t"]), len(lane.states) - 1), name)}

    def trace(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return the run so far as JSON lines: a head, then a line a step."""
        kind = scene_named(self.lanes[0].setup.scene)
        known: set[str] = set()
        n = max(len(lane.states) for lane in self.lanes)
        head = {"kiso-lab": 1, "setup": request["setup"], "scene": kind.describe(), "steps": n}
        text = lines(head, known)
        full = bool(request.get("frames"))
        for t in range(min(n, MAX_TRACE)):
            entry: dict[str, Any] = {"t": t}
            if full:
                entry["lanes"] = [self._lane(lane, t, {}) for lane in self.lanes]
                for shown in entry["lanes"]:
                    if t < min(n, MAX_TRACE) - 1:
                        del shown["series"]  # the last has it all
            else:
                at = [min(t, len(lane.states) - 1) for lane in self.lanes]
                entry["states"] = [lane.trace(i) for lane, i in zip(self.lanes, at, strict=True)]
                entry["hashes"] = [lane.hash(i) for lane, i in zip(self.lanes, at, strict=True)]
            text += lines(entry, known)
        return {"trace": "\n".join(text) + "\n"}


def warm() -> None:
    """Take two steps of every scene, so that its loops are in Numba's cache."""
    import os
    import signal

    from ._scene import Setup, all_scenes

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    warnings.simplefilter("ignore")
    if hasattr(os, "nice"):
        os.nice(10)
    for kind in all_scenes():
        try:
            run = Timeline(Setup(kind.name))
            run.frame(run.reach(2))
        except Exception:  # what a scene cannot do it says when it is opened
            continue


def work(connection: Any, tables: Sequence[tuple[str, bytes]] = ()) -> None:
    """Serve one page: the main function of a worker process."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which ends us
    warnings.simplefilter("ignore")  # convergence is shown on the stage
    session = Session()
    for name, raw in tables:
        session.files.add(name, raw)
    while True:
        try:
            request = connection.recv()
        except (EOFError, OSError):
            return
        connection.send_bytes(session.answer(request))
