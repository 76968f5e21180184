"""What every distribution can do, and how a fit over pieces becomes the fit of the whole."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Generic, Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from kiso._parts import Part, TakesParts, is_parted, parts_of
from kiso._validation import Array, RandomState

from ._statistics import Statistics

S = TypeVar("S", bound=Statistics)


class Mergeable(TakesParts, BaseEstimator, ABC, Generic[S]):
    """A model whose maximum likelihood fit needs sufficient statistics alone.

    A subclass gives `_estimate(statistics)`, the fitted attributes.

    Attributes
    ----------
    statistics_ : Statistics
        Sufficient statistics of the data seen; absent where parameters were given.
    n_features_in_ : int
        Columns of the data.
    """

    _fits_parts: ClassVar[bool | str] = "at once"

    statistics_: S
    n_features_in_: int

    @abstractmethod
    def _estimate(self, statistics: S) -> dict[str, Any]:
        """Return the fitted attributes: maximum likelihood from the statistics."""

    def _learn(self, statistics: S) -> Self:
        if not statistics.weight > 0:
            raise ValueError("sample_weight: at least one observation needs a weight > 0")
        fitted = self._estimate(statistics)
        self.statistics_ = statistics
        self.n_features_in_ = statistics.n_features
        for name, value in fitted.items():
            setattr(self, name, value)
        return self

    def _learn_more(self, statistics: S) -> Self:
        if not hasattr(self, "statistics_"):
            return self._learn(statistics)
        self._check_same_width(statistics.n_features, self.n_features_in_)
        return self._learn(self.statistics_.merge([statistics]))

    def merge(self, *others: Self) -> Self:
        """Give the fit of all the data that this one and the others were fitted to.

        Parameters
        ----------
        *others : distributions of the same class and settings, fitted
            Any number: merging a thousand at once is cheaper than one after the other.

        Returns
        -------
        merged : new object
            Equal, to rounding, to one fit over all the pieces, in whatever order they are
            merged. Neither this object nor the others are changed.

        Raises
        ------
        TypeError
            If one is of another class.
        ValueError
            If one has other settings or another number of columns, or was given its
            parameters and so has no data.
        """
        settings = self.get_params(deep=False)
        for one in (self, *others):
            if type(one) is not type(self):
                raise TypeError(f"cannot merge {type(self).__name__} with {type(one).__name__}")
            if not all(_same(getattr(one, name), value) for name, value in settings.items()):
                raise ValueError(f"cannot merge {self!r} with {one!r}: settings differ")
            if not hasattr(one, "statistics_"):
                check_is_fitted(one)
                raise ValueError(f"{one!r} was given its parameters: there are no data to merge")
            self._check_same_width(one.n_features_in_, self.n_features_in_)
        merged: Self = clone(self)
        return merged._learn(self.statistics_.merge([other.statistics_ for other in others]))

    def _check_same_width(self, found: int, expected: int) -> None:
        if found != expected:
            raise ValueError(f"cannot merge data of {found} columns with data of {expected}")

    def _given(self, n_features: int, **parameters: Any) -> Self:
        """Set parameters that a caller gives in place of a fit."""
        self.n_features_in_ = n_features
        for name, value in parameters.items():
            setattr(self, name, value)
        return self


class Distribution(Mergeable[S]):
    """A probability distribution: fitted by maximum likelihood, or given its parameters.

    Probabilities and densities are in natural logarithms, entropies in nats. A subclass
    gives `_summarise`, `_estimate`, `log_prob`, `sample`, `entropy`, `fisher_information`
    and `_kl_to`.
    """

    @abstractmethod
    def _summarise(self, X: Any, sample_weight: ArrayLike | None) -> S:
        """Validate the data and reduce them to sufficient statistics."""

    def fit(self, X: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Fit by maximum likelihood, θ̂ = argmax Σᵢ wᵢ log p(xᵢ; θ).

        Parameters
        ----------
        X : array-like of shape (n, d), or (n,) for one column
            Observations.
        sample_weight : array-like of shape (n,), optional
            Weights wᵢ ≥ 0, not all zero. A weight of 2 counts as two equal observations.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X is empty, has a wrong shape, contains NaN or infinity or a value outside
            the distribution's support, or if the weights are negative or all zero.
        """
        return self._learn(self._statistics_of(X, sample_weight))

    def partial_fit(self, X: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Take in a further piece of the data: the fit of everything seen so far.

        Parameters and errors as for `fit`. A distribution that was given its parameters
        forgets them.
        """
        return self._learn_more(self._statistics_of(X, sample_weight))

    def _statistics_of(self, X: Any, sample_weight: Any) -> S:
        if is_parted(X):
            return statistics_of_parts(self, X, None, sample_weight)
        return self._summarise(X, sample_weight)

    @abstractmethod
    def log_prob(self, X: ArrayLike) -> Array:
        """Log probability (or density) of each observation, shape (n,), float64."""

    @abstractmethod
    def sample(self, n_samples: int = 1, random_state: RandomState = None) -> Array:
        """Draw independent observations."""

    @abstractmethod
    def entropy(self) -> float:
        """−E log p(x), in nats."""

    @abstractmethod
    def fisher_information(self) -> Array:
        """Fisher information matrix of the parameters, for one observation."""

    @abstractmethod
    def _kl_to(self, other: Self) -> float:
        """KL(self ‖ other) in nats, in closed form."""

    def kl_divergence(self, other: Self) -> float:
        """KL(self ‖ other) = E log p(x) − E log q(x) under self, in nats; ∞ where it is.

        Raises
        ------
        TypeError
            If the other is of another class.
        ValueError
            If the two differ in dimension.
        """
        if type(other) is not type(self):
            raise TypeError(
                f"no closed form between {type(self).__name__} and {type(other).__name__}"
            )
        check_is_fitted(self)
        check_is_fitted(other)
        if self.n_features_in_ != other.n_features_in_:
            raise ValueError(
                f"one distribution has {self.n_features_in_} dimensions, "
                f"the other {other.n_features_in_}"
            )
        return self._kl_to(other)


def statistics_of_parts(model: Any, X: Any, y: Any, sample_weight: Any) -> Any:
    """Reduce rows in parts to sufficient statistics, in one pass."""
    rows = parts_of(X, y, sample_weight, targets="raw", multi_output=True)
    statistics, problem = rows.sum_of(_statistics_of_part, model, merge=_merged_statistics)
    if problem is not None:
        raise ValueError(problem)
    return statistics


def _statistics_of_part(part: Part, model: Any) -> tuple[Any, str | None]:
    X = part.X if isinstance(part.X, np.ndarray) else np.asarray(part.X)
    weight = part.weight
    if weight is not None:
        weight = np.broadcast_to(np.asarray(weight, dtype=np.float64), len(X))
        if not np.any(weight > 0) and np.all(weight == 0):
            return None, None
    given = (X,) if part.y is None else (X, np.asarray(part.y))
    try:
        return model._summarise(*given, weight), None
    except ValueError as error:
        return None, f"partition {part.number}: {error}"


def _merged_statistics(one: Any, other: Any) -> Any:
    problem = one[1] or other[1]
    if one[0] is None or other[0] is None:
        return (other[0] if one[0] is None else one[0]), problem
    return one[0].merge([other[0]]), problem


def _same(a: Any, b: Any) -> bool:
    return a is b or np.array_equal(a, b)


def check_n_samples(n_samples: Any) -> int:
    """Return a number of draws ≥ 0."""
    if isinstance(n_samples, bool) or not isinstance(n_samples, (int, np.integer)):
        raise TypeError(f"n_samples={n_samples!r}: give a whole number")
    if n_samples < 0:
        raise ValueError(f"n_samples={n_samples!r}: give a whole number from 0")
    return int(n_samples)
