"""Adversarial training of a generator and a discriminator, as a generator of states.

    repeat:  k times   x ∼ data, z ∼ p_z;   D ← a step down L_D(D(x), D(G(z))) + penalty
             once      z ∼ p_z;             G ← a step down L_G(D(G(z)))

(algorithm 1 of Goodfellow et al. 2014, with the losses of `gan/losses.py`). What can go wrong
is looked for at every state and reported: a loss that is not finite, a
generator that gets no slope any more, samples that cover little of the data.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

import numpy as np

from kiso._validation import Array
from kiso.base import State

from ..compiled.adversarial import CompiledAdversarialLoop
from ..layers.plain import is_plain
from ..training.states import States
from .coverage import Coverage
from .game import Game
from .loop import AdversarialLoop

__all__ = ["GameState", "GameStatus", "adversarial_loop", "play"]


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


def play(game: Game, X: Array, rng: np.random.Generator, n_shown: int = 64) -> States[GameState]:
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

    Warns
    -----
    RuntimeWarning
        If the generator is dropped before its first step.
    """
    return States(_play(game, X, rng, n_shown), "play(...)")


def _play(game: Game, X: Array, rng: np.random.Generator, n_shown: int) -> Iterator[GameState]:
    shown = game.latent(rng, n_shown)
    coverage = Coverage(X, rng)
    loop = adversarial_loop(game, X, rng, shown)
    best = 0.0  # coverage
    while loop.n_iter < game.n_steps and not loop.detail:
        before = loop.n_iter
        loop.advance(min(game.every, game.n_steps - before))
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            found = coverage(game.sample(rng, coverage.n_samples))
            samples = game.sampler(shown).copy()
        best, last = max(best, found), loop.n_iter == game.n_steps
        status = GameStatus.DIVERGED if loop.detail else _judged(loop, found, best, last=last)
        yield GameState(
            n_iter=loop.n_iter,
            objective=loop.value / max(1, loop.n_iter - before),
            converged=status is GameStatus.COMPLETE,
            discriminator_loss=loop.d.loss,
            generator_loss=loop.g.loss,
            discriminator_norm=loop.d.norm,
            generator_norm=loop.g.norm,
            real_score=loop.scores[0],
            fake_score=loop.scores[1],
            samples=samples,
            coverage=found,
            status=status,
            detail=loop.detail,
        )


def adversarial_loop(
    game: Game, X: Array, rng: np.random.Generator, z: Array | None = None
) -> AdversarialLoop:
    """Return the two players of a game, to be moved by hand.

    `advance(n)` takes n steps of both, `discriminate()` and `generate()` one of one of them,
    `snapshot()` and `restore()` go back.

    Parameters
    ----------
    game : Game
        Its `loop` says which form; "auto" is the faster one that it suits.
    X : ndarray of shape (n, ...)
        The data, in the networks' dtype.
    rng : numpy.random.Generator
    z : ndarray, optional
        A draw of `game.latent`, to see its form; drawn with other random numbers if absent.

    Raises
    ------
    ValueError
        If `game.loop` is "compiled" and the game has no such form.
    """
    if z is None:
        z = game.latent(np.random.default_rng(0), 1)
    if game.loop not in ("auto", "layers", "compiled"):
        raise ValueError(f"loop={game.loop!r}: give 'auto', 'layers' or 'compiled'")
    why_not = CompiledAdversarialLoop.suits(game, X, z) if game.loop != "layers" else ""
    if why_not and game.loop == "compiled":
        raise ValueError(f"loop='compiled': {why_not}")
    if (
        game.loop == "layers"
        or (game.loop == "auto" and is_plain())
        or why_not
        or (game.loop == "auto" and not CompiledAdversarialLoop.wins(game))
    ):
        return AdversarialLoop(game, X, rng)
    return CompiledAdversarialLoop(game, X, rng)


def _judged(loop: AdversarialLoop, coverage: float, best: float, *, last: bool) -> GameStatus:
    """Say what is wrong, if anything.

    Few samples near the data are no fault at the beginning: it is one once there were twice
    as many, or at the end.
    """
    real, fake = loop.scores
    if real > fake and (loop.slope < VANISHED or loop.g.norm < VANISHED * loop.most):
        return GameStatus.VANISHING
    if coverage < COVERED and (last or coverage < best / 2):
        return GameStatus.COLLAPSED
    return GameStatus.COMPLETE if last else GameStatus.RUNNING
