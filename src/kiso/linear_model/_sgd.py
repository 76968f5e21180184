"""SGDClassifier; the steps are in _stochastic and _minibatch."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from scipy.special import expit
from sklearn.utils.metaestimators import available_if

from kiso._validation import Array, RandomState, StrOptions

from ._sgd_base import EPOCHS, OF_CLASSES, PENALTY, STEPS
from ._sgd_classifier_base import StochasticClassifier
from ._stochastic import LOSSES

__all__ = ["SGDClassifier"]


def _has_probabilities(model: SGDClassifier) -> bool:
    if model.loss not in ("log_loss", "modified_huber"):
        raise AttributeError(f"probability estimates are not available for loss={model.loss!r}")
    return True


class SGDClassifier(StochasticClassifier):
    r"""Linear classifiers trained by (mini-batch) stochastic gradient descent.

    With targets :math:`y_i = \pm1` (each class against the others, where there are more
    than two), weights :math:`c_i` and r = `l1_ratio`, it descends

    .. math:: E(w, b) = \frac1n \sum_i c_i\,\ell(y_i,\, w^\top x_i + b)
              + \alpha\Big(\frac{1-r}{2}\|w\|_2^2 + r\|w\|_1\Big)

    by steps along the negative gradient of one sample, or of the mean over a batch: the
    cost of a step does not depend on n.

    Parameters
    ----------
    loss : str, default='hinge'
        'hinge', 'log_loss', 'modified_huber', 'squared_hinge', 'perceptron', 'squared_error',
        'huber', 'epsilon_insensitive' or 'squared_epsilon_insensitive'. 'hinge' gives
        a linear support vector machine, 'log_loss' logistic regression, 'perceptron'
        Rosenblatt's rule; see `kiso.losses` for the formulas.
    penalty : {'l2', 'l1', 'elasticnet', None}, default='l2'
        r is 0, 1, `l1_ratio`; None for no penalty.
    alpha : float, default=0.0001
        Strength of the penalty, >= 0; also sets the 'optimal' step length.
    l1_ratio : float, default=0.15
        Share of L1 in 'elasticnet', from 0 to 1.
    fit_intercept : bool, default=True
        Whether there is an intercept b. It is not penalised.
    max_iter : int, default=1000
        Largest number of epochs (passes over the data) of `fit`.
    tol : float or None, default=1e-3
        The fit stops after `n_iter_no_change` epochs whose objective was above the best so
        far minus `tol`. None: never.
    shuffle : bool, default=True
        Whether each epoch takes the samples in a new random order.
    verbose : int, default=0
        Not 0: epochs are logged (logger 'kiso') as information, else for debugging.
    epsilon : float, default=0.1
        Width of Huber's parabola and half-width of the tube of the insensitive losses.
    n_jobs : int or None, default=None
        Without effect: classes are trained on all cores given to the process.
    random_state : int, RandomState, Generator or None, default=None
        Gives the order of the samples and the rows set aside.
    learning_rate : str, default='optimal'
        Step length at step t (a sample, or a batch), from 1:

        - 'optimal': 1/(alpha (t0 + t - 1)), with Bottou's t0 = 1/(alpha^(3/4));
        - 'constant': eta0;
        - 'invscaling': eta0 / t^power_t;
        - 'adaptive': eta0, divided by 5 when the stopping rule of `tol` is met, until 1e-6;
        - 'pa1', 'pa2': passive-aggressive, min(eta0, l/||x||²) and l/(||x||² + 1/(2 eta0)),
          with loss='hinge' only.
    eta0 : float, default=0.01
        Initial step length, > 0.
    power_t : float, default=0.5
        Exponent of 'invscaling', >= 0.
    early_stopping : bool, default=False
        Whether `tol` looks at the accuracy on a part of the samples set aside, instead of
        at the objective.
    validation_fraction : float, default=0.1
        That part, between 0 and 1.
    n_iter_no_change : int, default=5
        See `tol`.
    class_weight : dict, 'balanced' or None, default=None
        Weights of the classes; 'balanced' makes the total weight of every class the same.
    warm_start : bool, default=False
        Whether `fit` starts from the last weights.
    average : bool or int, default=False
        Whether `coef_` is the mean of the weights over all steps, from the step of this
        number on.
    batch_size : int, default=1
        m', samples of a step. 1 is compiled and follows scikit-learn step by step; with
        more, a step moves by the mean gradient of m' samples drawn without replacement.
    rule : update rule of `kiso.optim` or None, default=None
        Takes the steps (`Adam()`, `Momentum()`, ...) with a learning rate of its own, on
        mini-batches of any size; the gradient of L1 is a subgradient then.

    Attributes
    ----------
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        w; of the data's precision.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        b.
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    n_iter_ : int
        Epochs done, the largest number over the classes.
    t_ : float
        1 + steps done.
    objective_path_ : ndarray of shape (n_iter_,)
        The objective of each epoch, measured in passing: the mean over its samples of
        loss and penalty, each as it stood when the sample was met. Summed over classes.
    n_features_in_, feature_names_in_
        Number and names of the features.

    Raises
    ------
    ValueError
        On one class only, on parameters that contradict each other, on weights that grow
        beyond all numbers.

    Warns
    -----
    ConvergenceWarning
        When `max_iter` epochs did not meet `tol`.

    Notes
    -----
    Given the same order of samples (`shuffle=False`), weights are those of scikit-learn to
    rounding. What differs, each where scikit-learn's is not what it says:

    - the mean of the weights under an L1 penalty includes what L1 took, and goes on over
      calls of `partial_fit`;
    - the objective, and so the epoch at which `tol` is met, counts the weights of samples
      and classes, all features of sparse rows, and L1's norm after its clipping;
    - early stopping scores the weights themselves, not their unscaled vector.

    Sparse rows move the intercept by a hundredth of a step, as they do there.

    A state of `steps()` is one epoch; Ctrl-C keeps the last one.

    References
    ----------
    Goodfellow, Bengio & Courville (2016), Deep Learning, section 5.9. Bottou (2012),
    Stochastic gradient descent tricks. Tsuruoka, Tsujii & Ananiadou (2009), for L1.
    Crammer et al. (2006), for 'pa1' and 'pa2'.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.linear_model import SGDClassifier
    >>> X = np.array([[-1.0, -1.0], [-2.0, -1.0], [1.0, 1.0], [2.0, 1.0]])
    >>> y = np.array(["left", "left", "right", "right"])
    >>> model = SGDClassifier(random_state=0).fit(X, y)
    >>> model.predict([[-0.8, -1.0], [3.0, 2.0]])
    array(['left', 'right'], dtype='<U5')
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "loss": [StrOptions(set(LOSSES))],
        **PENALTY,
        **EPOCHS,
        **STEPS,
        **OF_CLASSES,
    }

    def __init__(
        self,
        loss: str = "hinge",
        *,
        penalty: str | None = "l2",
        alpha: float = 0.0001,
        l1_ratio: float | None = 0.15,
        fit_intercept: bool = True,
        max_iter: int = 1000,
        tol: float | None = 1e-3,
        shuffle: bool = True,
        verbose: int = 0,
        epsilon: float = 0.1,
        n_jobs: int | None = None,
        random_state: RandomState = None,
        learning_rate: str = "optimal",
        eta0: float = 0.01,
        power_t: float = 0.5,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 5,
        class_weight: dict[Any, float] | str | None = None,
        warm_start: bool = False,
        average: bool | int = False,
        batch_size: int = 1,
        rule: Any = None,
    ):
        self.loss = loss
        self.penalty = penalty
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.shuffle = shuffle
        self.verbose = verbose
        self.epsilon = epsilon
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.learning_rate = learning_rate
        self.eta0 = eta0
        self.power_t = power_t
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.class_weight = class_weight
        self.warm_start = warm_start
        self.average = average
        self.batch_size = batch_size
        self.rule = rule

    @available_if(_has_probabilities)
    def predict_proba(self, X: Any) -> Array:
        """Give the probability of each class, for loss 'log_loss' and 'modified_huber'.

        Of a score z it is σ(z), or (clip(z, −1, 1) + 1)/2; with more than two classes those
        of each class against the others, divided by their sum.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Columns as in `classes_`.
        """
        z = self.decision_function(X)
        p = expit(z) if self.loss == "log_loss" else (np.clip(z, -1, 1) + 1) / 2
        if p.ndim == 1:
            return np.stack([1 - p, p], axis=1)
        total = p.sum(axis=1, keepdims=True)
        p[total[:, 0] == 0] = 1.0  # no class wants the sample: all alike
        return p / p.sum(axis=1, keepdims=True)

    @available_if(_has_probabilities)
    def predict_log_proba(self, X: Any) -> Array:
        """Give the logarithm of `predict_proba`; −∞ where that is 0."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))
