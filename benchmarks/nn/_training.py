"""Steps of training: from 23 parameters, where calls are all, to 200,000, where BLAS is.

Every contestant starts from the same weights and sees the same rows in the same order; the
objective is the loss over the first rows after the steps.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks._harness import Case

HH_X = np.array([[0.1, 0.3, 0.1, 0.6, 0.4, 0.6, 0.5, 0.9, 0.4, 0.7],
                 [0.1, 0.4, 0.5, 0.9, 0.2, 0.3, 0.6, 0.2, 0.4, 0.6]]).T  # fmt: skip
LOOK = 1024  # rows the objective is taken over
HH_T = np.repeat([[1.0, 0.0], [0.0, 1.0]], 5, axis=0)


def oil_wells() -> dict[str, Any]:
    return work([2, 2, 3, 2], "sigmoid", "sigmoid", HH_X, HH_T, 1, np.float64)


def runge() -> dict[str, Any]:
    x = np.linspace(-1, 1, 1024)[:, None]
    return work([1, 64, 64, 1], "tanh", None, x, 1 / (1 + 25 * x * x), 64, np.float64)


def digits() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    X = rng.random((12_800, 784), dtype=np.float32)
    t = np.argmax(X[:, :10] + X[:, 10:20], axis=1)
    return work([784, 256, 10], "relu", None, X, t, 128, np.float32)


def wide() -> dict[str, Any]:
    data = digits()
    return work([784, 1000, 1000, 10], "relu", None, data["X"], data["t"], 256, np.float32)


def work(
    sizes: list[int], hidden: str, output: str | None, X: Any, t: Any, batch_size: int, dtype: Any
) -> dict[str, Any]:
    rng = np.random.default_rng(1)
    pairs = list(pairwise(sizes))
    sd = [0.5 if len(X) == 10 else (6 / (a + b)) ** 0.5 / 3**0.5 for a, b in pairs]
    return {
        "sizes": sizes, "hidden": hidden, "output": output, "X": X, "t": t, "dtype": dtype,
        "W": [(s * rng.standard_normal(pair)).astype(dtype)
              for s, pair in zip(sd, pairs, strict=True)],
        "b": [np.zeros(b, dtype) for _, b in pairs], "batch_size": batch_size,
    }  # fmt: skip


def rows_of(data: dict[str, Any], n_steps: int) -> Any:
    """The rows that kiso's seed 0 draws with replacement, for the others."""
    seeds = np.random.default_rng(0).integers(2**63, size=(2, 4))
    size = n_steps * data["batch_size"]
    drawn = np.random.default_rng(seeds[0]).integers(len(data["X"]), size=size, dtype=np.intp)
    return drawn.reshape(n_steps, data["batch_size"])


def kiso_network(data: dict[str, Any]) -> Any:
    from kiso import nn

    activations = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}
    layers: list[Any] = []
    for k, (W, b) in enumerate(zip(data["W"], data["b"], strict=True)):
        layers.append(nn.Affine(W.copy(), b.copy()))
        name = data["hidden"] if k < len(data["W"]) - 1 else data["output"]
        if name:
            layers.append(activations[name]())
    return nn.Network(layers)


def kiso_run(data: dict[str, Any], loss: str, rule: Any, n_steps: int, **options: Any) -> Any:
    from kiso import losses, nn

    network = kiso_network(data)
    for _ in nn.train(network, getattr(losses, loss)(), (data["X"], data["t"]), rule(),
                      n_steps=n_steps, batch_size=data["batch_size"], replace=True,
                      every=n_steps, random_state=0, **options):  # fmt: skip
        pass
    return network(data["X"][:LOOK])


