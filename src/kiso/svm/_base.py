"""What the kernel machines share: parameters, kernels, the fit as rounds, sums of kernels."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy import sparse
from sklearn.utils import assert_all_finite, check_consistent_length
from sklearn.utils.validation import check_is_fitted

from kiso._compute.gram import ShiftedGram, centred_gram
from kiso._compute.threads import one_blas_thread
from kiso._gate import check_array, check_sample_weight, column_or_1d, validate_data
from kiso._validation import FLOATS, Array, Integral, Interval, Real, StrOptions, positive
from kiso.base import IterativeEstimator, State

from ._gram_cache import GramCache
from ._kernels import (
    RBF,
    Kernel,
    Linear,
    Min,
    Polynomial,
    Precomputed,
    Sigmoid,
    as_kernel,
)
from ._points import Points
from ._shrinking import solve_shrinking
from ._smo import Machine, solve
from ._sums import kernel_sums

__all__ = ["KernelMachine", "Problem", "SMOState"]

_NAMES = {"linear", "poly", "rbf", "sigmoid", "min", "precomputed"}
_SCALES = 1e6  # ratio of the features' standard deviations from which scaling is named
_LARGEST_VALUE = 1e36  # of a kernel: beyond it sums of float32 may overflow
_DONE = object()
_log = logging.getLogger("kiso")


@dataclass(frozen=True, kw_only=True)
class SMOState(State):
    """Where a kernel machine stands after a round of SMO.

    Attributes
    ----------
    n_iter : int
        SMO steps (pairs of duals moved) so far; of several machines the most.
    objective : float
        −dual: what SMO minimises, summed over the machines.
    beta : tuple of ndarray
        The signed duals y_i α_i (classification), α_i then −α_i* (regression), α_i (one
        class), one array a machine: one, or the pairs of one-vs-one in order.
    intercepts : ndarray of shape (n_machines,)
    primal, dual, gap : float
        Objectives, summed over the machines; gap = primal − dual ≥ 0.
    n_support : int
        Duals that are not zero.
    n_bounded : int
        Those of them that are at their bound C_i.
    violation : float
        Largest violation of the optimality conditions as of the round's start.
    n_steps : tuple of int
        SMO steps of each machine.
    ended_by : tuple of str
        How each machine ended: "tol", "gap", "max_iter", "rounding"; "" while it runs.
    """

    beta: tuple[Array, ...]
    intercepts: Array
    primal: float
    dual: float
    gap: float
    n_support: int
    n_bounded: int
    violation: float
    n_steps: tuple[int, ...]
    ended_by: tuple[str, ...]

    @property
    def alpha(self) -> tuple[Array, ...]:
        """The duals α ≥ 0, one array a machine."""
        return tuple(np.abs(beta) for beta in self.beta)


@dataclass(frozen=True)
class Problem:
    """What a fit works on: the training rows in the cache's order, and the machines."""

    X: Any
    order: Array  # number in X of each row of the cache
    points: Points
    kernel: Kernel
    bounds: list[int]
    machines: list[Machine]
    codes: Array  # number of each row's class; empty where there are none


