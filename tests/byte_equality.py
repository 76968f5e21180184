"""Are the results of two checkouts the same byte for byte?

    python tests/byte_equality.py                      # a digest per fit of this checkout
    python tests/byte_equality.py --against ../before  # compare with another one
    python tests/byte_equality.py --only KMeans        # fits whose name contains it

Every public estimator is fitted on fixed seeds, in float64 and float32, dense and (where it is
taken) sparse; the digest is of the public fitted attributes and of what the prediction methods
return. A change that claims to leave results alone runs it before and after.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve()


def _update(digest: Any, value: Any) -> None:
    import numpy as np
    from scipy import sparse

    if sparse.issparse(value):
        value = (value.data, value.indices, value.indptr)
    if isinstance(value, np.ndarray):
        if value.dtype == object:
            for item in value.ravel():
                _update(digest, item)
            return
        digest.update(f"{value.dtype}{value.shape}".encode())
        digest.update(np.ascontiguousarray(value).tobytes())
    elif isinstance(value, (bool, int, float, str, np.generic)):
        digest.update(repr(value).encode())
    elif isinstance(value, (list, tuple)):
        for item in value:
            _update(digest, item)


def print_digests(only: str) -> None:
    """Print "digest  name" for each fit."""
    sys.path.insert(0, str(HERE.parent))
    from helpers.first_fits import answers, variants

    for name, case, X, y in variants():
        if only not in name:
            continue
        digest = hashlib.sha256()
        try:
            for key, value in sorted(answers(case, X, y).items()):
                digest.update(key.encode())
                _update(digest, value)
            text = digest.hexdigest()[:16]
        except Exception as error:
            text = f"{type(error).__name__}: {error}"[:60].replace("\n", " ")
        print(f"{text}\t{name}", flush=True)


def digests_of(tree: Path, only: str) -> dict[str, str]:
    """Run this script against the sources of a checkout."""
    env = {**os.environ, "PYTHONPATH": str(tree / "src")}
    command = [sys.executable, str(HERE), "--only", only]
    out = subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout
    return {name: digest for digest, name in (line.split("\t") for line in out.splitlines())}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--against", type=Path, help="another checkout of kiso")
    parser.add_argument("--only", default="", help="part of a fit's name")
    args = parser.parse_args()
    if args.against is None:
        print_digests(args.only)
        return 0
    before = digests_of(args.against, args.only)
    after = digests_of(HERE.parents[1], args.only)
    differ = [name for name in before if before[name] != after.get(name)]
    for name in differ:
        print(f"differs\t{name}\t{before[name]}\t{after.get(name)}")
    print(f"{len(before) - len(differ)} of {len(before)} fits are equal to the byte")
    return bool(differ)


if __name__ == "__main__":
    sys.exit(main())
