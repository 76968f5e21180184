"""`kiso compare`: what it prints where, how it ends, and what it says of a mistake."""

import gzip
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import kiso.comparison._compare as comparing
from kiso.cli import main
from kiso.comparison import candidates_for

POSIX = pytest.mark.skipif(os.name != "posix", reason="signals and terminals of POSIX")
FAST = ["--models", "logistic", "--repeats", "1", "--folds", "3"]


def kiso(*arguments, stdin=None):
    """Run the command in this process; stdout and stderr apart."""
    return CliRunner().invoke(main, ["compare", *map(str, arguments)], input=stdin)


# loops are compiled in advance before the first command on a terminal: not what is tested here
CODE = (
    "from kiso import precompile; precompile.is_precompiled = lambda: True; "
    "from kiso.cli import main; main()"
)
# as Python sees it: readline, which pytest loads, puts COLUMNS into the C library's alone
ENVIRONMENT = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "NO_COLOR")}


def process(*arguments, env=ENVIRONMENT):
    command = [sys.executable, "-c", CODE, "compare", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=env)


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(0)
    n = 90
    frame = pd.DataFrame({"size": rng.normal(size=n), "kind": rng.choice(["a", "b"], n)})
    frame["price"] = 3 * frame["size"] + rng.normal(size=n)
    frame["sold"] = np.where(frame["size"] + 0.5 * rng.normal(size=n) > 0, "yes", "no")
    path = tmp_path / "houses.csv"
    frame.to_csv(path, index=False)
    return path


def test_without_data_a_bundled_set_is_used():
    """The README's first command, as a user types it."""
    found = process()
    assert found.returncode == 0, found.stderr
    assert found.stderr == ""
    lines = found.stdout.splitlines()
    assert lines[0].startswith(
        "breast_cancer: 569 rows, 30 of 30 columns used to predict diagnosis"
    )
    assert lines[1].startswith("classification, the target is text")
    assert "stratified 5 folds × 3 repeats, 455 to 456 rows to fit and 113 to 114" in lines[2]
    header = next(line for line in lines if "model" in line)
    for name in (
        "estimator",
        "accuracy",
        "±",
        "to best",
        "p",
        "fit",
        "predict",
        "memory",
        "parameters",
    ):
        assert name in header
    for name in ("logistic", "perceptron", "sgd", "baseline"):
        assert any(f" {name} " in line for line in lines)
    assert "is best on breast_cancer" in found.stdout
    assert "\x1b" not in found.stdout


def test_ranked(table):
    found = kiso(table, "--target", "price", "--folds", "3", "--repeats", "1")
    assert found.exit_code == 0, found.output
    table_lines = found.stdout.split("─\n")[1].split("\n\n")[0].splitlines()
    rows = [line.split() for line in table_lines]
    if rows[-1][1] == "ensemble":  # the last row, in no order of scores
        assert rows.pop()[0] == "–"
    assert [row[0] for row in rows] == [str(i + 1) for i in range(len(rows))]
    assert {row[1] for row in rows} == {model.name for model in candidates_for("regression")}
    scores = [float(row[3].replace("−", "-")) for row in rows]
    assert scores == sorted(scores, reverse=True)
    assert rows[-1][1] == "baseline"


def test_an_error_is_shown_as_one_and_ranked_from_the_least(table):
    found = kiso(table, "--target", "price", "--metric", "rmse", "--repeats", "1",
                 "--models", "ridge")  # fmt: skip
    rows = [line.split() for line in found.stdout.splitlines() if line[:1].isdigit()]
    scores = [float(row[3]) for row in rows]
    assert 0 < scores[0] < scores[1]
    assert "RMSE" in found.stdout


def test_json_is_all_that_is_printed(table):
    found = kiso(table, "--target", "sold", "--json", *FAST)
    assert found.exit_code == 0
    assert found.stderr == ""
    result = json.loads(found.stdout)
    assert result["schema"] == "kiso.compare/1"
    assert set(result) == {
        "schema", "data", "protocol", "models", "seconds", "complete", "interrupted",
        "versions", "conclusion", "report", "fit_command", "whole",
    }  # fmt: skip
    assert set(result["models"][0]) == {
        "name", "estimator", "description", "baseline", "status", "message", "scores",
        "train_scores", "params", "grid", "fit_seconds", "predict_seconds", "memory_bytes",
        "n_parameters", "n_fits", "difference", "diagnostics", "importances", "other_scores",
        "refit_seconds", "settings", "final_settings", "sparse", "members", "leads", "choice",
    }  # fmt: skip
    assert result["protocol"]["task"] == "classification"
    assert result["protocol"]["fold_sizes"] == [[60, 30]] * 3
    assert result["data"]["class_names"] == ["no", "yes"]