def torch_run(data: dict[str, Any], make_rule: Any, n_steps: int) -> Any:
    import torch

    layers: list[Any] = []
    for k, (W, b) in enumerate(zip(data["W"], data["b"], strict=True)):
        linear = torch.nn.Linear(*W.shape, dtype=torch.from_numpy(W).dtype)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(W.T.copy()))
            linear.bias.copy_(torch.from_numpy(b))
        layers.append(linear)
        name = data["hidden"] if k < len(data["W"]) - 1 else data["output"]
        if name:
            layers.append({"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh,
                           "sigmoid": torch.nn.Sigmoid}[name]())  # fmt: skip
    model = torch.nn.Sequential(*layers)
    optimizer = make_rule(torch.optim, model.parameters())
    X, t = torch.from_numpy(data["X"]), torch.from_numpy(data["t"])
    for rows in torch.from_numpy(rows_of(data, n_steps)):
        optimizer.zero_grad(set_to_none=True)
        y = model(X[rows])
        loss = (torch.nn.functional.cross_entropy(y, t[rows]) if t.ndim == 1
                else 0.5 * (y - t[rows]).square().sum() / len(rows))  # fmt: skip
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        return model(X[:LOOK]).numpy()


def sklearn_run(data: dict[str, Any], n_steps: int) -> Any:
    """The rows of all batches one after the other, gone through once in order."""
    import warnings

    from sklearn.neural_network import MLPClassifier

    rows = rows_of(data, n_steps).ravel()
    model = MLPClassifier(
        data["sizes"][1:-1], solver="sgd", learning_rate_init=0.01, momentum=0.9,
        nesterovs_momentum=False, alpha=0.0, batch_size=data["batch_size"], shuffle=False,
        max_iter=1, warm_start=True,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        few = np.unique(data["t"], return_index=True)[1]
        model.fit(data["X"][few], data["t"][few])  # makes its arrays; then ours take their place
        model.coefs_ = [W.copy() for W in data["W"]]
        model.intercepts_ = [b.copy() for b in data["b"]]
        model.fit(data["X"][rows], data["t"][rows])
    y = data["X"][:LOOK]
    for k, (W, b) in enumerate(zip(model.coefs_, model.intercepts_, strict=True)):
        y = (y if k == 0 else np.maximum(y, 0)) @ W + b
    return y


def jax_run(data: dict[str, Any], kind: str, rate: float, n_steps: int) -> Any:
    """The whole loop as one compiled scan."""
    import jax

    if data["dtype"] == np.float64:
        jax.config.update("jax_enable_x64", True)
    if ("jax", kind) not in data:
        data["jax", kind] = jax.jit(_jax_loop(data, kind, rate))
    params = [*data["W"], *data["b"]]
    params = data["jax", kind](params, rows_of(data, n_steps))
    jax.block_until_ready(params)
    return np.asarray(_jax_forward(data, params, data["X"][:LOOK]))


def _jax_forward(data: dict[str, Any], params: Any, x: Any) -> Any:
    import jax

    functions = {"relu": jax.nn.relu, "tanh": jax.numpy.tanh, "sigmoid": jax.nn.sigmoid}
    n = len(data["W"])
    for k in range(n):
        x = x @ params[k] + params[n + k]
        name = data["hidden"] if k < n - 1 else data["output"]
        x = functions[name](x) if name else x
    return x


def _jax_loop(data: dict[str, Any], kind: str, rate: float) -> Any:
    import jax
    import jax.numpy as jnp

    X, t, n = jnp.asarray(data["X"]), jnp.asarray(data["t"]), data["batch_size"]

    def loss(params: Any, rows: Any) -> Any:
        y = _jax_forward(data, params, X[rows])
        if t.ndim == 1:
            return -jnp.take_along_axis(jax.nn.log_softmax(y), t[rows][:, None], 1).mean()
        return 0.5 * jnp.square(y - t[rows]).sum() / n

    def step(carry: Any, rows: Any) -> Any:
        params, m, v, k = carry
        g = jax.grad(loss)(params, rows)
        k = k + 1
        if kind == "sgd":
            params = [p - rate * d for p, d in zip(params, g, strict=True)]
        elif kind == "momentum":
            m = [0.9 * a - rate * d for a, d in zip(m, g, strict=True)]
            params = [p + a for p, a in zip(params, m, strict=True)]
        else:
            m = [0.9 * a + 0.1 * d for a, d in zip(m, g, strict=True)]
            v = [0.999 * a + 0.001 * d * d for a, d in zip(v, g, strict=True)]
            params = [p - rate * (a / (1 - 0.9**k)) / (jnp.sqrt(c / (1 - 0.999**k)) + 1e-8)
                      for p, a, c in zip(params, m, v, strict=True)]  # fmt: skip
        return (params, m, v, k), None

    def loop(params: Any, rows: Any) -> Any:
        zeros = [jnp.zeros_like(p) for p in params]
        start = (params, zeros, zeros, jnp.zeros((), params[0].dtype))
        return jax.lax.scan(step, start, rows)[0][0]

    return loop


def final_loss(data: dict[str, Any], y: Any) -> float:
    t = data["t"][:LOOK]
    if t.ndim == 2:
        return round(float(0.5 * np.square(y - t).sum() / len(t)), 6)
    y = y.astype(np.float64)
    shifted = y - y.max(axis=1, keepdims=True)
    terms = np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(t)), t]
    return round(float(terms.mean()), 3)


