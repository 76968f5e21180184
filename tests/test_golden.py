"""Files that earlier versions wrote open in this one, with the same predictions."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kiso.comparison import load
from kiso.losses import SoftmaxCrossEntropy
from kiso.nn import Network, train
from kiso.optim import Adam
from kiso.persistence import load_model, predict_table

GOLDEN = Path(__file__).parent / "golden"
VERSIONS = sorted(path.name for path in GOLDEN.iterdir() if (path / "predictions.json").exists())


def expected(version: str) -> dict[str, dict[str, Any]]:
    return json.loads((GOLDEN / version / "predictions.json").read_text("utf-8"))


def rows() -> tuple[Any, Any]:
    """What tests/golden/write.py trains on."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 4))
    return X, (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)


CASES = [(v, file) for v in VERSIONS for file in expected(v) if file.endswith(".kiso")]


def test_files_of_both_versions_are_here() -> None:
    assert {"0.1", "0.2"} <= set(VERSIONS)
    for version in VERSIONS:
        files = {p.name for p in (GOLDEN / version).iterdir()} - {"predictions.json"}
        assert files == set(expected(version))
        assert len(files) >= 10


@pytest.mark.parametrize(("version", "file"), CASES)
def test_a_model_file_predicts_as_it_did(version: str, file: str) -> None:
    said = expected(version)[file]
    with warnings.catch_warnings():
        # that another version of scikit-learn or kiso wrote it may be said
        warnings.simplefilter("ignore", UserWarning)
        model = load_model(GOLDEN / version / file)
    frame = predict_table(model, load(said["data"]))[0]
    got = frame["prediction"].tolist()
    if isinstance(said["prediction"][0], str):
        assert got == said["prediction"]
    else:
        np.testing.assert_allclose(got, said["prediction"], rtol=1e-6)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_checkpoint_goes_on(version: str) -> None:
    X, y = rows()
    path = GOLDEN / version / "run.safetensors"
    network = Network.dense([4, 8, 3], activation="tanh", random_state=7)  # not its weights
    loss = SoftmaxCrossEntropy()
    states = list(train(network, loss, (X, y), Adam(0.01), n_epochs=5, random_state=0, resume=path))
    said = expected(version)["run.safetensors"]["prediction"]
    np.testing.assert_allclose(network(X)[:10], said, rtol=1e-6)
    further = train(network, loss, (X, y), Adam(0.01), n_epochs=8, random_state=0, resume=path)
    steps = [state.n_iter for state in further]
    assert steps[-1] == 8 * 2
    assert len(states) <= 1
    assert loss.value(network(X), y) < loss.value(np.array(said), y[:10]) + 1
