"""What linear classifiers share once they are fitted: scores, labels, sparse coefficients."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from scipy import sparse
from sklearn.base import ClassifierMixin
from sklearn.utils.extmath import safe_sparse_dot
from sklearn.utils.validation import check_is_fitted

from kiso._gate import validate_data
from kiso._validation import FLOATS, Array

__all__ = ["LinearClassifier"]


class LinearClassifier(ClassifierMixin):
    """A classifier with `coef_`, `intercept_` and `classes_`.

    `coef_` is (1, n_features) for two classes, else (n_classes, n_features).
    """

    coef_: Any
    intercept_: Array
    classes_: Array

    def decision_function(self, X: Any) -> Array:
        """Give the signed score of each sample: X·coef_ᵀ + intercept_.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            For two classes one score each, positive for `classes_[1]`.
        """
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse="csr", dtype=FLOATS, reset=False)
        scores = safe_sparse_dot(X, self.coef_.T, dense_output=True) + self.intercept_
        return scores[:, 0] if scores.ndim == 2 and scores.shape[1] == 1 else scores

    def predict(self, X: Any) -> Array:
        """Give the label with the highest score.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples,)
            Labels, of the type that `fit` was given.
        """
        scores = self.decision_function(X)
        at = (scores > 0).astype(np.intp) if scores.ndim == 1 else scores.argmax(axis=1)
        return self.classes_[at]

    def sparsify(self) -> Self:
        """Make `coef_` a CSR matrix, which pays when an L1 penalty left few of them."""
        check_is_fitted(self)
        self.coef_ = sparse.csr_matrix(self.coef_)
        return self

    def densify(self) -> Self:
        """Make `coef_` an array again."""
        check_is_fitted(self)
        if not isinstance(self.coef_, np.ndarray):
            self.coef_ = self.coef_.toarray()
        return self
