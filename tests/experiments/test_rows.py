"""Every row of the inventory has an experiment, and the page of docs names every experiment."""

from pathlib import Path

import pytest

from kiso.experiments._registry import load, names

PAGE = Path(__file__).parents[2] / "docs" / "experiments.md"
SURVEY = {72}  # a survey that the notes name: nothing to run


def test_every_row_has_an_experiment():
    declared = {row for name in names() for row in load(name).rows}
    assert set(range(1, 92)) - declared <= SURVEY
    assert declared <= set(range(1, 92))


@pytest.mark.skipif(not PAGE.is_file(), reason="an installed package has no docs")
def test_the_page_names_no_experiment_that_is_not_there():
    listed = [line.split("`")[1] for line in PAGE.read_text("utf-8").splitlines()
              if line.startswith("| `")]  # fmt: skip
    assert len(listed) >= 70
    assert set(listed) <= set(names())
    assert len(set(listed)) == len(listed)
