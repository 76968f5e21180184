"""Write files of the version at hand: `PYTHONPATH=<its src> python tests/golden/write.py 0.2`.

Run once for a release, never for an old one again: files that later versions have to open.
"""

import json
import sys
from importlib import import_module
from pathlib import Path

import numpy as np

from kiso.losses import SoftmaxCrossEntropy
from kiso.nn import Network, train
from kiso.optim import Adam
from kiso.persistence import predict_table, save_model, train_model

try:
    from kiso.comparison import load
except ImportError:  # 0.1
    load = import_module("kiso.comparison._data").load

MODELS = {
    "iris": ("logistic", "svm", "linear-svm", "neighbors", "mlp", "sgd", "perceptron", "forest"),
    "diabetes": ("ridge", "linear", "svm", "neighbors"),
}
TARGETS = {"iris": "species", "diabetes": "progression"}


def network() -> Network:
    """Give the network whose run is kept."""
    return Network.dense([4, 8, 3], activation="tanh", random_state=0)


def rows() -> tuple[np.ndarray, np.ndarray]:
    """Give what it is trained on."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 4))
    return X, (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)


def main(folder: Path) -> None:
    """Write model files, a checkpoint, and what they predict."""
    folder.mkdir(parents=True, exist_ok=True)
    said = {}
    for data, names in MODELS.items():
        table = load(data)
        for name in names:
            try:
                model = train_model(table, TARGETS[data], name, random_state=0)
            except ValueError as error:  # a version need not have every model
                print(data, name, "left out:", str(error)[:80])
                continue
            file = f"{data}-{name}.kiso"
            save_model(model, folder / file)
            answer = predict_table(model, table)
            frame = answer[0] if isinstance(answer, tuple) else answer
            said[file] = {"data": data, "prediction": frame["prediction"].tolist()}
    net, path = network(), folder / "run.safetensors"
    run = train(
        net, SoftmaxCrossEntropy(), rows(), Adam(0.01), n_epochs=5, random_state=0, checkpoint=path
    )
    for _ in run:
        pass
    said["run.safetensors"] = {"data": "rows", "prediction": net(rows()[0])[:10].tolist()}
    (folder / "predictions.json").write_text(json.dumps(said), "utf-8")


if __name__ == "__main__":
    main(Path(__file__).parent / sys.argv[1])
