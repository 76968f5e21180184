"""A step of Adam: many small arrays (the cost of a step), one large one (memory)."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks._harness import Case

RATE = 1e-3


def arrays(sizes: list[int]) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    return {
        "params": [rng.standard_normal(size, dtype=np.float32) for size in sizes],
        "grads": [rng.standard_normal(size, dtype=np.float32) for size in sizes],
        "made": {},
    }


def kiso_steps(data: dict[str, Any], n_steps: int, **options: Any) -> list[Any]:
    from kiso.optim import Adam

    key = ("kiso", *options.items())
    if key not in data["made"]:
        rule, params = Adam(RATE, **options), [p.copy() for p in data["params"]]
        data["made"][key] = rule, params, rule.init(params)
    rule, params, state = data["made"][key]
    for _ in range(n_steps):
        rule.update(data["grads"], state, params, in_place=True)
    return params


def torch_steps(data: dict[str, Any], n_steps: int, **options: Any) -> list[Any]:
    import torch

    key = ("torch", *options.items())
    if key not in data["made"]:
        params = [torch.nn.Parameter(torch.from_numpy(p.copy())) for p in data["params"]]
        for p, g in zip(params, data["grads"], strict=True):
            p.grad = torch.from_numpy(g)
        data["made"][key] = torch.optim.Adam(params, lr=RATE, **options), params
    optimizer, params = data["made"][key]
    for _ in range(n_steps):
        optimizer.step()
    return [p.detach().numpy() for p in params]


def error(data: dict[str, Any], result: list[Any], n_steps: int) -> float:
    """Largest error after the first run, in steps: all gradients equal, so p moves by η each."""
    g = data["grads"][0][:1000].astype(np.float64)
    moved = n_steps * RATE * g / (np.abs(g) + 1e-8)
    gap = data["params"][0][:1000] - moved - result[0][:1000]
    return round(float(np.abs(gap).max()) / RATE, 1)  # float32 rounds thousands of steps


def case(name: str, sizes: list[int], n_steps: int, target: float) -> Case:
    return Case(
        name=name,
        setup=lambda: arrays(sizes),
        contestants={
            "kiso": lambda data: kiso_steps(data, n_steps),
            "torch fused": lambda data: torch_steps(data, n_steps, fused=True),
            "torch foreach": lambda data: torch_steps(data, n_steps, foreach=True),
        },
        objective=lambda data, result: error(data, result, n_steps),
        target=target,
        settings=f"{n_steps} steps in place, float32, all cores; only kiso looks for NaN",
    )


CASES = [
    case("Adam, 20 arrays of 100", [100] * 20, 500, 5.0),
    case("Adam, 10,000,000 numbers", [10_000_000], 5, 1.5),
]
