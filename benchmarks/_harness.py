"""One way to measure: contestants interleaved in one process, objectives checked first.

A speed is a ratio, best peer's time / kiso's time, in one run, at an equal or better
objective. Peers run at their best settings (threads, dtype, algorithm), which the case
names. A peer that is not installed is said, not dropped.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib import import_module, metadata
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

KISO = "kiso"
HERE = Path(__file__).parent
FAMILIES = sorted(p.name for p in HERE.iterdir() if p.is_dir() and not p.name.startswith("_"))


@dataclass(frozen=True)
class Case:
    """One piece of work and who does it.

    Attributes
    ----------
    name : str
        Work and size: "Ridge, 500,000 × 50 float64".
    setup : callable
        `setup() -> data`; not timed. Must give the same data in every process.
    contestants : mapping of str to callable
        `run(data) -> result`; timed. One is called "kiso"; the others name the peer and,
        after a space, its setting ("sklearn lbfgs"). A contestant whose library is absent
        raises ImportError.
    objective : callable
        `objective(data, result) -> float`; smaller is better. Checked before any timing.
    target : float
        The ratio that this case has to reach against the best peer.
    targets : mapping of str to float
        Further ratios, against single peers (by the first word of the name).
    slack : float
        Relative amount by which kiso's objective may exceed the best peer's.
    settings : str
        What the reader has to know: both sides' settings.
    """

    name: str
    setup: Callable[[], Any]
    contestants: Mapping[str, Callable[[Any], Any]]
    objective: Callable[[Any, Any], float]
    target: float
    targets: Mapping[str, float] = field(default_factory=dict)
    slack: float = 1e-6
    settings: str = ""


@dataclass
class Timing:
    """What one contestant did in a case."""

    contestant: str
    seconds: list[float] = field(default_factory=list)
    objective: float = float("nan")
    peak_mib: float | None = None  # what the work added to the process at its peak
    absent: str = ""

    @property
    def best(self) -> float:
        return min(self.seconds, default=float("nan"))

    @property
    def median(self) -> float:
        return median(self.seconds) if self.seconds else float("nan")


@dataclass
class Result:
    """A case, measured."""

    case: str
    settings: str
    target: float
    targets: dict[str, float]
    timings: list[Timing]
    objective_holds: bool

    def ratio(self, contestant: str | None = None) -> float:
        """Time of a peer (default: the fastest) over kiso's, minimum against minimum."""
        own = next(t for t in self.timings if t.contestant == KISO)
        peers = [
            t.best
            for t in self.timings
            if t is not own and t.seconds and (contestant is None or _peer(t) == contestant)
        ]
        return min(peers) / own.best if peers else float("nan")

    @property
    def reached(self) -> bool:
        goals = [(None, self.target), *self.targets.items()]
        ratios = [(self.ratio(peer), goal) for peer, goal in goals]
        return self.objective_holds and all(r >= goal for r, goal in ratios if np.isfinite(r))

    def to_dict(self) -> dict[str, Any]:
        own = asdict(self)
        own["ratio"] = self.ratio()
        own["ratios"] = {peer: self.ratio(peer) for peer in self.targets}
        own["reached"] = self.reached
        return own


def _peer(timing: Timing) -> str:
    return timing.contestant.split()[0]


def measure(case: Case, *, family: str = "", repeats: int = 5, budget: float = 60.0) -> Result:
    """Run a case: objectives, then timings in rotating order, then memory in child processes.

    Memory is measured where a family is named (a child process finds the case by it).

    A contestant stops being repeated once it has used `budget` seconds; it runs at least
    twice (the first, untimed run warms caches and compiles).
    """
    data = case.setup()
    timings = [_first_run(case, name, run, data) for name, run in case.contestants.items()]
    holds = _objective_holds(case, timings)
    for turn in range(repeats):
        for shift in range(len(timings)):
            timing = timings[(turn + shift) % len(timings)]
            if timing.absent or (timing.seconds and sum(timing.seconds) > budget):
                continue
            timing.seconds.append(_time(case.contestants[timing.contestant], data))
    if family:
        for timing in timings:
            if not timing.absent:
                timing.peak_mib = _peak_in_child(family, case.name, timing.contestant)
    return Result(case.name, case.settings, case.target, dict(case.targets), timings, holds)


def _first_run(case: Case, name: str, run: Callable[[Any], Any], data: Any) -> Timing:
    timing = Timing(name)
    try:
        timing.objective = float(case.objective(data, run(data)))
    except ImportError as error:
        timing.absent = str(error)
        if name == KISO:
            raise
    return timing


def _objective_holds(case: Case, timings: list[Timing]) -> bool:
    own = next(t.objective for t in timings if t.contestant == KISO)
    peers = [t.objective for t in timings if t.contestant != KISO and not t.absent]
    best = min(peers, default=own)
    return bool(own <= best + case.slack * max(1e-300, abs(best)))


PAUSE = 0.25  # seconds; threads of OpenMP look for work 0.2 s long before they sleep


def _time(run: Callable[[Any], Any], data: Any) -> float:
    """Seconds of a run, begun when the threads of the one before it have gone to sleep."""
    time.sleep(PAUSE)
    start = time.perf_counter()
    run(data)
    return time.perf_counter() - start


def _peak_in_child(family: str, case: str, contestant: str) -> float | None:
    """Peak that one run adds, in a process of its own (Linux; None elsewhere)."""
    if not Path("/proc/self/clear_refs").exists():
        return None
    command = [sys.executable, "-m", "benchmarks._peak", family, case, contestant]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    return float(done.stdout.split()[-1]) if done.returncode == 0 and done.stdout else None


def cases(family: str) -> list[Case]:
    """All cases of a family: the `CASES` of each file of its folder."""
    files = sorted((HERE / family).glob("_*.py"))
    names = [f.stem for f in files if f.stem != "__init__"]
    modules = [import_module(f"benchmarks.{family}.{name}") for name in names]
    return [case for module in modules for case in module.CASES]


@cache
def versions() -> dict[str, str]:
    """Versions of kiso, its peers and what they stand on."""
    found = {"python": sys.version.split()[0]}
    for name in (
        "kiso",
        "numpy",
        "scipy",
        "numba",
        "scikit-learn",
        "scikit-learn-intelex",
        "statsmodels",
        "torch",
        "jax",
        "faiss-cpu",
        "pykdtree",
    ):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
