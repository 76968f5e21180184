"""What adversarial training works on: two networks, what they minimise, how they move."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from kiso._validation import Array
from kiso.optim import Rule

from ..training.network import Network
from .losses import GameLoss

__all__ = ["Game", "Latent"]

Latent: TypeAlias = Callable[[np.random.Generator, int], Array]  # (rng, n) → z: (n, ...)


@dataclass
class Game:
    """What is played: two networks, what they minimise, and how they move.

    Attributes
    ----------
    generator, discriminator : Network
        Trained in place.
    loss : GameLoss
    latent : callable
        (rng, n) → z, in the networks' dtype.
    rules : (Rule, Rule)
        Of generator and discriminator.
    n_steps, batch_size, every, discriminator_steps : int
        Steps of G; rows of each batch; steps of G from state to state; steps of D before
        each of G.
    penalty, penalty_norm : float
        Weight of `gradient_penalty` and the length it asks for; no penalty where it is 0.
    penalty_between : bool
        Ask for it on points between data and samples; otherwise on data.
    averaging : float
        β of the running mean θ̄ ← β θ̄ + (1 − β) θ of the generator's parameters; 0 for none.
    loop : {"auto", "layers", "compiled"}
        How steps are taken: layer by layer, or many in one compiled call, which knows chains
        of affine layers and plain losses and rules; both give the same but for rounding.
    sampler : Network
        The generator with θ̄: what samples are drawn from.
    """

    generator: Network
    discriminator: Network
    loss: GameLoss
    latent: Latent
    rules: tuple[Rule, Rule]
    n_steps: int
    batch_size: int = 64
    every: int = 100
    discriminator_steps: int = 1
    penalty: float = 0.0
    penalty_norm: float = 1.0
    penalty_between: bool = True
    averaging: float = 0.0
    loop: str = "auto"
    sampler: Network = field(init=False)

    def __post_init__(self) -> None:
        self.sampler = copy.deepcopy(self.generator) if self.averaging else self.generator

    def sample(self, rng: np.random.Generator, n: int) -> Array:
        """Draw n samples."""
        return self.sampler(self.latent(rng, n))
