r"""How many clusters: three curves over k.

Inertia φ_k falls with k and bends where clusters begin to be cut in two.

Silhouette (Rousseeuw 1987): for row i, a_i its mean distance to its own cluster, b_i the
smallest mean distance to another cluster,

    s_i = (b_i − a_i) / max(a_i, b_i),   0 in a cluster of one;   s = mean of s_i

Gap statistic (Tibshirani, Walther & Hastie 2001): how far log φ_k lies below what data
without clusters give, B sets drawn uniformly in the box of the data,

    Gap_k = mean_b log φ_k^b − log φ_k,     s_k = sd_b(log φ_k^b) √(1 + 1/B)

and the choice is the smallest k with Gap_k ≥ Gap_{k+1} − s_{k+1}.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import silhouette_score

from kiso._gate import check_array
from kiso._validation import FLOATS, Array, Integral, RandomState, check_generator

from ._kmeans import KMeans

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["KChoice", "choose_k"]

_CRITERIA = ("gap", "silhouette")


@dataclass(frozen=True)
class KChoice:
    """What `choose_k` found.

    Attributes
    ----------
    k : int
        The k chosen.
    criterion : str
        By what.
    ks : ndarray of shape (m,)
        The numbers of clusters tried, rising.
    inertia, silhouette, gap, gap_error : ndarray of shape (m,)
        φ_k, s (NaN for k = 1 and where every row is a cluster), Gap_k and s_k.
    models : tuple of KMeans
        The fit for each k.
    """

    k: int
    criterion: str
    ks: Array
    inertia: Array
    silhouette: Array
    gap: Array
    gap_error: Array
    models: tuple[KMeans, ...]

    def plot(self) -> Figure:
        """Draw the three curves, the chosen k marked."""
        from matplotlib.figure import Figure
        from matplotlib.ticker import MaxNLocator

        figure = Figure(figsize=(12, 3.6), layout="constrained")
        axes = figure.subplots(1, 3)
        axes[0].plot(self.ks, self.inertia, "o-")
        axes[1].plot(self.ks, self.silhouette, "o-")
        axes[2].errorbar(self.ks, self.gap, yerr=self.gap_error, fmt="o-", capsize=3)
        for ax, name in zip(axes, ("inertia φ", "mean silhouette", "gap statistic"), strict=True):
            ax.set(xlabel="number of clusters k", title=name)
            ax.axvline(self.k, color="grey", ls="--", lw=1)
            ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        figure.suptitle(f"k = {self.k} by the {self.criterion}")
        return figure


def choose_k(
    X: Any,
    ks: Iterable[int] = range(1, 11),
    *,
    criterion: str = "gap",
    n_init: int = 5,
    n_references: int = 10,
    silhouette_rows: int = 2000,
    random_state: RandomState = None,
) -> KChoice:
    """Fit k-means for several k and choose one.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        The data, dense. Features count by their scale: standardise them first.
    ks : iterable of int, default=range(1, 11)
        Numbers of clusters to try, each at least 1 and at most n_samples.
    criterion : {'gap', 'silhouette'}, default='gap'
        'gap': the smallest k with Gap_k ≥ Gap_{k'} − s_{k'}, k' the next in `ks` (else
        the last); it alone can say k = 1. 'silhouette': the k of the largest s.
    n_init : int, default=5
        Runs of every fit, of the data and of the reference sets.
    n_references : int, default=10
        B, the sets without clusters that the gap is measured from.
    silhouette_rows : int, default=2000
        The silhouette is that of a random sample of so many rows.
    random_state : int, RandomState, Generator or None, default=None
        Gives the seeds, the reference sets and the sample.

    Returns
    -------
    KChoice
        With all curves, the fits, and `plot()`.

    Raises
    ------
    ValueError
        If `ks` is empty or holds something else, `criterion` is neither, or a number is too
        small.

    References
    ----------
    Rousseeuw (1987), Silhouettes. Tibshirani, Walther & Hastie (2001), Estimating the
    number of clusters in a data set via the gap statistic.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.cluster import choose_k
    >>> rng = np.random.default_rng(0)
    >>> X = np.repeat([[0.0, 0], [9, 0], [0, 9]], 40, axis=0) + rng.standard_normal((120, 2))
    >>> choose_k(X, range(1, 7), random_state=0).k
    3
    """
    X = check_array(X, dtype=FLOATS, order="C")
    tried = sorted(set(ks))
    if not tried or not all(isinstance(k, Integral) and 1 <= k <= len(X) for k in tried):
        raise ValueError(f"ks={tried}: give whole numbers from 1 to n_samples={len(X)}.")
    if criterion not in _CRITERIA:
        raise ValueError(f"criterion={criterion!r}: give one of {_CRITERIA}.")
    least = {"n_init": (n_init, 1), "n_references": (n_references, 1),
             "silhouette_rows": (silhouette_rows, 2)}  # fmt: skip
    for name, (value, low) in least.items():
        if not isinstance(value, Integral) or value < low:
            raise ValueError(f"{name}={value!r}: give a whole number of at least {low}.")
    rng = check_generator(random_state)
    models = tuple(_fit(X, k, n_init, rng) for k in tried)
    sample = rng.permutation(len(X))[:silhouette_rows]
    silhouette = np.array([_silhouette(X[sample], model.labels_[sample]) for model in models])
    gap, error = _gap(X, models, n_init, n_references, rng)
    return KChoice(
        k=int(_by_gap(tried, gap, error) if criterion == "gap" else _largest(tried, silhouette)),
        criterion=criterion,
        ks=np.array(tried),
        inertia=np.array([model.inertia_ for model in models]),
        silhouette=silhouette,
        gap=gap,
        gap_error=error,
        models=models,
    )


def _fit(X: Array, k: int, n_init: int, rng: np.random.Generator) -> KMeans:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # k above the distinct rows
        model: KMeans = KMeans(int(k), n_init=n_init, random_state=rng).fit(X)
    model.random_state = None
    return model


def _silhouette(X: Array, labels: Array) -> float:
    n_labels = len(np.unique(labels))
    X = X - X.mean(axis=0, dtype=np.float64).astype(X.dtype)  # far from 0 distances cancel
    return float(silhouette_score(X, labels)) if 2 <= n_labels < len(X) else float("nan")


def _gap(
    X: Array, models: tuple[KMeans, ...], n_init: int, n_references: int, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Give Gap_k and s_k."""
    tiny = np.finfo(np.float64).tiny  # φ = 0: every row on a centre
    low, high = X.min(axis=0), X.max(axis=0)
    logs = np.empty((n_references, len(models)))
    for b in range(n_references):
        flat = rng.uniform(low, high, X.shape).astype(X.dtype)
        for at, model in enumerate(models):
            found = _fit(flat, model.n_clusters, n_init, rng)
            logs[b, at] = np.log(max(found.inertia_, tiny))
    own = np.log([max(model.inertia_, tiny) for model in models])
    return logs.mean(axis=0) - own, logs.std(axis=0) * np.sqrt(1 + 1 / n_references)


def _by_gap(ks: list[int], gap: Array, error: Array) -> int:
    for at in range(len(ks) - 1):
        if gap[at] >= gap[at + 1] - error[at + 1]:
            return ks[at]
    return ks[-1]


def _largest(ks: list[int], silhouette: Array) -> int:
    return ks[0] if np.isnan(silhouette).all() else ks[int(np.nanargmax(silhouette))]