class KernelMachine(IterativeEstimator[Problem, SMOState]):
    """Base of the machines f(x) = Σ_i β_i k(x, x_i) + b that are fitted by SMO."""

    _instead_of_parts = (
        "A kernel machine needs all pairs of rows: fit LinearSVC on a sample, or map the parts "
        "through Nyström features (sklearn.kernel_approximation.Nystroem, fitted on a sample) and "
        "fit LogisticRegression on them, or fit this one on a sample; it then predicts for all "
        "rows, part by part."
    )

    kernel: Any
    shrinking: bool
    degree: int
    gamma: float | str
    coef0: float
    tol: float
    cache_size: float
    max_iter: int
    support_: Array
    support_vectors_: Any
    dual_coef_: Any
    intercept_: Array
    dual_gap_: float
    _gamma: float

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "kernel": [StrOptions(_NAMES), callable],
        "degree": [Interval(Integral, 0, None, closed="left")],
        "gamma": [StrOptions({"scale", "auto"}), positive(zero=True)],
        "coef0": [Interval(Real, None, None, closed="neither")],
        "tol": [positive()],
        "shrinking": ["boolean"],
        "cache_size": [positive(zero=True)],
        "verbose": ["verbose"],
        "max_iter": [Interval(Integral, -1, None, closed="left")],
    }

    # samples of a callable kernel that are no rows of numbers, as they were given to fit
    _objects: list[Any] | None = None

    @property
    def _is_gram(self) -> bool:
        """Whether rows hold kernel values."""
        return self._objects is not None or self.kernel == "precomputed"

    # ------------------------------------------------------------------ what comes in

    def _validate(self, X: Any, *, reset: bool = True, **how: Any) -> Any:
        if self.kernel == "precomputed" and sparse.issparse(X):
            raise TypeError(
                "Sparse precomputed kernels are not supported: give the Gram matrix as a dense "
                "array, X.toarray()"
            )
        if reset:
            self._objects = None
        if callable(self.kernel) and (_not_numbers(X) if reset else self._objects is not None):
            return self._gram_of_objects(X, reset=reset, **how)
        checked = validate_data(
            self, X, reset=reset, accept_sparse="csr", dtype=FLOATS, order="C",
            accept_large_sparse=False, **how,
        )  # fmt: skip
        if reset and self.kernel == "precomputed":
            shape = (checked[0] if isinstance(checked, tuple) else checked).shape
            if shape[0] != shape[1]:
                raise ValueError(
                    f"X has shape {shape} with kernel='precomputed': give the square Gram "
                    f"matrix of the training rows; X.shape[0] should be equal to X.shape[1]"
                )
        return checked

    def _gram_of_objects(self, X: Any, *, reset: bool, y: Any = None, **how: Any) -> Any:
        """Values of a callable kernel between things that are no rows of numbers."""
        X = list(X)
        fitted: list[Any] = X if reset else self._objects or []
        K = check_array(self.kernel(X, fitted), dtype=FLOATS, order="C", input_name="K")
        if K.shape != (len(X), len(fitted)):
            raise ValueError(
                f"kernel={self.kernel!r} returned shape {K.shape} for {len(X)} and {len(fitted)} "
                f"samples: give a function that returns shape ({len(X)}, {len(fitted)})"
            )
        if reset:
            self._objects = X
        if y is None:
            return K
        y = column_or_1d(y, warn=True)
        assert_all_finite(y, input_name="y")
        check_consistent_length(K, y)
        return K, y

    def _weights(self, X: Any, sample_weight: Any) -> Array:
        """Weights of the rows; those of a negative weight are left out, as by LIBSVM."""
        weight: Array = check_sample_weight(
            sample_weight,
            X,
            ensure_non_negative=False,
            allow_all_zero_weights=True,
        )
        if not (weight > 0).any():
            raise ValueError(
                "Invalid input - all samples have zero or negative weights. "
                f"sample_weight has the largest value {weight.max():g}: give at least one > 0"
            )
        return np.maximum(weight, 0.0)

    def _resolve_gamma(self, X: Any, moments: ShiftedGram | None) -> float:
        """γ of the kernels that are given by name."""
        if not isinstance(self.gamma, str):
            return float(self.gamma)
        if self.gamma == "auto" or self._is_gram:
            return 1.0 / X.shape[1]
        if moments is not None:
            mean = moments.mean
            variance = float(moments.scatter.mean() / moments.weight + mean.var())
        else:
            variance = float(X.multiply(X).mean() - X.mean() ** 2)
        return 1.0 / (X.shape[1] * variance) if variance > 0 else 1.0

    def _kernel(self) -> Kernel:
        """The kernel object that the fitted parameters mean."""
        if self._objects is not None:
            return Precomputed()
        if callable(self.kernel):
            return as_kernel(self.kernel)
        if self.kernel == "rbf":
            return RBF(self._gamma)
        if self.kernel == "poly":
            return Polynomial(self.degree, self._gamma, self.coef0)
        if self.kernel == "sigmoid":
            return Sigmoid(self._gamma, self.coef0)
        plain: dict[str, type[Kernel]] = {
            "linear": Linear,
            "min": Min,
            "precomputed": Precomputed,
        }
        return plain[self.kernel]()

    def _points(self, X: Any) -> tuple[Kernel, Points]:
        """The kernel and the rows made ready for it; what is not on one scale is named."""
        if not self._is_gram:
            _check_squares(X)
        moments = None
        if isinstance(X, np.ndarray) and not self._is_gram:
            moments = centred_gram(X, diagonal=True, dtype=np.float64)
            self._check_scales(np.sqrt(moments.scatter / moments.weight))
        self._gamma = self._resolve_gamma(X, moments)
        kernel, points = self._kernel(), Points.of(X)
        if not callable(self.kernel):
            with np.errstate(over="ignore"):
                largest = float(np.abs(kernel.diagonal(points)).max(initial=0.0))
            if not largest < _LARGEST_VALUE:
                raise ValueError(
                    f"X is too large for kernel={self.kernel!r}: k(x, x) reaches {largest:.3g}, "
                    f"and {_LARGEST_VALUE:.0e} is allowed. Scale the features."
                )
        self._check_cache(len(points))
        return kernel, points

    def _check_scales(self, spread: Array) -> None:
        """Warn where the features' standard deviations differ too much."""
        spread = spread[spread > 0]
        if len(spread) and spread.max() > _SCALES * spread.min():
            warnings.warn(
                f"{type(self).__name__}: the features' standard deviations lie between "
                f"{spread.min():.3g} and {spread.max():.3g}. A kernel sees the large ones only: "
                "scale the features, for instance by sklearn.preprocessing.StandardScaler.",
                UserWarning,
                stacklevel=2,
            )

    def _check_cache(self, n: int) -> None:
        needed = 2 * 4 * n / 2**20
        if self.cache_size < needed:
            warnings.warn(
                f"cache_size={self.cache_size:g} MB is less than two rows of the Gram matrix "
                f"({needed:.3g} MB for {n} samples): no row is kept, all are computed anew "
                "whenever they are needed.",
                UserWarning,
                stacklevel=2,
            )

    # ------------------------------------------------------------------ the fit

    def _max_steps(self) -> int | None:
        return None  # rounds are counted by nobody beforehand

    def _iterate(self, problem: Problem) -> Iterator[SMOState]:
        n_bytes = self.cache_size * 2**20
        cache = GramCache(problem.kernel, problem.points, problem.bounds, n_bytes)
        machines = problem.machines
        if self.shrinking and len(machines) == 1:
            rounds = solve_shrinking(machines[0], cache, tol=self.tol, max_iter=self.max_iter)
        else:
            rounds = solve(machines, cache, tol=self.tol, max_iter=self.max_iter)
        while True:
            with one_blas_thread():  # its other threads would wait for work, and take ours
                if next(rounds, _DONE) is _DONE:
                    return
                state = self._state(problem)
            yield state

    def _state(self, problem: Problem) -> SMOState:
        machines = problem.machines
        standings = [m.standing or m.stand() for m in machines]
        dual, gap = (sum(getattr(s, name) for s in standings) for name in ("dual", "gap"))
        state = SMOState(
            n_iter=max(m.n_iter for m in machines),
            objective=-dual,
            converged=all(m.why in ("tol", "gap") for m in machines),
            beta=tuple(s.beta for s in standings),
            intercepts=np.array([s.intercept for s in standings]),
            primal=dual + gap,
            dual=dual,
            gap=gap,
            n_support=sum(s.n_support for s in standings),
            n_bounded=sum(s.n_bounded for s in standings),
            violation=max(m.violation for m in machines),
            n_steps=tuple(m.n_iter for m in machines),
            ended_by=tuple(m.why for m in machines),
        )
        _log.log(
            logging.INFO if getattr(self, "verbose", False) else logging.DEBUG,
            "%d steps: dual %.8g, gap %.3g, %d support vectors, %d bounded",
            state.n_iter, dual, gap, state.n_support, state.n_bounded,
        )  # fmt: skip
        return state

    def _not_converged(self, problem: Problem, state: SMOState) -> str | None:
        if "max_iter" in state.ended_by:
            limit = "max_iter" if self.max_iter >= 0 else "the ceiling of steps for max_iter=-1"
            why = f"stopped at {limit} after {state.n_iter} steps"
        else:
            why = (
                f"stopped after {state.n_iter} steps, as rounding of the kernel values (or a "
                "kernel that is not positive semi-definite) hides any further decrease"
            )
        advice = "Scale the features, or raise tol or max_iter."
        if not all(np.isfinite(m.hi).all() for m in problem.machines):
            advice = "With C=inf there is no solution unless the classes can be separated."
        return (
            f"{type(self).__name__} did not converge: {why}, with a duality gap of "
            f"{state.gap:.3g} (primal {state.primal:.6g}, dual {state.dual:.6g}) and a largest "
            f"violation of {state.violation:.3g} (tol={self.tol:g}). {advice}"
        )

    def _as_fitted(self, X: Any, coef: Array) -> Any:
        """What `dual_coef_` holds: CSR where X is sparse."""
        return csr_like(X, coef) if sparse.issparse(X) else coef

    def _dense_duals(self) -> Array:
        """`dual_coef_` as an array."""
        duals: Any = self.dual_coef_
        dense: Array = duals if isinstance(duals, np.ndarray) else duals.toarray()
        return dense

    def _linear_coef(self, coef: Array) -> Any:
        """W of the linear kernel, (m, n_features): a product, so it cannot be written to."""
        if self.kernel != "linear":
            raise AttributeError("coef_ is there for kernel='linear' alone")
        rows = self.support_vectors_
        if sparse.issparse(rows):
            W = csr_like(rows, coef) @ rows
            W.data.flags.writeable = False
        else:
            W = np.asarray(coef @ rows)
            W.flags.writeable = False
        return W

    def _kept_rows(self, X: Any, rows: Array) -> Any:
        """What `support_vectors_` holds: rows of X; nothing of a precomputed Gram matrix."""
        if self._is_gram:
            return np.empty((0, 0), X.dtype)
        return X[rows]

    # ------------------------------------------------------------------ what a fit can do

    def _support_points(self, X: Any) -> tuple[Points, Points]:
        """Queries and support vectors, made ready for the kernel."""
        if self._is_gram:
            P = Points.of(X)
            return P, Points.numbers(self.support_, P)
        S = self.support_vectors_
        if S.dtype != X.dtype:
            X = X.astype(np.result_type(S.dtype, X.dtype), copy=False)
            S = S.astype(X.dtype, copy=False)
        Q = Points.of(S)
        return Points.of(X, like=Q), Q

    def _sums(self, X: Any, coef: Array) -> Array:
        """Σ_j coef_jm k(x_i, s_j) + b_m of validated rows; (n, n_machines), float64."""
        P, Q = self._support_points(X)
        return kernel_sums(self._kernel(), P, Q, coef) + self.intercept_

    def _queries(self, X: Any) -> Any:
        check_is_fitted(self)
        return self._validate(X, reset=False)

    def _gradients(self, X: Any, coef: Array) -> Array:
        """Gradients in x of the sums: (n, n_machines, d)."""
        X = self._queries(X)
        if sparse.issparse(X) or sparse.issparse(self.support_vectors_):
            raise TypeError("decision_gradient is for dense X: give X.toarray()")
        P, Q = self._support_points(X)
        parts = [
            self._kernel().weighted_gradient(P, Q, np.broadcast_to(c, (len(P), len(Q))))
            for c in coef.T.astype(P.dtype)
        ]
        return np.stack(parts, axis=1)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = not callable(self.kernel)
        tags.input_tags.pairwise = self.kernel == "precomputed"
        tags.input_tags.positive_only = self.kernel == "min"
        return tags


