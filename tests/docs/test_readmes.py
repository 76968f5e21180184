"""The README in other languages says what the English one says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENGLISH = (ROOT / "README.md").read_text("utf-8")
OTHERS = ("README.ja.md", "README.zh-Hant.md")


def commands(page: str) -> list[str]:
    """Lines of code, without their comments."""
    lines = re.findall(r"^    (\S.*)$", page, re.MULTILINE)
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    lines += [line for block in blocks for line in block.splitlines()]
    return [line.partition("  #")[0].rstrip() for line in lines if not line.startswith("model ")]


def rooms(page: str) -> set[str]:
    """Modules in the table of what there is."""
    return set(re.findall(r"`(kiso\.\w+)`", page.rpartition("## ")[2]))


@pytest.mark.parametrize("name", OTHERS)
def test_translation_is_whole(name):
    page = (ROOT / name).read_text("utf-8")
    assert f'href="{name}"' in ENGLISH
    assert commands(page) == commands(ENGLISH)
    assert page.count("\n## ") == ENGLISH.count("\n## ")
    assert rooms(page) == rooms(ENGLISH)
    assert page.count("![") == ENGLISH.count("![")
    for target in re.findall(r"\]\(([^)#]+)\)", page):
        assert (ROOT / target).exists(), target
