"""Catalogues of translated pages: nothing of a page that is declared complete is left out."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
COMPLETE = ("path/index", "path/pca", "path/dropout")  # add a page when its catalogues are whole
LANGUAGES = ("ja", "zh_TW")


def messages(catalogue: Path) -> dict[str, str]:
    """Translations by message."""
    pairs = re.findall(r'^msgid (".*")\nmsgstr (".*")$', catalogue.read_text("utf-8"), re.MULTILINE)
    return {ast.literal_eval(a): ast.literal_eval(b) for a, b in pairs if a != '""'}


def bare(text: str) -> str:
    """Text without spaces and marks of lists, headings and formulas."""
    return re.sub(r"\s|\$\$|^#+ |^- ", "", text.strip(), flags=re.MULTILINE)


def blocks(page: Path) -> list[str]:
    """Give what a reader reads on a page, piece by piece: no code, no directives."""
    text = re.sub(r"\A---\n.*?\n---\n", "", page.read_text("utf-8"), flags=re.DOTALL)
    text = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"^:::.*$|^:class:.*$", "\n", text, flags=re.MULTILINE)
    text = re.sub(r"^- ", "\n- ", text, flags=re.MULTILINE)
    return [bare(block) for block in re.split(r"\n\s*\n", text) if bare(block)]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("page", COMPLETE)
def test_nothing_is_untranslated(page, language):
    catalogue = DOCS / "locales" / language / "LC_MESSAGES" / f"{page}.po"
    texts = messages(catalogue)
    known = {bare(message) for message in texts}
    missing = [b for b in blocks(DOCS / f"{page}.md") if b not in known]
    empty = [message for message, translation in texts.items() if not translation]
    assert not missing
    assert not empty


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("page", COMPLETE)
def test_links_and_code_stay(page, language):
    catalogue = DOCS / "locales" / language / "LC_MESSAGES" / f"{page}.po"
    for message, translation in messages(catalogue).items():
        for what in (r"\]\(([^)]+)\)", r"\{py:\w+\}`[^`]+`", r"`[^`]+`"):
            assert sorted(re.findall(what, translation)) == sorted(re.findall(what, message))
