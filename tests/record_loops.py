"""Write the list of loops that are compiled in advance: what the first fits call.

    python tests/record_loops.py            # fits everything, writes signatures.json
    python tests/record_loops.py --check    # says what would have to be compiled beside the list

Every public estimator is fitted (`helpers/first_fits.py`), and every candidate of the commands
`compare` and `fit` on the data sets that come along. Run it after changing loops or their
callers; a list that has fallen behind only means that loops are compiled at their first call.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve()
sys.path.insert(0, str(HERE.parent))


def called(run: Any) -> set[tuple[str, str]]:
    """Run; return the loops that have been called so far, with their encoded types."""
    from kiso._compute import jit, signatures

    run()
    found = set()
    for loop, args in jit.entries():
        if loop.startswith("kiso."):
            try:
                code = json.dumps([signatures.encode(each) for each in args])
            except TypeError as error:
                print(f"left out: {loop}: {error}")
                continue
            found.add((loop, code))
    return found


def commands() -> None:
    """Do what the README's commands do."""
    import tempfile

    from click.testing import CliRunner

    from kiso.cli import main

    with tempfile.TemporaryDirectory() as folder:
        for given in (
            ["compare"],
            ["compare", "diabetes", "--target", "progression"],
            ["compare", "iris", "--report", f"{folder}/report.html"],
        ):
            result = CliRunner().invoke(main, given)
            print(" ".join(given), "→", result.exit_code, (result.output or "")[-200:].strip()[:80])


def record() -> dict[str, list[Any]]:
    """Run everything; return the list."""
    from helpers.first_fits import answers, variants

    ranks: dict[tuple[str, str], int] = {}

    def note(rank: int, run: Any) -> None:
        for each in called(run):
            ranks.setdefault(each, rank)

    def fit(case: Any, X: Any, y: Any) -> None:
        try:
            answers(case, X, y)
        except Exception as error:
            print(f"{case.name}: {error!r}")

    everything = list(variants())
    for first in (True, False):
        for name, case, X, y in everything:
            if (" float64 dense" in name) == first:
                begun = time.process_time()
                note(0 if first else 1, lambda case=case, X=X, y=y: fit(case, X, y))
                print(f"{time.process_time() - begun:7.2f} s  {name}", flush=True)
        if first:
            note(0, commands)
    known = _known_seconds()
    entries: dict[str, list[Any]] = {}
    for (loop, code), rank in sorted(ranks.items()):
        seconds = known.get((loop, code), 1.0)
        entries.setdefault(loop, []).append([json.loads(code), rank, seconds])
    return entries


def _known_seconds() -> dict[tuple[str, str], float]:
    from kiso._compute import signatures

    return {(one.loop, json.dumps(one.types)): one.seconds for one in signatures.listed()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    from kiso._compute import jit, signatures

    entries = record()
    new = {(loop, json.dumps(each[0])) for loop, some in entries.items() for each in some}
    old = set(_known_seconds())
    print(f"{len(new)} loops and types, {len(new - old)} of them not in the list;")
    print(f"{len(old - new)} of the list not called; {len(jit.compilations)} compiled here")
    if args.check:
        return bool(new - old)
    lines = []
    for loop, some in entries.items():
        each = ",\n  ".join(json.dumps(one, separators=(",", ":")) for one in some)
        lines.append(f"{json.dumps(loop)}: [\n  {each}\n]")
    signatures.LIST.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
