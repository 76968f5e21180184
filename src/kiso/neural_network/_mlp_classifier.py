"""MLPClassifier: scikit-learn's multilayer perceptron for classes, over `kiso.nn`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

from sklearn.utils.metaestimators import available_if

from kiso._validation import RandomState
from kiso.losses import Loss
from kiso.optim import LearningRate, Rule

from ._epochs import Adversary
from ._multilayer import MultilayerModel
from ._network_classifier import NetworkClassifier

__all__ = ["MLPClassifier"]


class MLPClassifier(NetworkClassifier, MultilayerModel):
    """Multilayer perceptron for classes: affine layers, minimising the cross-entropy.

    p(y = k | x) = softmax(z)_k with z the last layer's output; for two classes, and for
    each label of several, σ(z).

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
    loss : Loss or None, default=None
        Any loss of `kiso.losses` on the network's outputs (logits); None is the
        cross-entropy.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes.
    adversary : callable or None, default=None
        Adversarial training: `adversary(network, loss, x, t, rng)` gives what is learnt in
        the place of batch x, of the same shape, against the weights just before the step:
        `kiso.adversarial.AdversarialTraining`. Validation rows stay as they are. Not for
        "lbfgs".

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
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
    >>> from kiso.neural_network import MLPClassifier
    >>> X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    >>> y = [0, 1, 1, 0]  # XOR: no plane separates it
    >>> model = MLPClassifier((8,), activation="tanh", solver="lbfgs", random_state=0)
    >>> model.fit(X, y).predict(X)
    array([0, 1, 1, 0])
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **NetworkClassifier._parameter_constraints,
        **MultilayerModel._parameter_constraints,
    }

    def __init__(
        self,
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
        loss: Loss | None = None,
        class_weight: Mapping[Any, float] | str | None = None,
        adversary: Adversary | None = None,
    ):
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
        self.loss = loss
        self.class_weight = class_weight
        self.adversary = adversary

    @available_if(MultilayerModel._takes_pieces)
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Go through a piece of the data once, from the weights as they are.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
        classes : array-like, default=None
            All classes that any piece may hold; needed at the first call, unless that
            piece holds them all. For a 0/1 matrix of labels, the numbers of its columns.
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        self

        Raises
        ------
        FloatingPointError
            If a loss or a gradient is not finite; the message names step and layer.
        ValueError
            If `classes` are others than at the first call, or with `early_stopping`.
        """
        return self._partial_fit(X, y, classes, sample_weight)
