"""One label out of K: P(x = k) = p_k, fitted by p̂_k = n_k / W."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import entr
from sklearn.utils.validation import check_is_fitted

from kiso._gate import open_labels
from kiso._validation import Array, RandomState, check_generator

from ._checks import check_probabilities, check_weights
from ._protocol import Distribution, check_n_samples
from ._stable import excess
from ._statistics import Counts


class Categorical(Distribution[Counts]):
    """Distribution over K labels: numbers, strings, anything that NumPy sorts.

    Parameters
    ----------
    categories : array-like of shape (K,), optional
        All labels that can occur; default: those that the data show. A label that is
        listed and never seen has probability 0, one that is not listed is an error in `fit`.

    Attributes
    ----------
    categories_ : ndarray of shape (K,)
        The labels, sorted.
    probs_ : ndarray of shape (K,)
        p.

    Notes
    -----
    The fit minimises KL(p̂ ‖ p) to the frequencies p̂, so it is p̂ itself.

    Examples
    --------
    >>> c = Categorical().fit(["b", "a", "b", "b"])
    >>> c.categories_, c.probs_
    (array(['a', 'b'], dtype='<U1'), array([0.25, 0.75]))
    >>> c.log_prob(["b", "z"])
    array([-0.288,   -inf])
    """

    categories_: Array
    probs_: Array

    def __init__(self, categories: ArrayLike | None = None):
        self.categories = categories

    @classmethod
    def from_parameters(cls, probs: ArrayLike, categories: ArrayLike | None = None) -> Self:
        """Give p (K,), and the labels (default 0 … K−1) in the same order."""
        p = check_probabilities(np.atleast_1d(probs), name="probs")
        if p.ndim != 1:
            raise ValueError(f"probs has shape {p.shape}; give a vector")
        labels = np.arange(len(p)) if categories is None else np.asarray(categories)
        if labels.shape != p.shape:
            raise ValueError(f"categories has shape {labels.shape}, probs {p.shape}")
        order = _distinct_order(labels)
        return cls()._given(1, probs_=p[order], categories_=labels[order])

    def _summarise(self, X: Any, sample_weight: ArrayLike | None) -> Counts:
        labels = _labels(X)
        weights = check_weights(sample_weight, labels)
        if self.categories is None:
            categories, codes = np.unique(labels, return_inverse=True)
        else:
            categories = np.asarray(self.categories)
            categories = categories[_distinct_order(categories)]
            codes, known = _codes(labels, categories)
            if not known.all():
                raise ValueError(
                    f"X contains {labels[~known][0]!r}, which is not among the categories"
                )
        return Counts(categories, np.bincount(codes, weights, minlength=len(categories)) + 0.0)

    def _estimate(self, statistics: Counts) -> dict[str, Any]:
        return {
            "categories_": statistics.categories,
            "probs_": statistics.counts / statistics.weight,
        }

    def log_prob(self, X: ArrayLike) -> Array:
        """Log p of each label, shape (n,); −∞ for a label that cannot occur."""
        check_is_fitted(self)
        codes, known = _codes(_labels(X), self.categories_)
        with np.errstate(divide="ignore"):
            return np.where(known, np.log(self.probs_)[codes], -np.inf)

    def sample(self, n_samples: int = 1, random_state: RandomState = None) -> Array:
        """Draw labels, shape (n_samples,)."""
        check_is_fitted(self)
        rng = check_generator(random_state)
        p = self.probs_ / self.probs_.sum()
        return self.categories_[rng.choice(len(p), size=check_n_samples(n_samples), p=p)]

    def entropy(self) -> float:
        """−Σ p log p, in nats."""
        check_is_fitted(self)
        return float(entr(self.probs_).sum())

    def fisher_information(self) -> Array:
        """Fisher information about (p₁, …, p_{K−1}), with p_K = 1 − Σ the rest.

        Returns
        -------
        information : ndarray of shape (K−1, K−1)
            The matrix diag(1/p_k) + 1/p_K; ∞ where a probability is 0.
        """
        check_is_fitted(self)
        with np.errstate(divide="ignore"):
            return np.diag(1 / self.probs_[:-1]) + 1 / self.probs_[-1]

    def _kl_to(self, other: Self) -> float:
        """Σ p log(p/q) over the labels of both."""
        labels = np.union1d(self.categories_, other.categories_)
        return float(excess(self._probs_of(labels), other._probs_of(labels)).sum())

    def _probs_of(self, labels: Array) -> Array:
        codes, known = _codes(labels, self.categories_)
        return np.where(known, self.probs_[codes], 0.0)


def _labels(X: Any) -> Array:
    labels: Array = np.asarray(open_labels(X, "X"))
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1 or len(labels) == 0:
        raise ValueError(f"X has shape {labels.shape}; give a vector of at least one label")
    if labels.dtype.kind == "O" and len({isinstance(label, str) for label in labels}) > 1:
        raise TypeError("X holds strings and other labels together; give labels of one kind")
    if labels.dtype.kind == "f" and not np.isfinite(labels).all():
        raise ValueError("X contains NaN or infinity")
    return labels


def _distinct_order(labels: Array) -> Array:
    """The order that sorts labels; an error where one stands twice."""
    if labels.ndim != 1 or len(labels) == 0:
        raise ValueError(f"categories has shape {labels.shape}; give a vector")
    unique, first = np.unique(labels, return_index=True)
    if len(unique) < len(labels):
        raise ValueError("categories: a label stands twice")
    return first


def _codes(labels: Array, categories: Array) -> tuple[Array, Array]:
    """The place of each label among sorted categories, and whether it is there at all."""
    codes = np.minimum(np.searchsorted(categories, labels), len(categories) - 1)
    known: Array = np.asarray(categories[codes] == labels)
    return codes, known
