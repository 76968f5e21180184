"""The network scene's run as a script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .kmeans import edit_line

RULE_NAMES = {"gradient-descent": "GradientDescent", "momentum": "Momentum",
              "nesterov": "Nesterov", "adam": "Adam"}  # fmt: skip

HEAD = """
from itertools import islice
from kiso.losses import SoftmaxCrossEntropy, SquaredError
from kiso.nn import Affine, Dropout, Network, train
from kiso.optim import {rule}

loss, rule = {loss}(), {rule}({rate!r})

def points(X, y):
    Z = X if np.abs(X).max() <= 10 else (X - X.mean(axis=0)) / np.maximum(X.std(axis=0), 1e-12)
    Z = Z + {noise!r} * np.random.default_rng({seed}).standard_normal(Z.shape)
    return Z, {target}

def make(y):
    return Network.dense([2, *{hidden!r}, max(2, y.max() + 1)], activation={activation!r},
                         init={init!r}, output={output!r}, random_state={seed})
"""

TRAINING = """
def run(X, y, vector, n):
    Z, T = points(X, y)
    network = make(y)
    {dropout}
    if vector is not None:
        network.set_vector(vector)
    plain = make(y)
    def entry(steps):
        plain.set_vector(network.vector)
        return dict(n=steps, vector=network.vector, loss=loss.value(plain(Z), T), phase="train",
                    layer=1, sample=0)
    trace = [entry(0)]
    for state in train(network, loss, (Z, T), rule, n_steps={n_steps}, batch_size={batch_size},
                       replace={replace}, every={step}, weight_decay={decay!r},
                       random_state={seed}):
        if len(trace) < n and (state.n_iter % {every} == 0 or state.n_iter == {n_steps}):
            trace.append(entry(state.n_iter))
        if len(trace) == n:
            break
    return trace
"""

BY_NUMBERS = """
def run(X, y, vector, n):
    Z, T = points(X, y)
    network = make(y)
    if vector is not None:
        network.set_vector(vector)
    memory, order = rule.init(network.parameters), np.random.default_rng({seed})
    trace, steps, last = [], 0, {last_layer}
    while len(trace) < n:
        i = int(order.integers(len(Z)))
        now = dict(n=steps, vector=network.vector, loss=loss.value(network(Z), T), sample=i)
        trace += [dict(now, phase="sample", layer=1)]
        trace += [dict(now, phase="forward", layer=l) for l in range(2, last + 1)]
        trace += [dict(now, phase="backward", layer=l) for l in range(last, 1, -1)]
        _, slopes = network.loss_and_gradients(Z[i:i + 1], T[i:i + 1], loss)
        params, memory = rule.update(slopes, memory, network.parameters)
        network.set_vector(network.flatten(params))
        steps += 1
        trace += [dict(n=steps, vector=network.vector, loss=loss.value(network(Z), T),
                       phase="update", layer=last, sample=i)]
    return trace[:n]
"""

DROPOUT = """layers = []
    for layer in network.layers:
        layers.append(layer)
        if not isinstance(layer, Affine) and len(layers) < 3 * {hidden}:
            layers.append(Dropout({p!r}))
    network = Network(layers)"""


def script(scene: Any, actions: Sequence[Mapping[str, Any]], last: int) -> str:
    """Return the script: a function that runs, and a call for each change of the points."""
    p = scene.p
    text = HEAD.format(
        rule=RULE_NAMES[p["rule"]], rate=p["learning_rate"], noise=p["noise"], seed=scene.seed,
        loss="SquaredError" if scene.squared else "SoftmaxCrossEntropy",
        target="np.eye(max(2, y.max() + 1))[y]" if scene.squared else "y",
        hidden=p["hidden_layer_sizes"], activation=p["activation"], init=p["init"],
        output="sigmoid" if scene.squared else None,
    )  # fmt: skip
    if p["view"] == "training":
        n_hidden = len(p["hidden_layer_sizes"])
        dropout = DROPOUT.format(hidden=n_hidden, p=p["dropout"]) if p["dropout"] > 0 else ""
        text += TRAINING.format(
            n_steps=p["n_steps"], batch_size=p["batch_size"], replace=p["replace"],
            every=p["every"], step=1 if p["every"] <= 100 else p["every"],
            decay=p["weight_decay"], seed=scene.seed, dropout=dropout or "pass",
        )  # fmt: skip
    else:
        text += BY_NUMBERS.format(seed=scene.seed, last_layer=len(scene.sizes))
    text += f"\ntrace = run(X, y, None, {last + 1})\n"
    for action in actions:
        t = action["t"]
        for edit in action.get("edits", ()):
            text += edit_line(edit)
            if edit[0] == "add":
                text += f"y = np.append(y, {int(edit[3])})\n"
            elif edit[0] == "remove":
                text += f"y = np.delete(y, {int(edit[1])})\n"
        text += f"trace[{t}:] = run(X, y, trace[{t}]['vector'], {last + 1 - t})\n"
    return text