def test_json_holds_no_nan():
    def refuse(name):
        raise AssertionError(name)

    found = kiso("iris", "--json", "--budget", "0.001")
    assert found.exit_code == 0
    result = json.loads(found.stdout, parse_constant=refuse)
    assert not result["complete"]


def test_the_seed(table):
    def scores(*arguments):
        found = json.loads(kiso(table, "--target", "sold", "--json", *FAST, *arguments).stdout)
        return [model["scores"] for model in found["models"]]

    assert scores("--seed", 3) == scores("--seed", 3)
    assert scores("--seed", 3) != scores("--seed", 4)


def test_report_and_its_data(table, tmp_path):
    page = tmp_path / "out.html"
    found = kiso(table, "--target", "sold", "--report", page, *FAST)
    assert found.exit_code == 0, found.output
    html = page.read_text(encoding="utf-8")
    assert "<html" in html
    assert "logistic" in html
    data = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    best = data["models"][0]["diagnostics"]
    assert len(best["truth"]) == len(best["predicted"]) == 90
    assert best["curve"]["verdict"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--target", "prize"], "has no column 'prize'; the nearest are 'price'"),
        (
            ["--task", "regression"],
            "--task is for predictions: say with --target which column of houses.csv to predict: "
            "size, kind, price, sold",
        ),
        (["--models", "ridge"], "--models is for predictions"),
        (["--folds", "3"], "--folds is for predictions"),
        (["--drop", "size,kind,price,sold"], "has no column to group its rows by"),
        (["--drop", "zz"], "no column 'zz'"),
        (["--target", "price", "--task", "classification"], "fewer than 5 folds"),
        (["--target", "sold", "--task", "regression"], "regression needs numbers"),
        (["--target", "price", "--budget", "soon"], "no length of time"),
        (["--target", "price", "--metric", "accuracy"], "no metric 'accuracy' for regression"),
        (["--target", "price", "--models", "rigde"], "no model 'rigde'"),
        (["--target", "price", "--exclude", "zzz"], "no model 'zzz'"),
        (["--target", "price", "--drop", "zz"], "no column 'zz'"),
        (["--target", "price", "--drop", "size,kind,sold"], "no column to predict 'price' from"),
        (["--target", "price", "--folds", "91"], "90 rows with a target: fewer than 91 folds"),
        (["--target", "price", "--folds", "1"], "Invalid value for '--folds'"),
        (["--target", "price", "--seed", "-1"], "Invalid value for '--seed'"),
        (["--target", "price", "--task", "clustering"], "Invalid value for '--task'"),
        (["--target", "price", "--report", "/nowhere/at/all/r.html"], "nowhere"),
        (["--nonsense"], "No such option"),
    ],
)
def test_the_users_mistakes(table, options, words):
    found = kiso(table, *options)
    assert found.exit_code == 2, found.output
    assert found.stdout == ""
    assert words in " ".join(found.stderr.split())
    assert "Traceback" not in found.stderr


