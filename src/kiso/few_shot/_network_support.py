"""What the networks of one-shot learning share: from the parameters to a fit by episodes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from kiso._validation import (
    RANDOM_STATE,
    Array,
    HasMethods,
    Integral,
    RandomState,
    StrOptions,
    check_generator,
    positive,
)
from kiso.base import IterativeEstimator
from kiso.neural_network._architecture import Builder
from kiso.nn import Flatten, Layer, Network, RandomAffine, ShapeError, TrainStatus
from kiso.optim import Adam, Cosine, Rule

from ._episodic import ClassSampler, EpisodeState, Learner, Plan, learn
from ._support import FewShotClassifier

__all__ = ["BLOCK", "FewShotNetwork", "Problem", "conv_blocks"]

MOST_WAYS = 60  # classes of an episode where `ways="auto"`
BLOCK = "conv 64 3x3 same, batchnorm, relu"
BLOCK_PIXELS = 1 << 20  # that go through a network at once
RATE = 1e-3  # learning rate at the beginning


@dataclass(frozen=True)
class Problem:
    """What is learned, how, and the samples that become the support set."""

    learner: Learner
    plan: Plan
    X: Array
    y: Array
    rng: np.random.Generator


class FewShotNetwork(FewShotClassifier, IterativeEstimator[Problem, EpisodeState]):
    """Base of the classifiers whose representation is a network trained by episodes.

    A subclass gives `_auto(shape)`, `_episode_sizes()`, `_learner(network, sampler, ways)`,
    `_of_learner(learner)`, and what every `FewShotClassifier` gives.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "embedding": [str, Iterable, Network, callable],
        "ways": [positive(Integral), StrOptions({"auto"})],
        "rotations": ["boolean"],
        "augmentation": [Layer, StrOptions({"affine"}), None],
        "image_shape": ["array-like", None],
        "scale": ["boolean"],
        "rule": [HasMethods(["init", "update"]), None],
        "max_iter": [positive(Integral)],
        "every": [positive(Integral)],
        "random_state": RANDOM_STATE,
    }

    embedding: str | Iterable[Layer] | Network | Callable[..., Network]
    ways: int | str
    rotations: bool
    augmentation: Layer | str | None
    scale: bool
    rule: Rule | None
    max_iter: int
    every: int
    random_state: RandomState

    network_: Network
    _status: str  # a name, which a model file can hold
    n_iter_: int
    mean_: Array
    scale_: Array

    @abstractmethod
    def _auto(self, shape: tuple[int, ...]) -> str:
        """Return the layers of an embedding for samples of this shape."""

    @abstractmethod
    def _episode_sizes(self, smallest: int) -> tuple[int, str]:
        """Return how many samples of a class an episode takes, and the words for it."""

    @abstractmethod
    def _learner(
        self, network: Network, sampler: ClassSampler, ways: int, n_each: int, dtype: Any
    ) -> Learner:
        """Return what learns."""

    def _of_learner(self, learner: Learner) -> dict[str, Any]:
        """Return the fitted attributes besides the network."""
        return {}

    @property
    def status_(self) -> TrainStatus:
        """How the fit ended."""
        check_is_fitted(self)
        return TrainStatus[self._status]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    def fit(self, X: Any, y: Any) -> Self:
        """Train the network by episodes; then take the samples as the support set.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
(n_samples, channels, height, width)
        y : array-like of shape (n_samples,)
            Classes, of each of which an episode can be made.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If there are fewer classes than `ways`, a class has fewer samples than an episode
            takes of it, or an option is for pictures and the samples are none.

        Warns
        -----
        ConvergenceWarning
            If a loss or a gradient was not finite: see `status_`.
        """
        return self._fit(X, y)

    # --- before the fit -----------------------------------------------------------------

    def _prepare(self, X: Any, y: Any = None, **_: Any) -> Problem:
        if y is None:
            name = type(self).__name__
            raise ValueError(f"{name} requires y to be passed, but the target y is None")
        X, y = self._checked(X, y, reset=True, what="X")
        rng = check_generator(self.random_state)
        self._scaling(X)
        X = self._as_input(X)
        sampler, ways, n_each = self._sampler(X, y)
        network = self._network(X.shape[1:], X.dtype, rng)
        learner = self._learner(network, sampler, ways, n_each, X.dtype)
        rule = Adam(Cosine(RATE, self.max_iter)) if self.rule is None else self.rule
        return Problem(learner, Plan(rule, self.max_iter, self.every, X.ndim == 2), X, y, rng)

    def _scaling(self, X: Array) -> None:
        """Find what tables are shifted and scaled by; pictures are left as they are."""
        self.mean_, self.scale_ = np.zeros((), X.dtype), np.ones((), X.dtype)
        if self.scale and X.ndim == 2:
            spread = X.std(axis=0, dtype=np.float64)
            self.mean_ = X.mean(axis=0, dtype=np.float64).astype(X.dtype)
            self.scale_ = np.where(spread > 0, spread, 1.0).astype(X.dtype)

    def _as_input(self, X: Array) -> Array:
        """Return checked samples as the network takes them: pictures float32, with channels."""
        if X.ndim == 2:
            return np.ascontiguousarray((X - self.mean_) / self.scale_)
        if X.ndim not in (3, 4):
            raise ValueError(
                f"X has samples of shape {X.shape[1:]}: give rows of features, or pictures "
                "(height, width) or (channels, height, width)"
            )
        pictures = X[:, None] if X.ndim == 3 else X
        return np.ascontiguousarray(pictures, dtype=np.float32)

    def _sampler(self, X: Array, y: Array) -> tuple[ClassSampler, int, int]:
        """Return what draws samples, the classes of an episode, and samples of each."""
        classes, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
        if len(classes) < 2:
            raise ValueError(f"y holds one class, {str(classes[0])!r}; give at least two")
        least = int(counts.argmin())
        n_each, words = self._episode_sizes(int(counts[least]))
        if counts[least] < n_each:
            raise ValueError(
                f"class {str(classes[least])!r} has n_samples={counts[least]}; an episode takes "
                f"{n_each} of each class ({words})"
            )
        if self.rotations and (X.ndim != 4 or X.shape[2] != X.shape[3]):
            raise ValueError(
                f"rotations=True is for square pictures; the samples are of shape {X.shape[1:]}"
            )
        members = np.split(np.argsort(codes, kind="stable"), np.cumsum(counts)[:-1])
        sampler = ClassSampler(X, members, 4 if self.rotations else 1)
        ways = self.ways
        if ways == "auto":
            return sampler, min(MOST_WAYS, sampler.n_classes), n_each
        if not 2 <= int(ways) <= sampler.n_classes:
            turned = ", rotations counted" if self.rotations else ""
            raise ValueError(
                f"ways={ways}: give 2 to {sampler.n_classes}, the classes of y{turned}"
            )
        return sampler, int(ways), n_each

    def _network(self, shape: tuple[int, ...], dtype: Any, rng: np.random.Generator) -> Network:
        """Make or copy the embedding; its output is a vector."""
        given: Any = self.embedding
        builder = Builder(shape, "he", rng, dtype)
        augmentation = self._augmentation(shape)
        if augmentation is not None:
            builder.add(augmentation)
        if callable(given) and not isinstance(given, Layer):
            given = given(rng, shape, dtype)
        if isinstance(given, str):
            builder.read(self._auto(shape) if given == "auto" else given, "embedding")
        else:
            self._add_copies(builder, given)
        if len(builder.shape) > 1:
            builder.add(Flatten())
        network = Network(builder.layers)
        if network.dtype != dtype:
            raise ValueError(
                f"embedding: the network is of {network.dtype}, the samples of {np.dtype(dtype)} "
                "(pictures are taken as float32); make them the same"
            )
        return network

    def _add_copies(self, builder: Builder, layers: Iterable[Any]) -> None:
        for position, layer in enumerate(deepcopy(list(layers))):
            if not isinstance(layer, Layer):
                raise TypeError(f"embedding: {layer!r}, at place {position}, is no layer")
            try:
                builder.add(layer)
            except ShapeError as error:
                raise ShapeError(f"embedding: place {position}: {error}") from None

    def _augmentation(self, shape: tuple[int, ...]) -> Layer | None:
        given = self.augmentation
        if isinstance(given, Layer):
            return deepcopy(given)
        return RandomAffine() if given == "affine" and len(shape) == 3 else None

    # --- the fit ------------------------------------------------------------------------

    def _iterate(self, problem: Problem) -> Iterator[EpisodeState]:
        return learn(problem.learner, problem.plan, problem.rng)

    def _max_steps(self) -> int:
        return -(-self.max_iter // self.every)

    def _fitted(self, problem: Problem, state: EpisodeState) -> dict[str, Any]:
        network: Network = deepcopy(problem.learner.network)  # type: ignore[attr-defined]
        with np.errstate(over="ignore", invalid="ignore"):
            embedded = _in_blocks(network, problem.X)
        return {
            "network_": network,
            "_status": state.status.name,
            "n_iter_": state.n_iter,
            **self._of_learner(problem.learner),
            **self._support_set(embedded, problem.y),
        }

    def _not_converged(self, problem: Problem, state: EpisodeState) -> str | None:
        if state.status is not TrainStatus.DIVERGED:
            return None
        return (
            f"{type(self).__name__} diverged at {state.detail}; it stands as before that step. "
            "Scale the samples or lower the learning rate."
        )

    # --- the support set ----------------------------------------------------------------

    def _support_set(self, embedded: Array, y: Array) -> dict[str, Any]:
        """Return the attributes that a support set has: all embeddings, and their classes."""
        classes, codes = np.unique(y, return_inverse=True)
        return {"classes_": classes, "example_class_": codes, "_examples": embedded}

    def _take(self, X: Array, y: Array) -> None:
        for name, value in self._support_set(self._represent(X), y).items():
            setattr(self, name, value)

    def _represent(self, X: Array) -> Array:
        with np.errstate(over="ignore", invalid="ignore"):
            embedded = _in_blocks(self.network_, self._as_input(X))
        finite = np.isfinite(embedded).all(axis=1)
        if not finite.all():
            raise ValueError(
                f"the embedding of sample {finite.argmin()} is not finite: the network has "
                f"diverged (status_: {self.status_.value}), or the sample is too large for it"
            )
        return embedded

    def embed(self, X: Any) -> Array:
        """Return the network's output: what distances are taken of.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)

        Returns
        -------
        ndarray of shape (n_samples, n_outputs)
        """
        check_is_fitted(self)
        return self._represent(self._checked(X, reset=False, what="X")[0])


def _in_blocks(network: Network, X: Array) -> Array:
    """Pass samples through the network, large pictures few at a time: layers blow them up."""
    n_rows = network.block_rows
    if X.ndim == 4:
        n_rows = max(16, min(n_rows, BLOCK_PIXELS // (X.shape[2] * X.shape[3])))
    return np.concatenate([network(X[i : i + n_rows]) for i in range(0, len(X), n_rows)])


def conv_blocks(shape: Sequence[int], most: int = 4) -> str:
    """Blocks of 64 filters 3×3, normalised, rectified and pooled, while there are pixels."""
    side, n_blocks = min(shape[1:]), 0
    while n_blocks < most and side >= 2:
        side, n_blocks = side // 2, n_blocks + 1
    return ", ".join([f"{BLOCK}, pool 2"] * n_blocks) if n_blocks else BLOCK
