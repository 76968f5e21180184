"""The chapters of docs/path: their cells run, and what they point to exists."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
from pathlib import Path

import pytest

from kiso.experiments import load, names

DOCS = Path(__file__).parents[2] / "docs"
PATH = DOCS / "path"
CHAPTERS = sorted(p.stem for p in PATH.glob("*.md") if p.stem not in ("index", "rows"))
CELL = re.compile(r"^```\{code-cell\}[^\n]*\n(.*?)^```\s*$", re.DOTALL | re.MULTILINE)
VERDICT = re.compile(r"^```\{verdict\} (\S+)\n```$", re.MULTILINE)


def text(page: Path) -> str:
    """A page as it is written."""
    return page.read_text("utf-8")


def anchors(page: Path) -> set[str]:
    """Give what `page.md#...` can point to: its headings, as MyST names them."""
    heads = re.findall(r"^#{1,3} (.+)$", text(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_cells_run(chapter, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "Agg")
    plt = pytest.importorskip("matplotlib.pyplot")
    plt.switch_backend("Agg")
    cells = CELL.findall(text(PATH / f"{chapter}.md"))
    assert len(cells) >= 2
    assert sum(cell.count("assert ") for cell in cells) >= 3
    assert any("house_style()" in cell for cell in cells), "a chapter has a picture"
    scope: dict[str, object] = {"__name__": "__main__"}
    for number, cell in enumerate(cells):
        exec(compile(cell, f"{chapter}.md, cell {number}", "exec"), scope)
    plt.close("all")


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_chapter_is_whole(chapter):
    page = text(PATH / f"{chapter}.md")
    assert page.count(":::{dropdown} Solution") >= 2
    assert VERDICT.search(page)
    assert "](../lab.md" in page
    assert "{py:" in page


def test_contents_name_every_chapter():
    assert set(CHAPTERS) <= set(text(PATH / "index.md").split())


def test_verdicts_are_recorded():
    recorded = json.loads(text(PATH / "verdicts.json"))
    shown = {name for c in CHAPTERS for name in VERDICT.findall(text(PATH / f"{c}.md"))}
    assert shown == set(recorded)
    assert shown <= set(names())
    assert all(result["verdict"] is not False for result in recorded.values())


@pytest.mark.parametrize("chapter", [*CHAPTERS, "index"])
def test_links_lead_somewhere(chapter):
    page = text(PATH / f"{chapter}.md")
    for target in re.findall(r"\]\(([^)#\s]*\.md(?:#[^)\s]+)?)\)", page):
        file, _, anchor = target.partition("#")
        assert (PATH / file).is_file(), target
        assert not anchor or anchor in anchors(PATH / file), target
    for name in re.findall(r"\{py:\w+\}`~?([\w.]+)`", page):
        pkgutil.resolve_name(name)  # raises where there is none


def test_every_row_of_the_notes_has_its_place(monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS))
    list_rows = importlib.import_module("list_rows")
    assert list(list_rows.ROWS) == list(range(1, 92))
    for row, (_, _, section) in list_rows.ROWS.items():
        chapter, _, anchor = section.partition("#")
        assert chapter in CHAPTERS, row
        assert anchor in anchors(PATH / f"{chapter}.md"), (row, anchor)
    lines = re.findall(r"^\| (\d+) \|.*", text(PATH / "rows.md"), re.MULTILINE)
    assert [int(n) for n in lines] == list(range(1, 92))
    shown = set(re.findall(r"`([\w-]+)`", text(PATH / "rows.md").partition("|---|")[2]))
    with_rows = {name for name in names() if load(name).rows}
    assert shown == with_rows, "run python docs/list_rows.py"