def gradient_descent() -> Any:
    from kiso.optim import GradientDescent

    return GradientDescent(0.05)


def momentum() -> Any:
    from kiso.optim import Momentum

    return Momentum(0.01, 0.9)


def adam() -> Any:
    from kiso.optim import Adam

    return Adam(1e-3)


CASES = [
    Case(
        name="Higham & Higham, 2-2-3-2, single samples",
        setup=oil_wells,
        contestants={
            "kiso": lambda d: kiso_run(d, "SquaredError", gradient_descent, 200_000),
            "jax scan": lambda d: jax_run(d, "sgd", 0.05, 200_000),
        },
        objective=final_loss,
        target=5.0,
        settings="200,000 steps of SGD, float64; jax: the whole loop in one compiled scan",
    ),
    Case(
        name="Higham & Higham, 2-2-3-2, single samples, against eager steps",
        setup=oil_wells,
        contestants={
            "kiso": lambda d: kiso_run(d, "SquaredError", gradient_descent, 20_000),
            "torch": lambda d: torch_run(d, lambda o, p: o.SGD(p, lr=0.05), 20_000),
        },
        objective=final_loss,
        target=1000.0,
        settings="20,000 steps of SGD, float64",
    ),
    Case(
        name="Runge, 1-64-64-1 tanh, batch 64",
        setup=runge,
        contestants={
            "kiso": lambda d: kiso_run(d, "SquaredError", adam, 300),
            "torch": lambda d: torch_run(d, lambda o, p: o.Adam(p, lr=1e-3), 300),
            "jax scan": lambda d: jax_run(d, "adam", 1e-3, 300),
        },
        objective=final_loss,
        target=1.0,
        targets={"torch": 8.0, "jax": 1.0},
        settings="300 steps of Adam, float64",
    ),
    Case(
        name="784-256-10 ReLU, batch 128",
        setup=digits,
        contestants={
            "kiso": lambda d: kiso_run(d, "SoftmaxCrossEntropy", momentum, 100),
            "torch": lambda d: torch_run(d, lambda o, p: o.SGD(p, lr=0.01, momentum=0.9), 100),
            "jax scan": lambda d: jax_run(d, "momentum", 0.01, 100),
            "sklearn": lambda d: sklearn_run(d, 100),
        },
        objective=final_loss,
        target=1.2,
        targets={"torch": 1.5, "jax": 1.2, "sklearn": 1.6},
        slack=5e-3,
        settings="100 steps of SGD with momentum, float32, all cores",
    ),
    Case(
        name="784-1000-1000-10 ReLU, batch 256",
        setup=wide,
        contestants={
            "kiso": lambda d: kiso_run(d, "SoftmaxCrossEntropy", adam, 20),
            "torch": lambda d: torch_run(d, lambda o, p: o.Adam(p, lr=1e-3), 20),
            "jax scan": lambda d: jax_run(d, "adam", 1e-3, 20),
        },
        objective=final_loss,
        target=1.1,
        targets={"torch": 1.1, "jax": 1.1},
        slack=5e-3,
        settings="20 steps of Adam, float32, all cores",
    ),
]
