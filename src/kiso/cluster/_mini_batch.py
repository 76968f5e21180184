"""k-means on small random samples of the rows (Sculley 2010), or on data in pieces.

A batch B is assigned to the centres as they stand, then each centre moves to the mean of
all rows it was ever given:

    N_j ← N_j + Σ_{i ∈ B_j} w_i        c_j ← c_j + Σ_{i ∈ B_j} w_i (x_i − c_j) / N_j
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from kiso._parts import Part, Parts, is_parted, lazily, parts_of
from kiso._validation import Array, Integral, Interval, RandomState, Real, check_generator
from kiso.base import State

from ._assign_loops import Sums, add_rows
from ._assignment import nearest_centers
from ._base import CentersEstimator, mean_variance
from ._parted import sample_of, spread_of
from ._restarts import SEEDINGS
from ._rows import Rows
from ._seeding import last_seeds

__all__ = ["MiniBatchKMeans", "MiniBatchState"]

_RANDOM_RUNS = 3  # what n_init='auto' means where seeds are random


@dataclass(frozen=True, kw_only=True)
class MiniBatchState(State):
    """Centres after a batch.

    Attributes
    ----------
    centers : ndarray of shape (n_clusters, n_features)
        c_j.
    counts : ndarray of shape (n_clusters,)
        N_j.
    inertia : float
        Mean over the batch of the squared distance to the nearest centre, before the move.
    smoothed : float or None
        Its running mean, which `max_no_improvement` looks at.
    """

    centers: Array
    counts: Array
    inertia: float
    smoothed: float | None


@dataclass(frozen=True)
class Problem:
    """What a fit works on."""

    X: Any
    weight: Array | None
    batch_size: int
    init_size: int
    tol: float
    n_runs: int
    init: Array | None
    rng: np.random.Generator
    given: Any = None  # rows in parts, as they were given
    total: float = 0.0  # and their weight

    @property
    def n(self) -> int:
        return int(self.X.shape[0])


class MiniBatchKMeans(CentersEstimator[Problem, MiniBatchState]):
    r"""k-means that looks at a small random batch of rows at a time.

    Each batch moves the centres towards the rows it gives them,
    :math:`c_j \leftarrow c_j + \sum_{i\in B_j} w_i (x_i - c_j) / N_j`, with
    :math:`N_j` the weight that centre j was given so far, so that steps grow shorter.
    Reaches nearly the inertia of `KMeans` after one look at large data; `partial_fit`
    takes data in pieces.

    Parameters
    ----------
    n_clusters : int, default=8
        k.
    init : str, callable or array-like, default='k-means++'
        See `KMeans`; names work on a random sample of `init_size` rows.
    max_iter : int, default=100
        Largest number of times that as many rows are drawn as there are.
    batch_size : int, default=1024
        Rows of a batch, drawn by their weights with repetition.
    verbose : int, default=0
        Not 0: batches are printed. They are logged (logger 'kiso') for debugging in any case.
    compute_labels : bool, default=True
        Whether to assign all rows at the end.
    random_state : int, RandomState, Generator or None, default=None
        Gives seeds and batches.
    tol : float, default=0.0
        The fit ends when Σ_j ‖c_j − previous c_j‖² is at most `tol` times the mean of the
        features' variances; 0: not for that reason.
    max_no_improvement : int or None, default=10
        The fit ends after so many batches without a new smallest smoothed inertia.
    init_size : int or None, default=None
        None: 3 `batch_size`, or 3 k where that is less than k.
    n_init : 'auto' or int, default='auto'
        Seedings, of which the best on a sample is kept. 'auto': 3 for 'random' or a
        callable, 1 otherwise.
    reassignment_ratio : float, default=0.01
        Centres with less than this share of the largest N_j are now and then put on
        rows of the batch, and at the end, with `compute_labels`, centres without rows on the
        rows furthest from their centres; 0: never.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters, n_features)
        c_j; of the data's precision.
    labels_ : ndarray of shape (n_samples,), int32
        The nearest centre of each row (if `compute_labels`).
    inertia_ : float
        Σ w_i ‖x_i − c_{a_i}‖²; its smoothed estimate without `compute_labels`.
    counts_ : ndarray of shape (n_clusters,)
        N_j.
    n_iter_ : int
        Times that as many rows were drawn as there are.
    n_steps_ : int
        Batches.
    objective_path_ : ndarray of shape (n_steps_,)
        Mean squared distance within each batch.
    n_features_in_, feature_names_in_
        Number and names of the features.

    References
    ----------
    Sculley (2010), Web-scale k-means clustering.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.cluster import MiniBatchKMeans
    >>> X = np.repeat([[0.0, 0.0], [9.0, 9.0]], 50, axis=0)
    >>> model = MiniBatchKMeans(2, random_state=0)
    >>> for piece in np.array_split(X[::-1], 4):
    ...     model = model.partial_fit(np.vstack([piece, X[:5]]))
    >>> model.predict([[1, 1], [8, 8]]).tolist() in ([0, 1], [1, 0])
    True
    """

    counts_: Array
    n_steps_: int

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **CentersEstimator._parameter_constraints,
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "compute_labels": ["boolean"],
        "max_no_improvement": [Interval(Integral, 0, None, closed="left"), None],
        "init_size": [Interval(Integral, 1, None, closed="left"), None],
        "reassignment_ratio": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        init: Any = "k-means++",
        max_iter: int = 100,
        batch_size: int = 1024,
        verbose: int = 0,
        compute_labels: bool = True,
        random_state: RandomState = None,
        tol: float = 0.0,
        max_no_improvement: int | None = 10,
        init_size: int | None = None,
        n_init: int | str = "auto",
        reassignment_ratio: float = 0.01,
    ) -> None:
        self.n_clusters = n_clusters
        self.init = init
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.verbose = verbose
        self.compute_labels = compute_labels
        self.random_state = random_state
        self.tol = tol
        self.max_no_improvement = max_no_improvement
        self.init_size = init_size
        self.n_init = n_init
        self.reassignment_ratio = reassignment_ratio

    def _prepare(self, X: Any, y: Any = None, **fit_params: Any) -> Problem:
        if is_parted(X):
            return self._prepare_parts(X, fit_params.get("sample_weight"))
        X = self._validate(X)
        self._check_n_samples(X)
        n = X.shape[0]
        batch_size = min(self.batch_size, n)
        size = 3 * batch_size if self.init_size is None else self.init_size
        return Problem(
            X=X,
            weight=self._weights(X, fit_params.get("sample_weight")),
            batch_size=batch_size,
            init_size=min(n, self._enough(size)),
            tol=self.tol * mean_variance(X) if self.tol > 0 else 0.0,
            n_runs=self._runs(_RANDOM_RUNS),
            init=self._initial(X),
            rng=check_generator(self.random_state),
        )

    def _prepare_parts(self, X: Any, sample_weight: Any) -> Problem:
        """Rows in parts: a pass finds means and variances."""
        if callable(self.init):
            raise TypeError(
                "init is callable, and takes rows in memory: give 'k-means++', 'random' or an "
                "array of centres for rows in parts"
            )
        rows = parts_of(X, sample_weight=sample_weight, estimator=self)
        spread = spread_of(rows)
        self._check_n_samples(rows)
        batch_size = min(self.batch_size, spread.n)
        size = 3 * batch_size if self.init_size is None else self.init_size
        return Problem(
            X=rows,
            weight=None,
            batch_size=batch_size,
            init_size=min(spread.n, self._enough(size)),
            tol=self.tol * float(np.mean(spread.squares)) / spread.n if self.tol > 0 else 0.0,
            n_runs=self._runs(_RANDOM_RUNS),
            init=self._initial(rows),
            rng=check_generator(self.random_state),
            given=X,
            total=spread.weight,
        )

    def _enough(self, init_size: int) -> int:
        if init_size >= self.n_clusters:
            return init_size
        if self.init_size is not None:
            warnings.warn(
                f"init_size={init_size} should be larger than n_clusters={self.n_clusters}. "
                "Setting it to min(3*n_clusters, n_samples)",
                RuntimeWarning,
                stacklevel=2,
            )
        return 3 * self.n_clusters

    def _max_steps(self) -> int | None:
        return None  # depends on the number of rows

    def _seed(self, problem: Problem) -> Array:
        """Give the best of `n_runs` seedings, by φ on a sample."""
        p = problem
        if p.init is not None:
            return p.init
        validation = _sample(p, p.init_size)
        best, least = None, np.inf
        for _ in range(p.n_runs):
            if callable(self.init):
                centers = self._called_init(p.X, p.rng)
            else:
                seeding = SEEDINGS[self.init]
                centers = last_seeds(
                    seeding(_sample(p, p.init_size), self.n_clusters, p.rng)
                ).centers
            inertia = validation.total(
                validation.own_distances(centers, nearest_centers(validation, centers))
            )
            if inertia < least:
                best, least = centers, inertia
        assert best is not None
        return best

    def _iterate(self, problem: Problem) -> Iterator[MiniBatchState]:
        p, n = problem, problem.n
        batches = _Batches(self._seed(p), self.reassignment_ratio, p.rng)
        smoothed: float | None = None
        least, idle, step, over = np.inf, 0, 0, False
        n_steps = max(1, self.max_iter * n // p.batch_size)
        alpha = min(1.0, 2.0 * p.batch_size / (n + 1))
        visits = _visits_of_parts if isinstance(p.X, Parts) else _visits
        for found in visits(p, batches):
            for inertia, moved in found:
                step += 1
                if step > 1:  # the first tells of the seeds alone
                    gap = 0.0 if smoothed is None else alpha * (inertia - smoothed)
                    smoothed = inertia if smoothed is None else smoothed + gap
                    idle = 0 if smoothed < least else idle + 1
                    least = min(least, smoothed)
                still = p.tol > 0 and step > 1 and moved <= p.tol
                stuck = self.max_no_improvement is not None and idle >= self.max_no_improvement
                if self._reports():
                    average = math.nan if smoothed is None else smoothed
                    self._report(
                        f"Minibatch step {step}/{n_steps}: mean batch inertia: {inertia:.8g}, "
                        f"ewa inertia: {average:.8g}"
                    )
                    if not over and (still or (stuck and step > 1)):
                        why = "small centers change" if still else "lack of improvement in inertia"
                        self._report(f"Converged ({why}) at step {step}/{n_steps}")
                over = over or still or (stuck and step > 1)
            yield MiniBatchState(
                n_iter=step,
                objective=inertia,
                converged=over,
                centers=batches.centers,
                counts=batches.counts.copy(),
                inertia=inertia,
                smoothed=smoothed,
            )
            if over or step >= n_steps:
                return

    def _not_converged(self, problem: Problem, state: MiniBatchState) -> str | None:
        if self.tol == 0 and self.max_no_improvement is None:
            return None  # max_iter is the only rule there is
        return (
            f"MiniBatchKMeans did not converge in {state.n_iter} batches (mean squared distance "
            f"{state.objective:.6g}). Raise max_iter or tol, or lower max_no_improvement."
        )

    def _fitted(self, problem: Problem, state: MiniBatchState) -> dict[str, Any]:
        n = problem.n
        found: dict[str, Any] = {
            "cluster_centers_": state.centers,
            "counts_": state.counts,
            "n_steps_": state.n_iter,
            "n_iter_": math.ceil(state.n_iter * problem.batch_size / n),
        }
        if isinstance(problem.X, Parts):
            mean = state.inertia if state.smoothed is None else state.smoothed
            found["inertia_"] = mean * problem.total
            if self.compute_labels:
                centers = state.centers
                found["labels_"] = lazily(self, "predict", problem.given, cluster_centers_=centers)
        elif self.compute_labels:
            rows = Rows(problem.X, problem.weight)
            centers, labels = state.centers, nearest_centers(rows, state.centers)
            if self.reassignment_ratio > 0:
                centers, labels = spread_out(rows, centers, labels)
            found["cluster_centers_"], found["labels_"] = centers, labels
            found["inertia_"] = rows.inertia(centers, labels)
        else:
            mean = state.inertia if state.smoothed is None else state.smoothed
            total = float(n) if problem.weight is None else float(problem.weight.sum())
            found["inertia_"] = mean * total
        return found

    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Move the centres by one batch: these rows.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            The first batch also gives the seeds and needs at least `n_clusters` rows.
        y : ignored
        sample_weight : array-like of shape (n_samples,), optional
            Weights w_i ≥ 0, not all zero.

        Returns
        -------
        self
            `labels_` and `inertia_` are those of these rows.
        """
        first = not hasattr(self, "cluster_centers_")
        if first:
            self._validate_params()
            problem = self._prepare(X, sample_weight=sample_weight)
            X, weight = problem.X, problem.weight
            self._generator = problem.rng
            batches = _Batches(self._seed(problem), self.reassignment_ratio, self._generator)
            self.n_steps_ = 0
        else:
            X = self._validate(X, reset=False)
            weight = self._weights(X, sample_weight)
            generator = getattr(self, "_generator", None)
            self._generator = check_generator(self.random_state) if generator is None else generator
            centers = self.cluster_centers_.astype(X.dtype, copy=False)
            batches = _Batches(centers, self.reassignment_ratio, self._generator)
            batches.counts = self.counts_.copy()
            batches.since = getattr(self, "_since", 0)
        batches.step(_dense(X), weight)
        self.cluster_centers_, self.counts_ = batches.centers, batches.counts
        self._since = batches.since
        self.n_steps_ += 1
        if self.compute_labels:
            rows = Rows(X, weight)
            self.labels_ = nearest_centers(rows, self.cluster_centers_)
            self.inertia_ = rows.total(rows.own_distances(self.cluster_centers_, self.labels_))
        return self

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        check_is_fitted(self)
        return super().score(X, y, sample_weight)

    score.__doc__ = CentersEstimator.score.__doc__


