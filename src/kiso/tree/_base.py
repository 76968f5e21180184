"""What the two trees and the two forests share: parameters, input, weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.utils import Bunch
from sklearn.utils._param_validation import RealNotInt
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.validation import _check_n_features, check_is_fitted

from kiso._gate import (
    check_array,
    check_sample_weight,
    column_or_1d,
    open_labels,
    open_rows,
    validate_data,
)
from kiso._validation import (
    FLOATS,
    RANDOM_STATE,
    Array,
    Integral,
    Interval,
    Real,
    StrOptions,
    check_generator,
    positive,
)
from kiso.base import IterativeEstimator, State

from ._columns import Columns
from ._growth import Growth, best_first, level_by_level
from ._problem import Problem, Targets, make_problem
from ._tree import Tree

__all__ = ["GROWTH", "BaseTree", "TreeInput", "TreeState", "draw_seed"]

GROWTH: dict[str, Any] = {
    "max_depth": [positive(Integral), None],
    "min_samples_split": [
        Interval(Integral, 2, None, closed="left"),
        Interval(RealNotInt, 0.0, 1.0, closed="right"),
    ],
    "min_samples_leaf": [positive(Integral), Interval(RealNotInt, 0.0, 1.0, closed="neither")],
    "min_weight_fraction_leaf": [Interval(Real, 0.0, 0.5, closed="both")],
    "max_features": [
        positive(Integral),
        Interval(RealNotInt, 0.0, 1.0, closed="right"),
        StrOptions({"sqrt", "log2"}),
        None,
    ],
    "random_state": RANDOM_STATE,
    "max_leaf_nodes": [Interval(Integral, 2, None, closed="left"), None],
    "min_impurity_decrease": [positive(zero=True)],
    "ccp_alpha": [positive(zero=True)],
    "categorical_features": ["array-like", StrOptions({"from_dtype"}), None],
    "monotonic_cst": ["array-like", None],
}

SETTINGS = (
    "criterion", "splitter", "max_depth", "min_samples_split", "min_samples_leaf",
    "min_weight_fraction_leaf", "max_features", "max_leaf_nodes", "min_impurity_decrease",
)  # fmt: skip


def draw_seed(rng: np.random.Generator) -> int:
    """Return a seed of one tree."""
    return int(rng.integers(2**63))


@dataclass(frozen=True, kw_only=True)
class TreeState(State):
    """A tree after a split (`steps`) or after a level (`fit` without `max_leaf_nodes`).

    Attributes
    ----------
    objective : float
        Impurity of the leaves, weighted by their share of the rows.
    n_leaves : int
    """

    n_leaves: int
    growth: Growth = field(repr=False)

    @property
    def tree(self) -> Tree:
        """The tree as of this state."""
        return self.growth.tree(2 * self.n_leaves - 1)


def _as_columns(y: Array) -> Array:
    return y.reshape(-1, 1) if y.ndim == 1 else y


class TreeInput:
    """Validation of X, y and weights; mixed into trees and forests."""

    _says_column: ClassVar[bool] = False  # whether y of shape (n, 1) is worth a warning
    categorical_features: Any
    monotonic_cst: Any
    n_features_in_: int

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = True
        tags.target_tags.multi_output = True
        return tags

    def _read(self, X: Any, y: Any, check: bool = True) -> tuple[Any, Array]:
        """Encode categories, refuse infinity; X as float32 or float64, y as columns.

        A sparse X becomes CSC, whose zeros are zeros and not missing.
        """
        if not check:
            self._columns = Columns(X, None)
            return self._unchecked(X, True), _as_columns(np.asarray(y))
        if sp.issparse(X) and not isinstance(self.categorical_features, str | None):
            raise ValueError("categorical_features: a sparse X has none; give a dense X")
        frame = hasattr(X, "columns") and not sp.issparse(X)
        named = not isinstance(self.categorical_features, str)
        if not (frame or named or self.categorical_features != "from_dtype"):
            self._columns = Columns(X, None)
        else:
            self._columns = Columns(X, self.categorical_features)
            X = self._columns.encode(open_rows(X))
        y = check_array(
            open_labels(y),
            ensure_2d=False,
            dtype=np.float64 if self._of_numbers() else None,
            input_name="y",
            estimator=self,
        ) if y is not None else y  # fmt: skip
        if y is not None and y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=self._says_column)
        X, y = validate_data(
            self,
            X,
            y,
            dtype=FLOATS,
            accept_sparse="csc",
            ensure_all_finite=True if sp.issparse(X) else "allow-nan",
            multi_output=True,
            y_numeric=self._of_numbers(),
        )
        return X, _as_columns(y)

    def _unchecked(self, X: Any, reset: bool) -> Any:
        """X as the caller has checked it."""
        sparse = sp.issparse(X)
        if not sparse and np.ndim(X) != 2:
            raise TypeError(
                f"check_input=False: X has to be a 2-D array or a sparse matrix, "
                f"not {type(X).__name__}"
            )
        if getattr(X, "dtype", None) not in FLOATS:
            raise ValueError("check_input=False: X has to be of float32 or float64")
        _check_n_features(self, X, reset=reset)
        return X.tocsc() if sparse and reset else X

    def _of_numbers(self) -> bool:
        return False

    def _read_queries(self, X: Any, check: bool = True) -> Any:
        check_is_fitted(self)
        if not check:
            return self._unchecked(X, False)
        X = self._columns.encode(X)
        return validate_data(
            self,
            X,
            dtype=FLOATS,
            reset=False,
            accept_sparse="csr",
            ensure_all_finite=True if sp.issparse(X) else "allow-nan",
        )

    def _signs(self, n_features: int, n_outputs: int) -> Array | None:
        """The monotonic constraints as numbers; None where there are none."""
        if self.monotonic_cst is None:
            return None
        if n_outputs > 1:
            raise ValueError(
                "Monotonicity constraints are not supported with multiple outputs: "
                f"monotonic_cst was given and y has {n_outputs} outputs"
            )
        signs = np.asarray(self.monotonic_cst)
        if signs.shape != (n_features,):
            raise ValueError(
                f"monotonic_cst has shape {','.join(map(str, signs.shape))} but the input data X "
                f"has {n_features} features."
            )
        if not np.all(np.isin(signs, (-1, 0, 1))):
            raise ValueError(
                "monotonic_cst must be None or an array-like of -1, 0 or 1, but got "
                f"{np.unique(signs)}"
            )
        constrained = [j for j in np.flatnonzero(signs) if j in self._columns.categories]
        if constrained:
            raise ValueError(
                f"monotonic_cst: the features {constrained} are categorical, and categories have "
                "no order; give 0 there"
            )
        return signs.astype(np.int8) if np.any(signs) else None

    def _weights(self, X: Any, y: Array, sample_weight: Any, class_weight: Any) -> Array:
        weight = check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        if class_weight is not None:
            own = y[:, 0] if y.shape[1] == 1 else y
            weight = weight * compute_sample_weight(class_weight, own)
        if not weight.sum() > 0:
            raise ValueError(
                "sample_weight: all weights are zero; give at least one a positive weight"
            )
        return weight

    def _pose(
        self, X: Any, targets: Targets, weight: Array, monotonic: Array | None = None
    ) -> Problem:
        settings = {name: getattr(self, name, None) for name in SETTINGS}
        n_categories = self._columns.n_categories(X.shape[1])
        return make_problem(X, n_categories, targets, weight, settings, monotonic)


class BaseTree(TreeInput, IterativeEstimator[Problem, TreeState]):
    """A decision tree; the two kinds differ in their targets."""

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **GROWTH,
        "splitter": [StrOptions({"best", "random"})],
    }

    random_state: Any
    max_features: Any
    max_leaf_nodes: Any
    ccp_alpha: float
    tree_: Tree

    def steps(self, X: Any, y: Any = None, **fit_params: Any) -> Iterator[TreeState]:
        """Fit split by split: the split that decreases total impurity most comes first.

        After each state the estimator is fitted as of that state. The last state has the
        tree that `fit` grows. `ccp_alpha` prunes each of them.

        Parameters
        ----------
        X, y, **fit_params
            As for `fit`.

        Returns
        -------
        iterator of TreeState
            With `n_iter`, `objective`, `n_leaves` and `tree`.
        """
        self._validate_params()
        problem = replace(self._prepare(X, y, **fit_params), best_first=True)
        return self._walk(problem)

    def _max_steps(self) -> int | None:
        return None

    def _iterate(self, problem: Problem) -> Iterator[TreeState]:
        growth = problem.growth(draw_seed(check_generator(self.random_state)))
        by_split = problem.best_first or self.max_leaf_nodes is not None
        grow = best_first(growth) if by_split else level_by_level(growth)
        for n_iter, last in enumerate(grow, start=1):
            yield TreeState(
                n_iter=n_iter,
                objective=growth.objective(),
                converged=last,
                n_leaves=(int(growth.nodes.made[0]) + 1) // 2,
                growth=growth,
            )

    def _fitted(self, problem: Problem, state: TreeState) -> dict[str, Any]:
        tree = state.tree
        if self.ccp_alpha > 0:
            tree = tree.pruned(self.ccp_alpha)
        return {"tree_": tree, "max_features_": state.growth.rules.max_features}

    @property
    def feature_importances_(self) -> Array:
        """Share of each feature in the decrease of impurity (they sum to 1)."""
        check_is_fitted(self)
        return self.tree_.compute_feature_importances()

    def get_depth(self) -> int:
        """Return the length of the longest way from the root to a leaf."""
        check_is_fitted(self)
        return self.tree_.max_depth

    def get_n_leaves(self) -> int:
        """Return the number of leaves."""
        check_is_fitted(self)
        return self.tree_.n_leaves

    def apply(self, X: Any, check_input: bool = True) -> Array:
        """Return the leaf of each row, shape (n_samples,)."""
        X = self._read_queries(X, check_input)
        return self.tree_.apply(X)

    def decision_path(self, X: Any, check_input: bool = True) -> Any:
        """Return the nodes that each row passes, as a CSR indicator matrix."""
        X = self._read_queries(X, check_input)
        return self.tree_.decision_path(X)

    def cost_complexity_pruning_path(self, X: Any, y: Any, sample_weight: Any = None) -> Bunch:
        """Grow without pruning, then cut the weakest links one after the other.

        Returns
        -------
        Bunch
            `ccp_alphas`, rising from 0, and `impurities`, the total impurity after each cut.
        """
        whole = clone(self).set_params(ccp_alpha=0.0).fit(X, y, sample_weight=sample_weight)
        alphas, impurities, _ = whole.tree_.pruning_path()
        return Bunch(ccp_alphas=np.array(alphas), impurities=np.array(impurities))
