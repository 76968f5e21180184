"""PrototypicalNetwork: an embedding in which the mean of a class's examples stands for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from kiso._validation import Array, Integral, RandomState, StrOptions, positive
from kiso.nn import Layer, Network, Run, Softmax
from kiso.optim import Rule

from ._episode_losses import Lesson, prototype_loss, squared_distances
from ._episodic import ClassSampler, Learner
from ._network_support import FewShotNetwork, conv_blocks

__all__ = ["PrototypicalNetwork"]

MOST_QUERIES = 5  # of a class in an episode where `queries="auto"`


class PrototypicalNetwork(FewShotNetwork):
    """Nearest mean of the examples of a class, in an embedding learned by episodes.

    An embedding f takes samples to vectors; c_k is the mean of f over the examples of class
    k, and

        p(y = k | x) = softmax(−‖f(x) − c‖²)_k

    An episode draws `ways` classes, of each `shots` examples and `queries` samples to
    classify, and takes a step down their cross-entropy. So f learns to tell classes apart
    that it has an example or two of; `support` gives it new ones.

    Parameters
    ----------
    embedding : "auto", str, iterable of Layer, or callable, default="auto"
        f: a line of text as for `ConvClassifier` ("conv 64 3x3 same, batchnorm, relu,
        pool 2"; "dense 64, relu, dense 32"), layers or a network, which are copied, or
        `callable(rng, shape, dtype)` that returns them. "auto" is up to four blocks of 64
        filters 3×3, batch normalisation, rectifier and max-pooling for pictures; for tables,
        two dense layers of 64 units.
    ways : int or "auto", default="auto"
        Classes of an episode; "auto" takes all up to 60. More than there will be to tell
        apart later is of use.
    shots : int, default=1
        Examples of each.
    queries : int or "auto", default="auto"
        Samples of each to classify; "auto" is 5, or what the smallest class leaves.
    rotations : bool, default=False
        Make each class, turned by 90°, 180° and 270°, three further classes to learn from.
        For square pictures.
    augmentation : Layer, "affine" or None, default=None
        Random changes of the pictures of an episode, a layer of `kiso.nn`; "affine" is
        `RandomAffine()`.
    image_shape : (height, width), (channels, height, width) or None, default=None
        Shape of the pictures where they come as rows of pixels.
    scale : bool, default=True
        Shift and scale tables by the mean and standard deviation of each column. Pictures
        are left as they are.
    rule : Rule or None, default=None
        From `kiso.optim`. None is Adam with a rate that falls from 0.001 to 0 along half a
        cosine.
    max_iter : int, default=1000
        Steps, an episode each.
    every : int, default=50
        Steps from one state to the next.
    random_state : int, Generator, RandomState or None, default=None
        Draws the first weights and what is trained on.

    Attributes
    ----------
    network_ : Network
        f.
    classes_ : ndarray of shape (n_classes,)
        Classes of the support set; after `fit`, of its samples.
    prototypes_ : ndarray of shape (n_classes, n_outputs)
        c_k.
    example_class_ : ndarray of shape (n_examples,), int
    sample_shape_ : tuple of int
    status_ : TrainStatus
        COMPLETE, or DIVERGED: then the network is as before the step that did.
    n_iter_ : int
    mean_, scale_ : ndarray
        What tables were shifted and scaled by; 0 and 1 for pictures.
    n_features_in_ : int

    References
    ----------
    Snell, Swersky & Zemel (2017), Prototypical networks for few-shot learning.

    Examples
    --------
    Fitted on clouds of points, it tells two others apart by one point of each:

    >>> import numpy as np
    >>> from kiso.few_shot import PrototypicalNetwork
    >>> rng = np.random.default_rng(0)
    >>> centres = rng.normal(size=(12, 4))
    >>> y = np.repeat(np.arange(12), 20)
    >>> X = centres[y] + 0.1 * rng.normal(size=(240, 4))
    >>> model = PrototypicalNetwork(ways=5, max_iter=50, random_state=0)
    >>> model = model.fit(X[:200], y[:200]).support(X[[200, 220]], ["a", "b"])
    >>> float((model.predict(X[200:]) == np.repeat(["a", "b"], 20)).mean())
    1.0
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **FewShotNetwork._parameter_constraints,
        "shots": [positive(Integral)],
        "queries": [positive(Integral), StrOptions({"auto"})],
    }

    def __init__(
        self,
        embedding: str | Iterable[Layer] | Callable[..., Any] = "auto",
        *,
        ways: int | str = "auto",
        shots: int = 1,
        queries: int | str = "auto",
        rotations: bool = False,
        augmentation: Layer | str | None = None,
        image_shape: Sequence[int] | None = None,
        scale: bool = True,
        rule: Rule | None = None,
        max_iter: int = 1000,
        every: int = 50,
        random_state: RandomState = None,
    ):
        self.embedding = embedding
        self.ways = ways
        self.shots = shots
        self.queries = queries
        self.rotations = rotations
        self.augmentation = augmentation
        self.image_shape = image_shape
        self.scale = scale
        self.rule = rule
        self.max_iter = max_iter
        self.every = every
        self.random_state = random_state

    @property
    def prototypes_(self) -> Array:
        """c_k, the mean embedding of the examples of each class."""
        prototypes: Array = self._examples
        return prototypes

    def predict_proba(self, X: Any) -> Array:
        """softmax(−‖f(x) − c‖²): how probable each class of the support set is.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        return Softmax()(-self.distances(X))

    def _auto(self, shape: tuple[int, ...]) -> str:
        return conv_blocks(shape) if len(shape) == 3 else "dense 64, relu, dense 64"

    def _episode_sizes(self, smallest: int) -> tuple[int, str]:
        queries = self.queries
        if queries == "auto":
            queries = min(MOST_QUERIES, max(1, smallest - self.shots))
        return self.shots + int(queries), f"shots={self.shots} + queries={queries}"

    def _learner(
        self, network: Network, sampler: ClassSampler, ways: int, n_each: int, dtype: Any
    ) -> Learner:
        return PrototypeLearner(network, sampler, ways, self.shots, n_each)

    def _support_set(self, embedded: Array, y: Array) -> dict[str, Any]:
        taken = super()._support_set(embedded, y)
        codes = taken["example_class_"]
        order = np.argsort(codes, kind="stable")
        counts = np.bincount(codes)
        starts = np.cumsum(counts) - counts
        sums = np.add.reduceat(embedded[order], starts, axis=0, dtype=np.float64)
        return {**taken, "_examples": sums / counts[:, None]}

    def _to_examples(self, Q: Array) -> Array:
        return squared_distances(Q.astype(np.float64), self._examples)

    def _to_classes(self, to_examples: Array) -> Array:
        return to_examples  # there is one prototype a class


@dataclass
class PrototypeLearner:
    """Episodes of prototypes and queries, all of which pass the network as one batch."""

    network: Network
    sampler: ClassSampler
    ways: int
    shots: int
    n_each: int

    @property
    def parameters(self) -> Any:
        return self.network.parameters

    def study(self, run: Run) -> Lesson:
        x = self.sampler.draw(run.rng, self.ways, self.n_each)
        e, backward = self.network.forward(x, train=run)
        by_class = e.reshape(self.ways, self.n_each, -1)
        lesson = prototype_loss(by_class[:, : self.shots], by_class[:, self.shots :])
        de = np.concatenate(lesson.gradients, axis=1).reshape(e.shape)
        return lesson._replace(gradients=backward(de, want_dx=False)[1])
