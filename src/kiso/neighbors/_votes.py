"""What the neighbour classifiers share: classes as codes, and votes counted by query."""

from __future__ import annotations

import warnings
from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.exceptions import DataConversionWarning
from sklearn.utils.multiclass import check_classification_targets

from kiso._validation import Array

from ._maps import is_sparse
from ._search import NeighborSearch

__all__ = ["VotingClassifier"]


class VotingClassifier(ClassifierMixin, NeighborSearch):
    """Base of the neighbour classifiers, whose `_shares` says who votes."""

    classes_: Any
    outputs_2d_: bool

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    def _fit(self, X: Any, y: Any) -> Self:
        self._validate_params()
        X, y = self._validated(X, y, multi_output=True)
        y = y.toarray() if is_sparse(y) else y
        if y.ndim == 2 and y.shape[1] == 1:
            warnings.warn(
                "A column-vector y was passed when a 1d array was expected. Please change the "
                "shape of y to (n_samples,), for example using ravel().",
                DataConversionWarning,
                stacklevel=3,
            )
            y = y.ravel()
        check_classification_targets(y)
        self.outputs_2d_ = y.ndim == 2
        columns = [np.unique(column, return_inverse=True) for column in y.reshape(len(y), -1).T]
        self._y = np.stack([codes for _, codes in columns], axis=1)
        classes = [names for names, _ in columns]
        self.classes_ = classes if self.outputs_2d_ else classes[0]
        return self._keep(X)

    def _outputs(self) -> list[Array]:
        """Classes of each output."""
        return self.classes_ if self.outputs_2d_ else [self.classes_]

    def _votes(self, query: Array, index: Array, weights: Array | None, n: int) -> list[Array]:
        """Share of each class among the rows `index` that queries `query` ascending found.

        A list with an array (n, n_classes) for each output; zeros where nothing was found.
        """
        shares = []
        has_voters = np.bincount(query, minlength=n) > 0
        for output, names in enumerate(self._outputs()):
            cell = query * len(names) + self._y[index, output]
            votes = np.bincount(cell, weights, minlength=n * len(names)).reshape(n, len(names))
            total = votes.sum(axis=1, keepdims=True)
            if not (total[has_voters] > 0).all():
                raise ValueError(
                    "All neighbors of some sample is getting zero weights. Please modify "
                    "'weights' to avoid this case if you are using a user-defined function."
                )
            shares.append(votes / np.where(has_voters[:, None], total, 1.0))
        return shares

    def _shares(self, X: Any) -> list[Array]:
        raise NotImplementedError

    def predict_proba(self, X: Any) -> Any:
        """Share of each class among the neighbours.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_queries, n_features), or None
            None: the training rows, none of which is its own neighbour.

        Returns
        -------
        ndarray of shape (n_queries, n_classes), or list of them
            A list, one for each output, where y had several columns.
        """
        shares = self._shares(X)
        return shares if self.outputs_2d_ else shares[0]

    def predict(self, X: Any) -> Array:
        """Class with the largest share among the neighbours.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_queries, n_features), or None
            As for `predict_proba`.

        Returns
        -------
        ndarray of shape (n_queries,) or (n_queries, n_outputs)
        """
        shares = self._shares(X)
        found = [
            names[share.argmax(axis=1)]
            for names, share in zip(self._outputs(), shares, strict=True)
        ]
        return np.stack(found, axis=1) if self.outputs_2d_ else found[0]
