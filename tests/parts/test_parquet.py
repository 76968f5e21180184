"""Row groups of Parquet files: the same fits as in memory, a group in memory at a time."""

import subprocess
import sys

import dask.array as da
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kiso.cluster import KMeans, MiniBatchKMeans
from kiso.datasets import parquet_rows
from kiso.decomposition import PCA
from kiso.linear_model import LinearRegression, LogisticRegression


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("parts")
    rng = np.random.default_rng(0)
    for i in range(3):
        X = rng.normal(size=(1000, 4)) + i
        table = pd.DataFrame(X, columns=list("abcd"))
        table["y"] = X @ [1, 2, 3, 4] + rng.normal(size=1000)
        table["w"] = rng.random(1000)
        table["kind"] = np.where(table.y > 5, "high", "low")
        table.to_parquet(path / f"part-{i}.parquet", row_group_size=400)
    return path


@pytest.fixture(scope="module")
def table(folder):
    return pd.concat([pd.read_parquet(f) for f in sorted(folder.glob("*.parquet"))])


def test_equals_the_fit_in_memory(folder, table):
    rows = parquet_rows(folder / "part-*.parquet", columns=list("abcd"))
    X = table[list("abcd")]
    assert rows.n_parts == 9
    assert rows.n_rows == 3000
    parts = LinearRegression().fit(rows, rows["y"], sample_weight=rows["w"])
    one = LinearRegression().fit(X, table.y, sample_weight=table.w)
    np.testing.assert_allclose(parts.coef_, one.coef_, rtol=1e-10)
    assert list(parts.feature_names_in_) == list("abcd")
    assert parts.score(rows, rows["y"]) == pytest.approx(one.score(X, table.y), rel=1e-10)
    np.testing.assert_allclose(np.asarray(parts.predict(rows)), one.predict(X), rtol=1e-10)

    parts = LogisticRegression(tol=1e-6).fit(rows, rows["kind"])
    one = LogisticRegression(tol=1e-6).fit(X, table.kind)
    np.testing.assert_allclose(parts.coef_, one.coef_, rtol=1e-8)
    blocks = list(parts.predict(rows).blocks())
    assert [len(b) for b in blocks] == [400, 400, 200] * 3
    np.testing.assert_array_equal(np.concatenate(blocks), one.predict(X))

    parts, one = PCA(2).fit(rows), PCA(2).fit(X)
    np.testing.assert_allclose(parts.components_, one.components_, atol=1e-10)

    init = X.to_numpy()[:5]
    parts = KMeans(5, init=init, n_init=1).fit(rows)
    one = KMeans(5, init=init, n_init=1).fit(X)
    np.testing.assert_allclose(parts.cluster_centers_, one.cluster_centers_, rtol=1e-9)
    np.testing.assert_array_equal(np.asarray(parts.labels_), one.labels_)
    model = MiniBatchKMeans(5, random_state=0).fit(rows)
    assert np.asarray(model.labels_).shape == (3000,)


def test_same_bits_as_on_dask(folder, table):
    rows = parquet_rows(folder, columns=list("abcd"))
    X, y = table[list("abcd")].to_numpy(), table.y.to_numpy()
    chunks = (400, 400, 200) * 3
    dX, dy = da.from_array(X, chunks=(chunks, 4)), da.from_array(y, chunks=(chunks,))
    one, other = LinearRegression().fit(rows, rows["y"]), LinearRegression().fit(dX, dy)
    np.testing.assert_array_equal(one.coef_, other.coef_)


def test_numbers_are_read_where_no_columns_are_named(folder):
    assert parquet_rows(folder / "part-0.parquet").columns == [*"abcd", "y", "w"]


def test_refusals(folder, tmp_path):
    with pytest.raises(FileNotFoundError, match="no Parquet file"):
        parquet_rows(tmp_path / "*.parquet")
    with pytest.raises(KeyError, match="no column 'e'"):
        parquet_rows(folder, columns=["e"])
    rows = parquet_rows(folder, columns=list("abcd"))
    with pytest.raises(TypeError, match="same parts"):
        LinearRegression().fit(rows, np.zeros(3000))
    with pytest.raises(TypeError, match="column 'kind' has dtype"):
        KMeans(2).fit(rows[["a", "kind"]])
    pq.write_table(pa.table({"a": [1.0, None]}), tmp_path / "0.parquet")
    with pytest.raises(ValueError, match=r"0\.parquet, row group 0: X contains NaN in column 'a'"):
        KMeans(1).fit(parquet_rows(tmp_path))
    pq.write_table(pa.table({"a": [1.0, 2.0]}), tmp_path / "0.parquet")
    pq.write_table(pa.table({"a": [1, 2]}), tmp_path / "1.parquet")
    with pytest.raises(ValueError, match=r"1\.parquet, row group 0: column 'a' has dtype int64"):
        KMeans(1).fit(parquet_rows(tmp_path))
    pq.write_table(pa.table({"b": [1.0, 2.0]}), tmp_path / "1.parquet")
    with pytest.raises(ValueError, match="there is no column 'a'"):
        KMeans(1).fit(parquet_rows(tmp_path))


