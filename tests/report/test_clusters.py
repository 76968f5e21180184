"""The page of a clustering: whole, well-formed, safe against what a table holds."""

import json
import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from kiso.comparison import Trait, find_clusters, load
from kiso.report import _clusters, figures, write_clusters
from kiso.report.figures._style import THEME


@pytest.fixture(scope="module")
def found():
    rng = np.random.default_rng(0)
    of = np.repeat([0, 1], [40, 20])
    frame = pd.DataFrame(
        {
            "price in $ and $/m²": 100.0 * of + rng.normal(size=60),
            "<script>alert('x')</script>": np.where(of, "a & b", "<b>c</b>"),
        }
    )
    return find_clusters(load(frame))


def test_the_page(found, tmp_path):
    page = write_clusters(found, tmp_path / "r.html").read_text(encoding="utf-8")
    assert "2 clusters of 40 and 20 rows" in page
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "http" not in re.sub(r'xmlns(:\w+)?="[^"]*"', "", page)
    assert page.count('<svg class="picture"') == 3
    assert "could not be drawn" not in page
    assert json.loads((tmp_path / "r.json").read_text(encoding="utf-8")) == json.loads(
        json.dumps(found.to_dict())
    )


def test_pictures_follow_the_theme(found, tmp_path):
    page = write_clusters(found, tmp_path / "r.html").read_text(encoding="utf-8")
    light = {value for value, _ in THEME.values()}
    for svg in re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL):
        ElementTree.fromstring(svg)
        bare = re.sub(r"var\(--\w+,#\w+\)", "", svg)
        assert set(re.findall(r"(?:fill|stroke): (#\w{6})", bare)) <= light - light


def test_one_broken_picture_costs_no_other(found, tmp_path, monkeypatch):
    def breaks(found):
        raise RuntimeError("no ink")

    monkeypatch.setattr(figures, "cluster_scatter", breaks)
    page = write_clusters(found, tmp_path / "r.html").read_text(encoding="utf-8")
    assert "This picture could not be drawn: no ink" in page
    assert page.count('<svg class="picture"') == 2


def test_unfinished_is_said(tmp_path):
    frame = pd.DataFrame(
        {"x": np.repeat([0.0, 9.0], 20) + np.random.default_rng(1).normal(size=40)}
    )
    late = find_clusters(load(frame), budget=1e-6)
    page = write_clusters(late, tmp_path / "r.html").read_text(encoding="utf-8")
    assert "The time was up" in page
    assert "0 refits" in page


def test_traits_in_words():
    assert _clusters.trait(Trait("price", False, 310.0, 205.5, 1.2)) == "price 310 (all rows 205.5)"
    assert _clusters.trait(Trait("kind = a", True, 0.5, 0.25, 1)) == "kind = a 50 % (all rows 25 %)"


def test_many_clusters_and_features():
    rng = np.random.default_rng(2)
    centers = 30 * rng.normal(size=(8, 20))
    X = np.repeat(centers, 15, axis=0) + rng.normal(size=(120, 20))
    found = find_clusters(load(pd.DataFrame(X, columns=[f"column {i}" for i in range(20)])))
    assert found.k == 8
    names = figures.cluster_profiles(found).axes[0].get_yticklabels()
    assert len(names) == 14
    assert len(figures.cluster_scatter(found).axes[0].texts) == 8
