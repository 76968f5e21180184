"""The mean answer of several pipelines.

Soft voting: the mean of the members' probabilities, or of their predictions of a number. What
one gets wrong by chance the others do not, so that the mean is seldom worse than its best member
(Breiman 1996, "Bagging predictors", section 4.1, for squared errors).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.utils.validation import check_is_fitted

__all__ = ["BlendClassifier", "BlendRegressor", "Given", "GivenNumbers"]


class _Blend(BaseEstimator):
    """Several pipelines that are fitted to the same rows."""

    def __init__(self, members: Sequence[Any]):
        self.members = members

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit every member.

        Parameters
        ----------
        X : pandas.DataFrame
        y : array-like of shape (n_rows,)
        sample_weight : array-like of shape (n_rows,), optional
            How much each row counts.
        """
        if not len(self.members):
            raise ValueError("members is empty: give at least one pipeline")
        weighed = {} if sample_weight is None else {"model__sample_weight": sample_weight}
        self.members_ = [clone(member).fit(X, y, **weighed) for member in self.members]
        if hasattr(X, "columns"):
            self.feature_names_in_ = np.asarray([str(n) for n in X.columns], dtype=object)
        self.n_features_in_ = X.shape[1]
        return self


class BlendClassifier(ClassifierMixin, _Blend):
    """The class with the highest mean probability over several pipelines.

    Parameters
    ----------
    members : sequence of Pipeline
        Each with a last step named "model" that has `predict_proba`.

    Examples
    --------
    >>> import pandas as pd
    >>> from kiso.comparison import classify_columns, make_pipeline_for
    >>> from kiso.linear_model import LogisticRegression
    >>> X, y = pd.DataFrame({"x": [0.0, 1.0, 2.0, 3.0]}), ["a", "a", "b", "b"]
    >>> members = [
    ...     make_pipeline_for(classify_columns(X), LogisticRegression(C=C), len(X))
    ...     for C in (0.1, 10.0)
    ... ]
    >>> BlendClassifier(members).fit(X, y).predict(X).tolist()
    ['a', 'a', 'b', 'b']
    """

    @property
    def classes_(self) -> Any:
        """The classes, sorted."""
        return self.members_[0].classes_

    def predict_proba(self, X: Any) -> Any:
        """Return the mean probability of each class, (n_rows, n_classes)."""
        check_is_fitted(self, "members_")
        return np.mean([member.predict_proba(X) for member in self.members_], axis=0)

    def predict(self, X: Any) -> Any:
        """Return the class of the highest mean probability; of equals the first."""
        return self.classes_[np.argmax(self.predict_proba(X), axis=1)]


class BlendRegressor(RegressorMixin, _Blend):
    """The mean prediction of several pipelines.

    Parameters
    ----------
    members : sequence of Pipeline
        Each with a last step named "model".

    Examples
    --------
    >>> import pandas as pd
    >>> from kiso.comparison import classify_columns, make_pipeline_for
    >>> from kiso.linear_model import Ridge
    >>> X, y = pd.DataFrame({"x": [0.0, 1.0, 2.0, 3.0]}), [0.0, 1.0, 2.0, 3.0]
    >>> member = make_pipeline_for(classify_columns(X), Ridge(alpha=1e-9), len(X))
    >>> BlendRegressor([member, member]).fit(X, y).predict(X).round(3).tolist()
    [0.0, 1.0, 2.0, 3.0]
    """

    def predict(self, X: Any) -> Any:
        """Return the mean prediction, (n_rows,)."""
        check_is_fitted(self, "members_")
        return np.mean([member.predict(X) for member in self.members_], axis=0)


class Given(ClassifierMixin, BaseEstimator):
    """Answers that are known already, as a scorer asks for them.

    Parameters
    ----------
    probability : ndarray of shape (n_rows, n_classes)
    """

    def __init__(self, probability: Any):
        self.probability = probability
        self.classes_ = np.arange(np.shape(probability)[1])

    def predict_proba(self, X: Any) -> Any:
        """Return the probabilities."""
        return self.probability

    def predict(self, X: Any) -> Any:
        """Return the class numbers of the highest ones."""
        return np.argmax(self.probability, axis=1)


class GivenNumbers(RegressorMixin, BaseEstimator):
    """Predicted numbers that are known already, as a scorer asks for them."""

    def __init__(self, predicted: Any):
        self.predicted = predicted

    def predict(self, X: Any) -> Any:
        """Return the predictions."""
        return self.predicted
