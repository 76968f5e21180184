"""Outputs of a 784-256-10 network: one sample at a time, and 10,000 at once.

The objective is the largest difference to the same network in float64, in steps of 1e-4.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from benchmarks._harness import Case

N_CALLS = 500  # of one sample


def weights() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    X = rng.random((10_000, 784), dtype=np.float32)
    W = [(rng.standard_normal(shape) * (2 / shape[0]) ** 0.5).astype(np.float32)
         for shape in ((784, 256), (256, 10))]  # fmt: skip
    b = [rng.standard_normal(n).astype(np.float32) for n in (256, 10)]
    exact = np.maximum(X.astype(float) @ W[0] + b[0], 0) @ W[1] + b[1]
    return {"X": X, "W": W, "b": b, "exact": exact}


def one_by_one(data: dict[str, Any], make: Any) -> Any:
    run, X = _made(data, make), data["X"]
    return np.concatenate([run(X[i : i + 1]) for i in range(N_CALLS)])


def at_once(data: dict[str, Any], make: Any) -> Any:
    return _made(data, make)(data["X"])


def _made(data: dict[str, Any], make: Any) -> Any:
    if make not in data:
        data[make] = make(data)
    return data[make]


def kiso_network(data: dict[str, Any]) -> Any:
    from kiso.nn import Affine, Network, ReLU

    first, last = (Affine(W, b) for W, b in zip(data["W"], data["b"], strict=True))
    return Network([first, ReLU(), last])


def torch_network(data: dict[str, Any]) -> Any:
    import torch

    (W1, W2), (b1, b2) = ([torch.from_numpy(a) for a in data[k]] for k in ("W", "b"))
    first, last = torch.nn.Linear(784, 256), torch.nn.Linear(256, 10)
    with torch.no_grad():
        for layer, W, b in ((first, W1, b1), (last, W2, b2)):
            layer.weight.copy_(W.T)
            layer.bias.copy_(b)
    model = torch.nn.Sequential(first, torch.nn.ReLU(), last).eval()

    def run(x: Any) -> Any:
        with torch.inference_mode():
            return model(torch.from_numpy(x)).numpy()

    return run


def jax_network(data: dict[str, Any]) -> Any:
    import jax

    W, b = ([jax.numpy.asarray(a) for a in data[k]] for k in ("W", "b"))
    run = jax.jit(lambda x: jax.nn.relu(x @ W[0] + b[0]) @ W[1] + b[1])
    return lambda x: np.asarray(run(x))


def onnx_network(data: dict[str, Any]) -> Any:
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    arrays = {"W1": data["W"][0], "b1": data["b"][0], "W2": data["W"][1], "b2": data["b"][1]}
    nodes = [
        helper.make_node("Gemm", ["x", "W1", "b1"], ["z"]),
        helper.make_node("Relu", ["z"], ["a"]),
        helper.make_node("Gemm", ["a", "W2", "b2"], ["y"]),
    ]
    sides = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", size])
             for name, size in (("x", 784), ("y", 10))]  # fmt: skip
    held = [numpy_helper.from_array(a, n) for n, a in arrays.items()]
    graph = helper.make_graph(nodes, "network", sides[:1], sides[1:], held)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    session = onnxruntime.InferenceSession(model.SerializeToString(),
                                           providers=["CPUExecutionProvider"])  # fmt: skip
    return lambda x: session.run(None, {"x": x})[0]


def difference(data: dict[str, Any], y: Any) -> float:
    return round(float(np.abs(y - data["exact"][: len(y)]).max()), 4)


MAKERS = {"kiso": kiso_network, "torch": torch_network, "jax": jax_network,
          "onnxruntime": onnx_network}  # fmt: skip


def case(name: str, how: Any, target: float, settings: str) -> Case:
    runs = {peer: partial(how, make=make) for peer, make in MAKERS.items()}
    return Case(
        name=name, setup=weights, contestants=runs, objective=difference, target=target,
        slack=1.0, settings=settings,
    )  # fmt: skip


CASES = [
    case("Inference, 784-256-10, batch 1", one_by_one, 1.5, "500 calls, float32, all cores"),
    case("Inference, 784-256-10, batch 10,000", at_once, 1.0, "one call, float32, all cores"),
]
