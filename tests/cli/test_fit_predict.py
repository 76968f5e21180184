"""`kiso fit` and `kiso predict` as a user runs them."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from kiso.cli import main


def run(*arguments):
    return CliRunner().invoke(main, [str(a) for a in arguments])


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(0)
    n = 80
    frame = pd.DataFrame({"height": rng.normal(170, 10, n), "town": rng.choice(["a", "b"], n)})
    frame["weight"] = 0.9 * frame["height"] - 90 + 5 * (frame["town"] == "a") + rng.normal(0, 1, n)
    path = tmp_path / "people.csv"
    frame.to_csv(path, index=False)
    return path


@pytest.fixture
def model(table, tmp_path):
    path = tmp_path / "m.kiso"
    result = run("fit", "ridge", table, "--target", "weight", "-o", path)
    assert result.exit_code == 0, result.stderr
    return path


def test_fit_says_what_it_did(table, tmp_path):
    path = tmp_path / "m.kiso"
    result = run("fit", "ridge", table, "--target", "weight", "-o", path, "--set", "alpha=2")
    assert result.exit_code == 0
    assert "Ridge for 'weight' (regression), 80 rows, 2 columns" in result.stdout
    assert "rows that it was fitted on" in result.stdout
    assert path.exists()


def test_predict_to_a_file(model, table, tmp_path):
    out = tmp_path / "out.csv"
    result = run("predict", model, table, "-o", out)
    assert result.exit_code == 0
    assert result.stdout == ""
    predicted = pd.read_csv(out)
    assert list(predicted.columns) == ["prediction"]
    truth = pd.read_csv(table)["weight"]
    assert np.sqrt(np.mean((predicted["prediction"] - truth) ** 2)) < 2
    assert "R²" in result.stderr


def test_predict_to_standard_output(model, table):
    result = run("predict", model, table, "--keep")
    lines = result.stdout.splitlines()
    assert lines[0] == "height,town,weight,prediction"
    assert len(lines) == 81


@pytest.mark.parametrize("name", ["o.tsv", "o.csv.gz", "o.parquet"])
def test_formats(model, table, tmp_path, name):
    out = tmp_path / name
    assert run("predict", model, table, "-o", out, "--keep").exit_code == 0
    if name.endswith("parquet"):
        frame = pd.read_parquet(out)
    elif name.endswith("gz"):
        frame = pd.read_csv(out, compression="gzip")
    else:
        frame = pd.read_csv(out, sep="\t")
    assert frame.shape == (80, 4)
    assert [p.name for p in tmp_path.iterdir() if p.name.endswith(".part")] == []


def test_classes_come_back_as_they_were(tmp_path):
    frame = pd.DataFrame({"x": np.arange(40.0), "y": [0, 1] * 20})
    frame["y"] = (frame["x"] > 19).astype(int)
    frame.to_csv(tmp_path / "t.csv", index=False)
    result = run("fit", "logistic", tmp_path / "t.csv", "--target", "y", "-o", tmp_path / "m.kiso")
    assert result.exit_code == 0, result.stderr
    result = run("predict", tmp_path / "m.kiso", tmp_path / "t.csv", "--proba")
    assert result.stdout.splitlines()[0] == "prediction,P(0),P(1)"
    assert {line.split(",")[0] for line in result.stdout.splitlines()[1:]} == {"0", "1"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fit", "ridge", "absent.csv", "--target", "y"], "absent.csv"),
        (["fit", "ridge", "TABLE"], "--target"),
        (["fit", "ridge", "TABLE", "--target", "wieght"], "'weight'"),
        (["fit", "redge", "TABLE", "--target", "weight"], "ridge"),
        (["fit", "ridge", "TABLE", "--target", "weight", "--set", "alpha"], "name=value"),
        (["fit", "ridge", "TABLE", "--target", "weight", "-o", "no/such/m.kiso"], "folder"),
        (["predict", "absent.kiso", "TABLE"], "absent.kiso"),
        (["predict", "TABLE", "TABLE"], "not a kiso model"),
        (["predict", "MODEL", "absent.csv"], "absent.csv"),
        (["predict", "MODEL", "TABLE", "-o", "no/such/out.csv"], "cannot be written"),
        (["predict", "MODEL", "TABLE", "--proba"], "probabilities"),
    ],
)
def test_mistakes_exit_with_2_and_one_sentence(
    arguments, message, table, model, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    names = {"TABLE": table, "MODEL": model}
    result = run(*(names.get(a, a) for a in arguments))
    assert result.exit_code == 2
    assert result.stdout == ""
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_truncated_model(model, table):
    model.write_bytes(model.read_bytes()[:-100])
    result = run("predict", model, table)
    assert result.exit_code == 2
    assert "cut short" in result.stderr


def test_titanic_end_to_end(real_data, tmp_path):
    source = real_data("tabular/titanic_train.csv.gz")
    fit = run("fit", "logistic", source, "--target", "Survived", "-o", tmp_path / "m.kiso")
    assert fit.exit_code == 0, fit.stderr
    new = pd.read_csv(source).drop(columns="Survived")
    new.to_csv(tmp_path / "new.csv", index=False)
    result = run("predict", tmp_path / "m.kiso", tmp_path / "new.csv", "-o", tmp_path / "out.csv")
    assert result.exit_code == 0, result.stderr
    predicted = pd.read_csv(tmp_path / "out.csv")["prediction"]
    assert (predicted == pd.read_csv(source)["Survived"]).mean() > 0.78


def test_a_model_file_works_in_another_process(model, table):
    code = (
        "import json, sys; from kiso.persistence import load_model, predict_table;"
        "from kiso.comparison import read_table;"
        "p, _ = predict_table(load_model(sys.argv[1]), read_table(sys.argv[2]));"
        "print(json.dumps(p['prediction'].tolist()))"
    )
    out = subprocess.run(
        [sys.executable, "-c", code, str(model), str(table)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert len(json.loads(out.stdout)) == 80


def test_a_model_reads_new_files_as_its_own(tmp_path):
    """Decimal mark, codes for missing values, leading zeros and units come with the model."""
    rng = np.random.default_rng(0)
    size = rng.uniform(1, 9, 60)
    zips = np.where(rng.random(60) < 0.5, "01067", "80331")
    price = 3 * size + 10 * (zips == "01067")
    rows = [
        f"{s:.3f};{z};{p:.1f}".replace(".", ",") for s, z, p in zip(size, zips, price, strict=True)
    ]
    rows[5] = "-999;80331;20,0"
    train = tmp_path / "train.csv"
    train.write_text("size;zip;price\n" + "\n".join(rows) + "\n")
    model = tmp_path / "m.kiso"
    options = ["--target", "price", "--missing=-999", "-o", model]
    assert run("fit", "ridge", train, *options).exit_code == 0
    new = tmp_path / "new.csv"
    # alone, this file would have whole thousands and numbers for zip codes
    new.write_text("size;zip\n2,500;01067\n4,500;80331\n-999;80331\nbig;80331\n")
    found = run("predict", model, new)
    assert found.exit_code == 0, found.stderr
    lines = [line.strip('"') for line in found.stdout.splitlines()[1:]]
    predicted = [float(line or "nan") for line in lines]
    assert predicted[0] == pytest.approx(17.5, abs=1.5)
    assert predicted[1] == pytest.approx(13.5, abs=1.5)
    assert predicted[2] == predicted[2]
    assert "1 row has no prediction: row 4" in found.stderr
    assert "outside the range" not in found.stderr
    assert "not seen in training" not in found.stderr
    strict = run("predict", model, new, "--strict")
    assert strict.exit_code == 2
    assert "Row 4" in strict.stderr


def test_drift_is_said(model, table, tmp_path):
    frame = pd.read_csv(table)
    frame["height"] += 60
    frame.loc[::2, "town"] = None
    new = tmp_path / "new.csv"
    frame.drop(columns="weight").to_csv(new, index=False)
    found = run("predict", model, new)
    assert "'height'" in found.stderr
    assert "outside the range of training" in found.stderr
    assert "its median is" in found.stderr
    assert "column 'town': 50 % are missing, in training 0 %" in found.stderr
    same = run("predict", model, table)
    assert "training" not in same.stderr
