"""Adversarial training in compiled calls: which networks, losses and rules it takes.

Random numbers are drawn ahead, in the order in which the loop layer by layer draws them, so
that both forms differ by rounding only. (After a step that failed more have been drawn.)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kiso._compute import costs
from kiso._compute.threads import run_together
from kiso._validation import Array
from kiso.optim._schedules import rate_at
from kiso.optim._tree import leaves_of

from ..gan.game import Game
from ..gan.loop import AdversarialLoop, Player
from ..gan.losses import GAME_LOSSES, GameLoss
from . import adversarial_loops as loops
from .activation_loops import GELU
from .dense_codes import is_known, layer_codes
from .engine import LANE_WORK
from .flat import FlatParameters
from .records_loops import Lanes, Values

__all__ = ["CompiledAdversarialLoop"]


_LOSSES: dict[GameLoss, int] = {
    GAME_LOSSES["minimax"]: loops.MINIMAX,
    GAME_LOSSES["non-saturating"]: loops.NON_SATURATING,
    GAME_LOSSES["least-squares"]: loops.LEAST_SQUARES,
    GAME_LOSSES["wasserstein"]: loops.WASSERSTEIN,
}


class CompiledAdversarialLoop(AdversarialLoop):
    """Two chains of affine layers, plain losses, four rules."""

    def __init__(self, game: Game, X: Array, rng: np.random.Generator):
        super().__init__(game, X, rng)
        work = max(game.generator.n_parameters, game.discriminator.n_parameters) * game.batch_size
        self.n_lanes = _lanes(game.batch_size, work)
        rows = -(-game.batch_size // self.n_lanes)
        mean = leaves_of(game.sampler.parameters) if game.averaging else []
        self.sides = _Side(self.g, rows, self.n_lanes, mean), _Side(self.d, 2 * rows, self.n_lanes)
        n_turns, n_z = game.discriminator_steps, int(self.sides[0].flat.sizes[0])
        size = X.itemsize * game.batch_size * n_z * (n_turns + 1)
        self.chunk = max(
            1, min(costs.GAN_CHUNK_BYTES // size, costs.GAN_CALL_WORK // (work * (n_turns + 1)))
        )
        self.rows = np.empty((self.chunk * n_turns, game.batch_size), np.intp)
        self.Z = np.empty((self.chunk * (n_turns + 1), game.batch_size, n_z), X.dtype)

    @classmethod
    def suits(cls, game: Game, X: Array, z: Array) -> str:
        """Return why it cannot play this game, with such z; empty if it can."""
        if not all(is_known(rule) for rule in game.rules):
            return "a rule is not GradientDescent, Momentum, Nesterov or Adam without a wrapper"
        if game.loss not in _LOSSES:
            return "the loss is not one of GAME_LOSSES"
        if game.penalty:
            return "there is a gradient penalty"
        networks = game.generator, game.discriminator
        if any(layer_codes(network)[0].size == 0 for network in networks):
            return "the layers are not affine ones each with at most one known activation"
        leaves = [leaves_of(network.parameters) for network in networks]
        if any(leaf is other for leaf in leaves[0] for other in leaves[1]):
            return "the networks share parameters"
        if X.ndim != 2 or isinstance(X, np.memmap) or not X.flags.c_contiguous or z.ndim != 2:
            return "the data are not an array in memory with one row a sample"
        if len({X.dtype, z.dtype, *(network.dtype for network in networks)}) != 1:
            return "data, noise and networks are not of one dtype"
        ends = [(side[0].shape[0], side[-2].shape[1]) for side in leaves]
        if ends != [(z.shape[1], X.shape[1]), (X.shape[1], 1)] or min(z.shape[1], X.shape[1]) == 0:
            return "the networks do not fit the data"
        return ""

    @classmethod
    def wins(cls, game: Game) -> bool:
        """Whether the lanes' own gradients cost little."""
        return (
            max(game.generator.n_parameters, game.discriminator.n_parameters)
            <= costs.GAN_MOST_NUMBERS
        )

    def _advance(self, n_steps: int) -> None:
        for side in self.sides:
            side.read()
        try:
            left = n_steps
            while left > 0:
                count = min(left, self.chunk)
                self._draw(count)
                self._take(count)
                left -= count
        finally:
            for side in self.sides:
                side.write()
                if side.player.memory.step > 0:
                    side.player.note_norm(side.flat.gradients())

    def _draw(self, count: int) -> None:
        game, n, k = self.game, self.game.batch_size, self.game.discriminator_steps
        for step in range(count):
            for turn in range(k):
                self.rows[step * k + turn] = self.rng.integers(len(self.X), size=n)
                self.Z[step * (k + 1) + turn] = game.latent(self.rng, n)
            self.Z[step * (k + 1) + k] = game.latent(self.rng, n)

    def _take(self, count: int) -> None:
        game, (G, D) = self.game, self.sides
        n_turns = game.discriminator_steps
        gen = G.record(count, 1.0 - game.averaging)
        dis = D.record(count * n_turns, 1.0)
        draws = loops.Draws(self.X, self.rows, self.Z, n_turns)
        sums, meeting = np.zeros((self.n_lanes, loops.N_SUMS)), np.zeros(1, np.int64)

        def take_part(mine: slice, n_members: int) -> tuple[tuple[int, int, int], Array]:
            report, kind = np.zeros(7), _LOSSES[game.loss]
            lanes = Lanes(sums, mine.start, mine.stop, meeting, n_members)
            return loops.train_adversarially(gen, dis, draws, kind, lanes, report), report

        (done, extra, end), report = run_together(take_part, self.n_lanes, meeting)[0]
        self.value += report[0] / n_turns
        self.d.loss, self.scores = float(report[1]), (float(report[3]), float(report[4]))
        if done or end == loops.BAD_GENERATOR:
            self.g.loss, self.slope = float(report[2]), float(report[5])
        self.most = max(self.most, float(report[6]))
        self.n_iter += done
        G.player.memory.step += done
        D.player.memory.step += done * n_turns + extra
        if end != loops.DONE:
            self._fail(D if end == loops.BAD_DISCRIMINATOR else G)

    def _fail(self, side: _Side) -> None:
        """Let the layers' form refuse the step, in its words."""
        who = "discriminator" if side is self.sides[1] else "generator"
        side.write()
        try:
            side.player.move(side.player.loss, side.flat.gradients())
        except FloatingPointError as error:
            raise FloatingPointError(f"{who}: {error}") from None


