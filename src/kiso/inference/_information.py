"""Entropy, cross-entropy, divergences and mutual information.

For discrete distributions p, q along an axis of an array, in nats or to any base:

    H(p) = −Σ p log p          H(p, q) = −Σ p log q = H(p) + KL(p ‖ q)
    KL(p ‖ q) = Σ p log(p/q)   JS(p, q) = ½ KL(p ‖ m) + ½ KL(q ‖ m),  m = (p + q)/2
    I(X; Y) = KL(p_xy ‖ p_x p_y)

0 log 0 = 0, and p log(p/0) = ∞ where p > 0. KL is no distance: it is not symmetric and
breaks the triangle inequality; the square root of JS is one. `empirical` turns samples into
frequencies for any of these (the plug-in estimate).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import entr

from kiso._gate import open_labels, real_numbers
from kiso._validation import Array

from ._categorical import Categorical
from ._checks import check_probabilities
from ._gaussian import Gaussian
from ._protocol import Distribution
from ._stable import excess

__all__ = [
    "cross_entropy",
    "empirical",
    "empirical_joint",
    "entropy",
    "js_divergence",
    "kl_divergence",
    "mutual_information",
]


def entropy(p: Any, *, axis: int = -1, base: float | None = None) -> Any:
    """Compute H(p) = −Σ p log p.

    Parameters
    ----------
    p : array-like, or a kiso distribution
        Probabilities that sum to 1 along `axis`. A distribution gives its own (for a
        continuous one the differential) entropy.
    axis : int, default=-1
        The axis over which p is a distribution; the others are kept.
    base : float, optional
        Of the logarithm: 2 for bits; default nats.

    Returns
    -------
    entropy : float, or ndarray where p has further axes

    Raises
    ------
    ValueError
        If a probability is negative, they do not sum to 1, or the base is not > 1.

    Examples
    --------
    >>> entropy([0.5, 0.25, 0.25], base=2)
    1.5
    """
    if isinstance(p, Distribution):
        return p.entropy() / _log_of(base)
    return _plain(entr(check_probabilities(p, axis=axis)).sum(axis=axis) / _log_of(base))


def cross_entropy(p: Any, q: Any, *, axis: int = -1, base: float | None = None) -> Any:
    """Compute H(p, q) = −Σ p log q, the mean code length of p's symbols in q's code.

    Parameters and errors as for `kl_divergence`. Distributions: H(p) + KL(p ‖ q).

    Examples
    --------
    >>> cross_entropy([0.5, 0.5], [0.25, 0.75], base=2)
    1.208
    >>> cross_entropy([0.5, 0.5], [1.0, 0.0])
    inf
    """
    if isinstance(p, Distribution) or isinstance(q, Distribution):
        return entropy(p, base=base) + kl_divergence(p, q, base=base)
    p, q = _pair(p, q, axis)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(p > 0, -p * np.log(q), 0.0)
    return _plain(terms.sum(axis=axis) / _log_of(base))


def kl_divergence(p: Any, q: Any, *, axis: int = -1, base: float | None = None) -> Any:
    """Compute KL(p ‖ q) = Σ p log(p/q) ≥ 0; ∞ where p > 0 = q.

    Parameters
    ----------
    p, q : array-like that broadcast, or two kiso distributions of one class
        Distributions give the closed form.
    axis, base
        As for `entropy`.

    Returns
    -------
    divergence : float or ndarray

    Raises
    ------
    ValueError
        If p or q are not probabilities, or do not broadcast along `axis`.
    TypeError
        If one is a distribution and the other is none, or is of another class.

    Notes
    -----
    Not a distance, though texts call it so: KL(p ‖ q) ≠ KL(q ‖ p).

    References
    ----------
    Goodfellow, Bengio & Courville (2016), Deep Learning, section 3.13.

    Examples
    --------
    >>> kl_divergence([0.5, 0.5], [0.9, 0.1]), kl_divergence([0.9, 0.1], [0.5, 0.5])
    (0.511, 0.368)
    >>> from kiso.inference import Gaussian
    >>> kl_divergence(Gaussian.from_parameters(0.0, 1.0), Gaussian.from_parameters(1.0, 1.0))
    0.5
    """
    if isinstance(p, Distribution):
        return p.kl_divergence(q) / _log_of(base)
    if isinstance(q, Distribution):
        raise TypeError(f"p is no distribution while q is a {type(q).__name__}")
    p, q = _pair(p, q, axis)
    return _plain(excess(p, q).sum(axis=axis) / _log_of(base))


def js_divergence(p: ArrayLike, q: ArrayLike, *, axis: int = -1, base: float | None = None) -> Any:
    """Compute the Jensen-Shannon divergence, from 0 to log 2; symmetric, never infinite.

    Parameters and errors as for `kl_divergence`; arrays only (a mixture of two normals is
    no normal, so there is no closed form).

    Examples
    --------
    >>> js_divergence([1.0, 0.0], [0.0, 1.0], base=2)
    1.0
    """
    if isinstance(p, Distribution) or isinstance(q, Distribution):
        raise TypeError("js_divergence has no closed form for distributions; give probabilities")
    p, q = _pair(p, q, axis)
    middle = (p + q) / 2
    half = (q - p) / 2
    both = (excess(p, middle, half) + excess(q, middle, -half)).sum(axis=axis) / 2
    return _plain(both / _log_of(base))


def mutual_information(
    joint: Any, *, base: float | None = None, components: ArrayLike | None = None
) -> Any:
    """Compute I(X; Y) = KL(p_xy ‖ p_x p_y) = H(X) + H(Y) − H(X, Y) ≥ 0.

    Parameters
    ----------
    joint : array-like of shape (..., K, L), or a `Gaussian`
        Joint probabilities of X (rows) and Y (columns), one table or a stack of them.
    base : float, optional
        As for `entropy`.
    components : array-like of int
        For a Gaussian: which of its components are X; the others are Y.

    Raises
    ------
    ValueError
        If the table is not one of probabilities, or `components` does not split in two.

    Examples
    --------
    >>> mutual_information([[0.5, 0.0], [0.0, 0.5]], base=2)
    1.0
    >>> from kiso.inference import Gaussian
    >>> g = Gaussian.from_parameters([0.0, 0.0], [[1.0, 0.8], [0.8, 1.0]])
    >>> mutual_information(g, components=[0])
    0.511
    """
    if isinstance(joint, Gaussian):
        return _gaussian_information(joint, components) / _log_of(base)
    if components is not None:
        raise ValueError("components: only a Gaussian is split so; give a table of X by Y")
    table = real_numbers(joint, "joint", dtype=None)
    if table.ndim < 2:
        raise ValueError(f"joint has shape {table.shape}; give a table of X by Y")
    flat = check_probabilities(table.reshape(*table.shape[:-2], -1), name="joint")
    p = flat.reshape(table.shape)
    independent = p.sum(axis=-1, keepdims=True) * p.sum(axis=-2, keepdims=True)
    return _plain(excess(p, independent).sum(axis=(-2, -1)) / _log_of(base))


def empirical(samples: ArrayLike, sample_weight: ArrayLike | None = None) -> tuple[Array, Array]:
    """Count samples: the distinct values (K,) and their frequencies (K,).

    `entropy(empirical(x)[1])` is the plug-in estimate of the entropy, too low by about
    (K − 1)/2n nats (Miller 1955).

    Examples
    --------
    >>> values, p = empirical([3, 1, 3, 3])
    >>> p, entropy(p, base=2)
    (array([0.25, 0.75]), 0.811)
    """
    fitted = Categorical().fit(samples, sample_weight)
    return fitted.categories_, fitted.probs_


def empirical_joint(x: ArrayLike, y: ArrayLike) -> tuple[Array, Array, Array]:
    """Count pairs: distinct x (K,), distinct y (L,) and their joint frequencies (K, L).

    Raises
    ------
    ValueError
        If x and y differ in length, or are not vectors.

    Examples
    --------
    >>> *_, joint = empirical_joint(["a", "b", "a", "b"], [0, 1, 0, 1])
    >>> joint, mutual_information(joint, base=2)
    (array([[0.5, 0. ],
           [0. , 0.5]]), 1.0)
    """
    x, y = np.asarray(open_labels(x, "x")), np.asarray(open_labels(y, "y"))
    if x.ndim != 1 or x.shape != y.shape or len(x) == 0:
        raise ValueError(f"x has shape {x.shape}, y {y.shape}; give two vectors of one length")
    rows, i = np.unique(x, return_inverse=True)
    columns, j = np.unique(y, return_inverse=True)
    counts = np.bincount(i * len(columns) + j, minlength=len(rows) * len(columns))
    return rows, columns, counts.reshape(len(rows), len(columns)) / len(x)


def _gaussian_information(g: Gaussian, components: ArrayLike | None) -> float:
    """½ (log|Σ_x| + log|Σ_y| − log|Σ|)."""
    d = len(g.mean_)
    of_x = np.zeros(d, dtype=bool)
    if components is None:
        raise ValueError("components: say which components of the Gaussian are X")
    of_x[np.asarray(components)] = True
    if of_x.all() or not of_x.any():
        raise ValueError(f"components={components!r}: must leave some of the {d} for Y")
    full = g._full_covariance()

    def part(which: Array) -> float:
        return Gaussian.from_parameters(g.mean_[which], full[np.ix_(which, which)]).entropy()

    of_parts = part(of_x) + part(~of_x)
    if not np.isfinite(of_parts):
        raise ValueError("a part of the Gaussian is singular")
    return max(0.0, of_parts - g.entropy())


def _pair(p: ArrayLike, q: ArrayLike, axis: int) -> tuple[Array, Array]:
    p = check_probabilities(p, axis=axis, name="p")
    q = check_probabilities(q, axis=axis, name="q")
    if p.shape[axis] != q.shape[axis]:
        raise ValueError(f"p has {p.shape[axis]} outcomes along axis {axis}, q {q.shape[axis]}")
    p, q = np.broadcast_arrays(p, q)
    return p, q


def _log_of(base: float | None) -> float:
    """log(base); 1 for nats."""
    if base is None:
        return 1.0
    if not (np.isfinite(base) and base > 1):
        raise ValueError(f"base={base!r}: give a number > 1, or None for nats")
    return float(np.log(base))


def _plain(value: Any) -> Any:
    return float(value) if np.ndim(value) == 0 else value
