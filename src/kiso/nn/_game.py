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
from contextlib import nullcontext
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

import numpy as np

from kiso._parallel import one_blas_thread
from kiso._validation import Array
from kiso.base import State
from kiso.optim import Rule, global_norm
from kiso.optim._tree import leaves_of

from ._containers import layers_within
from ._coverage import Coverage
from ._game_losses import GameLoss
from ._gradient_penalty import gradient_penalty
from ._layer import Tree
from ._network import Network
from ._run import Run

__all__ = ["Game", "GameState", "GameStatus", "Latent", "play"]

Latent: TypeAlias = Callable[[np.random.Generator, int], Array]  # (rng, n) → z: (n, ...)

VANISHED = 1e-4  # slope of G's loss in D's output; gradient norm of G over its largest so far
SMALL_WORK = 1 << 23  # parameters × samples of a batch up to which BLAS gets one thread
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
    sampler: Network = field(init=False)

    def __post_init__(self) -> None:
        self.sampler = copy.deepcopy(self.generator) if self.averaging else self.generator

    def sample(self, rng: np.random.Generator, n: int) -> Array:
        """Draw n samples."""
        return self.sampler(self.latent(rng, n))


class _Player:
    """A network under way: what its rule remembers, and the buffers of its run."""

    def __init__(self, network: Network, rule: Rule, rng: np.random.Generator):
        self.network, self.rule, self.params = network, rule, network.parameters
        self.memory = rule.init(self.params)
        self.run = Run(rng, reuse_buffers=True)
        self.loss = self.norm = float("nan")

    def move(self, loss: float, gradients: Tree) -> None:
        """Take a step, unless the loss says that it leads nowhere."""
        self.loss, self.norm = loss, global_norm(gradients)
        if not np.isfinite(loss):
            raise FloatingPointError(f"its loss is {loss}")
        _, self.memory = self.rule.update(gradients, self.memory, self.params, in_place=True)
        self.run.apply_statistics()


class _Table:
    """Both players, and the batches they are dealt."""

    def __init__(self, game: Game, X: Array, rng: np.random.Generator):
        self.game, self.X, self.rng = game, X, rng
        self.g = _Player(game.generator, game.rules[0], rng)
        self.d = _Player(game.discriminator, game.rules[1], rng)
        self.scores = (float("nan"), float("nan"))
        self.slope = float("nan")  # mean |∂L_G/∂D(G(z))|
        self.value = 0.0  # of the discriminator's losses since the last state
        self.together = not any(layer.statistics for _, layer in layers_within(game.discriminator))

    def discriminate(self) -> None:
        """Let D take a step."""
        game, n = self.game, self.game.batch_size
        self.d.run.begin_step()
        self.g.run.begin_step()
        real = self.X[self.rng.integers(len(self.X), size=n)]
        fake = game.generator.forward(game.latent(self.rng, n), train=self.g.run)[0]
        r, f, backward = self._scored(real, fake)
        loss, d_real, d_fake = game.loss.discriminator(r, f)
        gradients = backward(d_real, d_fake)
        self.value += loss / game.discriminator_steps
        self.scores = float(r.mean()), float(f.mean())
        if game.penalty:
            value, steeper = self._penalty(real, fake)
            loss += game.penalty * value
            _add(gradients, steeper, game.penalty)
        self.d.move(loss, gradients)

    def _scored(self, real: Array, fake: Array) -> tuple[Array, Array, Callable[..., Tree]]:
        """D of both; as one batch, unless D looks at batches as a whole."""
        d, run, n = self.game.discriminator, self.d.run, len(real)
        if self.together:
            scores, back = d.forward(np.concatenate([real, fake]), train=run)
            return (
                scores[:n],
                scores[n:],
                lambda dr, df: back(np.concatenate([dr, df]), want_dx=False)[1],
            )
        r, back_real = d.forward(real, train=run)
        f, back_fake = d.forward(fake, train=run)

        def backward(dr: Array, df: Array) -> Tree:
            gradients = back_real(dr, want_dx=False)[1]
            _add(gradients, back_fake(df, want_dx=False)[1], 1.0)
            return gradients

        return r, f, backward

    def _penalty(self, real: Array, fake: Array) -> tuple[float, Tree]:
        at = real
        if self.game.penalty_between:
            share = self.rng.random((len(real), *[1] * (real.ndim - 1)), dtype=np.float32)
            at = fake + share.astype(real.dtype, copy=False) * (real - fake)
        return gradient_penalty(self.game.discriminator, at, norm=self.game.penalty_norm)

    def generate(self) -> None:
        """Let G take a step, before a D that stands still."""
        game = self.game
        self.d.run.begin_step()
        self.g.run.begin_step()
        z = game.latent(self.rng, game.batch_size)
        fake, back = game.generator.forward(z, train=self.g.run)
        scores, through = game.discriminator.forward(fake, train=self.d.run)
        loss, slope = game.loss.generator(scores)
        self.slope = float(np.abs(slope).sum())
        self.g.move(loss, back(through(slope, want_gradients=False)[0], want_dx=False)[1])
        if game.averaging:
            self._average()

    def _average(self) -> None:
        """θ̄ ← β θ̄ + (1 − β) θ; running statistics as they are."""
        now, mean = self.game.generator, self.game.sampler
        for kept, new in zip(leaves_of(mean.parameters), leaves_of(self.g.params), strict=True):
            kept += kept.dtype.type(1 - self.game.averaging) * (new - kept)
        pairs = zip(layers_within(mean), layers_within(now), strict=True)
        for (_, kept_layer), (_, layer) in pairs:
            for name, value in layer.statistics.items():
                kept_layer.statistics[name][...] = value


