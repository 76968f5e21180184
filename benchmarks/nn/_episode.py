"""Episodes of a prototypical network: 20 classes by one example each, four blocks of 64 filters.

PyTorch draws the same drawings in the same order, from the same weights; the objective is the
mean loss of the episodes, each before its step.
"""

from __future__ import annotations

import copy
from functools import partial
from typing import Any

import numpy as np

from benchmarks._harness import Case

WAYS, SHOTS, QUERIES, STEPS, RATE = 20, 1, 5, 4, 1e-3


def drawings() -> dict[str, Any]:
    """Pictures of 60 classes, and a network."""
    from kiso.few_shot._episodic import ClassSampler
    from kiso.nn import BatchNorm, Conv2D, Flatten, MaxPool, Network, ReLU

    rng, layers = np.random.default_rng(0), []
    for n_in in (1, 64, 64, 64):
        conv = Conv2D.create(n_in, 64, 3, padding="same", init="he", random_state=rng,
                             dtype=np.float32)  # fmt: skip
        layers += [conv, BatchNorm(64, dtype=np.float32), ReLU(), MaxPool(2)]
    X = (rng.random((60 * 20, 1, 28, 28)) < 0.2).astype(np.float32)
    sampler = ClassSampler(X, list(np.arange(len(X)).reshape(60, 20)))
    return {"network": Network([*layers, Flatten()]), "sampler": sampler}


def kiso_steps(data: dict[str, Any]) -> float:
    from kiso.few_shot._episodic import Plan, learn
    from kiso.few_shot._prototypical import PrototypeLearner
    from kiso.optim import Adam

    network = copy.deepcopy(data["network"])
    learner = PrototypeLearner(network, data["sampler"], WAYS, SHOTS, SHOTS + QUERIES)
    plan = Plan(Adam(RATE), STEPS, STEPS, False)
    (state,) = learn(learner, plan, np.random.default_rng(1))
    return state.objective


def torch_steps(data: dict[str, Any], layout: str) -> float:
    import torch

    layers: list[Any] = []
    for layer in data["network"]:
        if hasattr(layer, "W"):
            conv = torch.nn.Conv2d(layer.W.shape[1], 64, 3, padding=1)
            with torch.no_grad():
                conv.weight.copy_(torch.from_numpy(layer.W))
                conv.bias.copy_(torch.from_numpy(layer.b))
            layers += [conv, torch.nn.BatchNorm2d(64), torch.nn.ReLU(), torch.nn.MaxPool2d(2)]
    model = torch.nn.Sequential(*layers, torch.nn.Flatten())
    order = torch.channels_last if layout == "channels last" else torch.contiguous_format
    model = model.to(memory_format=order)
    rule = torch.optim.Adam(model.parameters(), RATE, fused=True)
    rng, total = np.random.default_rng(1), 0.0
    truth = torch.arange(WAYS).repeat_interleave(QUERIES)
    for _ in range(STEPS):
        x = torch.from_numpy(data["sampler"].draw(rng, WAYS, SHOTS + QUERIES))
        e = model(x.contiguous(memory_format=order)).reshape(WAYS, SHOTS + QUERIES, -1)
        centres, queries = e[:, :SHOTS].mean(1), e[:, SHOTS:].flatten(0, 1)
        distances = torch.cdist(queries, centres).square()
        loss = torch.nn.functional.cross_entropy(-distances, truth)
        rule.zero_grad(set_to_none=True)
        loss.backward()
        rule.step()
        total += loss.item() / STEPS
    return total


CASES = [
    Case(
        f"prototypical network, {WAYS}-way {SHOTS}-shot, 4 × 64 filters, {STEPS} training steps",
        drawings,
        {
            "kiso": kiso_steps,
            **{
                f"torch {layout}": partial(torch_steps, layout=layout)
                for layout in ("channels first", "channels last")
            },
        },
        lambda _, loss: round(loss, 2),
        target=1.2,
        slack=1e-2,
        settings=f"28 × 28, {QUERIES} queries a class, Adam {RATE:g}, float32, the same draws, "
        "all cores",
    )
]
