"""k-means: k centres that make Σ w_i min_j ‖x_i − c_j‖² small."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from kiso._validation import Array, RandomState, StrOptions, check_generator

from ._base import CentersEstimator, log, mean_variance
from ._lloyd import LloydState, lloyd
from ._rows import Rows
from ._seeding import SeedingState, greedy_trials, parallel, plus_plus, random_rows
from ._starts import Interrupted, pay, whole_runs
from ._turned_seeding import Seeds

__all__ = ["KMeans"]

_RANDOM_RUNS = 10  # what n_init='auto' means where seeds are random
_SEEDINGS = {"k-means++": plus_plus, "k-means||": parallel, "random": random_rows}


@dataclass(frozen=True)
class Problem:
    """What a fit works on."""

    rows: Rows
    tol: float  # squared movement of all centres together
    n_runs: int
    init: Array | None
    rng: np.random.Generator
    watched: bool  # whether somebody looks at every step
    path: list[float] = field(default_factory=list)  # φ after the steps that nobody looked at


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
    init : {'k-means++', 'k-means||', 'random'}, callable or array-like, \
default='k-means++'
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
        Not 0: iterations are logged (logger 'kiso') as information, else for debugging.
    random_state : int, RandomState, Generator or None, default=None
        Gives the seeds.
    copy_x : bool, default=True
        Without effect: the data are never changed.
    algorithm : {'lloyd', 'elkan'}, default='lloyd'
        Without effect: bounds are used wherever they pay, and the result is that of
        Lloyd's algorithm.

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
        X = self._validate(X)
        self._check_n_samples(X)
        weight = self._weights(X, fit_params.get("sample_weight"))
        return Problem(
            rows=Rows(X, weight),
            tol=self.tol * mean_variance(X) if self.tol > 0 else 0.0,
            n_runs=self._runs(_RANDOM_RUNS),
            init=self._initial(X),
            rng=check_generator(self.random_state),
            watched=bool(getattr(self, "_skl_callbacks", ())) or log.isEnabledFor(self._level),
        )

    def _walk(self, problem: Problem) -> Iterator[LloydState | SeedingState]:
        return super()._walk(replace(problem, watched=True))

    def _keep(self, problem: Problem, state: LloydState | SeedingState, path: list[float]) -> None:
        super()._keep(problem, state, problem.path or path)

    def _max_steps(self) -> int | None:
        return None  # seeds and iterations of several runs: not known

    def _iterate(self, problem: Problem) -> Iterator[LloydState | SeedingState]:
        known = problem.init is not None or (
            isinstance(self.init, str) and self.init == "k-means++"
        )
        if not problem.watched and known and pay(problem.rows, self.n_clusters, problem.n_runs):
            yield from self._unwatched(problem)
            return
        best: LloydState | None = None
        for run in range(problem.n_runs):
            centers = problem.init
            if centers is None and callable(self.init):
                centers = self._called_init(problem.rows.X, problem.rng)
            elif centers is None:
                seeding = _SEEDINGS[self.init]
                for seeds in seeding(problem.rows, self.n_clusters, problem.rng):
                    centers = seeds.centers
                    yield replace(seeds, run=run, best=best)
            assert centers is not None
            for state in lloyd(problem.rows, centers, max_iter=self.max_iter, tol=problem.tol):
                log.log(
                    self._level,
                    "run %d, iteration %d: inertia %.8g, %d labels changed",
                    run, state.n_iter, state.inertia, state.n_changed,
                )  # fmt: skip
                kept = _better(state, best)
                done = state.settled and run == problem.n_runs - 1
                yield replace(state, run=run, best=best, converged=done and kept.settled)
            best = kept

    def _starts(self, problem: Problem) -> Seeds | Array:
        k = self.n_clusters
        if problem.init is not None:
            return problem.init[None]
        return Seeds.of(problem.rows, k, greedy_trials(k), problem.rng, problem.n_runs)

    def _unwatched(self, problem: Problem) -> Iterator[LloydState]:
        """Only the end of each run, the runs side by side."""
        interrupt: Interrupted | None = None
        try:
            runs = whole_runs(
                problem.rows, self._starts(problem), max_iter=self.max_iter, tol=problem.tol
            )
        except Interrupted as stop:
            interrupt, runs = stop, stop.runs
        best: LloydState | None = None
        for run in runs:
            problem.path.extend(run.path)
            kept = _better(run.state, best)
            done = run is runs[-1] and interrupt is None
            yield replace(run.state, best=best, converged=done and kept.settled)
            best = kept
        if interrupt is not None:  # what was through is kept; then it goes on
            raise interrupt

    def _fitted(self, problem: Problem, state: LloydState | SeedingState) -> dict[str, Any]:
        if isinstance(state, SeedingState) and state.best is None:
            labels = problem.rows.nearest(state.centers)
            return {
                "cluster_centers_": state.centers,
                "labels_": labels,
                "inertia_": state.inertia,
                "n_iter_": 0,
            }
        kept = state.best if isinstance(state, SeedingState) else _better(state, state.best)
        assert kept is not None
        return {
            "cluster_centers_": kept.centers,
            "labels_": kept.labels,
            "inertia_": kept.inertia,
            "n_iter_": kept.n_iter,
        }

    def _not_converged(self, problem: Problem, state: LloydState | SeedingState) -> str | None:
        if isinstance(state, LloydState) and _better(state, state.best).settled:
            return None
        return super()._not_converged(problem, state)

    def _merged(self) -> str | None:
        distinct = int(np.count_nonzero(np.bincount(self.labels_)))
        if distinct == self.n_clusters:
            return None
        return (
            f"Number of distinct clusters ({distinct}) found smaller than n_clusters "
            f"({self.n_clusters}). Possibly due to duplicate points in X."
        )


def _better(state: LloydState, best: LloydState | None) -> LloydState:
    return state if best is None or state.inertia < best.inertia else best
