"""Run the experiments that the chapters of docs/path name, and keep what they measured.

`python docs/list_verdicts.py` runs those that are missing, `python docs/list_verdicts.py NAME ...`
the ones named; `python docs/list_verdicts.py results.json` takes the output of
`kiso reproduce --json`. Experiments that need data look in the folder that KISO_DATA names.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from kiso.experiments import load
from kiso.report import ExperimentResult, experiments_to_dict, status_of

PATH = Path(__file__).parent / "path"
RESULTS = PATH / "verdicts.json"
KEPT = ("name", "claim", "verdict", "checks")


def named() -> list[str]:
    """Experiments that a chapter shows, in the order of the files."""
    pages = [page.read_text("utf-8") for page in sorted(PATH.glob("*.md"))]
    return [name for page in pages for name in re.findall(r"```\{verdict\} (\S+)", page)]


def measured(name: str) -> dict[str, Any]:
    """Run one."""
    experiment = load(name)
    outcome = experiment.run(0)
    result = ExperimentResult(experiment, status_of(outcome.verdict), outcome)
    found: dict[str, Any] = experiments_to_dict([result])["experiments"][0]
    return found


def main(arguments: list[str]) -> None:
    """Bring the file of results up to date."""
    kept = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    files = [a for a in arguments if a.endswith(".json")]
    for file in files:
        for result in json.loads(Path(file).read_text("utf-8"))["experiments"]:
            if result["checks"]:
                kept[result["name"]] = result
    wanted = named()
    again = [a for a in arguments if a not in files]
    for name in again or [name for name in wanted if name not in kept]:
        kept[name] = measured(name)
    kept = {name: {key: kept[name][key] for key in KEPT} for name in sorted(set(wanted))}
    RESULTS.write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
