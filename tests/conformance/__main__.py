"""``python -m tests.conformance ROOM [pytest options]``: scikit-learn's tests of a family.

Prints, for each class, how many of scikit-learn's own tests pass with kiso's class in its
place, and the tests that fail without being expected to. Returns 1 if there are any, or if an
expectation is out of date. Options after the room go to pytest: ``svm -k sparse --tb=short``,
``-n 2``, ``-x``. Without a room: all of them, one process each.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import sklearn

from .outcome import Outcome, Result, read_expected

_HERE = Path(__file__).parent
_SKLEARN = Path(sklearn.__file__).parent
ROOMS = {
    "linear_model": ["linear_model/tests"],
    "svm": ["svm/tests"],
    "neighbors": ["neighbors/tests"],
    "cluster": ["cluster/tests"],
    "decomposition": ["decomposition/tests"],
    "tree": ["tree/tests"],
    "ensemble": ["ensemble/tests"],
    "neural_network": ["neural_network/tests"],
    "test_common": ["tests/test_common.py"],
}


def run(room, options=()):
    """Run a room in a process of its own; return its outcome and pytest's exit status."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.jsonl")
        command = [sys.executable, "-m", "pytest", "-c", str(_HERE / "pytest.ini")]
        command += [f"--rootdir={_SKLEARN.parent}", f"--confcutdir={_SKLEARN}"]
        command += ["-p", "tests.conformance.swap", "-p", "tests.conformance.record"]
        command += ["--tb=no", "-r", "", *options]
        command += [str(_SKLEARN / path) for path in ROOMS[room]]
        paths = [str(_HERE.parents[1]), str(_HERE.parents[1] / "src")]
        paths += [os.environ["PYTHONPATH"]] if os.environ.get("PYTHONPATH") else []
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(paths),
            "KISO_CONFORMANCE_REPORT": str(report),
            "MPLBACKEND": "Agg",
        }
        status = subprocess.run(command, env=environment, cwd=_HERE.parents[1]).returncode
        lines = report.read_text().splitlines() if report.exists() else []
    results = [Result(**json.loads(line)) for line in lines]
    return Outcome(room, read_expected(room), results), status


def show(outcome, *, whole):
    """Print the table and what is wrong; return whether nothing is."""
    wrong = outcome.unexpected()
    for result in wrong:
        print(f"FAILED {result.nodeid}\n       {result.message}")
    unproved = list(outcome.unproved())
    for result in unproved:
        print(f"NOT A MATTER OF WORDS {result.nodeid}\n       {result.message}")
    stale = outcome.stale() if whole else []
    for entry in stale:
        print(f"PASSES, remove from expected/{outcome.room}.toml: {entry.test}")
    for name, (passed, counted) in outcome.table().items():
        print(f"{name}: {passed} of {counted} ({passed / counted:.1%})")
    return not (wrong or unproved or stale)


def main(arguments):
    rooms = [a for a in arguments if a in ROOMS]
    options = [a for a in arguments if a not in ROOMS]
    good = True
    for room in rooms or ROOMS:
        print(f"== {room}", flush=True)
        outcome, status = run(room, options)
        if status not in (0, 1):
            print(f"pytest ended with status {status}")
            good = False
        narrowed = any(o in ("-k", "-x", "-m") or "::" in o for o in options)
        good &= show(outcome, whole=not narrowed)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
