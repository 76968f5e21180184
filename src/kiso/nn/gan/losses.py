"""What the two networks of a GAN minimise, as functions of the discriminator's outputs.

With r = D(x) on data and f = D(G(z)) on samples, both before any sigmoid σ:

    minimax          D: −ln σ(r) − ln(1 − σ(f))       G: ln(1 − σ(f))
    non-saturating   D: the same                      G: −ln σ(f)
    least-squares    D: ½(r − 1)² + ½f²               G: ½(f − 1)²
    wasserstein      D: f − r                         G: −f

The first is the game of Goodfellow et al. (2014): D maximises and G minimises
V = E ln D(x) + E ln(1 − D(G(z))). Where D has seen through G its slope σ(f) for G is gone,
hence the second. Mao et al. (2017) for the third; Arjovsky et al. (2017) for the last, in
which D has to be Lipschitz: by a gradient penalty or spectral normalisation.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from kiso._validation import Array

__all__ = ["GAME_LOSSES", "GameLoss"]


class GameLoss(ABC):
    """Values and slopes, each the mean over the batch."""

    @abstractmethod
    def discriminator(self, real: Array, fake: Array) -> tuple[float, Array, Array]:
        """Return what D minimises, and its slopes in r and f."""

    @abstractmethod
    def generator(self, fake: Array) -> tuple[float, Array]:
        """Return what G minimises, and its slope in f."""


@dataclass(frozen=True)
class Minimax(GameLoss):
    """The game as it was first written; `saturating=False` takes −ln σ(f) for G."""

    saturating: bool = True

    def discriminator(self, real: Array, fake: Array) -> tuple[float, Array, Array]:
        """−V."""
        value = float(np.logaddexp(0, -real).mean() + np.logaddexp(0, fake).mean())
        return value, -expit(-real) / real.size, expit(fake) / fake.size

    def generator(self, fake: Array) -> tuple[float, Array]:
        """ln(1 − σ(f)), or −ln σ(f)."""
        if self.saturating:
            return -float(np.logaddexp(0, fake).mean()), -expit(fake) / fake.size
        return float(np.logaddexp(0, -fake).mean()), -expit(-fake) / fake.size


@dataclass(frozen=True)
class LeastSquares(GameLoss):
    """1 for data, 0 for samples, 1 wanted of samples."""

    def discriminator(self, real: Array, fake: Array) -> tuple[float, Array, Array]:
        """½(r − 1)² + ½f²."""
        off = real - 1
        value = 0.5 * float(np.mean(off * off) + np.mean(fake * fake))
        return value, off / real.size, fake / fake.size

    def generator(self, fake: Array) -> tuple[float, Array]:
        """½(f − 1)²."""
        off = fake - 1
        return 0.5 * float(np.mean(off * off)), off / fake.size


@dataclass(frozen=True)
class Wasserstein(GameLoss):
    """The difference of two means: an earth mover's distance where D is 1-Lipschitz."""

    def discriminator(self, real: Array, fake: Array) -> tuple[float, Array, Array]:
        """F − r."""
        slope = np.full_like(real, 1 / real.size)
        return float(fake.mean() - real.mean()), -slope, np.full_like(fake, 1 / fake.size)

    def generator(self, fake: Array) -> tuple[float, Array]:
        """−f."""
        return -float(fake.mean()), np.full_like(fake, -1 / fake.size)


GAME_LOSSES: dict[str, GameLoss] = {
    "minimax": Minimax(),
    "non-saturating": Minimax(saturating=False),
    "least-squares": LeastSquares(),
    "wasserstein": Wasserstein(),
}
