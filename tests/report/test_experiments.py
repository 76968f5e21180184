"""The page of the experiments shows every claim, verdict, remark and picture."""

import json

import numpy as np
import pytest
from matplotlib.figure import Figure

from kiso.experiments import Check, Experiment, Outcome
from kiso.report import ExperimentResult, experiments_to_dict, measured, write_experiments
from tests.report.test_comparison import HOSTILE, Page


def experiment(name, **options):
    options = {"title": f"Title of {name}", "rows": (1, 2), "claim": f"claim of {name}",
               "source": "CS229 notes 1", "run": None, "draw": None, **options}  # fmt: skip
    return Experiment(name=name, **options)


def picture(n_points=10):
    figure = Figure(figsize=(4, 3))
    ax = figure.add_subplot()
    ax.plot(*np.random.default_rng(0).random((2, n_points)), "o")
    ax.set_title("slope $\\theta_1$")
    return figure


def results():
    checks = (Check("intercept", "71.2705 ± 0.001", 71.27049, True),
              Check("slope", "≥ 2", -1.5, False), Check("words", "yes", "<no>", True))  # fmt: skip
    return [
        ExperimentResult(experiment("one"), "holds", Outcome(checks[:1], remark="a surprise"), 0.5,
                         7, figure=picture()),
        ExperimentResult(experiment("two"), "false", Outcome(checks), 1.5, 7, figure=picture()),
        ExperimentResult(experiment("three"), "failed", None, 0.1, 7, "ValueError: broke"),
        ExperimentResult(experiment("four", needs=("mnist",)), "skipped", message="data absent"),
    ]  # fmt: skip


def test_page(tmp_path):
    page = Page(write_experiments(results(), tmp_path / "new" / "folder"))
    for words in (
        "1 holds, 1 false, 1 failed, 1 skipped", "claim of one", "71.2705 ± 0.001", "71.2705",
        "≥ 2", "−1.5", "✗ false", "a surprise", "ValueError: broke", "data absent", "<no>",
        "CS229 notes 1", "seed 7",
    ):  # fmt: skip
        assert words in page.text
    assert page.tags.count("svg") == 2


def test_untestable_is_counted_apart(tmp_path):
    open_check = Check("accuracy", "80.1 %", "5,000 images only", None)
    held = Check("parameters", "145,578", 145_578, True)
    assert Outcome((open_check, held)).verdict is None
    assert Outcome((open_check, Check("x", "1", 2.0, False))).verdict is False
    result = ExperimentResult(experiment("x"), "untestable", Outcome((open_check, held)))
    page = Page(write_experiments([result], tmp_path))
    assert page.text.count("? not testable here") >= 3  # contents, heading, check
    assert experiments_to_dict([result])["experiments"][0]["checks"][0]["holds"] is None


def test_frames_are_played_by_the_page_itself(tmp_path):
    result = ExperimentResult(
        experiment("x"), "holds", Outcome(()), figure=picture(), frames=(picture(), picture())
    )
    html = write_experiments([result], tmp_path).read_text("utf-8")
    assert html.count('<div class="frame"') == 2
    assert html.count("<script>") == html.count("<script") == 1
    assert "http" not in html.split("<script>")[1]


def test_formulas_are_mathml(tmp_path):
    e = experiment("x", formula=r"\hat\sigma^2 = \frac{1}{n}\sum_i (x_i - \bar x)^2")
    page = Page(write_experiments([ExperimentResult(e, "holds", Outcome(()))], tmp_path))
    assert "<math" in page.html
    assert "<mfrac>" in page.html


def test_the_order_is_that_of_the_notes(tmp_path):
    late, early = experiment("late", rows=(90,)), experiment("early", rows=(1,))
    given = [ExperimentResult(e, "holds", Outcome(())) for e in (late, early)]
    text = Page(write_experiments(given, tmp_path)).text
    assert text.rindex("Title of early") < text.rindex("Title of late")


def test_json_says_the_same(tmp_path):
    write_experiments(results(), tmp_path)
    data = json.loads((tmp_path / "results.json").read_text("utf-8"))
    assert data == json.loads(json.dumps(experiments_to_dict(results())))
    assert data["schema"] == "kiso.reproduce/1"
    assert data["counts"] == {"holds": 1, "false": 1, "failed": 1, "skipped": 1}
    assert [e["verdict"] for e in data["experiments"]] == [True, False, None, None]
    assert data["experiments"][1]["checks"][1] == {
        "what": "slope", "claimed": "≥ 2", "measured": -1.5, "holds": False,
    }  # fmt: skip


def test_numbers_without_a_name_in_json():
    check = Check("limit", "finite", np.float32("nan"), np.False_)
    result = ExperimentResult(experiment("x"), "false", Outcome((check,)))
    text = json.dumps(experiments_to_dict([result]), allow_nan=False)
    assert json.loads(text)["experiments"][0]["checks"][0]["measured"] is None
    assert measured(check) == "nan"


def test_hostile_words_stay_text(tmp_path):
    e = experiment("x", title=HOSTILE, claim=HOSTILE, source=HOSTILE)
    outcome = Outcome((Check(HOSTILE, HOSTILE, HOSTILE, False),), remark=HOSTILE)
    figure = Figure()
    figure.add_subplot().set_title("<script>alert('drawn')</script> -->")
    page = Page(write_experiments([ExperimentResult(e, "false", outcome, figure=figure)], tmp_path))
    assert '<script>alert("x")</script>' in page.text


def test_a_large_picture_becomes_a_png(tmp_path):
    e = ExperimentResult(experiment("x"), "holds", Outcome(()), figure=picture(20_000))
    page = Page(write_experiments([e], tmp_path))
    assert "data:image/png;base64," in page.html
    assert len(page.html) < 500_000


def test_nothing_ran(tmp_path):
    assert "No experiment ran" in Page(write_experiments([], tmp_path)).text


def test_a_file_in_the_way(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError, match="is a file; name a folder"):
        write_experiments([], tmp_path / "file")
    with pytest.raises(OSError, match="cannot make the folder"):
        write_experiments([], tmp_path / "file" / "deeper")
