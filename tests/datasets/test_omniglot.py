"""Omniglot: drawings with what they are, the runs, and what is said of other files."""

import hashlib
import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from kiso.datasets import _omniglot, available, fetch_omniglot, fetch_omniglot_runs
from kiso.datasets._cache import RemoteFile


def png(ink):
    stream = io.BytesIO()
    Image.fromarray(~ink).convert("1").save(stream, "png")
    return stream.getvalue()


def drawing(seed, side=105):
    return np.random.default_rng(seed).random((side, side)) < 0.1


def write(folder, file, contents):
    """Write a zip and return it as a known file."""
    path = folder / file
    path.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return known(path, file)


def known(path, file):
    return RemoteFile(file, "http://127.0.0.1:9/", hashlib.sha256(path.read_bytes()).hexdigest())


def small1(folder, monkeypatch, contents):
    file = write(folder, "omniglot/small1.zip", contents)
    monkeypatch.setitem(_omniglot.PARTS, "background_small1", file)


def test_drawings_are_sorted_and_named(tmp_path, monkeypatch):
    names = ["Latin/character02/9_02", "Greek/character01/7_11", "Latin/character02/9_01"]
    ink = {f"s/{name}.png": drawing(k) for k, name in enumerate(names)}
    small1(tmp_path, monkeypatch, {"s/Latin/": b"", **{n: png(d) for n, d in ink.items()}})
    got = fetch_omniglot("background_small1", data_folder=tmp_path)
    assert len(got) == 3
    assert got.labels.tolist() == ["Greek/character01", *["Latin/character02"] * 2]
    assert got.alphabet.tolist() == ["Greek", "Latin", "Latin"]
    assert got.drawer.tolist() == [11, 1, 2]
    assert got.images.dtype == bool
    np.testing.assert_array_equal(got.images[0], ink["s/Greek/character01/7_11.png"])


def test_runs(tmp_path, monkeypatch):
    contents, ink = {}, {}
    for k, kind in enumerate(
        ["training/class01", "training/class02", "test/item01", "test/item02"]
    ):
        ink[kind] = drawing(k)
        contents[f"run01/{kind}.png"] = png(ink[kind])
    contents["run01/class_labels.txt"] = (
        "run01/test/item01.png run01/training/class02.png\n"
        "run01/test/item02.png run01/training/class01.png\n"
    )
    monkeypatch.setattr(_omniglot, "RUNS", write(tmp_path, "omniglot/runs.zip", contents))
    (run,) = fetch_omniglot_runs(data_folder=tmp_path)
    assert run.name == "run01"
    assert run.labels.tolist() == [1, 0]
    np.testing.assert_array_equal(run.support[1], ink["training/class02"])
    np.testing.assert_array_equal(run.queries[0], ink["test/item01"])
    assert available("omniglot-runs", tmp_path)


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        ({"s/Greek/": b""}, "no drawings"),
        ({"s/Greek/7_01.png": png(drawing(0))}, "is not <part>"),
        ({"s/Greek/character01/seven.png": png(drawing(0))}, "is not <part>"),
        ({"s/Greek/character01/7_01.png": png(drawing(0, 28))}, r"\(28, 28\), not \(105, 105\)"),
    ],
)
def test_other_contents(tmp_path, monkeypatch, contents, message):
    small1(tmp_path, monkeypatch, contents)
    with pytest.raises(ValueError, match=message):
        fetch_omniglot("background_small1", data_folder=tmp_path)


def test_not_a_zip(tmp_path, monkeypatch):
    path = tmp_path / "x.zip"
    path.write_bytes(b"nothing")
    monkeypatch.setitem(_omniglot.PARTS, "evaluation", known(path, "x.zip"))
    with pytest.raises(ValueError, match="not a zip"):
        fetch_omniglot("evaluation", data_folder=tmp_path)
    with pytest.raises(ValueError, match="part='small'"):
        fetch_omniglot("small")


def test_md5_is_checked(tmp_path, monkeypatch):
    write(tmp_path, "omniglot/images_background.zip", {"a": b""})
    with pytest.raises(ValueError, match="its md5 is not 68d2"):
        fetch_omniglot(data_folder=tmp_path)


@pytest.mark.parametrize(("part", "n", "n_characters"), [("1", 2720, 136), ("2", 3120, 156)])
def test_real_small_backgrounds(real_data, part, n, n_characters):
    real_data(f"omniglot/images_background_small{part}.zip")
    got = fetch_omniglot(f"background_small{part}")
    assert len(got) == n
    names, counts = np.unique(got.labels, return_counts=True)
    assert len(names) == n_characters
    assert set(counts) == {20}
    assert sorted(set(got.drawer)) == list(range(1, 21))
    assert len(set(got.alphabet)) == 5
    assert 0.05 < got.images.mean() < 0.12


def test_real_runs(real_data):
    real_data("omniglot/all_runs.zip")
    runs = fetch_omniglot_runs()
    assert [run.name for run in runs] == [f"run{k:02d}" for k in range(1, 21)]
    for run in runs:
        assert run.support.shape == run.queries.shape == (20, 105, 105)
        assert sorted(run.labels) == list(range(20))
