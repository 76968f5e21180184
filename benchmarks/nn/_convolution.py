"""Convolutional networks: steps of training and inference, and their layers alone.

Every contestant starts from the same weights, sees the same batches and takes the same
steps; the objective is the loss after them (for single layers, the sum of what comes out),
equal to 1e-3. PyTorch runs in both layouts of images.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from benchmarks._harness import Case

BATCH = 128
STEPS = 4

# filters after filters: a number is a convolution, "pool" halves, then dense units
LENET = {"image": (1, 28, 28), "filters": [20, "pool", 50, "pool"], "size": 5, "pad": 0,
         "units": [500, 10]}  # fmt: skip
VGG = {"image": (3, 32, 32), "filters": [32, 32, "pool", 64, 64, "pool"], "size": 3, "pad": 1,
       "units": [512, 10]}  # fmt: skip


def network(plan: dict[str, Any]) -> dict[str, Any]:
    """Weights (He), and batches of images with targets."""
    rng = np.random.default_rng(0)
    channels, height, width = plan["image"]
    weights: list[Any] = []
    for filters in plan["filters"]:
        if filters == "pool":
            height, width = height // 2, width // 2
            continue
        shape = (filters, channels, plan["size"], plan["size"])
        weights.append(normal(rng, shape, int(np.prod(shape[1:]))))
        shrink = plan["size"] - 1 - 2 * plan["pad"]
        channels, height, width = filters, height - shrink, width - shrink
    n_in = channels * height * width
    for units in plan["units"]:
        weights.append(normal(rng, (n_in, units), n_in))
        n_in = units
    X = rng.standard_normal((STEPS, BATCH, *plan["image"]), dtype=np.float32)
    t = rng.integers(0, 10, (STEPS, BATCH))
    return {**plan, "weights": weights, "X": X, "t": t}


def normal(rng: Any, shape: tuple[int, ...], n_in: int) -> Any:
    return (np.sqrt(2 / n_in) * rng.standard_normal(shape)).astype(np.float32)


def kiso_network(data: dict[str, Any]) -> Any:
    from kiso import nn

    weights = iter(data["weights"])
    layers: list[Any] = []
    for filters in data["filters"]:
        if filters == "pool":
            layers.append(nn.MaxPool(2))
            continue
        W = next(weights).copy()
        layers += [nn.Conv2D(W, np.zeros(len(W), W.dtype), padding=data["pad"]), nn.ReLU()]
    layers.append(nn.Flatten())
    for W in weights:
        layers += [nn.Affine(W.copy(), np.zeros(W.shape[1], W.dtype)), nn.ReLU()]
    return nn.Network(layers[:-1])


def kiso_steps(data: dict[str, Any]) -> Any:
    from kiso import nn
    from kiso.losses import SoftmaxCrossEntropy
    from kiso.optim import Momentum

    model = kiso_network(data)
    batches = list(zip(data["X"], data["t"], strict=True))
    for _ in nn.train(model, SoftmaxCrossEntropy(), batches, Momentum(1e-3, 0.9)):
        pass
    return model(data["X"][0])


def kiso_inference(data: dict[str, Any]) -> Any:
    if "kiso" not in data:
        data["kiso"] = kiso_network(data)
    outputs = [data["kiso"](x) for x in data["X"]]
    return outputs[0]


def torch_network(data: dict[str, Any], layout: Any) -> Any:
    import torch

    weights = iter(data["weights"])
    layers: list[Any] = []
    for filters in data["filters"]:
        if filters == "pool":
            layers.append(torch.nn.MaxPool2d(2))
            continue
        W = next(weights)
        conv = torch.nn.Conv2d(W.shape[1], W.shape[0], W.shape[2], padding=data["pad"])
        layers += [_filled(conv, W), torch.nn.ReLU()]
    layers.append(torch.nn.Flatten())
    for W in weights:
        layers += [_filled(torch.nn.Linear(*W.shape), W.T.copy()), torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    X = torch.from_numpy(data["X"])
    if layout == "channels last":
        model = model.to(memory_format=torch.channels_last)
        return model, [x.contiguous(memory_format=torch.channels_last) for x in X]
    return model, list(X)


def _filled(layer: Any, W: Any) -> Any:
    import torch

    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(W))
        layer.bias.zero_()
    return layer


def torch_steps(data: dict[str, Any], layout: str) -> Any:
    import torch

    model, X = torch_network(data, layout)
    rule = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9)
    for x, t in zip(X, torch.from_numpy(data["t"]), strict=True):
        rule.zero_grad(set_to_none=True)
        torch.nn.functional.cross_entropy(model(x), t).backward()
        rule.step()
    with torch.no_grad():
        return model(X[0]).numpy()


def torch_inference(data: dict[str, Any], layout: str) -> Any:
    import torch

    if ("torch", layout) not in data:
        data["torch", layout] = torch_network(data, layout)
    model, X = data["torch", layout]
    with torch.no_grad():
        outputs = [model(x) for x in X]
    return outputs[0].numpy()


def jax_steps(data: dict[str, Any], train: bool) -> Any:
    import jax
    import jax.numpy as jnp

    def forward(weights: Any, x: Any) -> Any:
        left = iter(weights)
        for filters in data["filters"]:
            if filters == "pool":
                x = jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 1, 2, 2), (1, 1, 2, 2),
                                          "VALID")  # fmt: skip
                continue
            W, b = next(left)
            around = [(data["pad"], data["pad"])] * 2
            y = jax.lax.conv_general_dilated(x, W, (1, 1), around)
            x = jax.nn.relu(y + b[:, None, None])
        x = x.reshape(len(x), -1)
        rest = list(left)
        for k, (W, b) in enumerate(rest):
            x = x @ W + b
            x = jax.nn.relu(x) if k < len(rest) - 1 else x
        return x

    def loss(weights: Any, x: Any, t: Any) -> Any:
        chosen = jnp.take_along_axis(jax.nn.log_softmax(forward(weights, x)), t[:, None], 1)
        return -chosen.mean()

    @jax.jit
    def step(weights: Any, moved: Any, x: Any, t: Any) -> Any:
        grads = jax.grad(loss)(weights, x, t)
        moved = jax.tree.map(lambda m, g: 0.9 * m - 1e-3 * g, moved, grads)
        return jax.tree.map(lambda w, m: w + m, weights, moved), moved

    if ("jax", train) not in data:
        data["jax", train] = step if train else jax.jit(forward)
    weights = [(W, np.zeros(len(W) if W.ndim == 4 else W.shape[1], W.dtype))
               for W in data["weights"]]  # fmt: skip
    if not train:
        outputs = [data["jax", train](weights, x) for x in data["X"]]
        return np.asarray(jax.block_until_ready(outputs)[0])
    moved = jax.tree.map(np.zeros_like, weights)
    for x, t in zip(data["X"], data["t"], strict=True):
        weights, moved = data["jax", True](weights, moved, x, t)
    return np.asarray(jax.jit(forward)(weights, data["X"][0]))


def loss_of(data: dict[str, Any], y: Any) -> float:
    """Cross-entropy of the first batch, to 1e-3."""
    y, t = y.astype(np.float64), data["t"][0]
    shifted = y - y.max(axis=1, keepdims=True)
    terms = np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(t)), t]
    return round(float(terms.mean()), 3)


# --- single layers ----------------------------------------------------------------------


def images(channels: int = 64, size: int = 32) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((BATCH, channels, size, size), dtype=np.float32)
    return {"X": X, "W": normal(rng, (channels, 1, 3, 3), 9)}


def kiso_layer(data: dict[str, Any], kind: str, options: dict[str, Any]) -> Any:
    """A forward and a backward pass, as in training: the second for an upstream of ones."""
    from kiso import nn

    if "kiso" not in data:
        W = data["W"]
        data["kiso"] = (
            nn.Conv2D(W, np.zeros(len(W), W.dtype), padding=1, groups=len(W))
            if kind == "depthwise"
            else getattr(nn, kind)(**options)
        )
        data["run"] = nn.Run(0, reuse_buffers=True)
        data["dy"] = np.ones_like(data["kiso"](data["X"]))
    data["run"].begin_step()
    y, backward = data["kiso"].forward(data["X"], train=data["run"])
    return y, backward(data["dy"])[0]


def torch_layer(data: dict[str, Any], kind: str, options: dict[str, Any], layout: str) -> Any:
    import torch

    if layout not in data:
        X, W = torch.from_numpy(data["X"]), data["W"]
        names = {"MaxPool": torch.nn.MaxPool2d, "AveragePool": torch.nn.AvgPool2d}
        if kind == "depthwise":
            conv = torch.nn.Conv2d(len(W), len(W), 3, padding=1, groups=len(W))
            layer = _filled(conv, W)
        else:
            layer = names[kind](options["size"], options["stride"], options["padding"])
        if layout == "channels last":
            X = X.contiguous(memory_format=torch.channels_last)
            layer = layer.to(memory_format=torch.channels_last)
        X = X.detach().requires_grad_()
        data[layout] = layer, X, torch.ones_like(layer(X))
    layer, X, dy = data[layout]
    y = layer(X)
    found = torch.autograd.grad(y, [X, *layer.parameters()], dy)
    return y.detach().numpy(), found[0].numpy()


def size_of(data: dict[str, Any], result: Any) -> float:
    y, dx = result
    return round(float(np.abs(y[:8].astype(np.float64)).mean() + np.abs(dx[:8]).mean()), 3)


LAYOUTS = ("channels first", "channels last")


def step_case(name: str, plan: dict[str, Any], target: float) -> Case:
    peers = {f"torch {layout}": partial(torch_steps, layout=layout) for layout in LAYOUTS}
    return Case(
        name=f"{name}, {STEPS} training steps",
        setup=partial(network, plan),
        contestants={"kiso": kiso_steps, **peers, "jax": partial(jax_steps, train=True)},
        objective=loss_of,
        target=target,
        slack=1e-3,
        settings=f"batches of {BATCH}, SGD with momentum, float32, all cores",
    )


def inference_case(name: str, plan: dict[str, Any], target: float) -> Case:
    peers = {f"torch {layout}": partial(torch_inference, layout=layout) for layout in LAYOUTS}
    return Case(
        name=f"{name}, inference of {STEPS * BATCH} images",
        setup=partial(network, plan),
        contestants={"kiso": kiso_inference, **peers, "jax": partial(jax_steps, train=False)},
        objective=loss_of,
        target=target,
        slack=1e-3,
        settings=f"batches of {BATCH}, float32, all cores",
    )


def layer_case(name: str, kind: str, target: float, **options: Any) -> Case:
    peers = {
        f"torch {layout}": partial(torch_layer, kind=kind, options=options, layout=layout)
        for layout in LAYOUTS
    }
    return Case(
        name=name,
        setup=images,
        contestants={"kiso": partial(kiso_layer, kind=kind, options=options), **peers},
        objective=size_of,
        target=target,
        slack=1e-3,
        settings=f"forward and backward, {BATCH} × 64 × 32 × 32 float32, all cores",
    )


CASES = [
    step_case("LeNet (20 and 50 filters 5×5, 500 units)", LENET, 2.0),
    inference_case("LeNet (20 and 50 filters 5×5, 500 units)", LENET, 2.5),
    step_case("VGG-like (32-32-64-64 filters 3×3, 512 units)", VGG, 1.2),
    inference_case("VGG-like (32-32-64-64 filters 3×3, 512 units)", VGG, 1.2),
    layer_case("depthwise 3×3", "depthwise", 1.5),
    layer_case("max-pool 2×2", "MaxPool", 3.0, size=2, stride=2, padding=0),
    layer_case("max-pool 3×3, stride 2", "MaxPool", 3.0, size=3, stride=2, padding=1),
    layer_case("average-pool 2×2", "AveragePool", 3.0, size=2, stride=2, padding=0),
]
