"""Generator against discriminator: training two networks, as a generator of states.

    repeat:  k times   x ∼ data, z ∼ p_z;   D ← a step down L_D(D(x), D(G(z))) + penalty
             once      z ∼ p_z;             G ← a step down L_G(D(G(z)))

(algorithm 1 of Goodfellow et al. 2014, with the losses of `_game_losses.py`). What goes
wrong in such a game is looked for at every state and said: a loss that is not finite, a
generator that gets no slope any more, samples that cover little of the data.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

import numpy as np

from kiso._validation import Array
from kiso.base import State
from kiso.optim import Rule

from ._coverage import Coverage
from ._game_engine import CompiledTable
from ._game_losses import GameLoss
from ._game_table import Table
from ._network import Network

__all__ = ["Game", "GameState", "GameStatus", "Latent", "play"]

Latent: TypeAlias = Callable[[np.random.Generator, int], Array]  # (rng, n) → z: (n, ...)

VANISHED = 1e-4  # slope of G's loss in D's output; gradient norm of G over its largest so far
COVERED = 0.5  # share of the data that samples have to come near


class GameStatus(Enum):
    """How a game stands; the value says it in words."""

    RUNNING = "not over yet"
    COMPLETE = "all steps were taken"
    COLLAPSED = "the samples cover little of the data: modes are missing"
    VANISHING = "the discriminator knows every sample and the generator's slope has vanished"
    DIVERGED = "a loss or a gradient was not finite"


@dataclass(frozen=True, kw_only=True)
class GameState(State):
    """Where a game stands.

    Attributes
    ----------
    n_iter : int
        Steps of the generator.
    objective : float
        What the discriminator minimises (−V in the minimax game), without the penalty: mean
        over the steps since the last state.
    converged : bool
        Whether this is the last state and nothing is wrong with it.
    discriminator_loss, generator_loss : float
        Of the last step; the discriminator's with its penalty.
    discriminator_norm, generator_norm : float
        Lengths of the last gradients.
    real_score, fake_score : float
        Mean output of D, before any sigmoid, on the last batches of data and of samples.
    samples : ndarray of shape (n_shown, ...)
        G(z) at the same z in every state.
    coverage : float
        Share of a part of the data with a sample nearer than its own fifth neighbour.
    status : GameStatus
        COLLAPSED and VANISHING judge this state, and a later one may be better; DIVERGED
        ends the game.
    detail : str
        For DIVERGED, what was not finite, and when.
    """

    discriminator_loss: float
    generator_loss: float
    discriminator_norm: float
    generator_norm: float
    real_score: float
    fake_score: float
    samples: Array
    coverage: float
    status: GameStatus = GameStatus.RUNNING
    detail: str = ""


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


def play(game: Game, X: Array, rng: np.random.Generator, n_shown: int = 64) -> Iterator[GameState]:
    """Play; yield a state every so many steps.

    Parameters
    ----------
    game : Game
        Its networks are trained in place.
    X : ndarray of shape (n, ...)
        The data, in the networks' dtype.
    rng : numpy.random.Generator
    n_shown : int, default=64
        Samples in each state.
    """
    shown = game.latent(rng, n_shown)
    coverage = Coverage(X, rng)
    table = _table(game, X, shown, rng)
    best = 0.0  # coverage
    while table.n_iter < game.n_steps and not table.detail:
        before = table.n_iter
        table.advance(min(game.every, game.n_steps - before))
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            found = coverage(game.sample(rng, coverage.n_samples))
            samples = game.sampler(shown).copy()
        best, last = max(best, found), table.n_iter == game.n_steps
        status = GameStatus.DIVERGED if table.detail else _judged(table, found, best, last=last)
        yield GameState(
            n_iter=table.n_iter,
            objective=table.value / max(1, table.n_iter - before),
            converged=status is GameStatus.COMPLETE,
            discriminator_loss=table.d.loss,
            generator_loss=table.g.loss,
            discriminator_norm=table.d.norm,
            generator_norm=table.g.norm,
            real_score=table.scores[0],
            fake_score=table.scores[1],
            samples=samples,
            coverage=found,
            status=status,
            detail=table.detail,
        )


def _table(game: Game, X: Array, z: Array, rng: np.random.Generator) -> Table:
    """Return the form of the game that is wanted, or the faster one that it suits."""
    if game.loop not in ("auto", "layers", "compiled"):
        raise ValueError(f"loop={game.loop!r}: give 'auto', 'layers' or 'compiled'")
    why_not = CompiledTable.suits(game, X, z) if game.loop != "layers" else ""
    if why_not and game.loop == "compiled":
        raise ValueError(f"loop='compiled': {why_not}")
    if game.loop == "layers" or why_not or (game.loop == "auto" and not CompiledTable.wins(game)):
        return Table(game, X, rng)
    return CompiledTable(game, X, rng)


def _judged(table: Table, coverage: float, best: float, *, last: bool) -> GameStatus:
    """Say what is wrong, if anything.

    Few samples near the data are no fault at the beginning: it is one once there were twice
    as many, or at the end.
    """
    real, fake = table.scores
    if real > fake and (table.slope < VANISHED or table.g.norm < VANISHED * table.most):
        return GameStatus.VANISHING
    if coverage < COVERED and (last or coverage < best / 2):
        return GameStatus.COLLAPSED
    return GameStatus.COMPLETE if last else GameStatus.RUNNING
