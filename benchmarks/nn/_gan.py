"""Steps of a game: generator and discriminator of 2 × 128 units on a ring of eight Gaussians.

PyTorch is given the numbers that kiso draws, in the same order, from the same weights; the
objective is the discriminator's loss on fixed data and noise after the steps.
"""

from __future__ import annotations

import copy
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks._harness import Case

N_STEPS, BATCH, N_LATENT, RATE = 100, 512, 16, 1e-3


def ring() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    angle = 2 * np.pi * rng.integers(8, size=20_000) / 8
    X = np.c_[np.cos(angle), np.sin(angle)] + 0.01 * rng.standard_normal((20_000, 2))
    return {"X": X.astype(np.float32), "z": rng.standard_normal((2000, N_LATENT), np.float32)}


def networks() -> tuple[Any, Any]:
    from kiso.nn import Affine, LeakyReLU, Network, ReLU

    rng, pair = np.random.default_rng(1), []
    for sizes, after in (([N_LATENT, 128, 128, 2], ReLU()), ([2, 128, 128, 1], LeakyReLU(0.2))):
        layers: list[Any] = []
        for n_in, n_out in pairwise(sizes):
            layers += [Affine.create(n_in, n_out, init="he", random_state=rng, dtype=np.float32),
                       copy.copy(after)]  # fmt: skip
        pair.append(Network(layers[:-1]))
    return pair[0], pair[1]


def draws(data: dict[str, Any]) -> Any:
    """What `play` draws before the first step; then (rows, z, z) a step."""
    rng = np.random.default_rng(2)
    rng.standard_normal((64, N_LATENT), np.float32)
    rng.choice(len(data["X"]), size=512, replace=False)
    for _ in range(N_STEPS):
        rows = rng.integers(len(data["X"]), size=BATCH)
        yield rows, *(rng.standard_normal((BATCH, N_LATENT), np.float32) for _ in range(2))


def kiso_run(data: dict[str, Any]) -> Any:
    from kiso.nn import GAME_LOSSES, Game, play
    from kiso.optim import Adam

    G, D = networks()
    rule = Adam(RATE, beta1=0.5)
    game = Game(G, D, GAME_LOSSES["non-saturating"],
                lambda rng, n: rng.standard_normal((n, N_LATENT), np.float32), (rule, rule),
                n_steps=N_STEPS, batch_size=BATCH, every=N_STEPS)  # fmt: skip
    for _ in play(game, data["X"], np.random.default_rng(2)):
        pass
    return D(data["X"]).ravel(), D(G(data["z"])).ravel()


def torch_run(data: dict[str, Any]) -> Any:
    import torch

    def made(network: Any) -> Any:
        layers: list[Any] = []
        for layer in network:
            if hasattr(layer, "W"):
                linear = torch.nn.Linear(*layer.W.shape)
                with torch.no_grad():
                    linear.weight.copy_(torch.from_numpy(layer.W.T.copy()))
                    linear.bias.copy_(torch.from_numpy(layer.b))
                layers.append(linear)
            elif hasattr(layer, "negative_slope"):
                layers.append(torch.nn.LeakyReLU(layer.negative_slope))
            else:
                layers.append(torch.nn.ReLU())
        return torch.nn.Sequential(*layers)

    G, D = map(made, networks())
    adam = [torch.optim.Adam(net.parameters(), RATE, (0.5, 0.999), fused=True) for net in (G, D)]
    softplus, X = torch.nn.functional.softplus, torch.from_numpy(data["X"])
    for rows, z, again in draws(data):
        with torch.no_grad():
            fake = G(torch.from_numpy(z))
        scores = D(torch.cat([X[torch.from_numpy(rows)], fake]))
        loss = softplus(-scores[:BATCH]).mean() + softplus(scores[BATCH:]).mean()
        adam[1].zero_grad(set_to_none=True)
        loss.backward()
        adam[1].step()
        for p in D.parameters():  # it stands still: no gradients of its own weights
            p.requires_grad_(False)
        loss = softplus(-D(G(torch.from_numpy(again)))).mean()
        adam[0].zero_grad(set_to_none=True)
        loss.backward()
        adam[0].step()
        for p in D.parameters():
            p.requires_grad_(True)
    with torch.no_grad():
        return D(X).numpy().ravel(), D(G(torch.from_numpy(data["z"]))).numpy().ravel()


def loss_of(data: dict[str, Any], result: Any) -> float:
    real, fake = (scores.astype(np.float64) for scores in result)
    return float(np.logaddexp(0, -real).mean() + np.logaddexp(0, fake).mean())


CASES = [
    Case(
        f"GAN, ring of 8, 2×128 units, batch {BATCH}, {N_STEPS} steps, float32",
        ring,
        {"kiso": kiso_run, "torch fused Adam": torch_run},
        loss_of,
        target=4.0,
        slack=1e-3,
        settings="Adam 1e-3, β₁ 0.5; the same draws; kiso's coverage at the end included",
    ),
]
