"""ONNX graphs give what the pipelines give, on rows of every kind."""

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from kiso.cli import main
from kiso.comparison import CANDIDATES, DataError, table_from
from kiso.persistence import conform, load_model, onnx_inputs, save_model, to_onnx, train_model

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")


def frame(n, seed):
    rng = np.random.default_rng(seed)
    found = pd.DataFrame(
        {
            "size": rng.normal(50, 20, n),
            "rooms": rng.integers(1, 6, n).astype(float),
            "garden": rng.random(n) < 0.5,
            "town": rng.choice(
                ["a", "b", "東京", "rare one", "rare two"], n, p=[0.4, 0.3, 0.26, 0.02, 0.02]
            ),
            "sold": (np.datetime64("1999-12-25T05:30:00") + rng.integers(0, 9 * 10**8, n)),
        }
    )
    found["price"] = found["size"] + 10 * found["garden"] + 5 * (found["town"] == "a")
    found["price"] += rng.normal(size=n)
    found["dear"] = np.where(found["price"] > 55, "yes", "no")
    found["level"] = pd.cut(
        found["price"], [-1e9, 40, 60, 1e9], labels=["low", "mid", "high"]
    ).astype(str)
    found.loc[rng.random(n) < 0.1, "size"] = np.nan
    found.loc[rng.random(n) < 0.1, "town"] = None
    found.loc[rng.random(n) < 0.05, "sold"] = np.datetime64("NaT")
    return found


TABLE = frame(160, 0)
NEW = frame(60, 1)
NEW.loc[0, "town"] = "never seen"
NEW.loc[1, ["size", "rooms"]] = np.nan
NEW.loc[2, "size"] = 1e6
NEW.loc[3, "sold"] = np.datetime64("1904-02-29T23:59:59")
TARGETS = {"regression": ["price"], "classification": ["dear", "level"]}
CASES = [(c, t) for c in CANDIDATES for t in TARGETS[c.task] if c.name != "local"]


def run(proto, feed):
    session = onnxruntime.InferenceSession(
        proto.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, feed), strict=True))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(("candidate", "target"), CASES, ids=lambda v: getattr(v, "name", v))
def test_every_candidate(candidate, target):
    unused = [name for name in ("price", "dear", "level") if name != target]
    table = table_from(TABLE)
    model = train_model(table, target, candidate.name, drop=unused)
    rows = conform(model, table_from(NEW)).frame
    found = run(to_onnx(model), onnx_inputs(model, rows))
    wanted = model.pipeline.predict(rows)
    if candidate.task == "regression":
        np.testing.assert_allclose(found["prediction"], wanted, rtol=1e-6, atol=1e-6)
        return
    assert found["label"].tolist() == wanted.tolist()
    if hasattr(model.pipeline, "predict_proba") and candidate.name != "svm":
        wanted = model.pipeline.predict_proba(rows)
        np.testing.assert_allclose(found["probabilities"], wanted, rtol=1e-5, atol=1e-7)


def test_sgd_with_hinge_loss_and_log_loss():
    for loss in ("hinge", "log_loss"):
        for target in TARGETS["classification"]:
            unused = [n for n in ("price", "dear", "level") if n != target]
            model = train_model(
                table_from(TABLE), target, "sgd", drop=unused, params={"loss": loss}
            )
            rows = conform(model, table_from(NEW)).frame
            found = run(to_onnx(model), onnx_inputs(model, rows))
            assert found["label"].tolist() == model.pipeline.predict(rows).tolist()
            if loss == "log_loss":
                wanted = model.pipeline.predict_proba(rows)
                np.testing.assert_allclose(found["probabilities"], wanted, rtol=1e-5, atol=1e-7)


