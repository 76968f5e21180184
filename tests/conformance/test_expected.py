"""The files of expected failures: each reason is of one of three kinds, and words are proved."""

import ast
from pathlib import Path

import pytest

from .outcome import Expected, Outcome, Result, read_expected

_ROOT = Path(__file__).parents[2]
ROOMS = sorted(path.stem for path in (Path(__file__).parent / "expected").glob("*.toml"))


@pytest.mark.parametrize("room", ROOMS)
def test_a_matter_of_words_has_a_test_that_proves_the_kind_of_error(room):
    for entry in read_expected(room):
        if entry.kind == "wording":
            path, _, name = entry.proof.partition("::")
            tree = ast.parse((_ROOT / path).read_text(encoding="utf-8"))
            assert name in {f.name for f in tree.body if isinstance(f, ast.FunctionDef)}, entry


def test_what_is_on_purpose_counts_as_failed():
    expected = [
        Expected("a::on_purpose[*", "on purpose", "so"),
        Expected("a::words", "wording", "so"),
        Expected("a::gone", "private name", "so"),
    ]
    results = [
        Result("sklearn/a::passes", True, ("A",)),
        Result("sklearn/a::on_purpose[1]", False, ("A",), "differs"),
        Result("sklearn/a::words", False, ("A",), "ValueError: another error"),
        Result("sklearn/a::new", False, ("A", "B"), "broken"),
    ]
    outcome = Outcome("a", expected, results)
    assert outcome.table() == {"A": (1, 3), "B": (0, 1), "together": (1, 3)}
    assert [r.nodeid for r in outcome.unexpected()] == ["sklearn/a::new"]
    assert [r.nodeid for r in outcome.unproved()] == ["sklearn/a::words"]
    assert [e.test for e in outcome.stale()] == ["a::gone"]
    assert outcome.on_purpose() == {"so": 1}
