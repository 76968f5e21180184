"""What the multilayer perceptrons share: hidden layers, and their weights as attributes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, ClassVar, Self

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.validation import check_is_fitted

from kiso._gate import check_sample_weight, validate_data
from kiso._validation import FLOATS, Array, Integral, StrOptions, check_generator, positive
from kiso.nn import Affine, Network
from kiso.optim import Rule

from ._epochs import Adaptive, EpochState, Problem, build
from ._network_model import SHARE, NetworkModel
from ._partial import one_epoch

__all__ = ["MultilayerModel"]


class MultilayerModel(NetworkModel):
    """Base of the multilayer perceptrons."""

    _fits_parts = "epochs"

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "hidden_layer_sizes": ["array-like", positive(Integral)],
        "activation": [str, "array-like"],
        **NetworkModel._parameter_constraints,
        "solver": [StrOptions({"lbfgs", "sgd", "adam"})],
        "dropout": [SHARE, "array-like"],
    }

    hidden_layer_sizes: int | Sequence[int]
    activation: str | Sequence[str]
    dropout: float | Sequence[float]

    coefs_: list[Array]
    intercepts_: list[Array]
    n_iter_: int
    t_: int
    _memory: dict[str, Any]

    def _start(self, X: Array, n_outputs: int, rng: np.random.Generator) -> Network:
        hidden = np.atleast_1d(np.asarray(self.hidden_layer_sizes, dtype=object)).ravel()
        if any(not isinstance(n, Integral | np.integer) or n < 1 for n in hidden):
            raise ValueError(
                f"hidden_layer_sizes must be > 0, whole numbers; got {self.hidden_layer_sizes}"
            )
        sizes = [X.shape[1], *map(int, hidden), n_outputs]
        if self.warm_start and hasattr(self, "coefs_"):
            shapes = [W.shape for W in self.coefs_]
            if shapes != list(pairwise(sizes)):
                raise ValueError(f"warm_start: the last fit had weights {shapes}, this {sizes}")
            pairs = zip(self.coefs_, self.intercepts_, strict=True)
            last = [Affine(W.astype(X.dtype), b.astype(X.dtype)) for W, b in pairs]
            return build(
                sizes, self.activation, dropout=self.dropout, weights=lambda k, *_: last[k]
            )
        return build(
            sizes,
            self.activation,
            dropout=self.dropout,
            weights=lambda _, n_in, n_out: Affine.create(
                n_in, n_out, init=self.init, random_state=rng, dtype=X.dtype
            ),
        )

    def _rule(self, batch_size: int) -> tuple[Rule | None, Adaptive | None]:
        if self.rule is None and self.solver == "lbfgs":
            if self.early_stopping or np.any(np.asarray(self.dropout) > 0):
                raise ValueError("solver='lbfgs': it takes neither early_stopping nor dropout")
            if self.adversary is not None:
                raise ValueError(
                    "adversary: it attacks batches, and solver='lbfgs' has none; give "
                    "solver='adam' or 'sgd'"
                )
            return None, None
        return super()._rule(batch_size)

    def _takes_pieces(self) -> bool:
        if self.rule is None and self.solver == "lbfgs":
            raise AttributeError("partial_fit: solver='lbfgs' needs all data at once")
        return True

    def _partial_fit(self, X: Any, y: Any, classes: Any, sample_weight: Any = None) -> Self:
        """Take one epoch over a piece of the data, from the weights as they are."""
        self._validate_params()
        if self.early_stopping:
            raise ValueError(
                "partial_fit does not support early_stopping=True: a piece has no rows to set "
                "aside; watch a validation set of your own between the pieces"
            )
        first = not hasattr(self, "coefs_")
        X, y = self._validated(X, y, reset=first)
        self.validation_scores_ = None
        weight = None
        if sample_weight is not None:
            weight = check_sample_weight(sample_weight, X, dtype=np.float64, copy=True)
            if not weight.any():
                return self  # nothing to learn
        if first or (classes is not None and not hasattr(self, "classes_")):
            self._all_targets(y, classes)
        elif classes is not None:
            self._check_classes(y, classes)
        t, n_outputs, loss = self._targets(y, reset=False)
        rng = check_generator(self.random_state)
        size = min(200 if self.batch_size == "auto" else int(self.batch_size), len(X))
        rule, rate = self._rule(size)
        problem = Problem(
            self._start(X, n_outputs, rng) if first else self._as_it_is(), loss, X, t,
            self._weights(y, weight), None, self._score_of, rule, rate, size, self.shuffle,
            self.alpha, 1, self.tol, self._patience, rng, self.adversary,
        )  # fmt: skip
        progress, memory = one_epoch(problem, getattr(self, "_memory", {}))
        if progress.fault:
            raise FloatingPointError(f"partial_fit: it diverged at {progress.fault}")
        done, seen = getattr(self, "n_iter_", 0), getattr(self, "t_", 0)
        objective = progress.loss / progress.mass
        state = EpochState(n_iter=done + 1, objective=objective, n_steps=progress.n_steps)
        path = np.append(getattr(self, "objective_path_", []), objective)
        for name, value in self._fitted(problem, state).items():
            setattr(self, name, value)
        if self.verbose:
            self._say(state)
        self.t_, self._memory = seen + len(X), memory
        self.objective_path_ = path
        return self

    def _all_targets(self, y: Array, classes: Any) -> None:
        """Learn from the first piece, and from `classes`, what there is to predict."""
        self._targets(y, reset=True)

    def _check_classes(self, y: Array, classes: Any) -> None:
        """Refuse other classes than at the first piece."""

    def _as_it_is(self) -> Network:
        """Return the network over `coefs_` and `intercepts_` themselves, with dropout."""
        sizes = [self.coefs_[0].shape[0], *(W.shape[1] for W in self.coefs_)]
        pairs = list(zip(self.coefs_, self.intercepts_, strict=True))
        return build(
            sizes, self.activation, dropout=self.dropout, weights=lambda k, *_: Affine(*pairs[k])
        )

    def _validated(self, X: Any, y: Any, *, reset: bool) -> tuple[Array, Array]:
        if issparse(X):  # checked as it is, then dense: the layers' products are
            X = validate_data(self, X, dtype=FLOATS, accept_sparse="csr", reset=reset).toarray()
        return super()._validated(X, y, reset=reset)

    def _rows(self, X: Any) -> Any:
        rows: Any = validate_data(self, X, dtype=FLOATS, accept_sparse="csr", reset=False)
        return rows

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def _fitted(self, problem: Problem, state: EpochState) -> dict[str, Any]:
        affine = [layer for layer in problem.network if isinstance(layer, Affine)]
        return super()._fitted(problem, state) | {
            "_memory": {},  # of the rule, from one `partial_fit` to the next
            "coefs_": [layer.W.copy() for layer in affine],
            "intercepts_": [layer.b.copy() for layer in affine],
            "n_layers_": len(affine) + 1,
            "n_outputs_": affine[-1].W.shape[1],
        }

    @property
    def network_(self) -> Network:  # type: ignore[override]
        """The fitted network, without dropout: a new one over `coefs_` and `intercepts_`."""
        check_is_fitted(self)
        sizes = [self.coefs_[0].shape[0], *(W.shape[1] for W in self.coefs_)]
        pairs = list(zip(self.coefs_, self.intercepts_, strict=True))
        return build(sizes, self.activation, dropout=0.0, weights=lambda k, *_: Affine(*pairs[k]))
