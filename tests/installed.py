"""Does an installation from a wheel compile nothing? Run it with that installation's Python.

    python -P tests/installed.py

It does the README's main job and the first fits of all estimators with empty caches, counts what
the compiler was asked for, and fails if that is anything. It prints the processor seconds of each
first fit.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve()


def main() -> int:
    with tempfile.TemporaryDirectory() as empty:
        os.environ["NUMBA_CACHE_DIR"] = os.environ["XDG_CACHE_HOME"] = empty
        import kiso

        if Path(kiso.__file__).is_relative_to(HERE.parents[1] / "src"):
            print("this is the checkout, not an installation")
            return 2
        from click.testing import CliRunner

        from kiso._compute import jit
        from kiso.cli import main as command

        begun = time.process_time()
        result = CliRunner().invoke(command, ["compare"])
        print(f"{time.process_time() - begun:7.2f} s  kiso compare → {result.exit_code}")
        sys.path.insert(0, str(HERE.parent))
        from helpers.first_fits import answers, variants

        for name, case, X, y in variants():
            begun, before = time.process_time(), len(jit.compilations)
            answers(case, X, y)
            seconds = time.process_time() - begun
            more = f"  compiled {len(jit.compilations) - before}"
            print(f"{seconds:7.2f} s  {name}{more if len(jit.compilations) > before else ''}")
        for loop in jit.compilations:
            print(f"compiled: {loop}")
        print(f"{len(jit.compilations)} loops were compiled")
        return 1 if jit.compilations or result.exit_code else 0


if __name__ == "__main__":
    sys.exit(main())
