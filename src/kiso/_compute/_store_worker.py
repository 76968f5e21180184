"""A process that compiles loops for a store; run by `making.py`, never imported.

    python _store_worker.py FOLDER_OF_KISO LEVEL

It reads requests, a line of JSON each ([loop, types]), and answers with the length and the bytes
of a pickled dictionary. It imports modules of loops without the packages round them, so that
nothing has to be installed but Numba and NumPy.
"""

from __future__ import annotations

import gc
import importlib.machinery
import json
import os
import pickle
import sys
import time
import types
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import Any, cast


class _EmptyPackages(MetaPathFinder):
    """Packages of kiso as empty ones, whose modules are found; and no validation of input."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        if fullname == "kiso._validation":
            return importlib.machinery.ModuleSpec(fullname, cast(Any, self))
        folder = self.folder.joinpath(*fullname.split(".")[1:])
        if fullname.split(".")[0] != "kiso" or not (folder / "__init__.py").is_file():
            return None
        spec = importlib.machinery.ModuleSpec(fullname, cast(Any, self), is_package=True)
        spec.submodule_search_locations = [str(folder)]
        return spec

    def create_module(self, spec: Any) -> None:
        return None

    def exec_module(self, module: types.ModuleType) -> None:
        if module.__name__ == "kiso._validation":
            module.Array = Any  # type: ignore[attr-defined]


def _compile(loop: str, codes: list[Any]) -> bytes:
    from kiso._compute import jit, signatures, store

    module, _, name = loop.partition(":")
    loops = vars(importlib.import_module(module))
    jit._bind_module(loops)
    made = loops[name]
    made._cache = jit._private("caching").NullCache()  # code that is loaded cannot be stored again
    args = tuple(signatures.decode(code) for code in codes)
    made._compile_here(args)
    return json.dumps([store.signature_key(args)]).encode() + b"\n" + jit.payload_of(made, args)


def main() -> None:
    folder, name = Path(sys.argv[1]), sys.argv[2]
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what anything prints must not come among the answers
    del sys.path[0]  # the folder of this file: its names are no modules
    sys.meta_path.insert(0, _EmptyPackages(folder))
    from kiso._compute import levels

    level = levels.use(name)
    if level.cpu:  # also for what Numba itself compiles on the way
        os.environ["NUMBA_CPU_NAME"] = level.cpu
        os.environ["NUMBA_CPU_FEATURES"] = level.feature_string
    os.environ["NUMBA_DISABLE_JIT"] = "0"
    gc.freeze()
    gc.set_threshold(200_000, 50, 100)
    for line in sys.stdin:
        loop, codes = json.loads(line)
        begun = time.process_time()
        answer: dict[str, Any] = {"loop": loop}
        try:
            key, _, payload = _compile(loop, codes).partition(b"\n")
            answer.update(key=json.loads(key)[0], payload=payload)
        except Exception as error:  # it is compiled where it is called, if it still is
            answer["error"] = f"{type(error).__name__}: {error}"[:300]
        answer["seconds"] = time.process_time() - begun
        data = pickle.dumps(answer)
        answers.write(len(data).to_bytes(8, "little") + data)
        answers.flush()


if __name__ == "__main__":
    main()
