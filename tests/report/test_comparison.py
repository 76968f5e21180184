"""The page of a comparison: whole, safe, self-contained; says split, rows, and what is missing."""

import json
import os
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import pytest

from kiso.comparison import Diagnostics, Weight
from kiso.report import _files as files
from kiso.report import check_writable, figures, write_comparison
from tests.report.examples import classification, regression

VOID = {"meta", "img", "br", "hr", "input", "link"}
HOSTILE = "<script>alert(\"x\")</script> & 'quoted' $a$ \\frac 日本語 \ud800 \x07 ]]> -->"


class Page(HTMLParser):
    """Reads a page and refuses tags that do not match, ids that meet, and what is not in it."""

    def __init__(self, path):
        super().__init__()
        self.open, self.ids, self.words, self.tags = [], [], [], []
        self.html = Path(path).read_text("utf-8")
        self.feed(self.html)
        self.close()
        assert not self.open
        assert len(self.ids) == len(set(self.ids))
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        assert tag not in ("script", "link", "iframe", "object", "base")
        for name, value in attrs:
            assert not name.startswith("on")
            if name == "id":
                self.ids.append(value)
            if name in ("src", "href", "action", "style"):
                assert not re.search(r"://|^//|javascript:", value or "")
                assert name != "src" or value.startswith("data:image/")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] != "style":
            self.words.append(data)
        else:
            assert "@import" not in data
            assert "url(" not in data


def bare(n_rows=20, **options):
    """Return a comparison without what the pictures of single models need."""
    found = regression(n_rows, **options)
    for model in found.models:
        model.diagnostics = Diagnostics()
    return found


def write(comparison, folder):
    return Page(write_comparison(comparison, folder / "report.html"))


def test_regression(tmp_path):
    page = write(regression(n_models=5), tmp_path)
    assert page.tags.count("svg") == 3 + 3 * 5 + 2 * 3
    for words in (
        "Which method fits houses.csv?",
        "ridge is best, surely better than huber-sgd.",
        "5 folds; each is measured on its 80 test rows by a model fitted on its other 320 rows",
        "Measured on 400 rows, each held out from the model that predicts it.",
        "Slightly over-fitting",
        "alpha=0.1 (3 of 5 folds); alpha=1.0 (2 of 5 folds)",
        "The largest weights (up to 20) of the final fit on all 400 rows",
        "2 rows have no target and were left out",
    ):
        assert words in page.text
    assert "could not be drawn" not in page.text
    assert page.text.count("Prediction and truth") == 3  # of the best three only


def test_classification(tmp_path):
    page = write(classification(n_models=3), tmp_path)
    assert "Confusion: logistic" in page.text
    assert page.text.count("Calibration:") == 2  # the perceptron gives no probabilities
    assert "could not be drawn" not in page.text


def test_every_svg_is_well_formed_and_follows_the_theme(tmp_path):
    page = write(classification(["a<b", "c&d", "e>f"]), tmp_path)
    found = re.findall(r"<svg.*?</svg>", page.html, flags=re.DOTALL)
    assert found
    for svg in found:
        ET.fromstring(svg)
        used = set(re.findall(r"url\(#([^)]*)\)|href=\"#([^\"]*)\"", svg))
        for clip, link in used:
            assert f'id="{clip or link}"' in svg
        colours = re.findall(r"(?:fill|stroke): ?(#\w+)", svg)
        assert not colours, "a colour that does not follow light and dark"
        assert "var(--ink" in svg


def test_json_says_the_same(tmp_path):
    found = regression(50)
    found.models[0].scores[0] = float("nan")
    write(found, tmp_path)
    data = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert data == json.loads(json.dumps(found.to_dict()))
    assert data["models"][0]["scores"][0] is None


def test_hostile_names_stay_text(tmp_path):
    found = classification([HOSTILE, f"{HOSTILE}2", 'id="m1" #1b1f24 <b>'])
    found.data.name = found.data.target = found.conclusion = HOSTILE
    found.data.notes = found.data.columns[0].note = HOSTILE
    found.data.columns[0].name = HOSTILE
    found.data.notes = [HOSTILE]
    found.protocol.metric_label = found.protocol.task_reason = HOSTILE
    found.versions = {HOSTILE: HOSTILE}
    for model in found.models:
        model.name = model.description = model.message = HOSTILE
        model.grid = {HOSTILE: [HOSTILE]}
        model.params = [{HOSTILE: HOSTILE}] * 5
        model.diagnostics.objective_label = HOSTILE
        model.diagnostics.weights = [Weight(HOSTILE, 1.0, HOSTILE)]
    found.models[1].status = "failed"
    page = write(found, tmp_path)
    assert "could not be drawn" not in page.text
    assert "<script>alert(\"x\")</script> & 'quoted' $a$" in page.text
    assert 'id="m1" #1b1f24 <b>' in page.text  # words inside a picture are not rewritten
    json.loads((tmp_path / "report.json").read_text("utf-8"))
    for svg in re.findall(r"<svg.*?</svg>", page.html, flags=re.DOTALL):
        ET.fromstring(svg)


