"""Texts as features: weighted counts of their words, and of pairs of words.

tf    1 + ln(times that a term stands in the text)
idf   1 + ln((1 + texts) / (1 + texts with the term))
row   tf · idf, divided by its length and times `SCALE`

The terms are words and pairs of words; where words are not set apart by spaces (Chinese, Japanese,
Korean without them) runs of one to three characters. Rows are sparse; or, for models that take
no sparse features, the largest directions of the term matrix (latent semantic analysis,
Deerwester et al. 1990).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise
from typing import Any, Self

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import svds
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

__all__ = ["MAX_TERMS", "N_DIRECTIONS", "TextFeatures", "count_words"]

MAX_TERMS = 5000  # of a column, those in most texts
N_DIRECTIONS = 50  # of a column, where features are dense
MIN_TEXTS = 2  # that a term stands in
SCALE = np.sqrt(10.0)  # a text weighs as much as ten numbers of variance 1

_WORD = re.compile(r"\w\w+|\d")
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")


def count_words(text: str) -> int:
    """Return about how many words a text has; two characters of Chinese or Japanese are one.

    Examples
    --------
    >>> count_words("a red house"), count_words("住み心地が良い")
    (3, 3)
    """
    unspaced = len(_UNSPACED.findall(text))
    return len(_UNSPACED.sub(" ", text).split()) + unspaced // 2 if unspaced else len(text.split())


class TextFeatures(TransformerMixin, BaseEstimator):
    """Tf-idf of words and pairs of words, or of runs of characters, a block a column.

    Parameters
    ----------
    n_directions : int, optional
        Features of a column that the dense rows have, the largest directions of the sparse ones;
        None for sparse rows of all terms.
    max_terms : int, default=5000
        Terms of a column: those in most texts, of equals the first in the alphabet.

    Attributes
    ----------
    terms_ : list of ndarray of str
        The terms of each column, sorted.
    idf_ : list of ndarray
        The weight of each term.
    by_characters_ : list of bool
        Whether a column's terms are runs of characters.
    directions_ : list of ndarray of shape (n_terms, n_directions)
        Empty for sparse rows.

    Examples
    --------
    >>> import pandas as pd
    >>> texts = pd.DataFrame({"t": ["good food", "bad food", "good wine", None]})
    >>> features = TextFeatures().fit(texts)
    >>> features.terms_[0].tolist(), features.transform(texts).shape
    (['food', 'good'], (4, 2))
    """

    def __init__(self, n_directions: int | None = None, max_terms: int = MAX_TERMS):
        self.n_directions = n_directions
        self.max_terms = max_terms

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn the terms of each column and how rare they are.

        Parameters
        ----------
        X : pandas.DataFrame of shape (n_rows, n_columns)
            Texts; missing ones are empty.
        y : ignored
        """
        self.feature_names_in_ = np.asarray([str(name) for name in X.columns], dtype=object)
        self.n_features_in_ = X.shape[1]
        self.terms_, self.idf_, self.by_characters_ = [], [], []
        self.directions_: list[Any] = []
        for name in X.columns:
            texts = _texts(X[name])
            by_characters = _unspaced(texts)
            terms, idf = _learn(texts, by_characters, self.max_terms)
            self.terms_.append(terms)
            self.idf_.append(idf)
            self.by_characters_.append(by_characters)
            if self.n_directions is not None:
                rows = _rows(texts, terms, idf, by_characters)
                self.directions_.append(_directions(rows, self.n_directions))
        return self

    def transform(self, X: Any) -> Any:
        """Return the features of texts.

        Returns
        -------
        scipy.sparse.csr_matrix or ndarray of shape (n_rows, n_features)
        """
        check_is_fitted(self, "terms_")
        blocks = []
        for j, name in enumerate(self.feature_names_in_):
            rows = _rows(_texts(X[name]), self.terms_[j], self.idf_[j], self.by_characters_[j])
            blocks.append(rows if self.n_directions is None else _along(rows, self.directions_[j]))
        if self.n_directions is not None:
            return np.hstack(blocks)
        return sparse.hstack(blocks, format="csr")

    def widths(self) -> list[int]:
        """Return how many features each column has."""
        if self.n_directions is None:
            return [len(terms) for terms in self.terms_]
        return [directions.shape[1] for directions in self.directions_]

    def get_feature_names_out(self, input_features: Any = None) -> Any:
        """Return "column: term" for each feature; "column ~ 1, 2, …" for directions."""
        check_is_fitted(self, "terms_")
        found = []
        for j, name in enumerate(self.feature_names_in_):
            if self.n_directions is None:
                found += [f"{name}: {term}" for term in self.terms_[j]]
            else:
                found += [f"{name} ~ {i + 1}" for i in range(self.directions_[j].shape[1])]
        return np.asarray(found, dtype=object)


