"""Groups of parameters, and the two forms of momentum."""

import numpy as np
import pytest

from kiso.losses import SquaredError
from kiso.nn import Network, train
from kiso.optim import Adam, AdamW, ClipNorm, Groups, Momentum, Nesterov, StepDecay


def problem():
    rng = np.random.default_rng(0)
    params = [{"W": rng.normal(size=(3, 2)), "b": rng.normal(size=2)} for _ in range(2)]
    return params, [{k: rng.normal(size=a.shape) for k, a in each.items()} for each in params]


@pytest.mark.parametrize("in_place", [False, True])
def test_each_name_by_its_rule(in_place):
    params, grads = problem()
    expected, _ = problem()
    for name, rule in (("W", AdamW(0.1)), ("b", AdamW(0.1, weight_decay=0.0))):
        own, state = expected[1][name], rule.init(expected[1][name])
        for _ in range(3):
            own, state = rule.update(grads[1][name], state, own)
        expected[1][name] = own
    rule = Groups(AdamW(0.1), {"0.*": None, "*.b": AdamW(0.1, weight_decay=0.0)})
    moved, state = params, rule.init(params)
    for _ in range(3):
        moved, state = rule.update(grads, state, moved, in_place=in_place)
    for one, two in zip(moved, expected, strict=True):
        for name in two:
            np.testing.assert_array_equal(one[name], two[name])
    assert state.step == 3
    if not in_place:
        np.testing.assert_array_equal(params[1]["W"], problem()[0][1]["W"])


def test_a_bad_gradient_moves_no_group():
    params, grads = problem()
    grads[1]["b"][0] = np.nan
    rule = Groups(Adam(0.1), {"*.b": Adam(0.2)})
    with pytest.raises(FloatingPointError, match=r"\[1\]\['b'\]"):
        rule.update(grads, rule.init(params), params, in_place=True)
    np.testing.assert_array_equal(params[0]["W"], problem()[0][0]["W"])


def test_refusals():
    with pytest.raises(ValueError, match=r"'7\.W'.*'0\.W'"):
        Groups(Adam(), {"7.W": None}).init(problem()[0])
    with pytest.raises(TypeError, match=r"groups\['\*'\]"):
        Groups(Adam(), {"*": 0.1})
    with pytest.raises(TypeError, match="rule"):
        Groups(Adam)


def test_training_with_a_frozen_layer_goes_on_from_a_checkpoint(tmp_path):
    x = np.linspace(-1, 1, 40)[:, None]

    def run(network, **how):
        rule = ClipNorm(Groups(Adam(0.02), {"0.*": None}), 1.0)
        options = {"batch_size": 8, "random_state": 0, **how}
        for _ in train(network, SquaredError(), (x, x**2), rule, **options):
            pass
        return network

    first = Network.dense([1, 6, 1], random_state=0)
    frozen = first.layers[0].W.copy()
    whole = run(first, n_epochs=6)
    np.testing.assert_array_equal(whole.layers[0].W, frozen)
    parts = Network.dense([1, 6, 1], random_state=0)
    run(parts, n_epochs=3, checkpoint=tmp_path / "run")
    again = Network.dense([1, 6, 1], random_state=0)
    run(again, n_epochs=6, resume=tmp_path / "run")
    np.testing.assert_array_equal(again.layers[2].W, whole.layers[2].W)
    assert not np.array_equal(again.layers[2].W, parts.layers[2].W)


@pytest.mark.parametrize("rule", [Momentum, Nesterov])
def test_where_the_rate_stands(rule):
    p, _ = problem()
    g = np.random.default_rng(1).normal(size=(6, 3, 2))
    p = p[0]["W"]
    rates = StepDecay(0.1, factor=0.1, every=3)
    outside, v = p, 0.0
    both = {}
    for where in (False, True):
        own, state = p, rule(0.1, rate_outside=where).init(p)
        for step in range(3):
            own, state = rule(0.1, rate_outside=where).update(g[step], state, own)
        both[where] = own
    np.testing.assert_allclose(both[True], both[False], rtol=1e-12)
    moved, state = p, rule(rates, rate_outside=True).init(p)
    for step in range(6):
        v = 0.9 * v + g[step]
        change = v if rule is Momentum else g[step] + 0.9 * v
        outside = outside - rates(step) * change
        moved, state = rule(rates, rate_outside=True).update(g[step], state, moved)
    np.testing.assert_allclose(moved, outside, rtol=1e-12)


@pytest.mark.parametrize("rule", [Momentum, Nesterov])
def test_the_form_holds_in_training(rule):
    """No compiled loop takes it in the other form."""
    torch = pytest.importorskip("torch")
    x = np.linspace(-1, 1, 32)[:, None]
    network = Network.dense([1, 4, 1], random_state=0)
    layers = [torch.nn.Linear(1, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1)]
    model = torch.nn.Sequential(*layers).double()
    with torch.no_grad():
        for mine, theirs in ((network.layers[0], model[0]), (network.layers[2], model[2])):
            theirs.weight[...] = torch.tensor(mine.W.T)
            theirs.bias[...] = torch.tensor(mine.b)
    activation = type(network.layers[1]).__name__
    model[1] = getattr(torch.nn, activation)()
    theirs = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9, nesterov=rule is Nesterov)
    schedule = torch.optim.lr_scheduler.StepLR(theirs, 4, 0.1)
    for _ in range(10):
        theirs.zero_grad()
        loss = 0.5 * ((model(torch.tensor(x)) - torch.tensor(x**2)) ** 2).sum(1).mean()
        loss.backward()
        theirs.step()
        schedule.step()
    mine = rule(StepDecay(0.1, factor=0.1, every=4), rate_outside=True)
    for _ in train(network, SquaredError(), (x, x**2), mine, n_steps=10, batch_size=32):
        pass
    np.testing.assert_allclose(network(x), model(torch.tensor(x)).detach().numpy(), atol=1e-10)


def test_a_bar_of_the_steps(capsys):
    x = np.linspace(-1, 1, 32)[:, None]
    network = Network.dense([1, 4, 1], random_state=0)
    plain = Network.dense([1, 4, 1], random_state=0)
    how = {"n_epochs": 3, "batch_size": 8, "random_state": 0, "validation": (x, x**2)}
    shown = list(train(network, SquaredError(), (x, x**2), Adam(0.02), show=True, **how))
    quiet = list(train(plain, SquaredError(), (x, x**2), Adam(0.02), **how))
    assert [s.objective for s in shown] == [s.objective for s in quiet]
    text = capsys.readouterr().out
    assert "12/12" in text
    assert f"objective {shown[-1].objective:.4g}" in text