BROKEN = {
    "absent.csv": (None, "no file"),
    "empty.csv": (b"", "is empty"),
    "header.csv": (b"x,y\n", "no rows"),
    "binary.csv": (bytes(range(256)), "not a text table"),
    "cut.csv.gz": (gzip.compress(b"x,y\n1,2\n" * 500, mtime=0)[:-20], "cut short"),
    "junk.parquet": (b"PAR1junkPAR1", "damaged Parquet"),
    "ragged.csv": (b"x,y\n1,2\n1,2,3\n4,5\n", "line 3"),
    "one_class.csv": (b"x,y\n" + b"".join(b"%d,a\n" % i for i in range(20)), "one class only"),
    "missing.csv": (b"x,y\n" + b"".join(b"%d,\n" % i for i in range(20)), "missing in all"),
    "few.csv": (b"x,y\n1.5,2.5\n2.5,3.5\n3.5,7.5\n", "fewer than 5 folds"),
    "no_columns.csv": (b"y\n1.5\n2.5\n3.5\n4.5\n5.5\n6.5\n", "no other column"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files(tmp_path, name):
    content, words = BROKEN[name]
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    found = kiso(path, "--target", "y")
    assert found.exit_code == 2, found.output
    assert found.stdout == ""
    assert words in found.stderr
    assert len(found.stderr.strip().splitlines()) == 1


def test_a_folder(tmp_path):
    found = kiso(tmp_path, "--target", "y")
    assert found.exit_code == 2
    assert "is a folder" in found.stderr


def test_standard_input(table):
    found = kiso("-", "--target", "sold", *FAST, stdin=table.read_bytes())
    assert found.exit_code == 0, found.output
    assert found.stdout.startswith("standard input: 90 rows")


def test_our_fault_is_said_in_a_sentence(table, monkeypatch):
    def broken(*args, **kwargs):
        raise ZeroDivisionError("by\nnothing")

    monkeypatch.setattr(comparing, "outer_splits", broken)
    found = kiso(table, "--target", "sold")
    assert found.exit_code == 1
    assert found.stdout == ""
    assert "ZeroDivisionError: by nothing" in found.stderr
    assert "--traceback" in found.stderr
    shown = CliRunner().invoke(main, ["--traceback", "compare", str(table), "--target", "sold"])
    assert isinstance(shown.exception, ZeroDivisionError)


def test_interrupted_before_anything_is_known(table, monkeypatch):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(comparing, "outer_splits", interrupt)
    found = kiso(table, "--target", "sold")
    assert found.exit_code == 130
    assert "interrupted" in found.stderr


def test_interrupted_in_a_fit_prints_what_is_known(table, monkeypatch):
    from kiso.comparison._run import Runner

    whole, calls = Runner.run_fold, []

    def run_fold(self, j, fold):
        calls.append(self.model.name)
        if len(calls) == 4:
            raise KeyboardInterrupt
        whole(self, j, fold)

    monkeypatch.setattr(Runner, "run_fold", run_fold)
    found = kiso(table, "--target", "sold", *FAST)
    assert found.exit_code == 130
    assert "1/3" in found.stdout
    assert "not finished before the interruption, of 3 folds: " in found.stdout
    assert "logistic 1" in found.stdout
    assert "on held-out rows (the 1 of 3 folds that it finished)" in found.stdout


def test_every_model_failing_is_our_fault(table, monkeypatch):
    from kiso.comparison._run import Runner

    def run_fold(self, j, fold):
        raise RuntimeError("the matrix is on strike")

    monkeypatch.setattr(Runner, "run_fold", run_fold)
    found = kiso(table, "--target", "sold", *FAST)
    assert found.exit_code == 1
    assert "the matrix is on strike" in found.stdout
    assert "No model could be fitted" in found.stdout


@POSIX
def test_ctrl_c(tmp_path):
    """The signal itself, in a process of its own, in the middle of a long fit."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(20_000, 40))).round(3)
    frame["y"] = rng.choice(["a", "b", "c"], 20_000)
    path = tmp_path / "long.csv"
    frame.to_csv(path, index=False)
    code = (
        "import kiso.comparison._run as run\n"
        "whole = run.Runner.run_fold\n"
        "def tell(self, j, fold):\n"
        "    import sys; print('begun', self.model.name, j, file=sys.stderr, flush=True)\n"
        "    whole(self, j, fold)\n"
        "run.Runner.run_fold = tell\n"
        "from kiso.cli import main; main()"
    )
    arguments = ["compare", str(path), "--target", "y", "--repeats", "50", "--json"]
    with subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as running:  # fmt: skip
        for line in running.stderr:
            if line.startswith("begun logistic 0"):
                break
        time.sleep(0.5)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)
    assert running.returncode == 130, err
    result = json.loads(out)
    assert result["interrupted"]
    assert not result["complete"]
    status = {model["name"]: model["status"] for model in result["models"]}
    assert status.pop("svm") == "skipped"  # of itself: too many rows for pairs of them
    assert set(status.values()) == {"interrupted"}
    assert len(result["models"]) == len(candidates_for("classification"))
    assert "Traceback" not in err


@POSIX
def test_a_reader_that_goes_away_is_no_error(table):
    arguments = ["compare", str(table), "--target", "sold", *FAST]
    with subprocess.Popen(
        [sys.executable, "-c", CODE, *arguments], env=ENVIRONMENT,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as running:  # fmt: skip
        running.stdout.close()
        err = running.stderr.read()
    assert err == ""
    assert running.returncode == 0


def in_terminal(*arguments, columns=100, **environment):
    """Run in a pseudo-terminal; return what standard error (the terminal) and stdout show."""
    import pty

    master, slave = pty.openpty()
    environment = {**ENVIRONMENT, "COLUMNS": str(columns), "TERM": "xterm-256color", **environment}
    with subprocess.Popen(
        [sys.executable, "-c", CODE, "compare", *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=slave, env=environment,
    ) as running:  # fmt: skip
        os.close(slave)
        shown = b""
        while True:
            try:
                part = os.read(master, 65536)
            except OSError:
                break
            if not part:
                break
            shown += part
        out = running.stdout.read()
    os.close(master)
    assert running.returncode == 0
    return shown.decode(), out.decode()


@POSIX
def test_progress_on_a_terminal_and_results_in_the_pipe(table):
    err, out = in_terminal(table, "--target", "sold", "--folds", "3")
    for name in ("baseline", "logistic", "perceptron", "sgd"):
        assert name in err
    assert "%" in err
    assert "\x1b" not in out
    assert "is best" in out
    assert "is best" not in err


@POSIX
def test_quiet_and_no_color(table):
    err, _ = in_terminal(table, "--target", "sold", "--quiet", *FAST)
    assert err == ""
    err, _ = in_terminal(table, "--target", "sold", *FAST, NO_COLOR="1")
    assert "\x1b[3" not in err.replace("\x1b[3A", "")  # no colour; moving the cursor is none


@pytest.mark.parametrize("columns", [20, 40, 60, 80, 100, 200])
def test_the_table_fits(table, columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    found = kiso(table, "--target", "sold", *FAST)
    lines = found.stdout.splitlines()
    assert max(map(len, lines)) <= columns
    if columns >= 40:
        row = next(line for line in lines if " logistic " in f" {line} ")
        assert "0." in row
    head = next((line.split() for line in lines if line.strip().startswith("model")), [])
    for name in ("±", "fit", "memory"):  # only what is shown is explained
        assert (name in head) == (f"{name}:" in " ".join(lines)), name


def test_a_pipe_has_no_width(table):
    lines = kiso(table, "--target", "sold", *FAST).stdout.splitlines()
    assert "95 % interval" in next(line for line in lines if "estimator" in line)


def test_ascii_output(table):
    found = process(
        table, "--target", "price", *["--models", "ridge"], "--repeats", "1", "--folds", "3",
        env={**ENVIRONMENT, "PYTHONIOENCODING": "ascii"},
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    assert "ridge" in found.stdout


def test_help_names_every_option():
    found = kiso("--help")
    for option in ("--target", "--task", "--budget", "--seed", "--report", "--json", "--metric"):
        assert option in found.output


@pytest.mark.parametrize(
    ("name", "target", "task", "least"),
    [
        ("titanic_train.csv.gz", "Survived", "classification", 0.74),
        ("penguins.csv.gz", "species", "classification", 0.95),
        ("ames.csv.gz", "Sale_Price", "regression", 0.7),
        ("bike_sharing_hour.csv.gz", "cnt", "regression", 0.3),
        ("adult.data.gz", "column_15", "classification", 0.8),
    ],
)
def test_real_tables(real_data, tmp_path, name, target, task, least):
    """Up to 900 rows of each real table, all models, one shuffle."""
    from kiso.comparison import read_table

    frame = read_table(real_data(f"tabular/{name}")).frame
    path = tmp_path / f"{Path(name).stem}.parquet"
    frame.sample(min(900, len(frame)), random_state=0).to_parquet(path, index=False)
    drop = ["--drop", "casual,registered"] if "bike" in name else []
    found = kiso(path, "--target", target, "--repeats", "1", "--folds", "3", "--json",
                 "--exclude", "local" if task == "regression" else "perceptron", *drop)  # fmt: skip
    assert found.exit_code == 0, found.output
    result = json.loads(found.stdout)
    assert result["protocol"]["task"] == task
    assert all(model["status"] == "done" for model in result["models"]), result["models"]
    best = result["models"][0]
    assert np.mean(best["scores"]) > least
    baseline = next(model for model in result["models"] if model["baseline"])
    assert np.mean(baseline["scores"]) < np.mean(best["scores"])


def test_without_a_target_rows_are_grouped(table, tmp_path):
    page = tmp_path / "out.html"
    found = kiso(table, "--drop", "price", "--report", page)
    assert found.exit_code == 0, found.output
    lines = found.stdout.splitlines()
    assert lines[0] == "houses.csv: 90 rows, 3 of 4 columns used"
    assert lines[1].startswith("no --target: the rows are grouped by k-means")
    assert " clusters of " in lines[-1]
    assert "What groups are there in houses.csv?" in page.read_text(encoding="utf-8")
    data = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert len(data["labels"]) == len(data["points"]) == 90


def test_clusters_as_json(table):
    found = kiso(table, "--json")
    assert found.exit_code == 0, found.output
    result = json.loads(found.stdout)
    assert result["schema"] == "kiso.clusters/1"
    assert sum(cluster["n_rows"] for cluster in result["clusters"]) == 90
    assert "points" not in result


def test_clusters_interrupted(table, monkeypatch):
    import kiso.comparison._clusters as clustering

    def breaks(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(clustering, "adjusted_rand_score", breaks)
    found = kiso(table)
    assert found.exit_code == 130
    assert "interrupted: what follows is what was known by then." in found.stdout
    assert " clusters of " in found.stdout


class TestAfterTheTable:
    """The best model as a command, as a script and as a file."""

    @pytest.mark.parametrize("options", [(), ("--groups", "who"), ("--time", "day")])
    def test_the_script_scores_the_same(self, tmp_path, options):
        rng = np.random.default_rng(0)
        frame = pd.DataFrame(
            {
                "size": rng.normal(size=80),
                "kind, of": rng.choice(["a", "b"], 80),
                "who": rng.integers(0, 16, 80),
                "day": pd.date_range("2020-01-01", periods=80).astype(str),
            }
        )
        frame["price"] = 3 * frame["size"] + rng.normal(size=80)
        frame.to_csv(tmp_path / "t.csv", index=False)
        script, model = tmp_path / "out.py", tmp_path / "m.kiso"
        found = kiso(tmp_path / "t.csv", "--target", "price", "--models", "svm", "--models",
                     "ridge", "--repeats", "1", "--folds", "3", "--drop", "kind, of",
                     "--script", script, "--save", model, "--json", *options)  # fmt: skip
        assert found.exit_code == 0, found.output
        result = json.loads(found.stdout)
        best = result["models"][0]
        used = [c["name"] for c in result["data"]["columns"] if c["used"]]
        assert "kind, of" not in used
        ran = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
        scores = [float(word) for word in ran.stdout.splitlines()[1].split()]
        assert scores == pytest.approx(best["scores"], rel=1e-5)
        command = result["fit_command"]
        assert command.startswith(f"kiso fit {best['name']} ")
        assert command.endswith(f"-o {model}")
        assert "--drop 'kind, of'" in command
        again = CliRunner().invoke(main, [*shlex.split(command)[1:-1], str(tmp_path / "n.kiso")])
        assert again.exit_code == 0, again.output
        predictions = [
            CliRunner().invoke(main, ["predict", str(path), str(tmp_path / "t.csv")]).stdout
            for path in (model, tmp_path / "n.kiso")
        ]
        assert predictions[0] == predictions[1] != ""

    @pytest.mark.parametrize(
        ("target", "options"),
        [
            ("price", ("--weights", "many", "--models", "ridge,forest,ensemble",
                       "--sample", "120")),
            ("kind", ("--weights", "many", "--calibrate", "isotonic", "--cost", "1:3",
                      "--models", "logistic,linear-svm,ensemble")),
            ("kind", ("--models", "neighbors,logistic,forest,ensemble", "--cost", "2:1",
                      "--positive", "b")),
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("leads", [False, True])
    def test_with_every_option_the_script_scores_the_same(
        self, tmp_path, monkeypatch, target, options, leads
    ):
        if leads:  # an ensemble that is the best is written, too
            monkeypatch.setattr(comparing, "SURE", 1.0)
        rng = np.random.default_rng(1)
        kind = rng.choice(["a", "b"], 150)
        notes = [
            f"{rng.choice(['red', 'old', 'small'])} house {rng.choice(['near', 'far'])} "
            f"{'garden' if k == 'a' else 'street'} {i % 70}"
            for i, k in enumerate(kind)
        ]
        size = rng.normal(size=150)
        price = 3 * size + 2 * np.abs(size) * (kind == "a") + rng.normal(size=150)
        frame = pd.DataFrame({"size": size, "note": notes, "many": rng.integers(1, 5, 150),
                              "price": price, "kind": kind})  # fmt: skip
        frame.loc[rng.choice(150, 12, replace=False), "kind"] = "b"
        frame.to_csv(tmp_path / "t.csv", index=False)
        script, model = tmp_path / "out.py", tmp_path / "m.kiso"
        found = kiso(tmp_path / "t.csv", "--target", target, *options, "--repeats", "1", "--folds",
                     "3", "--script", script, "--save", model, "--json")  # fmt: skip
        assert found.exit_code == 0, found.output
        result = json.loads(found.stdout)
        best = next((m for m in result["models"] if m["leads"]), result["models"][0])
        ran = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
        scores = [float(word) for word in ran.stdout.splitlines()[1].split()]
        sign = -1 if result["protocol"]["metric"].startswith("neg_") else 1
        assert [sign * s for s in scores] == pytest.approx(best["scores"], rel=1e-5)
        command = result["fit_command"]
        name = "+".join(best["members"]) or best["name"]
        assert command.startswith(f"kiso fit {name} ")
        assert ("--weights many" in command) == ("--weights" in options)
        assert ("--calibrate isotonic" in command) == ("--calibrate" in options)
        assert ("--threshold" in command) == ("--cost" in options)
        again = CliRunner().invoke(main, [*shlex.split(command)[1:-1], str(tmp_path / "n.kiso")])
        assert again.exit_code == 0, again.output
        predictions = [
            CliRunner().invoke(main, ["predict", str(path), str(tmp_path / "t.csv")]).stdout
            for path in (model, tmp_path / "n.kiso")
        ]
        assert predictions[0] == predictions[1] != ""

    def test_folders_are_checked_before_anything_runs(self, table):
        found = kiso(table, "--target", "price", "--save", "no/such/folder/m.kiso")
        assert found.exit_code == 2
        assert "folder that exists" in found.stderr


def test_several_targets_are_compared_one_after_the_other(table):
    found = kiso(table, "--target", "price", "--target", "sold", "--models", "ridge", "--models",
                 "logistic", "--repeats", "1", "--folds", "3", "--json")  # fmt: skip
    assert found.exit_code != 0  # logistic predicts no prices
    assert "'logistic' is for classification" in found.stderr
    found = kiso(table, "--target", "price", "--target", "sold", "--models", "neighbors",
                 "--repeats", "1", "--folds", "3", "--json")  # fmt: skip
    assert found.exit_code == 0, found.output
    price, sold = (json.loads(line) for line in found.stdout.splitlines())
    assert (price["protocol"]["task"], sold["protocol"]["task"]) == ("regression", "classification")
    for result, other in ((price, "sold"), (sold, "price")):
        assert other not in [c["name"] for c in result["data"]["columns"] if c["used"]]
    for option in ("--report", "--save"):
        found = kiso(table, "--target", "price", "--target", "sold", option, "x.html")
        assert found.exit_code == 2
        assert "one target" in found.stderr


def test_warnings_name_their_option(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": np.abs(rng.normal(size=60)), "z": rng.normal(size=60)})
    frame["y"] = frame["x"] + rng.normal(size=60)
    frame.loc[::12, "x"] = -999
    frame.to_csv(tmp_path / "t.csv", index=False)
    fast = ["--models", "ridge", "--repeats", "1"]
    found = kiso(tmp_path / "t.csv", "--target", "y", *fast)
    assert (
        "warning: -999 stands in 5 cells of column 'x', far from all other values" in found.stdout
    )
    assert "(--missing=-999)" in found.stdout
    mended = kiso(tmp_path / "t.csv", "--target", "y", "--missing=-999", *fast)
    assert "warning" not in mended.stdout


def test_the_report_is_within_the_budget(table, tmp_path):
    began = time.perf_counter()
    found = kiso(table, "--target", "price", "--budget", "20s", "--models", "ridge,neighbors",
                 "--report", tmp_path / "r.html")  # fmt: skip
    assert found.exit_code == 0, found.output
    assert time.perf_counter() - began < 22
    page = (tmp_path / "r.html").read_text()
    assert 'class="verdict"' in page
    assert "kiso fit " in page
