"""Stores of compiled loops: found, ignored, damaged; one level of the processor a process."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from kiso._compute import levels, signatures, store
from kiso.precompile import precompile

pytestmark = [
    pytest.mark.jit,
    pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT") == "1", reason="nothing is compiled"),
]

SRC = str(Path(store.__file__).parents[2])
f8 = ["array", "float64", 1, "C", ""]
# of kiso._compute.matmul_loops, whose code depends on the width of vectors
WANTED = {
    "kiso._compute.rows_loops:csr_add_squares": [
        [["array", "int32", 1, "C", ""], ["array", "int32", 1, "C", ""], f8, "int64",
         ["array", "float64", 2, "C", ""], ["array", "float64", 2, "C", ""]],
    ],
}  # fmt: skip

CALL = """
    import logging; logging.basicConfig(level=logging.INFO, format="%(message)s")
    import numpy as np
    from kiso._compute import jit
    from kiso._compute.rows_loops import csr_add_squares
    D, i = np.zeros((2, 1)), np.arange(3, dtype=np.int32)
    csr_add_squares(i, i[:2].copy(), np.array([2.0, 3.0]), 0, np.ones((2, 1)), D)
    print(D.ravel().tolist(), len(jit.compilations), jit._chosen_level().name)
"""


def run(code, folder, **more):
    """Run Python with empty caches below a folder; return (stdout, stderr)."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA")}
    env |= {"XDG_CACHE_HOME": str(folder), "LOCALAPPDATA": str(folder), "PYTHONPATH": SRC}
    env |= {"NUMBA_CACHE_DIR": str(folder / "numba"), **more}
    out = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], env=env, capture_output=True, text=True
    )
    assert out.returncode == 0, out.stderr
    return out.stdout.strip(), out.stderr


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with a store of one loop, made as `kiso warm` makes it."""
    folder = tmp_path_factory.mktemp("store")
    entries = {loop: [[each, 0, 1.0] for each in some] for loop, some in WANTED.items()}
    (folder / "list.json").write_text(json.dumps(entries))
    code = f"""
        from pathlib import Path
        from kiso._compute import signatures
        from kiso import precompile
        signatures.LIST = Path({str(folder / "list.json")!r})
        signatures.listed.__defaults__ = (signatures.LIST,)
        seen = []
        made = precompile.precompile(progress=lambda done, total: seen.append((done, total)))
        assert not made.errors, made.errors
        assert seen == [(1, 1)]
        print(made.path)
    """
    path, _ = run(code, folder)
    return Path(path)


@pytest.fixture
def copy(made, tmp_path):
    """A copy of that store that a test may damage, where another process finds it."""
    path = tmp_path / made.relative_to(made.parents[2])
    path.parent.mkdir(parents=True)
    path.write_bytes(made.read_bytes())
    return path


def test_what_is_stored_is_not_compiled(copy, tmp_path):
    out, _ = run(CALL, tmp_path)
    assert out == f"[4.0, 9.0] 0 {levels.best_level().name}"


def test_without_a_store_it_is_compiled(tmp_path):
    out, _ = run(CALL, tmp_path)
    assert out.split(" ")[2] == "1"


@pytest.mark.parametrize("where", ["entry", "header", "cut off"])
def test_a_damaged_store_is_ignored(copy, tmp_path, where):
    data = bytearray(copy.read_bytes())
    if where == "cut off":
        del data[len(data) // 2 :]
    else:
        data[-20 if where == "entry" else 60] ^= 0xFF
    copy.write_bytes(data)
    out, err = run(CALL, tmp_path)
    assert out.startswith("[4.0, 9.0] 1 ")
    assert "damaged" in err or "changed" in err or "cut off" in err


def test_a_store_of_other_sources_is_ignored(copy, tmp_path):
    code = "from kiso._compute import store\nstore.digest_of = lambda files: 'other'\n"
    out, _ = run(code + textwrap.dedent(CALL), tmp_path)
    assert out.startswith("[4.0, 9.0] 1 ")


def test_a_store_of_other_versions_is_not_found(copy, tmp_path):
    copy.rename(copy.with_name(copy.name.replace("-0_", "-9_").replace("-0.", "-9.")))
    out, _ = run(CALL, tmp_path)
    assert out.startswith("[4.0, 9.0] 1 ")


def test_bounds_checks_leave_the_store_alone(copy, tmp_path):
    out, _ = run(CALL, tmp_path, NUMBA_BOUNDSCHECK="1")
    assert out.startswith("[4.0, 9.0] 1 ")


@pytest.mark.skipif(levels.best_level().name != "x86-64-v4", reason="needs AVX-512")
def test_one_level_a_process(copy, tmp_path):
    """With a store for a lower level, what is compiled beside it is for that level, too."""
    data = copy.read_bytes()
    copy.unlink()
    name = copy.name.replace("x86-64-v4", "x86-64-v3")
    code = f"""
        from kiso import precompile
        from kiso._compute import signatures
        wanted = [signatures.Wanted(loop, types, 0, 1.0)
                  for loop, some in {WANTED!r}.items() for types in some]
        signatures.listed = lambda: wanted
        print(precompile.precompile(level="x86-64-v3").path.name)
    """
    assert run(code, tmp_path)[0] == name
    assert copy.with_name(name).read_bytes() != data
    more = """
    from kiso._compute.matmul import product
    from kiso._compute.llvm import vector_shape
    a = np.arange(8000.0).reshape(80, 100) % 7
    assert np.array_equal(product(a, a.T.copy()), a @ a.T)
    print(vector_shape(), len(jit.compilations) > 0)
    """
    out, _ = run(CALL + more, tmp_path)
    assert out.splitlines() == ["[4.0, 9.0] 0 x86-64-v3", "(32, 6) True"]


@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
@pytest.mark.parametrize("content", [b"", b"garbage"])
def test_a_damaged_cache_on_disk_is_thrown_away(tmp_path, suffix, content):
    run(CALL, tmp_path)
    files = list((tmp_path / "numba").rglob(f"*csr_add_squares*{suffix}"))
    assert files
    for path in files:
        path.write_bytes(content)
    out, err = run(CALL, tmp_path)
    assert out.startswith("[4.0, 9.0] 1 ")
    assert "compiled anew" in err
    out, err = run(CALL, tmp_path)  # and kept again
    assert out.startswith("[4.0, 9.0] 0 ")
    assert "anew" not in err


def test_a_full_disk_is_no_error(tmp_path):
    code = """
    import pathlib, numba.core.caching as caching
    def full(self, path):
        raise OSError(28, "No space left on device")
    caching.IndexDataCacheFile._open_for_write = full
    """
    out, err = run(textwrap.dedent(code) + textwrap.dedent(CALL), tmp_path)
    assert out.startswith("[4.0, 9.0] 1 ")
    assert "could not be kept" in err


SLOW = """
    import logging, sys, time; logging.basicConfig(level=logging.INFO, format="%(message)s")
    from kiso._compute import jit
    @jit.compiled
    def loop(x):
        return x + 1
    make = jit._numba_classes()["Dispatcher"]._compile_here
    def slow(self, sig):
        print("compiling", flush=True)
        end = time.monotonic() + 6
        while time.monotonic() < end:
            time.sleep(0.01)
        return make(self, sig)
    jit._numba_classes()["Dispatcher"]._compile_here = slow
