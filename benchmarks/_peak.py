"""Peak memory that one contestant adds: `python -m benchmarks._peak FAMILY CASE CONTESTANT`."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

from benchmarks._harness import cases


def _status(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1])
    raise KeyError(name)


def peak_mib(family: str, name: str, contestant: str) -> float:
    """MiB above what the process held with the data loaded, in a second run of the work."""
    case = next(case for case in cases(family) if case.name == name)
    data = case.setup()
    run = case.contestants[contestant]
    run(data)  # imports and compilation are not the work's memory
    before = _status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the high-water mark starts anew
    result = run(data)
    peak = _status("VmHWM")
    del result
    return max(0, peak - before) / 1024


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    print(peak_mib(*sys.argv[1:4]))
