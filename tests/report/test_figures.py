"""The pictures show the numbers they were given; what they are made of has a slow twin."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from kiso.comparison import Diagnostics, Weight
from kiso.report import figures
from kiso.report.figures import _measures as measures
from kiso.report.figures._style import plain, short
from tests.report.examples import classification, regression

OVERVIEW = [figures.scores, figures.differences, figures.time_against_score]
OF_FIT = [figures.learning_curve, figures.objective, figures.weights]
OF_REGRESSION = [figures.predicted_against_truth, figures.residuals]
OF_CLASSES = [figures.confusion_matrix, figures.frequent_mistakes, figures.calibration]


@pytest.mark.parametrize("draw", OVERVIEW)
def test_overview(draw):
    figure = draw(regression())
    assert isinstance(figure, Figure)
    figure.savefig("/dev/null", format="svg")


@pytest.mark.parametrize("draw", OF_FIT + OF_REGRESSION)
def test_of_a_regression(draw):
    found = regression(60)
    figure = draw(found, found.models[0])
    assert isinstance(figure, Figure)
    assert figure.axes[0].get_xlabel()


@pytest.mark.parametrize("draw", OF_CLASSES)
def test_of_a_classification(draw):
    found = classification()
    assert isinstance(draw(found, found.models[0]), Figure)


@pytest.mark.parametrize("draw", OF_FIT + OF_REGRESSION + OF_CLASSES)
def test_nothing_to_draw_is_said(draw):
    found = regression()
    found.models[0].diagnostics = Diagnostics()
    with pytest.raises(ValueError, match="ridge"):
        draw(found, found.models[0])


def test_models_are_named_in_order_and_far_ones_at_the_edge():
    found = regression()
    ax = figures.scores(found).axes[0]
    assert [t.get_text() for t in ax.get_yticklabels()] == [m.name for m in found.models]
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the first is at the top
    edge = [t.get_text() for t in ax.texts]
    assert len(edge) == 1  # the baseline, far below
    assert edge[0].startswith("◂")
    assert ax.get_xlim()[0] > 0.5


def test_an_error_is_shown_as_an_error():
    found = regression(metric="neg_root_mean_squared_error")
    for model in found.models:
        model.scores = [-10.0 - s for s in model.scores]
    ax = figures.scores(found).axes[0]
    assert ax.get_xlim()[0] > 0
    assert "smaller is better" in ax.get_xlabel()


def test_a_model_with_some_folds_says_so():
    found = regression()
    found.models[1].status = "interrupted"
    found.models[1].scores = [0.8, float("nan")]
    names = [t.get_text() for t in figures.scores(found).axes[0].get_yticklabels()]
    assert "linear (1 of 5 folds)" in names


def test_sure_differences_are_filled():
    found = regression()
    lines = figures.differences(found).axes[0].lines
    faces = {line.get_markerfacecolor() for line in lines if line.get_marker() == "o"}
    assert len(faces) == 2


def test_the_baseline_does_not_squeeze_the_differences():
    found = regression()
    assert figures.differences(found).axes[0].get_xlim()[1] < 0.1
    del found.models[1]  # only the best and the baseline: now it is what there is to see
    found.models[0].difference.low = found.models[0].difference.high = 0.0
    assert 0.9 < figures.differences(found).axes[0].get_xlim()[1] < 1.1


def test_twenty_largest_weights():
    found = regression()
    values = np.random.default_rng(0).normal(size=300)
    found.models[0].diagnostics.weights = [Weight(f"f{i}", v) for i, v in enumerate(values)]
    ax = figures.weights(found, found.models[0]).axes[0]
    drawn = [bar.get_width() for bar in ax.patches]
    np.testing.assert_array_equal(drawn, values[np.argsort(-np.abs(values))[:20]])


def test_names_are_drawn_as_they_stand():
    r"""No formula, no XML breaks: `$` is not TeX, control characters are spaces."""
    assert plain("a $x$\n\x00b") == r"a \$x\$  b"
    figure, ax = figures._style.canvas(2)
    figures._style.dress(ax, title=r"price in $ and \frac{$", xlabel="$")
    figure.savefig("/dev/null", format="svg")
    found = classification(["$a", "b$ \\", "$\\frac{1}$"])
    for draw in OF_CLASSES:
        draw(found, found.models[0]).savefig("/dev/null", format="svg")


def test_long_names_keep_both_ends():
    name = "x" * 40 + "last"
    assert len(short(name, 20)) == 20
    assert short(name, 20).endswith("last")
    assert short("brief", 20) == "brief"


def test_many_classes_are_merged():
    found = classification([f"class {i}" for i in range(60)], 2000)
    ax = figures.confusion_matrix(found, found.models[0]).axes[0]
    names = [t.get_text() for t in ax.get_yticklabels()]
    assert len(names) == measures.MAX_CLASSES
    assert names[-1] == "49 others"
    assert sum(int(t.get_text()) for t in ax.texts) == 2000


def test_many_points_are_sampled_with_the_seed():
    assert len(measures.sample(100, 0)) == 100
    rows = measures.sample(100_000, 3)
    assert len(set(rows)) == measures.MAX_POINTS
    np.testing.assert_array_equal(rows, measures.sample(100_000, 3))
    assert set(rows) != set(measures.sample(100_000, 4))


@given(st.integers(2, 20), st.integers(1, 60), st.integers(0, 99))
@settings(deadline=None, max_examples=30)
def test_confusion_counts_every_row(k, n, seed):
    rng = np.random.default_rng(seed)
    names = [f"c{i}" for i in range(k)]
    truth, predicted = rng.integers(k, size=(2, n))
    found = classification(names, 10)
    d = Diagnostics(truth=[names[i] for i in truth], predicted=[names[i] for i in predicted])
    full = measures.confusion(found, d)
    slow = [[sum((truth == i) & (predicted == j)) for j in range(k)] for i in range(k)]
    np.testing.assert_array_equal(full.counts, slow)
    few = measures.merged(full, 5)
    assert few.n_rows == n
    for i, a in enumerate(few.names[:-1] if few.n_merged else few.names):
        assert few.counts[i, i] == full.counts[names.index(a), names.index(a)]
    wrong = [(a, b) for a, b, _, _ in measures.mistakes(full, 1000)]
    assert len(wrong) == np.count_nonzero(slow) - np.count_nonzero(np.diag(slow))


def test_a_class_that_the_table_did_not_name():
    found = classification(["a", "b"], 10)
    d = Diagnostics(truth=["a", 3], predicted=[3, "b"])
    full = measures.confusion(found, d)
    assert full.names == ["a", "b", "3"]
    assert full.counts[0, 2] == full.counts[2, 1] == 1


def test_reliability_of_probabilities_that_are_true():
    rng = np.random.default_rng(0)
    p = rng.random(20_000)
    truth = np.where(rng.random(20_000) < p, "yes", "no").tolist()
    found = classification(["no", "yes"], 10)
    d = Diagnostics(truth=truth, predicted=truth, probability=np.column_stack([1 - p, p]).tolist())
    result = measures.reliability(found, d)
    assert result.error < 0.02
    assert result.n_rows == 20_000
    inside = (result.low <= result.stated) & (result.stated <= result.high)
    assert inside.sum() >= 8
    flipped = Diagnostics(truth=truth, predicted=truth,
                          probability=np.column_stack([p, 1 - p]).tolist())  # fmt: skip
    assert measures.reliability(found, flipped).error > 0.4


def test_reliability_of_many_classes_is_that_of_the_chosen_one():
    found = classification(["a", "b", "c"], 10)
    d = Diagnostics(truth=["a", "b"], probability=[[0.5, 0.3, 0.2], [0.6, 0.3, 0.1]])
    result = measures.reliability(found, d)
    np.testing.assert_allclose(np.sort(result.stated), [0.5, 0.6])
    np.testing.assert_allclose(result.observed, [1, 0])
    assert measures.reliability(found, Diagnostics(truth=["a"])) is None


@pytest.mark.parametrize("path", [[3.0], [1e9, 1.0, 1e-3], [float("nan"), 2.0], list(range(5000))])
def test_objectives(path):
    found = regression(40)
    found.models[0].diagnostics.objective = path
    figure = figures.objective(found, found.models[0])
    assert len(figure.axes[0].lines[0].get_xdata()) <= 400
    figure.savefig("/dev/null", format="svg")


def test_constant_truth_and_equal_errors():
    found = regression(40)
    d = found.models[0].diagnostics
    d.truth, d.predicted = [5.0] * 40, [5.0] * 40
    for draw in OF_REGRESSION:
        draw(found, found.models[0]).savefig("/dev/null", format="svg")