"""


def test_who_waits_is_told_once(tmp_path):
    _, err = run(SLOW.replace("+ 6", "+ 2") + "    loop(1); loop(1.0)\n", tmp_path)
    assert err.count("compiling the loops of") == 1
    assert "once" in err


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to a child")
def test_ctrl_c_ends_a_compilation_at_once(tmp_path):
    """LLVM cannot be stopped; whoever waits for it can. The process ends as one does by Ctrl-C."""
    code = SLOW + "    signal_back = __import__('signal').default_int_handler\n"
    code += "    __import__('signal').signal(2, signal_back)\n    loop(1)\n"
    env = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": SRC}
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert child.stdout.readline() == "compiling\n"
    time.sleep(0.2)
    begun = time.monotonic()
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=30)
    assert time.monotonic() - begun < 3  # of a loaded machine; one second of a quiet one
    assert "KeyboardInterrupt" in err
    assert child.returncode in (-signal.SIGINT, 130, 1)


def test_types_survive_json():
    from numba import typeof

    from kiso.neighbors._query_loops import Tree

    class_of = signatures.decode(
        ["record", "kiso.neighbors._query_loops:Tree", [f8, "int64", ["tuple", [f8, "int64"]]]]
    ).instance_class
    assert class_of is Tree
    import numpy as np

    frozen = np.zeros((2, 3), np.float32).T
    frozen.flags.writeable = False
    for value in (1, 2.0, True, None, (1, 2), (1, 2.0), frozen, np.zeros(3), np.float32(1)):
        kind = typeof(value)
        assert signatures.decode(json.loads(json.dumps(signatures.encode(kind)))) == kind
    with pytest.raises(TypeError, match="no such argument"):
        signatures.encode(typeof(np.int64))


def test_sources_of_a_loop_are_all_that_it_is_compiled_from():
    found = store.sources_of("kiso._compute.matmul_loops")
    wanted = {"jit", "levels", "llvm", "store", "microkernels", "matmul_loops"}
    assert {f"_compute/{name}.py" for name in wanted} <= set(found)
    assert "_compute/matmul_loops.py" in store.sources_of("kiso._compute.matmul")


def test_levels_need_what_they_say():
    assert set(levels.LEVELS["x86-64-v3"].features) < set(levels.LEVELS["x86-64-v4"].features)
    with pytest.raises(ValueError, match="pentium"):
        levels.use("pentium")
    with pytest.raises(ValueError, match="x86-64-v3"):
        precompile(level="i386")
