"""ConvClassifier: a convolutional network for classes of images, over `kiso.nn`."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from copy import deepcopy
from math import prod
from typing import Any, ClassVar

import numpy as np

from kiso._gate import open_rows
from kiso._validation import Array, Integral, RandomState
from kiso.losses import Loss
from kiso.nn import Affine, Layer, Network, Reshape, Shape, ShapeError
from kiso.optim import LearningRate, Rule

from ._architecture import AUGMENTATIONS, Builder, default_architecture
from ._epochs import Adversary, EpochState, Problem
from ._network_classifier import NetworkClassifier

__all__ = ["ConvClassifier"]

BYTES = 128  # pixels from here on are bytes, not shares of the largest


class ConvClassifier(NetworkClassifier):
    """Convolutional network for classes of images, minimising the cross-entropy.

    p(y = k | x) = softmax(z)_k with z the last layer's output; for two classes, σ(z).

    Parameters
    ----------
    architecture : "auto", str, or iterable of Layer, default="auto"
        The layers between the images and the outputs, as a line of text,
        "conv 20 5x5, relu, pool 2, conv 50 5x5, relu, pool 2, dense 500, relu": words for
        layers with their sizes, in order (see Notes). The affine layer that gives one
        number a class is added. Or layers of `kiso.nn`, which the fit copies, with or
        without that last one. "auto" is two convolutions with pooling and a dense layer.
    image_shape : (channels, height, width) or None, default=None
        Of the images, where X has one row a sample. None takes it from X where that has
        four axes; rows then are signals, images of shape (1, 1, n_features).
    augmentation : str or None, default=None
        Random changes of the images while training: "shift 2, flip" moves each by up to two
        pixels each way and mirrors every other; "crop 24" cuts out 24×24 pixels (at
        prediction the middle).
    solver : {"adam", "sgd"}, default="adam"
    alpha : float, default=0.0001
        Strength of the penalty (α/2m) Σ‖W‖², m the batch size; biases are left free.
    batch_size : int or "auto", default=128
        "auto" is min(200, n_samples).
    learning_rate : {"constant", "invscaling", "adaptive"}, default="constant"
        For "sgd". "adaptive" divides the rate by 5 when `n_iter_no_change` epochs were no
        better.
    learning_rate_init : float or schedule, default=0.001
        η, or a schedule of `kiso.optim` (a callable step → η).
    power_t : float, default=0.5
        For "invscaling".
    max_iter : int, default=10
        Epochs.
    shuffle : bool, default=True
        Take the samples in a new order each epoch.
    random_state : int, Generator, RandomState or None, default=None
        Of the initial weights, the validation split, the order of samples, dropout and
        augmentation.
    tol : float, default=1e-4
        A loss has to fall by this much to be better.
    verbose : bool, default=False
        Log each epoch at level INFO.
    warm_start : bool, default=False
        Begin where the last fit ended.
    momentum : float, default=0.9
        Share of the last step that is kept, in [0, 1]; for "sgd".
    nesterovs_momentum : bool, default=True
        Of "sgd".
    early_stopping : bool, default=False
        Set rows aside, stop when their loss gets no better, and keep the best weights.
    validation_fraction : float, default=0.1
        Share of the rows set aside.
    beta_1, beta_2, epsilon : float, default=0.9, 0.999, 1e-8
        Of "adam".
    n_iter_no_change : int, default=10
        Epochs in a row that may be no better.
    init : str, default="he"
        "glorot", "he", "normal", "orthogonal" or "zeros".
    rule : Rule or None, default=None
        Any update rule of `kiso.optim`, in place of `solver` and what belongs to it.
    loss : Loss or None, default=None
        Any loss of `kiso.losses` on the network's outputs (logits); None is the
        cross-entropy.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes.
    adversary : callable or None, default=None
        Adversarial training: `adversary(network, loss, x, t, rng)` gives what is learnt in
        the place of batch x, of the same shape, against the weights just before the step:
        `kiso.adversarial.AdversarialTraining`. Validation rows stay as they are.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    network_ : Network
        The fitted network, of `kiso.nn`. It takes images and rows of pixels alike;
        `network_.input_gradient(X, output=k)` is how output k changes with the pixels.
    image_shape_ : tuple of int
        (channels, height, width).
    parameters_ : ndarray of shape (n_parameters,)
        All of them as one vector.
    loss_ : float
        Mean training loss of the last epoch, without the penalty.
    loss_curve_ : ndarray of shape (n_iter_,)
    validation_scores_ : list of float or None
        After each epoch, where there are validation data.
    n_iter_, n_outputs_, t_ : int
        Epochs; outputs; samples seen.
    out_activation_ : str
    n_features_in_ : int
        channels · height · width.

    Warns
    -----
    UserWarning
        If the pixels are bytes, 0 to 255: the layers expect numbers of about unit size;
        and if the images look like (n, height, width, channels).
    ConvergenceWarning
        If a loss or a gradient was not finite. (That the loss still fell when the epochs
        were over is no reason to warn: networks of images are trained for so many.)

    Notes
    -----
    Words of an architecture: ``conv filters size``, ``depthwise size`` (with ``stride 2``,
    ``pad 1`` or ``same``, ``dilation 2``, ``groups 2``), ``pool size`` and ``avgpool size``
    (``stride``, ``pad``, ``same``), ``globalpool``, ``dense units``, ``dropout p``,
    ``batchnorm``, ``flatten``, and the activations ``relu``, ``leaky_relu``, ``tanh``,
    ``logistic``, ``softplus``, ``gelu``.

    References
    ----------
    LeCun, Bottou, Bengio & Haffner (1998), Gradient-based learning applied to document
    recognition. Higham & Higham (2019), section 7.

    Examples
    --------
    Rows and columns of a picture, wherever they are:

    >>> import numpy as np
    >>> from kiso.neural_network import ConvClassifier
    >>> X = np.zeros((12, 1, 6, 6))
    >>> for k in range(6):
    ...     X[k, 0, k], X[k + 6, 0, :, k] = 1.0, 1.0
    >>> y = np.repeat(["row", "column"], 6)
    >>> model = ConvClassifier("conv 4 3x3, relu, pool 2, dense 8, relu", max_iter=40,
    ...                        learning_rate_init=0.02, random_state=0)
    >>> model.fit(X, y).score(X, y), model.network_.n_parameters
    (1.0, 185)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **NetworkClassifier._parameter_constraints,
        "architecture": [str, Iterable],
        "image_shape": ["array-like", None],
        "augmentation": [str, None],
    }

    _block_rows = 1024

    image_shape_: Shape
    n_outputs_: int

    def __init__(
        self,
        architecture: str | Iterable[Layer] = "auto",
        *,
        image_shape: tuple[int, int, int] | None = None,
        augmentation: str | None = None,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = 128,
        learning_rate: str = "constant",
        learning_rate_init: LearningRate = 0.001,
        power_t: float = 0.5,
        max_iter: int = 10,
        shuffle: bool = True,
        random_state: RandomState = None,
        tol: float = 1e-4,
        verbose: bool = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: int = 10,
        init: str = "he",
        rule: Rule | None = None,
        loss: Loss | None = None,
        class_weight: Mapping[Any, float] | str | None = None,
        adversary: Adversary | None = None,
    ):
        self.architecture = architecture
        self.image_shape = image_shape
        self.augmentation = augmentation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.init = init
        self.rule = rule
        self.loss = loss
        self.class_weight = class_weight
        self.adversary = adversary

    # --- images as rows -----------------------------------------------------------------

    def _validated(self, X: Any, y: Any, *, reset: bool) -> tuple[Array, Array]:
        X = self._as_rows(X, reset=reset)
        rows, y = super()._validated(X, y, reset=reset)
        if reset and not hasattr(self, "image_shape_"):
            self.image_shape_ = self._shape_of_rows(rows.shape[1])
        if reset:
            _warn_of_bytes(X, rows)
        return rows, y

    def _rows(self, X: Any) -> Array:
        return super()._rows(self._as_rows(X, reset=False))

    def _as_rows(self, X: Any, *, reset: bool) -> Any:
        """Return images as rows of pixels; rows are left alone."""
        if reset and hasattr(self, "image_shape_"):
            del self.image_shape_
        n_axes = _n_axes(X)
        if n_axes == 3 or n_axes > 4:
            raise ValueError(
                f"X of shape {np.shape(X)}: images have the axes (n, channels, height, width)"
                + ("; for one channel give X[:, None]" if n_axes == 3 else "")
            )
        if n_axes != 4:
            return X
        X = np.asarray(open_rows(X))
        shape = X.shape[1:]
        if reset:
            if self.image_shape is not None and tuple(self.image_shape) != shape:
                raise ShapeError(
                    f"X of shape {X.shape}: image_shape={self.image_shape}; with images of four "
                    "axes leave it out, or give theirs"
                )
            if _channels_last(shape):
                warnings.warn(
                    f"X of shape {X.shape} looks like (n, height, width, channels); the order "
                    "here is (n, channels, height, width): np.moveaxis(X, -1, 1)",
                    UserWarning,
                    stacklevel=2,
                )
            self.image_shape_ = shape
        elif shape != self.image_shape_:
            moved = (shape[2], *shape[:2]) == self.image_shape_
            raise ShapeError(
                f"X of shape {X.shape}: the fit had images of shape {self.image_shape_}"
                + ("; give np.moveaxis(X, -1, 1)" if moved else "")
            )
        return X.reshape(len(X), prod(shape))

    def _shape_of_rows(self, n_features: int) -> Shape:
        if self.image_shape is None:
            return 1, 1, n_features
        given = tuple(self.image_shape)
        whole = all(isinstance(m, Integral) and m > 0 for m in given)
        if not whole or len(given) != 3 or prod(given) != n_features:
            raise ShapeError(
                f"image_shape={self.image_shape}: give (channels, height, width) with "
                f"channels · height · width = {n_features}, the features of X"
            )
        channels, height, width = (int(m) for m in given)
        return channels, height, width

    # --- the network --------------------------------------------------------------------

    def _start(self, X: Array, n_outputs: int, rng: np.random.Generator) -> Network:
        self.n_outputs_ = n_outputs
        if self.warm_start and hasattr(self, "network_"):
            network = deepcopy(self.network_)
            after = network.output_shape(self.image_shape_)
            if after != (n_outputs,):
                raise ValueError(
                    f"warm_start: the last fit had {after[0]} outputs, not {n_outputs}"
                )
            return network
        builder = Builder(self.image_shape_, self.init, rng, X.dtype)
        builder.layers.append(Reshape(self.image_shape_))
        if self.augmentation is not None:
            builder.read(self.augmentation, "augmentation", AUGMENTATIONS)
        try:
            self._add_layers(builder)
        except ShapeError as error:
            if self.image_shape is not None or self.image_shape_ != (1, 1, X.shape[1]):
                raise
            raise ShapeError(
                f"{error} (each row of X is a signal, an image of 1 × {X.shape[1]}: for others "
                "give image_shape)"
            ) from None
        if builder.shape != (n_outputs,) or not isinstance(builder.layers[-1], Affine):
            builder.dense(n_outputs)
        return Network(builder.layers)

    def _add_layers(self, builder: Builder) -> None:
        if isinstance(self.architecture, str):
            auto = self.architecture == "auto"
            builder.read(default_architecture(builder.shape) if auto else self.architecture)
            return
        for position, layer in enumerate(deepcopy(list(self.architecture))):
            if not isinstance(layer, Layer):
                raise TypeError(f"architecture: {layer!r}, at place {position}, is no layer")
            try:
                builder.add(layer)
            except ShapeError as error:
                raise ShapeError(f"architecture: place {position}: {error}") from None

    def _fitted(self, problem: Problem, state: EpochState) -> dict[str, Any]:
        network = deepcopy(problem.network)
        return super()._fitted(problem, state) | {"network_": network}

    def _not_converged(self, problem: Problem, state: EpochState) -> str | None:
        return super()._not_converged(problem, state) if state.detail else None

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "network_")


def _n_axes(X: Any) -> int:
    return np.ndim(X) if isinstance(X, list | tuple) else getattr(X, "ndim", 2)


def _channels_last(shape: Shape) -> bool:
    return shape[2] in (1, 3, 4) and shape[0] not in (1, 3, 4) and min(shape[:2]) > 4


def _warn_of_bytes(given: Any, rows: Array) -> None:
    """Warn of pixels from 0 to 255."""
    image_like = getattr(given, "dtype", None) == np.uint8
    largest = rows.max()
    if (image_like and largest > 1) or (largest >= BYTES and rows.min() >= 0):
        warnings.warn(
            f"the pixels go up to {largest:g}: the layers expect numbers of about unit size; "
            "give X / np.float32(255)",
            UserWarning,
            stacklevel=2,
        )
