"""``python -m tests.conformance ROOM [pytest options]``: scikit-learn's tests of a family.

Prints, for each class, how many of scikit-learn's own tests pass with kiso's class in its
place, and the tests that fail without being expected to. Returns 1 if there are any, or if an
expectation is out of date. Options after the room go to pytest: ``svm -k sparse --tb=short``,
``-n 2``, ``-x``. Without a room: all of them, one process each.

``--fast`` runs some files of some families.
``--keep FOLDER`` keeps what was found, ``--kept FOLDER`` shows it again without running anything
(after an edit of ``expected/``), ``--docs`` writes the tables into docs/conformance.md.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import sklearn

from . import pages
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

# what `--fast` runs: minutes on two cores
FAST = {
    "svm": ["svm/tests/test_svm.py"],
    "cluster": ["cluster/tests/test_k_means.py"],
    "neural_network": ["neural_network/tests/test_mlp.py"],
    "decomposition": ["decomposition/tests/test_incremental_pca.py"],
    "tree": ["tree/tests/test_export.py"],
}


def run(room, options=(), keep=None, paths=None):
    """Run a room in a process of its own; return its outcome and pytest's exit status."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(keep or folder, f"{room}.jsonl")
        report.parent.mkdir(parents=True, exist_ok=True)
        report.unlink(missing_ok=True)
        command = [sys.executable, "-m", "pytest", "-c", str(_HERE / "pytest.ini")]
        command += [f"--rootdir={_SKLEARN.parent}", f"--confcutdir={_SKLEARN}"]
        command += ["-p", "tests.conformance.swap", "-p", "tests.conformance.record"]
        command += ["--tb=no", "-r", "", *options]
        command += [str(_SKLEARN / path) for path in paths or ROOMS[room]]
        found = [str(_HERE.parents[1]), str(_HERE.parents[1] / "src")]
        found += [os.environ["PYTHONPATH"]] if os.environ.get("PYTHONPATH") else []
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(found),
            "KISO_CONFORMANCE_REPORT": str(report),
            "MPLBACKEND": "Agg",
        }
        status = subprocess.run(command, env=environment, cwd=_HERE.parents[1]).returncode
        return read_report(room, report), status


def read_report(room, report):
    """The outcome that a file of results holds."""
    lines = report.read_text().splitlines() if report.exists() else []
    results = [Result(**json.loads(line)) for line in lines]
    return Outcome(room, read_expected(room), results)


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
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("--keep", type=Path, help="folder to keep the results in")
    parser.add_argument("--kept", type=Path, help="folder of kept results: run nothing")
    parser.add_argument("--fast", action="store_true", help="a part that takes minutes")
    parser.add_argument("--docs", action="store_true", help="write the tables of docs/")
    known, rest = parser.parse_known_args(arguments)
    rooms = [a for a in rest if a in ROOMS]
    options = [a for a in rest if a not in ROOMS]
    narrowed = known.fast or any(o in ("-k", "-x", "-m") or "::" in o for o in options)
    good, outcomes = True, []
    for room in rooms or (FAST if known.fast else ROOMS):
        print(f"== {room}", flush=True)
        if known.kept:
            outcome, status = read_report(room, known.kept / f"{room}.jsonl"), 0
        else:
            outcome, status = run(room, options, known.keep, FAST.get(room) if known.fast else None)
        if status not in (0, 1):
            print(f"pytest ended with status {status}")
            good = False
        good &= show(outcome, whole=not narrowed)
        outcomes.append(outcome)
    if known.docs:
        pages.write(outcomes)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
