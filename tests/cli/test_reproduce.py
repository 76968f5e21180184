"""`kiso reproduce`: what it prints where, and how it ends."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from matplotlib.figure import Figure

from kiso import datasets, experiments
from kiso.cli import main
from kiso.experiments import Check, Experiment, Outcome


def holds(seed):
    return Outcome((Check("intercept [bold]", "71.27", 71.27 + seed, True),), {}, "remark")


def fails(seed):
    return Outcome((Check("slope", "≥ 2", 1.0, False), Check("bias", "0", 0.0, True)))


def breaks(seed):
    raise ValueError("matrix is\nsingular")


def stops(seed):
    raise KeyboardInterrupt


def draw(outcome):
    figure = Figure()
    figure.add_subplot().plot([0, 1])
    return figure


def no_picture(outcome):
    raise RuntimeError("no picture")


def make(name, run, **options):
    options = {"draw": draw, **options}
    return Experiment(f"title {name}", (1, 35), "a claim", "a source", run, name=name, **options)


HOUSE = {
    e.name: e
    for e in (
        make("good-one", holds),
        make("false-one", fails),
        make("broken-one", breaks),
        make("stopped-one", stops),
        make("slow-one", holds, slow=True),
        make("data-one", breaks, needs=("mnist",)),
        make("undrawn-one", holds, draw=no_picture),
        make("empty-one", lambda seed: Outcome(())),
    )
}


@pytest.fixture
def run(monkeypatch):
    """Run the command with some of the synthetic experiments as the whole registry."""

    def call(*args, house=tuple(HOUSE)):
        monkeypatch.setattr(experiments, "names", lambda: sorted(house))
        monkeypatch.setattr(experiments, "load", HOUSE.__getitem__)
        monkeypatch.setattr(datasets, "available", lambda name: False)
        return CliRunner().invoke(main, ["reproduce", *args])

    return call


def test_list(run):
    result = run("--list")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert "title good-one" in result.stdout
    assert len([line for line in lines if "title" in line and "1, 35" in line]) == len(HOUSE)
    assert any("slow-one" in line and "slow" in line.split()[-1] for line in lines)
    assert any("data-one" in line and "needs mnist" in line for line in lines)


def test_list_as_json(run):
    data = json.loads(run("--list", "--json", "good-one").stdout)
    assert [e["name"] for e in data["experiments"]] == ["good-one"]


def test_all_that_hold(run):
    result = run("--all", house=("good-one", "slow-one"))
    assert result.exit_code == 0
    assert "intercept [bold]" in result.stdout
    assert "✓ holds" in result.stdout
    assert "slow-one" not in result.stdout
    assert "1 experiment: 1 holds" in result.stdout
    assert result.stderr == ""
    assert "\x1b" not in result.output


def test_slow_ones_too(run):
    for args in (("--slow",), ("--all", "--slow")):
        assert "2 experiments: 2 holds" in run(*args, house=("good-one", "slow-one")).stdout


def test_a_slow_one_by_name(run):
    assert "slow-one" in run("slow-one").stdout


def test_a_false_claim_ends_with_1(run):
    result = run("false-one")
    assert result.exit_code == 1
    assert "✗ false" in result.stdout
    assert "✓ holds" in result.stdout  # its other check


def test_an_error_is_said_and_the_others_go_on(run):
    result = run("broken-one", "good-one")
    assert result.exit_code == 1
    assert "ValueError: matrix is singular (test_reproduce.py, line" in result.stdout
    assert "1 holds, 1 failed" in result.stdout


def test_checking_nothing_is_false(run):
    result = run("empty-one")
    assert result.exit_code == 1
    assert "it checked nothing" in result.stdout


def test_absent_data_are_skipped_with_what_to_do(run):
    result = run("data-one", "good-one")
    assert result.exit_code == 0
    text = " ".join(result.stdout.split())
    assert "1 holds, 1 skipped" in text
    assert "KISO_DATA" in text
    assert "fetch_mnist" in text


def test_present_data_are_used(run, monkeypatch):
    monkeypatch.setattr(datasets, "available", lambda name: True)
    monkeypatch.setattr(experiments, "names", lambda: ["data-one"])
    monkeypatch.setattr(experiments, "load", HOUSE.__getitem__)
    assert CliRunner().invoke(main, ["reproduce", "data-one"]).exit_code == 1  # it ran, and broke


def test_unknown_name_gives_the_nearest_and_runs_nothing(run):
    result = run("good-one", "godd-one")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "'godd-one'; did you mean good-one" in result.stderr
    assert "--list" in run("zzz").stderr


def test_nothing_asked(run):
    result = run()
    assert result.exit_code == 2
    assert "--all" in result.stderr


def test_interrupted(run, tmp_path):
    result = run("good-one", "stopped-one", "false-one", "--report", str(tmp_path))
    assert result.exit_code == 130
    assert "✓ holds" in result.stdout
    assert "interrupted before it came to an end" in result.stdout
    assert "not begun" in result.stdout
    assert "stopped-one" in (tmp_path / "index.html").read_text("utf-8")


def test_json(run):
    result = run("good-one", "false-one", "data-one", "--json", "--seed", "3")
    assert result.exit_code == 1
    data = json.loads(result.stdout)
    assert data["schema"] == "kiso.reproduce/1"
    assert data["counts"] == {"holds": 1, "false": 1, "skipped": 1}
    assert data["experiments"][0]["checks"][0]["measured"] == pytest.approx(74.27)
    assert data["experiments"][0]["seed"] == 3


def test_names_twice_run_once(run):
    assert "1 experiment:" in run("good-one", "good-one").stdout


def test_report(run, tmp_path):
    result = run("good-one", "false-one", "--report", str(tmp_path / "new"))
    assert result.exit_code == 1
    assert "<svg" in (tmp_path / "new" / "index.html").read_text("utf-8")
    assert json.loads((tmp_path / "new" / "results.json").read_text("utf-8"))


def test_report_that_cannot_be_written_is_refused_first(run, tmp_path):
    (tmp_path / "file").write_text("")
    result = run("stopped-one", "--report", str(tmp_path / "file"))
    assert result.exit_code == 2
    assert "name a folder" in result.stderr


def test_a_picture_that_fails_is_a_failure(run, tmp_path):
    assert run("undrawn-one").exit_code == 0
    result = run("undrawn-one", "--report", str(tmp_path))
    assert result.exit_code == 1
    assert "RuntimeError: no picture" in result.stdout


@pytest.mark.parametrize("columns", ["20", "40", "300"])
def test_any_width(run, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    result = run("good-one", "broken-one", "data-one")
    assert result.exit_code == 1
    assert all(len(line) <= int(columns) for line in result.stdout.splitlines())


ROOT = Path(__file__).parents[2]
SCRIPT = """
from kiso import experiments
from kiso.cli import main
from tests.cli.test_reproduce import HOUSE
experiments.names = lambda: ["good-one"]
experiments.load = HOUSE.__getitem__
main(["reproduce", "good-one"])
"""


def on_a_terminal(**variables):
    """Run with standard error on a pseudo-terminal; return (stdout, what the terminal got)."""
    master, slave = pty.openpty()
    env = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS")}
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, stderr=slave, check=True, cwd=ROOT,
        env={**env, "TERM": "xterm-256color", **variables},
    )  # fmt: skip
    os.close(slave)
    shown = b""
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        shown += part
    os.close(master)
    return result.stdout.decode(), shown.decode()


def test_progress_on_a_terminal_only_and_results_plain():
    out, shown = on_a_terminal()
    assert "0/1" in shown
    assert "\x1b" not in out
    assert "71.27" in out
    assert "71.27" not in shown
    assert "\x1b[3" in shown  # coloured


def test_no_color():
    _, shown = on_a_terminal(NO_COLOR="1")
    assert "good-one" in shown
    assert "\x1b[3" not in shown.replace("\x1b[?", "")


def test_the_real_registry_lists():
    result = CliRunner().invoke(main, ["reproduce", "--list"])
    assert result.exit_code == 0
    assert all(name in result.stdout for name in experiments.names())