def _check_squares(X: Any) -> None:
    """Refuse rows whose squared distances overflow: any sum of kernels would be 0 or NaN."""
    numbers = X if isinstance(X, np.ndarray) else X.data
    largest = float(max(abs(numbers.max(initial=0)), abs(numbers.min(initial=0))))
    allowed = float(np.sqrt(np.finfo(X.dtype).max / (4 * X.shape[1])))
    if largest > allowed:
        raise ValueError(
            f"X is too large: it reaches {largest:.3g}, and squared distances of {X.dtype} rows "
            f"overflow beyond {allowed:.3g}: the dual coefficients or intercepts are not finite "
            "then. Scale the features."
        )


def _not_numbers(X: Any) -> bool:
    """Whether samples are texts, graphs or the like, which a callable kernel may take."""
    if sparse.issparse(X) or hasattr(X, "columns"):
        return False
    try:
        return np.asarray(X, dtype=np.float64).ndim == 0
    except (TypeError, ValueError):
        return np.asarray(X, dtype=object).ndim == 1


def csr_like(X: Any, dense: Array) -> Any:
    """Give a CSR array, or matrix, as X is: with an entry for every number of `dense`."""
    m, n = dense.shape
    indptr = np.arange(0, m * n + 1, n) if n else np.zeros(m + 1, np.intp)
    kind = sparse.csr_matrix if isinstance(X, sparse.spmatrix) else sparse.csr_array
    return kind((dense.ravel(), np.tile(np.arange(n), m), indptr), shape=(m, n))
