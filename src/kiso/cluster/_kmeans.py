"""k-means: k centres that make Σ w_i min_j ‖x_i − c_j‖² small."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from kiso._parts import Parts, is_parted, lazily, parts_of
from kiso._validation import Array, RandomState, StrOptions, check_generator

from ._assignment import nearest_centers
from ._base import CentersEstimator, mean_variance
from ._lloyd import LloydState
from ._parted import spread_of
from ._restarts import Restarts, better, one_by_one, side_by_side
from ._rows import Rows
from ._seeding import SeedingState

__all__ = ["KMeans"]

_RANDOM_RUNS = 10  # what n_init='auto' means where seeds are random


@dataclass(frozen=True)
class Problem:
    """What a fit works on."""

    restarts: Restarts
    watched: bool  # whether somebody looks at every step
    X: Any = None  # rows in parts, as they were given


class KMeans(CentersEstimator[Problem, "LloydState | SeedingState"]):
    r"""k-means clustering by Lloyd's algorithm, exactly, with k-means++ seeds.

    Looks for centres :math:`c_1 \dots c_k` that make the inertia

    .. math:: \varphi = \sum_i w_i \min_j \lVert x_i - c_j \rVert^2

    small: rows go to their nearest centre, centres to the mean of their rows, until
    nothing changes. φ never rises on the way; where it ends depends on the seeds.

    Parameters
    ----------
    n_clusters : int, default=8
        k.
    init : str, callable or array-like, default='k-means++'
        'k-means++': rows drawn by their squared distance to the centres so far, the best
        of 2 + ⌊ln k⌋ draws each (the greedy variant); 'k-means||': the same on a sample
        taken in five passes, for thousands of centres; 'random': rows drawn by their
        weight; a callable `init(X, n_clusters, random_state=RandomState)`; or an array
        of shape (n_clusters, n_features).
    n_init : 'auto' or int, default='auto'
        Runs from different seeds, of which the one with the smallest φ is kept. 'auto':
        10 for 'random' or a callable, 1 otherwise.
    max_iter : int, default=300
        Largest number of iterations of a run.
    tol : float, default=1e-4
        A run ends when Σ_j ‖c_j − previous c_j‖² is at most `tol` times the mean of the
        features' variances (or when no label changes).
    verbose : int, default=0
        Not 0: iterations are printed. They are logged (logger 'kiso') for debugging in any case.
    random_state : int, RandomState, Generator or None, default=None
        Gives the seeds.
    copy_x : bool, default=True
        Without effect: the data are never changed.
    algorithm : {'lloyd', 'elkan'}, default='lloyd'
        'lloyd': bounds on distances are kept where they pay; 'elkan': always. They spare
        distances and change no label.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters, n_features)
        c_j; of the data's precision.
    labels_ : ndarray of shape (n_samples,), int32
        The nearest centre of each row: what `predict` gives for it.
    inertia_ : float
        φ.
    n_iter_ : int
        Iterations of the run that was kept.
    objective_path_ : ndarray
        φ after every step of every run: each seed chosen, each iteration.
    n_features_in_, feature_names_in_
        Number and names of the features.

    See Also
    --------
    MiniBatchKMeans : for data that come in pieces.
    choose_k : inertia, silhouette and gap for several k.

    References
    ----------
    Lloyd (1982), Least squares quantization in PCM. Arthur & Vassilvitskii (2007),
    k-means++: the advantages of careful seeding. Hamerly (2010), Making k-means even
    faster. Bahmani et al. (2012), Scalable k-means++.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.cluster import KMeans
    >>> X = np.array([[1.0, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]])
    >>> model = KMeans(2, random_state=0).fit(X)
    >>> model.inertia_
    16.0
    >>> np.sort(model.cluster_centers_, axis=0)
    array([[ 1.,  2.],
           [10.,  2.]])
    >>> for state in KMeans(2, random_state=0).steps(X):
    ...     print(type(state).__name__, state.inertia)
    SeedingState ...
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **CentersEstimator._parameter_constraints,
        "copy_x": ["boolean"],
        "algorithm": [StrOptions({"lloyd", "elkan"})],
    }

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        init: Any = "k-means++",
        n_init: int | str = "auto",
        max_iter: int = 300,
        tol: float = 1e-4,
        verbose: int = 0,
        random_state: RandomState = None,
        copy_x: bool = True,
        algorithm: str = "lloyd",
    ) -> None:
        self.n_clusters = n_clusters
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.verbose = verbose
        self.random_state = random_state
        self.copy_x = copy_x
        self.algorithm = algorithm

    def _prepare(self, X: Any, y: Any = None, **fit_params: Any) -> Problem:
        if is_parted(X):
            return self._prepare_parts(X, fit_params.get("sample_weight"))
        X = self._validate(X)
        self._check_n_samples(X)
        weight = self._weights(X, fit_params.get("sample_weight"))
        if self.algorithm == "elkan" and self.n_clusters == 1:
            warnings.warn(
                "algorithm='elkan' doesn't make sense for a single cluster. Using 'lloyd' instead.",
                RuntimeWarning,
                stacklevel=2,
            )
        n_runs, init = self._runs(_RANDOM_RUNS), self._initial(X)
        rng = check_generator(self.random_state)

        def given() -> Array:
            return self._called_init(X, rng) if init is None else init

        restarts = Restarts(
            rows=Rows(X, weight),
            n_clusters=self.n_clusters,
            n_runs=n_runs,
            init=self.init if isinstance(self.init, str) else given,
            max_iter=self.max_iter,
            tol=self.tol * mean_variance(X) if self.tol > 0 else 0.0,
            rng=rng,
            always_bounded=self.algorithm == "elkan" and self.n_clusters > 1,
        )
        return Problem(restarts, watched=self._observed() or self._reports())

    def _prepare_parts(self, X: Any, sample_weight: Any) -> Problem:
        """Rows in parts: a pass finds means and variances."""
        if callable(self.init):
            raise TypeError(
                "init is callable, and takes rows in memory: give 'k-means++', 'k-means||', "
                "'random' or an array of centres for rows in parts"
            )
        rows = parts_of(X, sample_weight=sample_weight, estimator=self)
        spread = spread_of(rows)
        self._check_n_samples(rows)
        given = self._initial(rows)
        init: Any = self.init if given is None else lambda: given
        restarts = Restarts(
            rows=rows,
            n_clusters=self.n_clusters,
            n_runs=self._runs(_RANDOM_RUNS),
            init=init,
            max_iter=self.max_iter,
            tol=self.tol * float(np.mean(spread.squares)) / spread.n if self.tol > 0 else 0.0,
            rng=check_generator(self.random_state),
            origin=spread.mean,
        )
        return Problem(restarts, watched=True, X=X)

    def _walk(self, problem: Problem) -> Iterator[LloydState | SeedingState]:
        return super()._walk(replace(problem, watched=True))

    def _keep(self, problem: Problem, state: LloydState | SeedingState, path: list[float]) -> None:
        super()._keep(problem, state, problem.restarts.path or path)

    def _max_steps(self) -> int | None:
        return None  # seeds and iterations of several runs: not known

    def _iterate(self, problem: Problem) -> Iterator[LloydState | SeedingState]:
        if not problem.watched:
            yield from side_by_side(problem.restarts)
            return
        for state in one_by_one(problem.restarts):
            self._report_state(state, problem.restarts.tol)
            yield state

    def _report_state(self, state: LloydState | SeedingState, tol: float) -> None:
        if isinstance(state, SeedingState):
            if len(state.indices) == self.n_clusters:
                self._report(f"Initialization complete: run {state.run}, inertia {state.inertia}")
            return
        self._report(
            f"Iteration {state.n_iter}, inertia {state.inertia:.8g}, run {state.run}, "
            f"{state.n_changed} labels changed."
        )
        if state.settled:
            why = "strict convergence." if state.n_changed == 0 else (
                f"center shift {state.shift} within tolerance {tol}."
            )  # fmt: skip
            self._report(f"Converged at iteration {state.n_iter}: {why}")

    def _fitted(self, problem: Problem, state: LloydState | SeedingState) -> dict[str, Any]:
        if isinstance(state, SeedingState) and state.best is None:
            labels = self._labels(problem, state.centers)
            return {
                "cluster_centers_": state.centers,
                "labels_": labels,
                "inertia_": state.inertia,
                "n_iter_": 0,
            }
        kept = state.best if isinstance(state, SeedingState) else better(state, state.best)
        assert kept is not None
        return {
            "cluster_centers_": kept.centers,
            "labels_": kept.labels if problem.X is None else self._labels(problem, kept.centers),
            "inertia_": kept.inertia,
            "n_iter_": kept.n_iter,
        }

    def _labels(self, problem: Problem, centers: Array) -> Any:
        """The nearest centre of each row; of rows in parts when they are asked for."""
        if isinstance(problem.restarts.rows, Parts):
            return lazily(self, "predict", problem.X, cluster_centers_=centers)
        return nearest_centers(problem.restarts.rows, centers)

    def _not_converged(self, problem: Problem, state: LloydState | SeedingState) -> str | None:
        if isinstance(state, LloydState) and better(state, state.best).settled:
            return None
        return super()._not_converged(problem, state)

    def _merged(self) -> str | None:
        if is_parted(self.labels_):
            distinct = len(np.unique(self.cluster_centers_, axis=0))
        else:
            distinct = int(np.count_nonzero(np.bincount(self.labels_)))
        if distinct == self.n_clusters:
            return None
        return (
            f"Number of distinct clusters ({distinct}) found smaller than n_clusters "
            f"({self.n_clusters}). Possibly due to duplicate points in X."
        )
