"""The committed bundle is what its sources give, and small."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from kiso import lab

WEB = Path(__file__).parents[2] / "lab/web"
STATIC = Path(lab.__file__).parent / "static"


def test_a_rebuild_gives_the_same_bytes(tmp_path):
    if shutil.which("node") is None or not (WEB / "node_modules/esbuild").exists():
        pytest.skip("needs Node and `npm ci` in lab/web")
    subprocess.run(["node", "build.mjs", str(tmp_path / "out")], cwd=WEB, check=True)
    built = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    committed = {path.name: path.read_bytes() for path in STATIC.iterdir()}
    assert built.keys() == committed.keys()
    assert [name for name, content in built.items() if content != committed[name]] == []


def test_the_page_is_below_one_and_a_half_megabytes():
    texts = sum(p.stat().st_size for p in (STATIC.parent / "locales/ja").iterdir())
    assert sum(p.stat().st_size for p in STATIC.iterdir()) + texts < 1_500_000


def test_the_page_names_no_other_host():
    for path in STATIC.glob("*.*s"):
        hosts = set(re.findall(r"https?://([\w.-]+)", path.read_text("utf-8")))
        assert hosts <= {"www.w3.org"}, path.name


def test_versions_are_exact_and_the_lock_file_names_no_registry():
    wanted = json.loads((WEB / "package.json").read_text())["devDependencies"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values())
    assert "resolved" not in (WEB / "package-lock.json").read_text()