def test_clusters_components_and_trees_by_themselves():
    from kiso.cluster import KMeans
    from kiso.decomposition import PCA
    from kiso.tree import DecisionTreeRegressor

    rng = np.random.default_rng(0)
    X = rng.normal(size=(90, 4))
    X[:30] += 4
    new = rng.normal(size=(40, 4)) * 3
    model = KMeans(3, random_state=0).fit(X)
    assert run(to_onnx(model), {"X": new})["label"].tolist() == model.predict(new).tolist()
    for whiten in (False, True):
        pca = PCA(2, whiten=whiten).fit(X)
        np.testing.assert_allclose(
            run(to_onnx(pca), {"X": new})["transformed"], pca.transform(new), atol=1e-9
        )
    tree = DecisionTreeRegressor(max_depth=4, random_state=0).fit(X, X[:, 0] ** 2)
    np.testing.assert_allclose(run(to_onnx(tree), {"X": new})["prediction"], tree.predict(new))


def test_what_has_no_graph_is_said():
    model = train_model(table_from(TABLE), "price", "local", drop=["dear", "level"])
    with pytest.raises(DataError, match="no ONNX graph for LocallyWeightedRegression"):
        to_onnx(model)


def test_the_command(tmp_path):
    model = train_model(table_from(TABLE), "price", "ridge", drop=["dear", "level"])
    save_model(model, tmp_path / "m.kiso")
    out = tmp_path / "m.onnx"
    found = CliRunner().invoke(main, ["export", str(tmp_path / "m.kiso"), str(out)])
    assert found.exit_code == 0, found.output
    assert "inputs: 'size', 'rooms'" in found.output
    session = onnxruntime.InferenceSession(str(out), providers=["CPUExecutionProvider"])
    rows = conform(model, table_from(NEW)).frame
    (prediction,) = session.run(None, onnx_inputs(load_model(tmp_path / "m.kiso"), rows))
    np.testing.assert_allclose(prediction, model.pipeline.predict(rows), rtol=1e-9)
    absent = CliRunner().invoke(main, ["export", str(tmp_path / "none.kiso"), str(out)])
    assert absent.exit_code == 2


@pytest.mark.parametrize("name", ["forest", "boosting", "tree"])
@pytest.mark.parametrize("target", ["number", "two", "three", "counts"])
def test_trees_on_rows_with_holes(name, target):
    from kiso.ensemble import (
        HistGradientBoostingClassifier,
        HistGradientBoostingRegressor,
        RandomForestClassifier,
        RandomForestRegressor,
    )
    from kiso.tree import DecisionTreeClassifier, DecisionTreeRegressor

    rng = np.random.default_rng(7)
    X = rng.normal(size=(400, 4)).round(2)
    raw = X[:, 0] + (X[:, 1] > 0.3) * X[:, 2]
    X[rng.random(X.shape) < 0.2] = np.nan
    y = {
        "number": raw,
        "two": raw > 0.2,
        "three": np.digitize(raw, [-0.5, 0.5]),
        "counts": rng.poisson(np.exp(raw / 3)) + 0.0,
    }[target]
    classes = target in ("two", "three")
    kinds = {
        "forest": RandomForestClassifier if classes else RandomForestRegressor,
        "tree": DecisionTreeClassifier if classes else DecisionTreeRegressor,
        "boosting": HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor,
    }
    extra = {"loss": "poisson"} if name == "boosting" and target == "counts" else {}
    model = kinds[name](random_state=0, **extra).fit(X, y)
    odd = np.vstack([
        rng.normal(size=(50, 4)), X[:50], np.full((1, 4), np.nan), [[np.inf, -np.inf, 0, np.nan]],
        [[1e300, -1e300, 1e-300, 0]],
    ])  # fmt: skip
    odd_finite = odd.copy()
    odd_finite[~np.isfinite(odd) & ~np.isnan(odd)] = 1e308
    found = run(to_onnx(model), {"X": odd_finite})
    if not classes:
        np.testing.assert_allclose(found["prediction"], model.predict(odd_finite), rtol=1e-9)
        return
    wanted = model.predict_proba(odd_finite)
    np.testing.assert_allclose(found["probabilities"], wanted, rtol=1e-9, atol=1e-12)
    assert found["label"].tolist() == model.predict(odd_finite).tolist()