Visit = list[tuple[float, float]]  # of each batch: mean squared distance, squared movement


def _visits(problem: Problem, batches: _Batches) -> Iterator[Visit]:
    """Draw a batch of all rows at a time."""
    p, n = problem, problem.n
    share = None
    if p.weight is not None:
        share = p.weight.astype(np.float64) / np.sum(p.weight, dtype=np.float64)
    while True:
        if share is None:
            drawn = p.rng.integers(n, size=p.batch_size)
        else:
            drawn = p.rng.choice(n, p.batch_size, p=share)
        yield [batches.step_moved(_dense(p.X[drawn]))]


def _visits_of_parts(problem: Problem, batches: _Batches) -> Iterator[Visit]:
    """Go through the parts in random order; batches are drawn from the part that is visited."""
    rows, visit = problem.X, 0
    seed = int(problem.rng.integers(2**31))
    while True:
        for number in problem.rng.permutation(rows.n_parts):
            visit += 1
            small = problem.batch_size, [seed, visit]
            after, found = rows.fold(_visited, (batches, []), [int(number)], *small)
            if found:
                vars(batches).update(vars(after))
                yield found


def _visited(
    part: Part, state: tuple[_Batches, Visit], batch_size: int, seed: list[int]
) -> tuple[_Batches, Visit]:
    """Give a part to the centres, batch by batch."""
    batches, found = state
    n, rng = len(part), np.random.default_rng(seed)
    if part.weight is None:
        order = rng.permutation(n)
    elif part.weight.any():
        order = rng.choice(n, n, p=part.weight / part.weight.sum())
    else:
        return batches, found
    for drawn in np.array_split(order, max(1, n // batch_size)):
        found.append(batches.step_moved(_dense(part.X[drawn])))
    return batches, found


class _Batches:
    """Centres, the weight each was given so far, and when to look for idle ones."""

    def __init__(self, centers: Array, ratio: float, rng: np.random.Generator) -> None:
        self.centers, self.ratio, self.rng = centers, ratio, rng
        self.counts = np.zeros(len(centers))
        self.since = 0  # rows since idle centres were looked for

    def step(self, X: Array, weight: Array | None = None) -> float:
        """Assign a batch and move the centres; Σ w_i ‖x_i − c_{a_i}‖² before the move."""
        k, d = self.centers.shape
        c = self.centers.astype(np.float64)
        labels = nearest_centers(Rows(X), self.centers)
        w = np.empty(0, X.dtype) if weight is None else weight
        distances = ((X.astype(np.float64) - c[labels]) ** 2).sum(axis=1)
        sums, given = np.zeros((k, d)), np.zeros(k)
        add_rows(X, w, 0, labels, np.zeros(d), Sums(sums, given, np.zeros(k, np.intp)))
        self.counts = self.counts + given
        moved = given > 0
        rate = 1.0 / self.counts[moved]
        c[moved] += (sums[moved] - given[moved, None] * c[moved]) * rate[:, None]
        self._revive(X, c)
        self.centers = c.astype(X.dtype)
        return float(distances.sum() if weight is None else distances @ weight)

    def step_moved(self, X: Array) -> tuple[float, float]:
        """Mean squared distance of a batch before the move, and Σ_j of the squared move."""
        before = self.centers
        inertia = self.step(X) / len(X)
        return inertia, float(np.sum((self.centers.astype(np.float64) - before) ** 2))

    def _revive(self, X: Array, c: Array) -> None:
        """Put centres that are given next to nothing on rows of the batch, as scikit-learn."""
        self.since += len(X)
        if self.counts.all() and self.since < 10 * len(c):
            return
        self.since = 0
        idle = self.counts < self.ratio * self.counts.max()
        if np.count_nonzero(idle) > len(X) // 2:
            idle[np.argsort(self.counts, kind="stable")[len(X) // 2 :]] = False
        drawn = self.rng.choice(len(X), np.count_nonzero(idle), replace=False)
        # a row on which a centre lies already, or another of those drawn, is no use to it
        new = X[drawn].astype(np.float64)
        apart = np.array([not (x == c).all(axis=1).any() for x in new], bool)
        apart &= np.isin(np.arange(len(new)), np.unique(new, axis=0, return_index=True)[1])
        moved = np.flatnonzero(idle)[apart]
        if len(moved):
            c[moved] = new[apart]
            self.counts[moved] = self.counts[~idle].min()


def spread_out(rows: Rows, centers: Array, labels: Array) -> tuple[Array, Array]:
    """Put centres that have no rows on the rows furthest from theirs; return centres and labels.

    So that there are k clusters where there are k distinct rows.
    """
    empty = np.flatnonzero(np.bincount(labels, minlength=len(centers)) == 0)
    if len(empty) == 0:
        return centers, labels
    centers = centers.copy()
    distances = rows.own_distances(centers, labels)
    size = rows.lengths() + rows.origin @ rows.origin
    distances[distances <= (4 * np.finfo(rows.dtype).eps) ** 2 * size] = 0.0
    if rows.weight.size:
        distances[rows.weight <= 0] = 0.0
    for j in empty:
        i = int(distances.argmax())
        if not distances[i] > 0:
            break
        centers[j] = rows.block(np.array([i]))[0]
        there = rows.own_distances(centers, np.full(rows.n, j, np.int32))
        distances = np.minimum(distances, there)
    return centers, nearest_centers(rows, centers)


def _sample(problem: Problem, size: int) -> Rows:
    """Draw rows without repetition, with their weights; only rows that have one."""
    if isinstance(problem.X, Parts):
        return sample_of(problem.X, size, problem.rng)[0]
    weight = problem.weight
    if weight is None:
        drawn = problem.rng.choice(problem.X.shape[0], size, replace=False)
        return Rows(problem.X[drawn])
    some = np.flatnonzero(weight)
    drawn = some if len(some) <= size else problem.rng.choice(some, size, replace=False)
    if len(drawn) < size:  # k rows are needed, whatever they weigh
        drawn = np.concatenate([drawn, np.flatnonzero(weight == 0)[: size - len(drawn)]])
    return Rows(problem.X[drawn], weight[drawn])


def _dense(X: Any) -> Array:
    return X if isinstance(X, np.ndarray) else np.ascontiguousarray(X.toarray())
