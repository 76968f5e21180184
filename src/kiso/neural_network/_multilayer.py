"""What the multilayer perceptrons share: hidden layers, and their weights as attributes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
from sklearn.utils.validation import check_is_fitted

from kiso._validation import Array, Integral, StrOptions, positive
from kiso.nn import Affine, Network
from kiso.optim import Rule

from ._epochs import Adaptive, EpochState, Problem, build
from ._network_model import SHARE, NetworkModel

__all__ = ["MultilayerModel"]


class MultilayerModel(NetworkModel):
    """Base of the multilayer perceptrons."""

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
            return None, None
        return super()._rule(batch_size)

    def _fitted(self, problem: Problem, state: EpochState) -> dict[str, Any]:
        affine = [layer for layer in problem.network if isinstance(layer, Affine)]
        return super()._fitted(problem, state) | {
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