class _Side:
    """One player's flat arrays, and the buffers of its lanes."""

    def __init__(self, player: Player, rows: int, n_lanes: int, mean: Sequence[Array] = ()):
        self.player = player
        self.flat = FlatParameters(player.network, player.rule, mean)
        dtype, sizes = self.flat.p.dtype, self.flat.sizes
        a, d = (np.empty((n_lanes, rows * sizes.sum()), dtype) for _ in range(2))
        self.values = Values(a, d, np.empty_like(d) if GELU in self.flat.codes else d)
        self.parts = np.empty((n_lanes, self.flat.p.size), dtype)

    def record(self, count: int, follow: float) -> loops.Player:
        """Return what the loops need for so many steps."""
        rule: Any = self.player.rule
        step = self.player.memory.step
        rates = np.array([rate_at(rule.learning_rate, k) for k in range(step, step + count)])
        return loops.Player(
            self.flat.net(), self.flat.rule_record(step), rates, self.values, self.parts,
            self.flat.mean, follow,
        )  # fmt: skip

    def read(self) -> None:
        self.flat.read(self.player.memory)

    def write(self) -> None:
        self.flat.write(self.player.memory)


def _lanes(batch_size: int, work: int) -> int:
    """Lanes that a step is worth, whatever the number of threads: a power of two."""
    most = max(
        1, min(costs.STEP_MOST_LANES, batch_size // costs.GAN_LANE_ROWS, 1 + work // LANE_WORK)
    )
    return 1 << (most.bit_length() - 1)