def test_dask_is_not_imported(folder):
    code = (
        "import sys; from kiso.datasets import parquet_rows; from kiso.cluster import KMeans; "
        f"KMeans(2).fit(parquet_rows({str(folder)!r}, columns=['a', 'b'])); "
        "assert not {'dask', 'distributed'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_memory_is_bounded(tmp_path):
    """Peak memory of a fit is that of some row groups, not of the file."""
    rng = np.random.default_rng(0)
    columns = [f"f{i}" for i in range(20)]
    group = pa.table({name: rng.normal(size=50_000) for name in columns})  # 8 MB
    with pq.ParquetWriter(tmp_path / "big.parquet", group.schema) as writer:
        for _ in range(40):  # 320 MB
            writer.write_table(group, row_group_size=50_000)
    code = (
        "import resource, numpy as np; from kiso.datasets import parquet_rows; "
        "from kiso.decomposition import PCA; X = np.random.default_rng(0).normal(size=(5000, 20)); "
        "PCA(2).fit(X); before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss; "
        f"model = PCA(2).fit(parquet_rows({str(tmp_path)!r})); "
        "assert model.n_samples_ == 2_000_000; "
        "grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before; "
        "assert grown < 160 * 1024, grown"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def command(*arguments):
    from click.testing import CliRunner

    from kiso.cli import main

    return CliRunner().invoke(main, list(map(str, arguments)), catch_exceptions=False)


@pytest.mark.parametrize(
    ("model", "settings", "says"),
    [
        ("kmeans", ["--target", "kind", "--set", "n_clusters=3"], "inertia"),
        ("logistic", ["--target", "kind", "--drop", "y"], "accuracy 0.9"),
        ("linear", ["--target", "y"], "R² 0.9"),
    ],
)
def test_kiso_fit_streams_a_pattern_of_files(folder, tmp_path, model, settings, says):
    from kiso.persistence import load_model

    path = tmp_path / "model.kiso"
    result = command("fit", model, folder / "part-*.parquet", *settings, "-o", path)
    assert result.exit_code == 0, result.output
    assert "3,000 rows" in result.output
    assert says in result.output
    fitted = load_model(path)
    assert not {"kind", *settings} & set(fitted.columns) or model == "linear"
    one = folder / "part-0.parquet"
    assert command("predict", path, one, "-o", tmp_path / "out.csv").exit_code == 0
    found = pd.read_csv(tmp_path / "out.csv")["prediction"]
    frame = pd.read_parquet(one)[list(fitted.columns)]
    expected = fitted.pipeline.predict(frame)
    if model == "linear":
        np.testing.assert_allclose(found, expected)
    else:
        np.testing.assert_array_equal(found, expected)


def test_kiso_fit_says_what_is_wrong_with_files(folder, tmp_path):
    for arguments, says in [
        (("kmeans", tmp_path / "*.parquet"), "no Parquet file"),
        (("kmeans", folder / "*.parquet", "--target", "nope"), "no column 'nope'"),
        (("ridge", folder / "*.parquet"), "--target"),
        (("svm", folder / "*.parquet", "--target", "kind"), "does not fit rows that lie in parts"),
        (("kmeans", folder / "*.parquet", "--set", "k=3"), "no parameter 'k'"),
    ]:
        result = command("fit", *arguments, "-o", tmp_path / "m.kiso")
        assert result.exit_code == 2
        assert says in result.output


def test_a_fitted_model_is_pickled_without_the_rows(folder):
    import pickle

    rows = parquet_rows(folder, columns=list("abcd"))
    model = KMeans(3, random_state=0).fit(rows)
    again = pickle.loads(pickle.dumps(model))
    assert not hasattr(again, "labels_")
    np.testing.assert_array_equal(again.predict(rows).read(0), model.predict(rows).read(0))
