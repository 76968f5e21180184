"""Where tests find real data: the data-cache setting, else a folder beside the checkout."""

import os
import signal
import threading
from pathlib import Path

import matplotlib as mpl
import pytest

mpl.use("Agg")

# A run that was started in the background inherits SIGINT as ignored, and so would every process
# that a test starts to interrupt it.
if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)

_BESIDE = Path(__file__).parents[2] / "shared" / "data"
if "KISO_DATA" not in os.environ and _BESIDE.is_dir():
    os.environ["KISO_DATA"] = str(_BESIDE)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    """With -n auto: more processes than this would compile the same loops side by side."""
    return min(4, os.cpu_count() or 1)


@pytest.fixture
def real_data():
    """Path of a real data file; skips, saying so, where it is absent."""

    def find(relative):
        folder = os.environ.get("KISO_DATA")
        path = Path(folder, relative) if folder else None
        if path is None or not path.exists():
            pytest.skip(f"data set {relative} is absent (set KISO_DATA to its folder)")
        return path

    return find


@pytest.fixture(autouse=True)
def _no_terminal(monkeypatch):
    """Output has the width that a pipe gives it, also where pytest runs in several processes."""
    monkeypatch.delenv("COLUMNS", raising=False)