def _texts(values: Any) -> list[str]:
    missing = values.isna().to_numpy()
    return [
        "" if absent else str(value).lower() for value, absent in zip(values, missing, strict=True)
    ]


def _unspaced(texts: Iterable[str]) -> bool:
    some = "".join(list(texts)[:1000])
    return len(_UNSPACED.findall(some)) > 0.2 * max(1, len(some))


def _terms(text: str, by_characters: bool) -> list[str]:
    if by_characters:
        return [
            run[i : i + n]
            for run in re.findall(r"\w+", text)
            for n in (1, 2, 3)
            for i in range(len(run) - n + 1)
        ]
    words = _WORD.findall(text)
    return words + [f"{a} {b}" for a, b in pairwise(words)]


def _learn(texts: list[str], by_characters: bool, max_terms: int) -> tuple[Any, Any]:
    """Return the terms in most texts, sorted, and their idf."""
    counts: dict[str, int] = {}
    for text in texts:
        for term in set(_terms(text, by_characters)):
            counts[term] = counts.get(term, 0) + 1
    kept = [term for term, n in counts.items() if n >= MIN_TEXTS]
    kept.sort(key=lambda term: (-counts[term], term))
    terms = sorted(kept[:max_terms])
    n_texts = np.array([counts[term] for term in terms], dtype=np.float64)
    idf = 1.0 + np.log((1 + len(texts)) / (1 + n_texts))
    return np.asarray(terms, dtype=str), idf


def _rows(texts: list[str], terms: Any, idf: Any, by_characters: bool) -> Any:
    place = {term: j for j, term in enumerate(terms.tolist())}
    indptr, indices, values = [0], [], []
    for text in texts:
        found: dict[int, int] = {}
        for term in _terms(text, by_characters):
            j = place.get(term)
            if j is not None:
                found[j] = found.get(j, 0) + 1
        columns = sorted(found)
        indices += columns
        values += [found[j] for j in columns]
        indptr.append(len(indices))
    columns_ = np.asarray(indices, dtype=np.int32)
    data = (1.0 + np.log(np.asarray(values, dtype=np.float64))) * idf[columns_]
    X = sparse.csr_matrix((data, columns_, np.asarray(indptr)), shape=(len(texts), len(terms)))
    length = np.sqrt(np.asarray(X.multiply(X).sum(axis=1)).ravel())
    each = np.diff(X.indptr)
    X.data *= np.repeat(np.divide(SCALE, length, out=np.zeros_like(length), where=length > 0), each)
    return X


def _along(X: Any, directions: Any) -> Any:
    """Return the rows along the directions; what is rounding is zero, in every run the same."""
    return np.round(X @ directions, 9) + 0.0


def _directions(X: Any, n_directions: int) -> Any:
    """Return the right singular vectors of the largest values, each with its largest part > 0."""
    n = min(n_directions, min(X.shape) - 1)
    if n < 1:
        return np.eye(X.shape[1])[:, : min(X.shape[1], n_directions)]
    start = np.random.default_rng(0).normal(size=min(X.shape))
    _, singular, V = svds(X, k=n, v0=start)
    order = np.argsort(-singular, kind="stable")
    V = V[order[singular[order] > 1e-6 * singular.max()]]
    largest = V[np.arange(len(V)), np.argmax(np.abs(V).round(9), axis=1)]
    return np.ascontiguousarray((V * np.sign(largest)[:, None]).T)
