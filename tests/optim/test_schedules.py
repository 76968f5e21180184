import numpy as np
import pytest

from kiso.optim import (
    Adam,
    Constant,
    Cosine,
    GradientDescent,
    InverseTime,
    OneCycle,
    StepDecay,
    WarmUp,
)

T = 100
SCHEDULES = {
    "constant": Constant(0.5),
    "step": StepDecay(0.5, every=30),
    "milestones": StepDecay(0.5, every=[10, 50]),
    "inverse time": InverseTime(0.5, tau=7),
    "cosine": Cosine(0.5, n_steps=T, end=0.01),
    "warm-up": WarmUp(Cosine(0.5, n_steps=T), n_steps=10),
    "one cycle": OneCycle(0.5, n_steps=T),
}


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
def test_rates_are_positive_and_never_above_the_peak(schedule):
    rates = np.array([schedule(step) for step in range(T)])
    assert np.all(rates > 0)
    assert np.all(rates <= 0.5 + 1e-15)
    assert rates.max() == pytest.approx(0.5, rel=2e-3)


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
def test_a_rule_takes_the_rate_of_its_step(schedule):
    rule, p, g = GradientDescent(schedule), np.zeros(1), np.ones(1)
    state = rule.init(p)
    for step in range(12):
        before = p
        p, state = rule.update(g, state, p)
        assert before[0] - p[0] == pytest.approx(schedule(step))


def test_step_decay_falls_at_its_milestones():
    schedule = StepDecay(1.0, every=[2, 4], factor=0.5)
    assert [schedule(t) for t in range(6)] == [1, 1, 0.5, 0.5, 0.25, 0.25]


def test_inverse_time_satisfies_robbins_monro():
    """Σ η_t grows like log t, Σ η_t² is bounded by its limit."""
    rates = np.array([InverseTime(1.0)(t) for t in range(20000)])
    assert np.allclose(rates, 1 / np.arange(1, 20001))
    assert rates[10000:].sum() == pytest.approx(np.log(2), rel=1e-4)
    assert (rates**2).sum() < np.pi**2 / 6


def test_cosine_ends_where_told_and_stays():
    schedule = Cosine(1.0, n_steps=10, end=0.2)
    assert schedule(5) == pytest.approx(0.6)
    assert schedule(10) == schedule(1000) == pytest.approx(0.2)


def test_warm_up_rises_linearly_then_hands_over():
    after = Cosine(1.0, n_steps=10)
    schedule = WarmUp(after, n_steps=4)
    assert [schedule(t) for t in range(4)] == [0.25, 0.5, 0.75, 1.0]
    assert [schedule(t) for t in range(4, 20)] == [after(t) for t in range(16)]


def test_one_cycle_goes_up_then_down():
    schedule = OneCycle(1.0, n_steps=101, up=0.25, start_div=10, end_div=100)
    rates = np.array([schedule(t) for t in range(101)])
    assert rates[0] == pytest.approx(0.1)
    assert np.argmax(rates) == 25
    assert rates[-1] == schedule(500) == pytest.approx(0.001)
    assert np.all(np.diff(rates[:26]) > 0)
    assert np.all(np.diff(rates[25:]) < 0)


def test_a_function_will_do():
    rule, p = GradientDescent(lambda step: 1.0 + step), np.zeros(1)
    state = rule.init(p)
    for _ in range(3):
        p, state = rule.update(np.ones(1), state, p)
    assert p[0] == -6.0


@pytest.mark.parametrize("rate", [-0.1, np.nan, np.inf])
def test_a_function_that_gives_no_rate_is_told(rate):
    p = np.zeros(1)
    rule = GradientDescent(lambda step: rate if step else 1.0)
    p, state = rule.update(np.ones(1), rule.init(p), p)
    with pytest.raises(ValueError, match="learning_rate gave .* at step 1: give a finite number"):
        rule.update(np.ones(1), state, p)


def test_with_rate_keeps_the_rest():
    assert Adam(0.1, beta1=0.5).with_rate(0.2) == Adam(0.2, beta1=0.5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Constant(0.0), "rate=0.0: give a finite number > 0"),
        (lambda: Cosine(1.0, n_steps=0), "n_steps=0: give an integer >= 1"),
        (lambda: Cosine(1.0, n_steps=2.5), "n_steps=2.5: give an integer"),
        (lambda: Cosine(1.0, n_steps=2, end=-1.0), "end=-1.0"),
        (lambda: StepDecay(1.0, every=0), "every=0"),
        (lambda: StepDecay(1.0, every=5, factor=2.0), "factor=2.0"),
        (lambda: InverseTime(1.0, tau=-1.0), "tau=-1.0"),
        (lambda: WarmUp(-1.0, n_steps=3), "after=-1.0"),
        (lambda: OneCycle(1.0, n_steps=10, up=1.0), "up=1.0: give a finite number > 0 and < 1"),
    ],
)
def test_bad_schedules(make, message):
    with pytest.raises((ValueError, TypeError), match=message):
        make()