def _add(gradients: Tree, more: Tree, factor: float) -> None:
    for g, extra in zip(leaves_of(gradients), leaves_of(more), strict=True):
        g += g.dtype.type(factor) * extra


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
    table, n_iter = _Table(game, X, rng), 0
    most, best = 0.0, 0.0  # gradient norm of G, coverage
    detail = ""
    threads = one_blas_thread if _is_small(game) else nullcontext
    while n_iter < game.n_steps and not detail:
        table.value, before = 0.0, n_iter
        with threads(), np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            try:
                for _ in range(min(game.every, game.n_steps - n_iter)):
                    _step(table)
                    n_iter += 1
                    most = max(most, table.g.norm)
            except FloatingPointError as error:
                detail = f"step {n_iter + 1}: {error}"
            found = coverage(game.sample(rng, coverage.n_samples))
            samples = game.sampler(shown).copy()
        best, last = max(best, found), n_iter == game.n_steps
        status = _judged(table, found, best, most, last=last) if not detail else GameStatus.DIVERGED
        yield GameState(
            n_iter=n_iter,
            objective=table.value / max(1, n_iter - before),
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
            detail=detail,
        )


def _is_small(game: Game) -> bool:
    """Whether a second thread would spend more on waiting than it saves."""
    n = max(game.generator.n_parameters, game.discriminator.n_parameters)
    return n * game.batch_size <= SMALL_WORK


def _step(table: _Table) -> None:
    """D's steps and then G's; say whose step failed."""
    who = "discriminator"
    try:
        for _ in range(table.game.discriminator_steps):
            table.discriminate()
        who = "generator"
        table.generate()
    except FloatingPointError as error:
        raise FloatingPointError(f"{who}: {error}") from None


def _judged(table: _Table, coverage: float, best: float, most: float, *, last: bool) -> GameStatus:
    """Say what is wrong, if anything.

    Few samples near the data are no fault at the beginning: it is one once there were twice
    as many, or at the end.
    """
    real, fake = table.scores
    if real > fake and (table.slope < VANISHED or table.g.norm < VANISHED * most):
        return GameStatus.VANISHING
    if coverage < COVERED and (last or coverage < best / 2):
        return GameStatus.COLLAPSED
    return GameStatus.COMPLETE if last else GameStatus.RUNNING
