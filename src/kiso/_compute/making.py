"""Make a store: compile the listed loops in as many processes as there are cores.

The wheel's build hook and `kiso warm` do it. This module needs nothing but the standard library,
so that the build hook can load it by its path.
"""

from __future__ import annotations

import json
import os
import pickle
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["Made", "compile_all", "cores"]

_WORKER = Path(__file__).with_name("_store_worker.py")


class Made(NamedTuple):
    """A loop that was compiled for a store, or why it was not.

    Attributes
    ----------
    loop, key : str
    payload : bytes
        Empty where it failed.
    seconds : float
        Processor time of the compilation.
    error : str
    """

    loop: str
    key: str
    payload: bytes
    seconds: float
    error: str


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def compile_all(
    wanted: Sequence[tuple[str, list[Any]]],
    level: str,
    *,
    package: Path,
    processes: int | None = None,
    seconds: float | None = None,
    progress: Callable[[Made], None] | None = None,
) -> list[Made]:
    """Compile loops in processes of their own; Ctrl-C ends them.

    Parameters
    ----------
    wanted : sequence of (loop, encoded types)
        The most urgent first.
    level : str
    package : Path
        The folder `kiso` whose loops are compiled.
    processes : int, optional
        The number of cores where not given.
    seconds : float, optional
        After this time no further compilation begins.
    progress : callable, optional
        Called with each result, from several threads.

    Returns
    -------
    list of Made
    """
    waiting: queue.SimpleQueue[tuple[str, list[Any]]] = queue.SimpleQueue()
    for each in wanted:
        waiting.put(each)
    end = time.monotonic() + (seconds if seconds is not None else 1e9)
    found: list[Made] = []
    running: list[subprocess.Popen[bytes]] = []
    lock = threading.Lock()
    over = threading.Event()

    def serve() -> None:
        worker: subprocess.Popen[bytes] | None = None
        while not over.is_set() and time.monotonic() < end:
            try:
                loop, types = waiting.get_nowait()
            except queue.Empty:
                break
            if worker is None or worker.poll() is not None:
                worker = _worker(package, level)
                with lock:
                    running.append(worker)
            made = _ask(worker, loop, types)
            with lock:
                found.append(made)
                if progress is not None and not over.is_set():
                    progress(made)
        if worker is not None and worker.stdin is not None:
            worker.stdin.close()
            worker.wait()

    n = max(1, min(processes or cores(), len(wanted)))
    threads = [threading.Thread(target=serve, name="kiso-warm", daemon=True) for _ in range(n)]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(0.2)
    finally:
        over.set()
        with lock:
            for worker in running:
                worker.kill()
    return found


def _worker(package: Path, level: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(_WORKER), str(package), level]
    env = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    env["NUMBA_NUM_THREADS"] = "1"
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env)


def _ask(worker: subprocess.Popen[bytes], loop: str, types: list[Any]) -> Made:
    assert worker.stdin is not None
    assert worker.stdout is not None
    try:
        worker.stdin.write(json.dumps([loop, types]).encode() + b"\n")
        worker.stdin.flush()
        length = int.from_bytes(worker.stdout.read(8), "little")
        answer = pickle.loads(worker.stdout.read(length)) if length else {}
    except (OSError, EOFError, pickle.UnpicklingError) as error:
        return Made(loop, "", b"", 0.0, f"its process ended: {error}")
    return Made(
        loop,
        answer.get("key", ""),
        answer.get("payload", b""),
        answer.get("seconds", 0.0),
        answer.get("error", "" if answer else "its process ended"),
    )
