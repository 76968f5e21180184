"""GAN: a generative adversarial network as an estimator, over the game of `kiso.nn`."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from kiso._gate import validate_data
from kiso._validation import (
    FLOATS,
    RANDOM_STATE,
    Array,
    HasMethods,
    Integral,
    Interval,
    RandomState,
    Real,
    StrOptions,
    check_generator,
    positive,
)
from kiso.base import IterativeEstimator
from kiso.nn import (
    GAME_LOSSES,
    Affine,
    Game,
    GameState,
    GameStatus,
    LeakyReLU,
    Network,
    ReLU,
    ShapeError,
    Spectral,
    play,
)
from kiso.optim import Adam, Cosine, Rule

__all__ = ["GAN"]

_BLOCK = 4096  # rows that pass a network at once


@dataclass(frozen=True)
class _Problem:
    game: Game
    X: Array
    rng: np.random.Generator


class GAN(IterativeEstimator[_Problem, GameState]):
    """Generative adversarial network: learns to draw samples like those it was shown.

    A generator G makes samples of noise z ∼ p_z, a discriminator D tells them from data:

        min_G max_D V(D, G) = E_{x∼data} ln D(x) + E_{z∼p_z} ln(1 − D(G(z)))

    At the best D = p/(p + q) this is 2 JS(p ‖ q) − ln 4, least where G's law q is that of
    the data. `loss` chooses between this game and what was made of it since.

    Parameters
    ----------
    generator, discriminator : sequence of int, Network or callable, default=(128, 128)
        Units of the hidden layers (rectifiers in G, leaky ones of slope 0.2 in D); or a
        network, which is copied, its weights the ones to begin with; or
        `callable(rng, dtype) -> Network`. D gives one number a sample, before any sigmoid.
    loss : {"non-saturating", "minimax", "least-squares", "wasserstein"}, \
