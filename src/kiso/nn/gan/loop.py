"""The adversarial training loop, layer by layer: any networks, losses and rules."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np

from kiso._compute import costs
from kiso._compute.threads import one_blas_thread
from kiso._validation import Array
from kiso.optim import Rule, global_norm
from kiso.optim._tree import leaves_of

from ..layers.layer import Tree, layers_within
from ..layers.run import Run
from ..training.network import Network
from .game import Game
from .gradient_penalty import gradient_penalty

__all__ = ["AdversarialLoop", "Player", "Position"]


@dataclass(frozen=True)
class Position:
    """A place of a game that `AdversarialLoop.restore` comes back to.

    Attributes
    ----------
    n_iter : int
        Steps of the generator.
    networks : tuple of list of ndarray
        Parameters and running statistics of generator, discriminator and, where that is
        another one, sampler.
    memories : tuple of (int, list of dict)
        Steps and running averages of both rules.
    random : mapping
        State of the random numbers.
    """

    n_iter: int
    networks: tuple[list[Array], ...]
    memories: tuple[tuple[int, list[dict[str, Array]]], ...]
    random: Any


class Player:
    """A network under way: what its rule remembers, and the buffers of its run."""

    def __init__(self, network: Network, rule: Rule, rng: np.random.Generator):
        self.network, self.rule, self.params = network, rule, network.parameters
        self.memory = rule.init(self.params)
        self.run = Run(rng, reuse_buffers=True)
        self.loss = self.norm = float("nan")

    def move(self, loss: float, gradients: Tree) -> None:
        """Take a step, unless the loss says that it leads nowhere."""
        self.loss = loss
        self.note_norm(gradients)
        if not np.isfinite(loss):
            raise FloatingPointError(f"its loss is {loss}")
        _, self.memory = self.rule.update(gradients, self.memory, self.params, in_place=True)
        self.run.apply_statistics()

    def note_norm(self, gradients: Tree) -> None:
        """Keep the length of the last gradient."""
        self.norm = global_norm(gradients)


class AdversarialLoop:
    """Two players under way: each can be moved alone, and set back.

    Parameters
    ----------
    game : Game
        Its networks are trained in place.
    X : ndarray of shape (n, ...)
        The data, in the networks' dtype.
    rng : numpy.random.Generator

    Attributes
    ----------
    g, d : Player
        `network`, `memory` of its rule, `loss` and `norm` (of its gradient) of the last step.
    scores : (float, float)
        Mean output of D on the last batches of data and of samples.
    n_iter : int
        Steps of the generator by `advance`.
    detail : str
        What was not finite, and when; empty while all is well.

    See Also
    --------
    adversarial_loop : the form of it that is fast for a game.
    play : the same steps as a generator of states.

    Examples
    --------
    D alone, then back:

    >>> from kiso.nn import GAME_LOSSES, Game, Network, adversarial_loop
    >>> from kiso.optim import Adam
    >>> game = Game(Network.dense([2, 8, 2], random_state=0), Network.dense([2, 8, 1],
    ...     random_state=1), GAME_LOSSES["non-saturating"],
    ...     lambda rng, n: rng.standard_normal((n, 2)), (Adam(), Adam()), n_steps=100)
    >>> rng = np.random.default_rng(0)
    >>> loop = adversarial_loop(game, rng.standard_normal((64, 2)) + 2, rng)
    >>> before, start = loop.snapshot(), game.discriminator.vector
    >>> loop.discriminate()
    >>> bool((game.discriminator.vector != start).any())
    True
    >>> loop.restore(before)
    >>> bool((game.discriminator.vector == start).all())
    True
    """

    def __init__(self, game: Game, X: Array, rng: np.random.Generator):
        self.game, self.X, self.rng = game, X, rng
        self.g = Player(game.generator, game.rules[0], rng)
        self.d = Player(game.discriminator, game.rules[1], rng)
        self.scores = (float("nan"), float("nan"))
        self.slope = float("nan")  # mean |∂L_G/∂D(G(z))|
        self.value = 0.0  # of the discriminator's losses since the last state
        self.n_iter, self.most = 0, 0.0  # steps of G, and the largest norm of its gradients
        self.detail = ""  # what was not finite, and when
        self.together = not any(layer.statistics for _, layer in layers_within(game.discriminator))

    def snapshot(self) -> Position:
        """Return where the game stands now."""
        networks = tuple([a.copy() for a in _arrays(net)] for net in self._networks())
        memories = tuple(
            (player.memory.step, copy.deepcopy(player.memory.slots)) for player in (self.g, self.d)
        )
        return Position(self.n_iter, networks, memories, self.rng.bit_generator.state)

    def restore(self, position: Position) -> None:
        """Set the game back (or forward) to where a snapshot was taken."""
        for network, kept in zip(self._networks(), position.networks, strict=True):
            for array, value in zip(_arrays(network), kept, strict=True):
                array[...] = value
        for player, (step, slots) in zip((self.g, self.d), position.memories, strict=True):
            player.memory.step = step
            for now, then in zip(player.memory.slots, slots, strict=True):
                for name, value in then.items():
                    now[name][...] = value
        self.rng.bit_generator.state = position.random
        self.n_iter, self.detail = position.n_iter, ""

    def _networks(self) -> list[Network]:
        game = self.game
        mean = [] if game.sampler is game.generator else [game.sampler]
        return [game.generator, game.discriminator, *mean]

    def advance(self, n_steps: int) -> None:
        """Take steps; `detail` says why no more of them, if not all were taken."""
        self.value = 0.0
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            try:
                self._advance(n_steps)
            except FloatingPointError as error:
                self.detail = f"step {self.n_iter + 1}: {error}"

    def _advance(self, n_steps: int) -> None:
        with one_blas_thread() if self._is_small() else nullcontext():
            for _ in range(n_steps):
                self._step()
                self.n_iter += 1
                self.most = max(self.most, self.g.norm)

    def _is_small(self) -> bool:
        """Whether a second thread would spend more on waiting than it saves."""
        n = max(self.game.generator.n_parameters, self.game.discriminator.n_parameters)
        return n * self.game.batch_size <= costs.GAN_SMALL_WORK

    def _step(self) -> None:
        """D's steps and then G's; say whose step failed."""
        who = "discriminator"
        try:
            for _ in range(self.game.discriminator_steps):
                self.discriminate()
            who = "generator"
            self.generate()
        except FloatingPointError as error:
            raise FloatingPointError(f"{who}: {error}") from None

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


def _arrays(network: Network) -> list[Array]:
    """Parameters and running statistics, the arrays themselves."""
    statistics = [a for _, layer in layers_within(network) for a in layer.statistics.values()]
    return [*leaves_of(network.parameters), *statistics]


def _add(gradients: Tree, more: Tree, factor: float) -> None:
    for g, extra in zip(leaves_of(gradients), leaves_of(more), strict=True):
        g += g.dtype.type(factor) * extra