def test_what_did_not_finish_is_listed(tmp_path):
    found = bare(n_models=6)
    reasons = {"interrupted": "Ctrl-C in fold 3", "out of budget": "60 s were up",
               "failed": "ValueError: singular", "skipped": "too many rows"}  # fmt: skip
    for model, (status, why) in zip(found.models[2:], reasons.items(), strict=False):
        model.status, model.message = status, why
        model.scores = model.scores[:2] if status == "interrupted" else []
        model.difference, model.diagnostics = None, Diagnostics()
    found.complete = False
    page = write(found, tmp_path)
    assert "Not every model finished." in page.text
    for status, why in reasons.items():
        assert status in page.text
        assert why in page.text
    assert "2 of 5 folds" in page.text
    found.interrupted = True
    assert "This run was interrupted." in write(found, tmp_path).text


def test_a_fit_of_one_fold_is_said(tmp_path):
    found = regression(30)
    found.models[0].memory_bytes = None
    page = write(found, tmp_path)
    assert "of the last fit, on the training rows of one fold" in page.text
    assert "of the final fit on all 30 rows" in page.text


def test_a_sample_of_the_rows_is_said(tmp_path):
    found = regression(30)
    found.data.n_rows = 1000
    assert "Measured on 30 of the 1,000 rows" in write(found, tmp_path).text


def test_no_model_finished(tmp_path):
    found = regression()
    for model in found.models:
        model.status, model.message, model.scores = "failed", "it broke", []
        model.train_scores, model.fit_seconds, model.difference = [], [], None
        model.diagnostics = Diagnostics()
    found.protocol.fold_sizes = []
    page = write(found, tmp_path)
    assert "No model finished" in page.text
    assert page.text.count("it broke") == len(found.models)
    assert "svg" not in page.tags


def test_scores_that_are_nan(tmp_path):
    found = regression()
    found.models[0].scores = [float("nan")] * 5
    found.models[1].scores[2] = float("nan")
    found.models[2].difference.low = found.models[2].difference.high = float("nan")
    page = write(found, tmp_path)
    assert "could not be drawn" not in page.text
    assert "nan" not in page.text.lower()


def test_one_fold(tmp_path):
    found = bare(400, n_folds=1)
    for model in found.models:
        model.scores, model.train_scores = model.scores[:1], model.train_scores[:1]
        model.difference = None
    page = write(found, tmp_path)
    assert "measured on one test split of 80 rows, fitted on the other 320" in page.text
    assert "could not be drawn" not in page.text


def test_repeats_are_said(tmp_path):
    assert "10 folds, 2 times 5" in write(bare(n_repeats=2), tmp_path).text


def test_many_classes(tmp_path):
    found = classification([f"a class of number {i}" for i in range(60)], 3000, n_models=1)
    page = write(found, tmp_path)
    assert "Of 60 classes the 11 with most errors stand alone" in page.text
    assert "Most frequent mistakes" in page.text
    assert len(page.html) < 2e6


def test_many_rows(tmp_path):
    page = write(regression(n_held_out=100_000, n_models=1), tmp_path)
    assert "Of them 1,500, drawn at random (seed 0), are shown" in page.text
    assert len(page.html) < 3e6


def test_same_result_same_page(tmp_path):
    first = write(regression(50, n_models=1), tmp_path).html
    assert write(regression(50, n_models=1), tmp_path).html == first


def test_one_broken_picture_costs_no_other(tmp_path, monkeypatch):
    def broken(comparison, model):
        raise ValueError("no such luck")

    monkeypatch.setattr(figures, "weights", broken)
    page = write(regression(), tmp_path)
    assert page.text.count("This picture could not be drawn: no such luck") == 2
    assert page.tags.count("svg") == 3 + 2 * 4


@pytest.mark.parametrize(
    ("make", "name", "error", "words"),
    [
        (None, "report.json", ValueError, "use .html"),
        ("folder", "report.html", IsADirectoryError, "is a folder"),
        ("folder", "report.json", IsADirectoryError, "is a folder"),
        (None, "absent/report.html", FileNotFoundError, "there is no folder"),
        ("file", "file/report.html", NotADirectoryError, "is no folder"),
    ],
)
def test_paths_that_cannot_be_written(tmp_path, make, name, error, words):
    if make == "folder":
        (tmp_path / name).mkdir()
    elif make == "file":
        (tmp_path / "file").write_text("")
    path = tmp_path / (name if make != "folder" else "report.html")
    for refuse in (check_writable, lambda p: write_comparison(bare(), p)):
        with pytest.raises(error, match=words):
            refuse(path)


def test_read_only_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(files.os, "access", lambda path, mode: False)
    with pytest.raises(PermissionError, match="read-only"):
        check_writable(tmp_path / "report.html")
    (tmp_path / "report.html").write_text("old")
    with pytest.raises(PermissionError, match="the file is read-only"):
        check_writable(tmp_path / "report.html")


def test_device_is_no_file():
    with pytest.raises(OSError, match="no ordinary file"):
        check_writable("/dev/null")


def test_a_write_that_breaks_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    write_comparison(bare(), path)
    before = path.read_bytes()

    def full(file):
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space left"):
        write_comparison(bare(n_models=3), path)
    assert path.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["report.html", "report.json"]


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "real.html").write_text("old")
    (tmp_path / "report.html").symlink_to(tmp_path / "real.html")
    assert write_comparison(bare(), tmp_path / "report.html").name == "real.html"
    assert (tmp_path / "report.html").is_symlink()