default="non-saturating"
        "minimax" is the game as written above, whose slope for G vanishes where D has seen
        through it; "non-saturating" lets G minimise −ln D(G(z)) instead; "least-squares"
        (Mao et al. 2017) and "wasserstein" (Arjovsky et al. 2017; D has no sigmoid, and
        needs a gradient penalty or spectral normalisation).
    gradient_penalty : float or None, default=None
        Weight of mean (‖∇ₓD‖ − c)²: with "wasserstein" c = 1 on points between data and
        samples (Gulrajani et al. 2017), else c = 0 on data (Mescheder et al. 2018). None is
        10 for "wasserstein" without `spectral`, else 0.
    spectral : bool, default=False
        Divide each weight matrix of D by its largest singular value (Miyato et al. 2018).
        Not for a discriminator given as a network or callable: put `nn.Spectral` there.
    n_latent : int or None, default=None
        Length of z. None is the number of columns of a table, at most 16; 16 for images.
    latent : {"normal", "uniform"} or callable, default="normal"
        N(0, I), U(−1, 1)ⁿ, or `callable(rng, n) -> z`.
    batch_size : int, default=128
        Real samples, and as many generated ones, of a step.
    discriminator_steps : int, default=1
        Steps of D for each of G.
    rule : Rule, (Rule, Rule) or None, default=None
        From `kiso.optim`: for both, or for generator and discriminator. None is Adam with
        beta1=0.5 and a rate that falls from 0.003 to 0 along half a cosine: modes that are
        found while it is large are drawn sharply as it falls.
    averaging : float, default=0.995
        β of the running mean of G's parameters that samples are drawn with; 0 for none.
    scale : bool, default=True
        Shift and scale tables by the mean and standard deviation of each column before, and
        back after. Images are left as they are.
    max_iter : int, default=4000
        Steps of the generator.
    every : int, default=100
        Steps from one state to the next.
    random_state : int, Generator, RandomState or None, default=None
        Draws the first weights, the noise and the batches.

    Attributes
    ----------
    generator_, discriminator_ : Network
        G with the averaged parameters, and D, on scaled data.
    status_ : GameStatus
        COMPLETE; or what went wrong: COLLAPSED, VANISHING, DIVERGED.
    coverage_ : float
        Share of the data that samples come near, as of the last state.
    n_iter_ : int
        Steps of the generator that were taken.
    mean_, scale_ : ndarray
        What tables were shifted and scaled by; 0 and 1 for images.
    sample_shape_ : tuple of int
        Shape of one sample of X.

    Raises
    ------
    ValueError
        If a network does not fit the data; the message gives both shapes.

    References
    ----------
    Goodfellow et al. (2014), Generative adversarial nets.

    Examples
    --------
    >>> from kiso.neural_network import GAN
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal([3.0, -1.0], [1.0, 0.2], (1000, 2))
    >>> gan = GAN((16,), (16,), n_latent=2, max_iter=500, random_state=0).fit(X)
    >>> gan.sample(2000, random_state=0).mean(axis=0).round(0)
    array([ 3., -1.])
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "generator": ["array-like", Network, callable],
        "discriminator": ["array-like", Network, callable],
        "loss": [StrOptions(set(GAME_LOSSES))],
        "gradient_penalty": [positive(zero=True), None],
        "spectral": ["boolean"],
        "n_latent": [positive(Integral), None],
        "latent": [StrOptions({"normal", "uniform"}), callable],
        "batch_size": [positive(Integral)],
        "discriminator_steps": [positive(Integral)],
        "rule": [HasMethods(["init", "update"]), tuple, list, None],
        "averaging": [Interval(Real, 0, 1, closed="left")],
        "scale": ["boolean"],
        "max_iter": [positive(Integral)],
        "every": [positive(Integral)],
        "random_state": RANDOM_STATE,
    }

    generator_: Network
    discriminator_: Network
    status_: GameStatus
    coverage_: float
    n_iter_: int
    sample_shape_: tuple[int, ...]

    def __init__(
        self,
        generator: Sequence[int] | Network | Callable[..., Network] = (128, 128),
        discriminator: Sequence[int] | Network | Callable[..., Network] = (128, 128),
        *,
        loss: str = "non-saturating",
        gradient_penalty: float | None = None,
        spectral: bool = False,
        n_latent: int | None = None,
        latent: str | Callable[[np.random.Generator, int], Array] = "normal",
        batch_size: int = 128,
        discriminator_steps: int = 1,
        rule: Rule | tuple[Rule, Rule] | None = None,
        averaging: float = 0.995,
        scale: bool = True,
        max_iter: int = 4000,
        every: int = 100,
        random_state: RandomState = None,
    ):
        self.generator = generator
        self.discriminator = discriminator
        self.loss = loss
        self.gradient_penalty = gradient_penalty
        self.spectral = spectral
        self.n_latent = n_latent
        self.latent = latent
        self.batch_size = batch_size
        self.discriminator_steps = discriminator_steps
        self.rule = rule
        self.averaging = averaging
        self.scale = scale
        self.max_iter = max_iter
        self.every = every
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> Self:
        """Play the game for `max_iter` steps of the generator.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, channels, height, width)
        y : ignored

        Warns
        -----
        ConvergenceWarning
            If the samples cover little of the data, the generator's slope has vanished, or
            something was not finite: see `status_`.
        """
        return self._fit(X)

    # --- before the fit -----------------------------------------------------------------

    def _prepare(self, X: Any, y: Any = None, **_: Any) -> _Problem:
        X = validate_data(self, X, dtype=FLOATS, order="C", allow_nd=True, ensure_min_samples=2)
        self.sample_shape_ = X.shape[1:]
        rng = check_generator(self.random_state)
        self._scaling(X)
        X = self._scaled(X)
        # the latent space may be the caller's: what z looks like is known by drawing one
        z = self._latent(X.dtype)(np.random.default_rng(0), 1)
        generator = self._network("generator", z.shape[1:], X, rng)
        discriminator = self._network("discriminator", X.shape[1:], X, rng)
        _check_fit(generator, discriminator, z.shape[1:], X.shape[1:])
        weight = self.gradient_penalty
        if weight is None:
            weight = 10.0 if self.loss == "wasserstein" and not self.spectral else 0.0
        wasserstein = self.loss == "wasserstein"
        game = Game(
            generator,
            discriminator,
            GAME_LOSSES[self.loss],
            self._latent(X.dtype),
            self._rules(),
            n_steps=self.max_iter,
            batch_size=self.batch_size,
            every=self.every,
            discriminator_steps=self.discriminator_steps,
            penalty=weight,
            penalty_norm=1.0 if wasserstein else 0.0,
            penalty_between=wasserstein,
            averaging=self.averaging,
        )
        return _Problem(game, X, rng)

    def _scaling(self, X: Array) -> None:
        self.mean_, self.scale_ = np.zeros((), X.dtype), np.ones((), X.dtype)
        self._table = X.ndim == 2
        if self.scale and X.ndim == 2:
            spread = X.std(axis=0, dtype=np.float64)
            self.mean_ = X.mean(axis=0, dtype=np.float64).astype(X.dtype)
            self.scale_ = np.where(spread > 0, spread, 1.0).astype(X.dtype)

    def _scaled(self, X: Array) -> Array:
        scaled: Array = (X - self.mean_) / self.scale_
        return scaled

    def _n_latent(self) -> int:
        if self.n_latent is not None:
            return int(self.n_latent)
        return min(16, self.n_features_in_) if self._table else 16

    def _latent(self, dtype: Any) -> Callable[[np.random.Generator, int], Array]:
        kind, shape = self.latent, (self._n_latent(),)
        if callable(kind):
            return lambda rng, n: np.asarray(kind(rng, n), dtype)
        if kind == "normal":
            return lambda rng, n: rng.standard_normal((n, *shape), dtype)
        return lambda rng, n: 2 * rng.random((n, *shape), dtype) - 1

    def _network(
        self, which: str, shape: tuple[int, ...], X: Array, rng: np.random.Generator
    ) -> Network:
        """Copy or make one of the two networks."""
        given: Any = getattr(self, which)
        if isinstance(given, Network):
            network = copy.deepcopy(given)
        elif callable(given):
            network = given(rng, X.dtype)
        else:
            return self._dense(which, list(given), shape, X, rng)
        if network.dtype != X.dtype:
            raise ValueError(
                f"{which}: the network is of {network.dtype}, X of {X.dtype}; make them the same"
            )
        if which == "discriminator" and self.spectral:
            raise ValueError("spectral=True: make the discriminator's layers nn.Spectral instead")
        return network

    def _dense(
        self, which: str, hidden: list[int], shape: tuple[int, ...], X: Array, rng: Any
    ) -> Network:
        if X.ndim > 2 or len(shape) != 1:
            raise ValueError(
                f"{which}: data of shape {X.shape} need a network; hidden layer sizes are for "
                "tables"
            )
        forward = which == "generator"
        layers: list[Any] = []
        sizes = [shape[0], *hidden, X.shape[1] if forward else 1]
        if any(not isinstance(n, Integral | np.integer) or n < 1 for n in sizes):
            raise ValueError(f"{which}={hidden}: give whole numbers of units > 0")
        for n_in, n_out in pairwise(sizes):
            affine = Affine.create(n_in, n_out, init="he", random_state=rng, dtype=X.dtype)
            layers.append(Spectral(affine) if self.spectral and not forward else affine)
            layers.append(ReLU() if forward else LeakyReLU(0.2))
        return Network(layers[:-1])

    def _rules(self) -> tuple[Rule, Rule]:
        rule: Any = self.rule
        if rule is None:
            steps = self.max_iter, self.max_iter * self.discriminator_steps
            rule = tuple(Adam(Cosine(3e-3, n), beta1=0.5) for n in steps)
        pair = tuple(rule) if isinstance(rule, tuple | list) else (rule, rule)
        if len(pair) != 2 or not all(isinstance(r, Rule) for r in pair):
            raise ValueError(f"rule={self.rule!r}: give a rule, or one for each of the two")
        return pair[0], pair[1]

    # --- the fit ------------------------------------------------------------------------

    def _iterate(self, problem: _Problem) -> Iterator[GameState]:
        return play(problem.game, problem.X, problem.rng)

    def _max_steps(self) -> int:
        return -(-self.max_iter // self.every)

    def _fitted(self, problem: _Problem, state: GameState) -> dict[str, Any]:
        return {
            "generator_": copy.deepcopy(problem.game.sampler),
            "discriminator_": copy.deepcopy(problem.game.discriminator),
            "status_": state.status,
            "coverage_": state.coverage,
            "n_iter_": state.n_iter,
        }

    def _not_converged(self, problem: _Problem, state: GameState) -> str | None:
        if state.status in (GameStatus.RUNNING, GameStatus.COMPLETE):
            return None
        detail = f" ({state.detail})" if state.detail else ""
        return (
            f"GAN: after {state.n_iter} steps {state.status.value}{detail}; coverage "
            f"{state.coverage:.2f}. {_ADVICE[state.status]}"
        )

    # --- what it is good for ------------------------------------------------------------

    def sample(self, n_samples: int = 1, *, random_state: RandomState = None) -> Array:
        """Draw samples.

        Parameters
        ----------
        n_samples : int, default=1
        random_state : int, Generator, RandomState or None, default=None
            None draws with the estimator's own `random_state`, the same at each call where
            that is a number.

        Returns
        -------
        ndarray of shape (n_samples, ...)
            Shaped as the rows of X.
        """
        check_is_fitted(self)
        if not isinstance(n_samples, Integral | np.integer) or n_samples < 1:
            raise ValueError(f"n_samples={n_samples!r}: give a whole number > 0")
        rng = check_generator(self.random_state if random_state is None else random_state)
        draw = self._latent(self.generator_.dtype)
        blocks = [
            self.generator_(draw(rng, min(_BLOCK, n_samples - start)))
            for start in range(0, n_samples, _BLOCK)
        ]
        return np.concatenate(blocks) * self.scale_ + self.mean_

    def score_samples(self, X: Any) -> Array:
        """Return D(x) before any sigmoid: how much x looks like data rather than a sample.

        For "minimax" and "non-saturating" this is the log of p/q as D has learnt it.

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=FLOATS, order="C", allow_nd=True, reset=False)
        if X.shape[1:] != self.sample_shape_:
            raise ValueError(
                f"X has samples of shape {X.shape[1:]}; those of fit had {self.sample_shape_}"
            )
        X = self._scaled(X.astype(self.discriminator_.dtype, copy=False))
        blocks = [
            self.discriminator_(X[start : start + _BLOCK]).reshape(-1)
            for start in range(0, len(X), _BLOCK)
        ]
        return np.concatenate(blocks)


_ADVICE = {
    GameStatus.COLLAPSED: (
        'Try loss="wasserstein", a gradient_penalty, more steps, or a larger batch.'
    ),
    GameStatus.VANISHING: 'Try loss="non-saturating" or "wasserstein", or a smaller discriminator.',
    GameStatus.DIVERGED: "Lower the learning rate, or add a gradient_penalty.",
}


def _check_fit(
    generator: Network, discriminator: Network, latent: tuple[int, ...], shape: tuple[int, ...]
) -> None:
    """Refuse networks that do not fit the data, before the first step."""
    try:
        made = generator.output_shape(latent)
    except ShapeError as error:
        raise ValueError(f"generator: it does not take z of shape {latent}: {error}") from None
    if made != shape:
        raise ValueError(f"generator: it makes samples of shape {made}; those of X have {shape}")
    try:
        told = discriminator.output_shape(shape)
    except ShapeError as error:
        raise ValueError(f"discriminator: it does not take the rows of X: {error}") from None
    if told != (1,):
        raise ValueError(f"discriminator: it gives {told} for a sample; it has to give (1,)")
