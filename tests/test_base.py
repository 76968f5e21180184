"""The protocol of iterative fits, on the smallest algorithm there is: halving the distance."""

import warnings
from dataclasses import dataclass

import numpy as np
import pytest
from sklearn.base import ClassifierMixin, RegressorMixin, clone
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import validate_data

from kiso.base import IterativeEstimator, State


@dataclass(frozen=True, kw_only=True)
class MeanState(State):
    mean: float


class Halving(RegressorMixin, IterativeEstimator):
    """Moves half-way to the mean of y at each step."""

    def __init__(self, max_iter=10, tol=1e-3, interrupt_at=None):
        self.max_iter = max_iter
        self.tol = tol
        self.interrupt_at = interrupt_at

    _parameter_constraints = {"max_iter": [int], "tol": [float], "interrupt_at": [int, None]}

    def fit(self, X, y, sample_weight=None):
        return self._fit(X, y, sample_weight=sample_weight)

    def _prepare(self, X, y=None, sample_weight=None):
        _, y = validate_data(self, X, y)
        return float(np.average(y, weights=sample_weight))

    def _iterate(self, target):
        mean = 0.0
        for n_iter in range(1, self.max_iter + 1):
            if n_iter == self.interrupt_at:
                raise KeyboardInterrupt
            mean += (target - mean) / 2
            gap = abs(target - mean)
            yield MeanState(n_iter=n_iter, objective=gap, mean=mean, converged=gap < self.tol)
            if gap < self.tol:
                return

    def _fitted(self, target, state):
        return {"mean_": state.mean, "n_iter_": state.n_iter}

    def predict(self, X):
        return np.full(len(X), self.mean_)


X = np.arange(6.0).reshape(-1, 1)
y = np.full(6, 8.0)


class Recorder:
    """Counts hooks and asks to stop after some steps."""

    def __init__(self, stop_after=None):
        self.begun, self.ended, self.means, self.torn_down = [], [], [], False
        self.stop_after = stop_after

    def setup(self, estimator, context):
        self.max_subtasks = context.max_subtasks

    def teardown(self, estimator, context):
        self.torn_down = True

    def on_fit_task_begin(self, estimator, context):
        self.begun.append(context.task_name)

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        self.ended.append(context.task_name)
        if context.task_name == "step" and fitted_estimator is not None:
            self.means.append(float(fitted_estimator.predict(X)[0]))
            return self.stop_after is not None and len(self.means) >= self.stop_after
        return False


def test_fit_and_steps_agree():
    fitted = Halving(max_iter=30).fit(X, y)
    stepped = Halving(max_iter=30)
    states = list(stepped.steps(X, y))
    assert stepped.mean_ == fitted.mean_ == states[-1].mean
    assert fitted.n_iter_ == len(states)
    assert states[-1].converged
    np.testing.assert_array_equal(fitted.objective_path_, [s.objective for s in states])


def test_estimator_is_fitted_after_every_step():
    estimator = Halving()
    for state in estimator.steps(X, y):
        assert estimator.predict(X)[0] == state.mean
        if state.n_iter == 3:
            break
    assert estimator.n_iter_ == 3


def test_steps_refuses_bad_input_at_once():
    with pytest.raises(ValueError, match="NaN"):
        Halving().steps(np.full((3, 1), np.nan), y[:3])


def test_callbacks_see_each_step():
    recorder = Recorder()
    Halving(max_iter=30).set_callbacks(recorder).fit(X, y)
    assert recorder.max_subtasks == 30
    assert recorder.means[:3] == [4.0, 6.0, 7.0]
    assert recorder.begun == recorder.ended[-1:] + recorder.ended[:-1]
    assert recorder.torn_down


def test_callback_stops_the_fit_without_a_warning():
    recorder = Recorder(stop_after=2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        estimator = Halving(tol=0.0).set_callbacks(recorder).fit(X, y)
    assert estimator.n_iter_ == 2
    assert estimator.mean_ == 6.0


@pytest.mark.parametrize("watched", [False, True])
def test_not_converging_is_a_warning_with_numbers(watched):
    estimator = Halving(max_iter=3)
    if watched:
        estimator.set_callbacks(Recorder())
    with pytest.warns(ConvergenceWarning, match="3 iterations .objective 1"):
        estimator.fit(X, y)


def test_interrupt_keeps_the_last_state():
    recorder = Recorder()
    estimator = Halving(interrupt_at=3).set_callbacks(recorder)
    with pytest.raises(KeyboardInterrupt):
        estimator.fit(X, y)
    assert estimator.mean_ == 6.0
    assert estimator.predict(X)[0] == 6.0
    assert recorder.torn_down


def test_scikit_learns_own_callbacks():
    monitor = ScoringMonitor(scoring="neg_mean_absolute_error")
    estimator = Halving(max_iter=30).set_callbacks(monitor, ProgressBar())
    estimator.fit(X, y, sample_weight=np.ones(6))
    scores = [row["neg_mean_absolute_error"] for row in monitor.get_logs().data]
    assert -4.0 in scores
    assert max(scores) > -1e-2


def test_in_a_pipeline():
    recorder = Recorder()
    recorder.max_propagation_depth = None
    pipeline = make_pipeline(StandardScaler(), Halving(max_iter=30)).set_callbacks(recorder)
    pipeline.fit(X, y)
    assert recorder.means
    assert clone(pipeline)[-1].max_iter == 30


def test_states_cost_little():
    """The protocol's own work is microseconds a step."""
    import time

    estimator = Halving(max_iter=20_000, tol=-1.0)
    start = time.perf_counter()
    with pytest.warns(ConvergenceWarning):
        estimator.fit(X, y)
    assert (time.perf_counter() - start) / 20_000 < 100e-6
    assert isinstance(estimator, IterativeEstimator)
    assert not isinstance(estimator, ClassifierMixin)
