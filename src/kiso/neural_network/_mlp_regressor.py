"""MLPRegressor: scikit-learn's multilayer perceptron for numbers, over `kiso.nn`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils.metaestimators import available_if

from kiso._validation import Array, HasMethods, RandomState, StrOptions
from kiso.losses import Loss, Poisson, SquaredError
from kiso.optim import LearningRate, Rule

from ._multilayer import MultilayerModel

__all__ = ["MLPRegressor"]


class MLPRegressor(RegressorMixin, MultilayerModel):
    """Multilayer perceptron for numbers: affine layers, minimising ½ mean ‖y − f(x)‖².

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default=(100,)
        Units of each hidden layer.
    activation : str or sequence of str, default="relu"
        "identity", "logistic", "tanh", "relu", "leaky_relu", "softplus" or "gelu"; a
        sequence gives one for each hidden layer.
    solver : {"adam", "sgd", "lbfgs"}, default="adam"
        "lbfgs" is kiso's, over all rows at once; for small data.
    alpha : float, default=0.0001
        Strength of the penalty (α/2m) Σ‖W‖², m the batch size; biases are left free.
    batch_size : int or "auto", default="auto"
        "auto" is min(200, n_samples).
    learning_rate : {"constant", "invscaling", "adaptive"}, default="constant"
        For "sgd". "adaptive" divides the rate by 5 when `n_iter_no_change` epochs were no
        better.
    learning_rate_init : float or schedule, default=0.001
        η, or a schedule of `kiso.optim` (a callable step → η).
    power_t : float, default=0.5
        For "invscaling".
    max_iter : int, default=200
        Epochs; iterations for "lbfgs".
    shuffle : bool, default=True
        Take the samples in a new order each epoch.
    random_state : int, Generator, RandomState or None, default=None
        Of the initial weights, the validation split, the order of samples, and dropout.
    tol : float, default=1e-4
        A loss has to fall by this much to be better ("lbfgs": the gradient norm to reach).
    verbose : bool, default=False
        Write a line an epoch to standard output, and log it at level INFO.
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
        Epochs in a row that may be no better; infinity for any number.
    max_fun : int, default=15000
        Evaluations of the loss that "lbfgs" may take.
    dropout : float or sequence of float, default=0.0
        Probability of dropping a hidden unit in training; a sequence gives one for each
        hidden layer.
    init : str, default="glorot"
        "glorot", "he", "normal", "orthogonal" or "zeros".
    rule : Rule or None, default=None
        Any update rule of `kiso.optim`, in place of `solver` and what belongs to it.
    loss : {"squared_error", "poisson"} or Loss, default="squared_error"
        "poisson" is for counts: the outputs are the logarithms of their means, and `predict`
        gives the means. Or any loss of `kiso.losses`, say `Huber(delta=1.0)`.

    Attributes
    ----------
    coefs_, intercepts_ : list of ndarray
        W (n_in, n_out) and b (n_out,) of each layer.
    network_ : Network
        The same as a network of `kiso.nn` (gradients with respect to the input, a summary,
        a trace of the layers).
    parameters_ : ndarray of shape (n_parameters,)
        All of them as one vector.
    loss_ : float
        Mean training loss of the last epoch, without the penalty ("lbfgs": with it).
    loss_curve_ : ndarray of shape (n_iter_,)
    best_loss_ : float or None
        Least loss of an epoch; None where there are validation data.
    validation_scores_ : list of float or None
        After each epoch, where there are validation data; NaN for one that diverged.
    best_validation_score_ : float or None
        The greatest of them.
    n_iter_, n_layers_, n_outputs_, t_ : int
        Epochs; layers with the input's; outputs; samples seen.
    out_activation_ : str
    n_features_in_ : int

    Notes
    -----
    Where this differs from scikit-learn: early stopping looks at the validation loss and
    not at the score; sparse features are made dense.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.neural_network import MLPRegressor
    >>> X = np.linspace(-1, 1, 50)[:, None]
    >>> model = MLPRegressor(
    ...     hidden_layer_sizes=(20,), activation="tanh", solver="lbfgs", random_state=0
    ... )
    >>> bool(model.fit(X, np.sin(3 * X[:, 0])).score(X, np.sin(3 * X[:, 0])) > 0.999)
    True
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **MultilayerModel._parameter_constraints,
        "loss": [StrOptions({"squared_error", "poisson"}), HasMethods(["value_and_gradient"])],
    }

    @property
    def out_activation_(self) -> str:  # type: ignore[override]
        """Name of what is applied to the last layer: "exp" for counts, else "identity"."""
        return "exp" if self._counts else "identity"

    @property
    def _counts(self) -> bool:
        return isinstance(self.loss, Poisson) or self.loss == "poisson"

    def __init__(
        self,
        loss: Loss | str = "squared_error",
        hidden_layer_sizes: int | Sequence[int] = (100,),
        activation: str | Sequence[str] = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str = "constant",
        learning_rate_init: LearningRate = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
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
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        dropout: float | Sequence[float] = 0.0,
        init: str = "glorot",
        rule: Rule | None = None,
    ):
        self.loss = loss
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
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
        self.max_fun = max_fun
        self.dropout = dropout
        self.init = init
        self.rule = rule

    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, *, X_val: Any = None, y_val: Any = None
    ) -> Self:
        """Fit the network.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), default=None
        X_val, y_val : array-like, default=None
            Validation data of one's own: watched like the rows that `early_stopping` sets
            aside, and the best weights are kept.

        Returns
        -------
        self
        """
        return self._fit(X, y, sample_weight=sample_weight, X_val=X_val, y_val=y_val)

    @available_if(MultilayerModel._takes_pieces)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Go through a piece of the data once, from the weights as they are.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        self

        Raises
        ------
        FloatingPointError
            If a loss or a gradient is not finite; the message names step and layer.
        """
        return self._partial_fit(X, y, None, sample_weight)

    def _validated(self, X: Any, y: Any, *, reset: bool) -> tuple[Array, Array]:
        X, y = super()._validated(X, y, reset=reset)
        if y.dtype.kind not in "fiub":
            y = y.astype(np.float64)
        if reset:
            self._flat = y.ndim == 1
        return X, y

    def _targets(self, y: Array, *, reset: bool) -> tuple[Array, int, Loss]:
        t = y.reshape(len(y), -1).astype(np.float64)
        loss: Loss = Poisson() if self._counts else SquaredError()
        if not isinstance(self.loss, str):
            loss = self.loss
        if self._counts and t.size and not t.min() >= 0:
            raise ValueError(
                f"Some value(s) of y are out of the valid range of the loss 'poisson': y holds "
                f"{t.min():g}; give counts, 0 or more"
            )
        return t, t.shape[1], loss

    def _weights(self, y: Array, given: Array | None) -> Array | None:
        return given

    def _score_of(self, output: Array, t: Array) -> float:
        if not np.isfinite(output).all():
            return float("nan")
        return float(r2_score(t, np.exp(output) if self._counts else output))

    def predict(self, X: Any) -> Array:
        """Give the network's output for each sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        """
        y = self._outputs(X)
        if self._counts:
            y = np.exp(y)
        return y[:, 0] if self._flat else y

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
