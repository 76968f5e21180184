"""Files that name a type where it stood in an earlier version keep opening."""

import importlib
import zipfile

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from kiso.neural_network import ConvClassifier
from kiso.persistence import FittedModel, load_model, save_model
from kiso.persistence._trusted import MOVED_MODULES, TYPES


@pytest.mark.parametrize(("old", "new"), sorted(MOVED_MODULES.items()))
def test_every_new_place_holds_a_trusted_type(old, new):
    module = importlib.import_module(new)
    assert any(f"{new}.{name}" in TYPES for name in vars(module))
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module(old)


def test_a_file_with_the_old_places_opens(tmp_path):
    rng = np.random.default_rng(0)
    X, y = rng.random((20, 1, 8, 8)).astype(np.float32), np.arange(20) % 2
    pipeline = make_pipeline(ConvClassifier(max_iter=1, random_state=0).fit(X, y))
    path = save_model(
        FittedModel(pipeline, "ConvClassifier", "classification", "y", {}), tmp_path / "m.kiso"
    )
    with zipfile.ZipFile(path) as archive:
        content = {entry: archive.read(entry) for entry in archive.infolist()}
    old_places = 0
    with zipfile.ZipFile(path, "w") as archive:
        for entry, data in content.items():
            if entry.filename == "schema.json":
                for old, new in MOVED_MODULES.items():
                    old_places += data.count(f'"{new}"'.encode())
                    data = data.replace(f'"{new}"'.encode(), f'"{old}"'.encode())
            archive.writestr(entry, data)
    assert old_places > 3
    np.testing.assert_array_equal(
        load_model(path).pipeline.predict_proba(X), pipeline.predict_proba(X)
    )
