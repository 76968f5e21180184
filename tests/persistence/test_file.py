"""Model files: what comes back is what was saved, and nothing in a file is executed."""

import json
import os
import pickle
import stat
import struct
import sys
import zipfile
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from kiso.persistence import FittedModel, ModelFileError, load_model, save_model

TABLE = pd.DataFrame({"age": [20.0, np.nan, 40.0, 50.0], "town": ["a", "b", "a", None]})
LABELS = ["no", "yes", "yes", "yes"]


@pytest.fixture
def model():
    numbers = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())
    words = make_pipeline(
        SimpleImputer(strategy="constant", fill_value="missing"),
        OneHotEncoder(handle_unknown="ignore"),
    )
    columns = ColumnTransformer([("n", numbers, ["age"]), ("w", words, ["town"])])
    pipeline = make_pipeline(columns, DummyClassifier(strategy="prior")).fit(TABLE, LABELS)
    return FittedModel(
        pipeline=pipeline,
        estimator="DummyClassifier",
        task="classification",
        target="survived",
        columns={"age": "number", "town": "category"},
        class_names=["no", "yes"],
        n_rows=4,
        versions={"kiso": "0.1.0"},
    )


@pytest.fixture
def saved(model, tmp_path):
    return save_model(model, tmp_path / "model.kiso")


def test_what_comes_back_predicts_the_same(model, saved):
    back = load_model(saved)
    np.testing.assert_array_equal(
        back.pipeline.predict_proba(TABLE), model.pipeline.predict_proba(TABLE)
    )
    assert replace(back, pipeline=None) == replace(model, pipeline=None)


def test_the_file_is_small_and_readable_by_others(saved):
    assert saved.stat().st_size < 20_000
    if os.name == "posix":
        assert saved.stat().st_mode & stat.S_IRUSR
        umask = os.umask(0)
        os.umask(umask)
        assert stat.S_IMODE(saved.stat().st_mode) == 0o666 & ~umask


def test_an_old_file_survives_a_failed_save(model, saved):
    before = saved.read_bytes()
    model.pipeline.steps.append(("f", FunctionTransformer(os.path.basename)))
    with pytest.raises(ValueError, match="FunctionTransformer"):
        save_model(model, saved)
    assert saved.read_bytes() == before
    assert [p.name for p in saved.parent.iterdir()] == [saved.name]


def test_a_folder_is_refused(model, tmp_path):
    with pytest.raises(IsADirectoryError, match="folder"):
        save_model(model, tmp_path)


@pytest.mark.parametrize("keep", [0, 1, 10, 100, 0.5, 0.9, -1])
def test_truncated(saved, keep):
    content = saved.read_bytes()
    saved.write_bytes(content[: int(keep * len(content)) if isinstance(keep, float) else keep])
    with pytest.raises(ModelFileError, match="cut short|not a kiso model"):
        load_model(saved)


@pytest.mark.parametrize("where", [0.2, 0.4, 0.6, 0.8])
def test_flipped_bytes_never_crash(saved, where):
    content = bytearray(saved.read_bytes())
    for offset in range(20):
        content[int(where * len(content)) + offset] ^= 0xFF
    saved.write_bytes(bytes(content))
    with suppress(ModelFileError):
        load_model(saved)


class Bomb:
    """Would leave a trace if anything built it."""

    def __reduce__(self):
        return (exec, ("import builtins; builtins.kiso_was_here = True",))


@pytest.mark.parametrize(
    "content",
    [b"", b"hello", b"PK\x03\x04garbage", pickle.dumps(Bomb()), b"\x00" * 1000],
    ids=["empty", "text", "zip head", "pickle", "zeros"],
)
def test_foreign(tmp_path, content):
    path = tmp_path / "m.kiso"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match="not a kiso model"):
        load_model(path)
    assert not hasattr(sys.modules["builtins"], "kiso_was_here")


def test_another_zip(tmp_path):
    path = tmp_path / "m.kiso"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(ModelFileError, match="not a kiso model"):
        load_model(path)


def rewrite(path, change):
    """Apply `change` to the JSON tree of a model file."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    tree = json.loads(entries["schema.json"])
    entries["schema.json"] = json.dumps(change(tree)).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)


@pytest.mark.parametrize(
    "node",
    [
        {"__class__": "system", "__module__": "os", "__loader__": "TypeNode"},
        {"__class__": "Popen", "__module__": "subprocess", "__loader__": "ObjectNode"},
        {"__class__": "str", "__module__": "builtins", "__loader__": "FunctionNode"},
        {"__class__": "Pipeline", "__module__": "sklearn.pipeline", "__loader__": "MethodNode"},
        {"__class__": "FunctionTransformer", "__module__": "x", "__loader__": "ObjectNode"},
    ],
)
def test_hostile_types_are_refused_before_anything_is_built(saved, node, monkeypatch):
    def plant(tree):
        tree["content"]["extra"] = {**node, "content": {}, "__id__": 1}
        return tree

    rewrite(saved, plant)
    monkeypatch.setattr(skops.io, "loads", lambda *a, **k: pytest.fail("was built"))
    with pytest.raises(ModelFileError, match="never holds"):
        load_model(saved)


def test_a_tree_nested_too_deep(saved):
    with zipfile.ZipFile(saved, "w") as archive:
        archive.writestr("schema.json", '{"a":' * 200_000 + "1" + "}" * 200_000)
    with pytest.raises(ModelFileError, match="damaged"):
        load_model(saved)


def test_a_file_that_claims_to_unpack_to_gigabytes(saved, monkeypatch):
    content = bytearray(saved.read_bytes())
    entry = content.rindex(b"PK\x01\x02")  # the last entry of the table of contents
    content[entry + 24 : entry + 28] = struct.pack("<I", 0xFFFFFFF0)  # its unpacked size
    saved.write_bytes(bytes(content))
    monkeypatch.setattr("kiso.persistence._file.MAX_BYTES", 1 << 30)
    monkeypatch.setattr(skops.io, "loads", lambda *a, **k: pytest.fail("was built"))
    with pytest.raises(ModelFileError, match="unpacks to more than 1 GiB"):
        load_model(saved)


def test_a_later_format_says_update(saved):
    def later(tree):
        text = json.dumps(tree).replace("kiso.model/1", "kiso.model/9")
        return json.loads(text)

    rewrite(saved, later)
    with pytest.raises(ModelFileError, match="update kiso"):
        load_model(saved)


def test_a_skops_file_of_something_else(tmp_path):
    path = tmp_path / "m.kiso"
    path.write_bytes(skops.io.dumps({"a": 1}))
    with pytest.raises(ModelFileError, match="not a kiso model"):
        load_model(path)


def test_absent(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_model(tmp_path / "absent.kiso")
