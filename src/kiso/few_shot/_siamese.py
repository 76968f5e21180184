"""SiameseNetwork: the same network twice, and whether what it saw was of one class."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist

from kiso._compute.threads import map_rows
from kiso._validation import Array, RandomState
from kiso.nn import Layer, Network, Run
from kiso.optim import Rule
from kiso.optim._tree import map_tree

from ._episode_losses import Lesson, pair_loss
from ._episodic import ClassSampler, Learner
from ._network_support import BLOCK, FewShotNetwork, conv_blocks

__all__ = ["SiameseNetwork"]


class SiameseNetwork(FewShotNetwork):
    """The example that is most probably of the same class, by a network of pairs.

        p(same | x, s) = σ(b − Σ_d α_d |f(x)_d − f(s)_d|)

    with one embedding f on both sides. A step draws `ways` classes and two samples of each;
    one sample of each class goes through f on either side, and all ways² pairs are judged.
    It goes down the mean of their cross-entropies. α and b are learned with f. `distances`
    are −ln p.

    Parameters
    ----------
    embedding : "auto", str, iterable of Layer, or callable, default="auto"
        f: a line of text as for `ConvClassifier`, layers or a network, which are copied, or
        `callable(rng, shape, dtype)` that returns them. "auto" is, for pictures, up to three
        blocks of 64 filters 3×3, batch normalisation, rectifier and max-pooling, and a fourth
        without pooling; for tables, two dense layers of 64 units.
    ways : int or "auto", default="auto"
        Classes of a step; "auto" takes all up to 60.
    rotations : bool, default=False
        Make each class, turned by 90°, 180° and 270°, three further classes to learn from.
        For square pictures.
    augmentation : Layer, "affine" or None, default="affine"
        Random changes of the pictures that are learned from, a layer of `kiso.nn`; "affine"
        is `RandomAffine()`, the distortions of Koch et al. Tables have none of it.
    image_shape : (height, width), (channels, height, width) or None, default=None
        Shape of the pictures where they come as rows of pixels.
    scale : bool, default=True
        Shift and scale tables by the mean and standard deviation of each column. Pictures
        are left as they are.
    rule : Rule or None, default=None
        From `kiso.optim`. None is Adam with a rate that falls from 0.001 to 0 along half a
        cosine.
    max_iter : int, default=1000
        Steps.
    every : int, default=50
        Steps from one state to the next.
    random_state : int, Generator, RandomState or None, default=None
        Draws the first weights and what is trained on.

    Attributes
    ----------
    network_ : Network
        f.
    alpha_ : ndarray of shape (n_outputs,)
    bias_ : float
    classes_ : ndarray of shape (n_classes,)
        Classes of the support set; after `fit`, of its samples.
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
    Koch, Zemel & Salakhutdinov (2015), Siamese neural networks for one-shot image recognition.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.few_shot import SiameseNetwork
    >>> rng = np.random.default_rng(0)
    >>> centres = rng.normal(size=(12, 4))
    >>> y = np.repeat(np.arange(12), 20)
    >>> X = centres[y] + 0.1 * rng.normal(size=(240, 4))
    >>> model = SiameseNetwork(max_iter=100, random_state=0)
    >>> model = model.fit(X[:200], y[:200]).support(X[[200, 220]], ["a", "b"])
    >>> float((model.predict(X[200:]) == np.repeat(["a", "b"], 20)).mean())
    1.0
    """

    alpha_: Array
    bias_: float

    def __init__(
        self,
        embedding: str | Iterable[Layer] | Callable[..., Any] = "auto",
        *,
        ways: int | str = "auto",
        rotations: bool = False,
        augmentation: Layer | str | None = "affine",
        image_shape: Sequence[int] | None = None,
        scale: bool = True,
        rule: Rule | None = None,
        max_iter: int = 1000,
        every: int = 50,
        random_state: RandomState = None,
    ):
        self.embedding = embedding
        self.ways = ways
        self.rotations = rotations
        self.augmentation = augmentation
        self.image_shape = image_shape
        self.scale = scale
        self.rule = rule
        self.max_iter = max_iter
        self.every = every
        self.random_state = random_state

    def _auto(self, shape: tuple[int, ...]) -> str:
        if len(shape) == 1:
            return "dense 64, relu, dense 64"
        return f"{conv_blocks(shape, most=3)}, {BLOCK}"

    def _episode_sizes(self, smallest: int) -> tuple[int, str]:
        return 2, "one for each side of a pair"

    def _learner(
        self, network: Network, sampler: ClassSampler, ways: int, n_each: int, dtype: Any
    ) -> Learner:
        (width,) = network.output_shape(sampler.X.shape[1:])
        # z is of the size of some units at first, whatever the number of outputs
        beta, bias = np.full(width, 12 / np.sqrt(width), dtype), np.full(1, 4, dtype)
        return _PairLearner(network, beta, bias, sampler, ways)

    def _of_learner(self, learner: Any) -> dict[str, Any]:
        return {"alpha_": learner.alpha, "bias_": float(learner.bias[0])}

    def _to_examples(self, Q: Array) -> Array:
        """−ln σ(z); α splits into what draws samples together and what keeps them apart."""
        out = np.full((len(Q), len(self._examples)), self.bias_)
        parts = [(sign, np.maximum(sign * self.alpha_.astype(np.float64), 0)) for sign in (1, -1)]

        def lane(rows: slice) -> None:
            for sign, alpha in parts:
                if alpha.any():
                    out[rows] -= sign * cdist(Q[rows] * alpha, self._examples * alpha, "cityblock")

        map_rows(lane, len(Q), min_rows=64)
        return np.logaddexp(0, -out, out=out)


@dataclass
class _PairLearner:
    """Pairs of drawings; the same network takes both sides.

    What moves is β, with α = β/√D: a step of one size for all parameters, as Adam takes it,
    would be a large one for an α that is 1/D of the distance.
    """

    network: Network
    beta: Array
    bias: Array
    sampler: ClassSampler
    ways: int

    @property
    def parameters(self) -> Any:
        return [self.network.parameters, self.beta, self.bias]

    @property
    def shrink(self) -> Any:
        return self.beta.dtype.type(1 / np.sqrt(len(self.beta)))

    @property
    def alpha(self) -> Array:
        alpha: Array = self.beta * self.shrink
        return alpha

    def study(self, run: Run) -> Lesson:
        x = self.sampler.draw(run.rng, self.ways, 2)
        u, back_u = self.network.forward(x[::2], train=run)
        v, back_v = self.network.forward(x[1::2], train=run)
        lesson = pair_loss(u, v, self.alpha, self.bias)
        du, dv, d_alpha, d_bias = lesson.gradients
        one, other = back_u(du, want_dx=False)[1], back_v(dv, want_dx=False)[1]
        shared = map_tree(np.add, one, other)
        return lesson._replace(gradients=[shared, d_alpha * self.shrink, d_bias])
