"""What the two boosting estimators share: input, early stopping, raw predictions."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.metrics import check_scoring
from sklearn.model_selection import train_test_split
from sklearn.utils import _safe_indexing
from sklearn.utils._param_validation import RealNotInt
from sklearn.utils.validation import _check_monotonic_cst, check_consistent_length, check_is_fitted

from kiso._compute.threads import map_rows
from kiso._gate import check_sample_weight, validate_data
from kiso._validation import (
    FLOATS,
    RANDOM_STATE,
    Array,
    Integral,
    Interval,
    StrOptions,
    check_generator,
    positive,
)
from kiso.base import IterativeEstimator
from kiso.tree._columns import Columns
from kiso.tree._tree import Tree

from ._binning import Binner
from ._boosting import BoostingProblem, BoostingState, Held, TreeRules, boost
from ._boosting_loops import Limits
from ._losses import Loss
from ._voting_loops import add_values

__all__ = ["BaseHistGradientBoosting"]

_log = logging.getLogger("kiso.ensemble")
_SCORED = 10_000  # training rows that a scorer sees


@dataclass
class _Fit(BoostingProblem):
    """A problem with the scores of its steps."""

    train_scores: tuple[float, ...] = ()
    valid_scores: tuple[float, ...] = ()


class BaseHistGradientBoosting(IterativeEstimator[_Fit, BoostingState]):
    """A sum of small trees; the two kinds differ in their losses."""

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "learning_rate": [positive()],
        "max_iter": [positive(Integral)],
        "max_leaf_nodes": [Interval(Integral, 2, None, closed="left"), None],
        "max_depth": [positive(Integral), None],
        "min_samples_leaf": [positive(Integral)],
        "l2_regularization": [positive(zero=True)],
        "max_features": [Interval(RealNotInt, 0, 1, closed="right")],
        "monotonic_cst": ["array-like", dict, None],
        "interaction_cst": [list, tuple, StrOptions({"pairwise", "no_interactions"}), None],
        "n_iter_no_change": [positive(Integral)],
        "validation_fraction": [
            Interval(RealNotInt, 0, 1, closed="neither"), positive(Integral), None,
        ],
        "tol": [positive(zero=True)],
        "max_bins": [Interval(Integral, 2, 255, closed="both")],
        "categorical_features": ["array-like", StrOptions({"from_dtype"}), None],
        "warm_start": ["boolean"],
        "early_stopping": [StrOptions({"auto"}), "boolean"],
        "scoring": [str, callable, None],
        "verbose": ["verbose"],
        "random_state": RANDOM_STATE,
    }  # fmt: skip

    loss: str
    learning_rate: float
    max_iter: int
    max_leaf_nodes: int | None
    max_depth: int | None
    min_samples_leaf: int
    l2_regularization: float
    max_features: float
    max_bins: int
    categorical_features: Any
    monotonic_cst: Any
    interaction_cst: Any
    warm_start: bool
    early_stopping: Any
    scoring: Any
    validation_fraction: Any
    n_iter_no_change: int
    tol: float
    verbose: int
    random_state: Any
    n_features_in_: int
    n_trees_per_iteration_: int
    _trees: tuple[tuple[Tree, ...], ...]
    _baseline: Array
    _seed: int

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, *, X_val: Any = None, y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:  # fmt: skip
        """Fit the trees.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            NaN is a missing value.
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), default=None
            Not negative. Rows of weight 0 are left out.
        X_val, y_val, sample_weight_val : array-like, default=None
            Rows to stop early by, instead of a share of X.

        Returns
        -------
        self
        """
        return self._fit(
            X, y, sample_weight=sample_weight, X_val=X_val, y_val=y_val,
            sample_weight_val=sample_weight_val,
        )  # fmt: skip

    def _encode_targets(self, y: Array) -> Array:
        raise NotImplementedError

    def _learn_targets(self, y: Array) -> Loss:
        """Look at y; the loss to be minimised."""
        raise NotImplementedError

    def _row_weight(self, y: Array) -> Array | None:
        """Weights that follow from the classes."""
        return None

    def _stratify(self, y: Array) -> Array | None:
        return None

    def _read(self, X: Any, reset: bool) -> Array:
        if reset:
            self._columns = Columns(X, self.categorical_features)
            sizes = {j: len(codes) for j, codes in self._columns.categories.items()}
            for j, size in sizes.items():
                if size > self.max_bins:
                    names = getattr(X, "columns", None)
                    name = f"'{names[j]}'" if names is not None else f"at index {j}"
                    raise ValueError(
                        f"Categorical feature {name} is expected to have a cardinality <= "
                        f"{self.max_bins} but actually has a cardinality of {size}."
                    )
        X = self._columns.encode(X)
        return validate_data(self, X, reset=reset, dtype=FLOATS, ensure_all_finite=False)

    def _prepare(self, X: Any, y: Any = None, **fit_params: Any) -> _Fit:
        if y is None:
            raise ValueError(
                f"requires y to be passed, but the target y is None: {type(self).__name__}"
            )
        again = self.warm_start and hasattr(self, "_trees")
        raw_X = X
        table = self._read(X, reset=not again)
        y = self._check_y(y)
        check_consistent_length(table, y)
        weight = None
        given = fit_params.get("sample_weight")
        if given is not None:
            weight = check_sample_weight(given, table, dtype=np.float64, ensure_non_negative=True)
        loss = self._learn_targets(y)
        by_class = self._row_weight(y)
        if by_class is not None:
            weight = by_class if weight is None else weight * by_class
        encoded = self._encode_targets(y)
        rng = check_generator(self.random_state)
        seed = self._seed if again else int(rng.integers(2**31))
        self._seed = seed
        held_rows, kept = self._hold_out(raw_X, table, y, encoded, weight, fit_params, seed, loss)
        if weight is not None:
            kept = kept[weight[kept] > 0]
            if not len(kept):
                raise ValueError(
                    "sample_weight: all weights are zero; give at least one a positive weight"
                )
        if len(kept) < len(table):
            raw_X, y = _safe_indexing(raw_X, kept), y[kept]
            table, encoded = table[kept], encoded[kept]
            weight = None if weight is None else weight[kept]
        return self._pose(raw_X, y, table, encoded, weight, loss, held_rows, seed, again)

    def _check_y(self, y: Any) -> Array:
        raise NotImplementedError

    def _hold_out(
        self, raw_X: Any, table: Array, y: Array, encoded: Array, weight: Array | None,
        fit_params: dict[str, Any], seed: int, loss: Loss,
    ) -> tuple[Any, Array]:  # fmt: skip
        """The rows to stop early by (raw X, X, y, encoded y, weight), and those to train on."""
        everything = np.arange(len(table))
        X_val, y_val = fit_params.get("X_val"), fit_params.get("y_val")
        if (X_val is None) != (y_val is None):
            given, lacking = ("X_val", "y_val") if y_val is None else ("y_val", "X_val")
            raise ValueError(f"{given} is provided, but {lacking} was not provided.")
        if X_val is not None and self.early_stopping is False:
            raise ValueError(
                "X_val and y_val are passed to fit while at the same time early_stopping is "
                "False. When passing X_val and y_val to fit, early_stopping should be set to "
                "either 'auto' or True."
            )
        self.do_early_stopping_ = (
            len(table) > 10_000 or X_val is not None
            if self.early_stopping == "auto"
            else bool(self.early_stopping)
        )
        if X_val is not None:
            rows, target = self._read(X_val, reset=False), self._check_y(y_val)
            check_consistent_length(rows, target)
            w = fit_params.get("sample_weight_val")
            w = None if w is None else check_sample_weight(w, rows, dtype=np.float64)
            return (X_val, rows, target, self._encode_targets(target), w), everything
        if not self.do_early_stopping_ or self.validation_fraction is None:
            return None, everything
        kept, out = train_test_split(
            everything, test_size=self.validation_fraction, stratify=self._stratify(encoded),
            random_state=seed,
        )  # fmt: skip
        kept.sort()
        out.sort()
        own = None if weight is None else weight[out]
        return (_safe_indexing(raw_X, out), table[out], y[out], encoded[out], own), kept

    def _pose(
        self, raw_X: Any, y: Array, table: Array, encoded: Array, weight: Array | None,
        loss: Loss, held_rows: Any, seed: int, again: bool,
    ) -> _Fit:  # fmt: skip
        d = table.shape[1]
        n_categories = self._columns.n_categories(d)
        self.is_categorical_ = n_categories >= 0 if np.any(n_categories >= 0) else None
        signs = _check_monotonic_cst(self, self.monotonic_cst)
        if np.any((signs != 0) & (n_categories >= 0)):
            raise ValueError("Categorical features cannot have monotonic constraints.")
        if np.any(signs != 0) and loss.n_outputs > 1:
            raise ValueError(
                "monotonic constraints are not supported for multiclass classification."
            )
        binner = Binner.of(table, n_categories, self.max_bins, np.random.default_rng(seed))
        if not again:
            self._baseline = loss.first(encoded, weight)
        self.n_trees_per_iteration_ = loss.n_outputs
        held = None
        if held_rows is not None:
            raw = np.repeat(self._baseline, len(held_rows[1]), axis=1)
            held = Held(held_rows[1], held_rows[3], held_rows[4], raw)
        begun = self._trees if again else ()
        if len(begun) > self.max_iter:
            raise ValueError(
                f"max_iter={self.max_iter} must be larger than or equal to "
                f"n_iter_={len(begun)} when warm_start==True"
            )
        rules = TreeRules(
            Limits(float(self.l2_regularization), int(self.min_samples_leaf)),
            float(self.learning_rate), self.max_leaf_nodes, self.max_depth,
            float(self.max_features), self._groups(d),
        )  # fmt: skip
        problem = _Fit(
            table, encoded, weight, binner.bins(table, signs.astype(np.int8)), binner, loss, rules,
            self._baseline, seed, self.max_iter, held, lambda *_: (None, None, False), begun,
        )  # fmt: skip
        if again:
            problem.train_scores = tuple(self.train_score_.tolist())
            problem.valid_scores = tuple(self.validation_score_.tolist())
        if self.do_early_stopping_:
            self._watch(problem, raw_X, y, held_rows)
        return problem

    def _groups(self, n_features: int) -> list[set[int]] | None:
        """Features that may be together on a way down the tree."""
        given = self.interaction_cst
        if given is None:
            return None
        if isinstance(given, str):
            size = 1 if given == "no_interactions" else 2
            given = itertools.combinations(range(n_features), size)
        try:
            groups = [set(group) for group in given]
        except TypeError as error:
            raise ValueError(
                "Interaction constraints must be a sequence of tuples or lists, got: "
                f"{self.interaction_cst!r}."
            ) from error
        for group in groups:
            if not all(isinstance(x, Integral) and 0 <= int(x) < n_features for x in group):
                raise ValueError(
                    "Interaction constraints must consist of integer indices in "
                    f"[0, n_features - 1] = [0, {n_features - 1}], specifying the position of "
                    f"features, got invalid indices: {group!r}"
                )
        rest = set(range(n_features)).difference(*groups)
        return [*groups, rest] if rest else groups

    def _watch(self, problem: _Fit, raw_X: Any, y: Array, held_rows: Any) -> None:
        """Let the problem score its steps, and end where scores no longer rise."""
        scorer = None
        if self.scoring != "loss":
            scorer = check_scoring(self, self.scoring)
        some = np.arange(len(y))
        if len(y) > _SCORED:
            rng = np.random.default_rng(problem.seed)
            some = np.sort(rng.choice(some, _SCORED, replace=False))
        train_X, train_y = _safe_indexing(raw_X, some), y[some]

        def stop(
            trees: Any, objective: float, held_raw: Array | None
        ) -> tuple[float | None, float | None, bool]:
            held, valid = problem.held, None
            if scorer is None:
                train = -objective
                if held is not None and held_raw is not None:
                    valid = -problem.loss.mean(held_raw, held.y, held.weight)
            else:
                self._trees = trees
                train = float(scorer(self, train_X, train_y))
                if held is not None:
                    extra = {} if held.weight is None else {"sample_weight": held.weight}
                    valid = float(scorer(self, held_rows[0], held_rows[2], **extra))
            problem.train_scores = (*problem.train_scores, train)
            if valid is not None:
                problem.valid_scores = (*problem.valid_scores, valid)
            scores = problem.train_scores if valid is None else problem.valid_scores
            back = self.n_iter_no_change + 1
            over = len(scores) >= back and max(scores[1 - back :]) <= scores[-back] + self.tol
            return train, valid, over

        problem.stop = stop

    def _iterate(self, problem: _Fit) -> Iterator[BoostingState]:
        for state in boost(problem):
            if self.verbose:
                _log.info(
                    "step %d of %d: loss %.6g, train score %s, validation score %s",
                    state.n_iter, self.max_iter, state.objective, state.train_score,
                    state.validation_score,
                )  # fmt: skip
            yield state

    def _fitted(self, problem: _Fit, state: BoostingState) -> dict[str, Any]:
        scored = state.n_iter + 1
        return {
            "_trees": state.trees,
            "n_iter_": state.n_iter,
            "train_score_": np.array(problem.train_scores[:scored]),
            "validation_score_": np.array(problem.valid_scores[:scored]),
        }

    def _not_converged(self, problem: _Fit, state: BoostingState) -> str | None:
        return None

    def _add(self, X: Array, steps: Any, raw: Array) -> None:
        """Add the trees of some steps to raw predictions, rows in lanes."""
        numeric = not self._columns.categories
        trees = [
            (c, tree, *(tree.routes() if numeric else ()))
            for step in steps
            for c, tree in enumerate(step)
        ]

        def task(rows: slice) -> None:
            part = np.ascontiguousarray(X[rows])
            for c, tree, *route in trees:
                if numeric:
                    own = raw[c, rows].reshape(-1, 1)
                    add_values(part, route[0], route[1], tree.value[:, 0], own)
                else:
                    raw[c, rows] += tree.value[tree.apply(part), 0, 0]

        map_rows(task, len(X), min_rows=256)

    def _raw(self, X: Any) -> Array:
        """Raw predictions, shape (n_trees_per_iteration_, n_samples)."""
        check_is_fitted(self, "_trees")
        X = self._read(X, reset=False)
        raw = np.repeat(self._baseline, len(X), axis=1)
        self._add(X, self._trees, raw)
        return raw

    def _staged_raw(self, X: Any) -> Iterator[Array]:
        check_is_fitted(self, "_trees")
        X = self._read(X, reset=False)
        raw = np.repeat(self._baseline, len(X), axis=1)
        for step in self._trees:
            self._add(X, [step], raw)
            yield raw.copy()
