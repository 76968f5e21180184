"""From validated input and parameters to what the loops take."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np

from kiso._validation import Array, Integral

from ._coding import code_features
from ._common_loops import ABSOLUTE, ENTROPY, GINI, LN2, MOMENT, POISSON
from ._growth import Growth
from ._records_loops import Rules, Table
from ._tree import Units

__all__ = ["Problem", "Targets", "make_problem", "resolve_max_features"]


@dataclass
class Targets:
    """y as the loops see it.

    `label` is the class, or the rank of y; `y` is centred for a regression, which keeps
    the digits of small differences between large values. Of several outputs both are the
    first; `outputs` has all of them.
    """

    y: Array
    label: Array
    outputs: Array  # (n_outputs, n)
    n_classes: tuple[int, ...] = ()  # of each output; nothing for a regression
    centre: Array | float = 0.0
    unit: float = 1.0  # a power of two that y was divided by: squares of 1e200 have no float64

    @property
    def n_outputs(self) -> int:
        """Number of outputs."""
        return len(self.outputs)

    @staticmethod
    def of_classes(codes: Array, n_classes: tuple[int, ...]) -> Targets:
        """From class codes 0, 1, ... of shape (n, n_outputs)."""
        outputs = np.ascontiguousarray(codes.T, dtype=np.float64)
        return Targets(outputs[0], codes[:, 0].astype(np.int32), outputs, n_classes)

    @staticmethod
    def of_values(y: Array, criterion: str) -> Targets:
        """From numbers of shape (n, n_outputs)."""
        outputs = np.array(y.T, dtype=np.float64, order="C")
        # s log(s/w) has no unit of its own, so that ties would depend on that of y
        unit = power_of_two(float(np.abs(outputs).max(initial=0.0)), criterion == "poisson")
        outputs /= unit
        rank = np.zeros(len(y), np.int32)
        if criterion == "absolute_error" and len(outputs) == 1:
            rank[np.argsort(outputs[0], kind="stable")] = np.arange(len(y), dtype=np.int32)
        if criterion != "squared_error":
            return Targets(outputs[0], rank, outputs, unit=unit)
        # of y close together and far from 0, where a difference has no rounding error
        mean = np.mean(outputs, axis=1)
        spread = np.ptp(outputs, axis=1)
        centre = np.where(np.abs(mean) > 4.0 * spread, mean, 0.0)
        outputs -= centre[:, None]
        return Targets(outputs[0], rank, outputs, (), centre, unit)


def least_decrease(asked: float, unit: float) -> float:
    """`min_impurity_decrease` in the unit of the loops, which may be 0 or infinite."""
    if asked == 0.0:
        return 0.0
    return asked / unit if unit > 0.0 else np.inf


def power_of_two(largest: float, always: bool = False) -> float:
    """1 for ordinary numbers; for those whose squares or cubes overflow or vanish their scale."""
    if largest == 0.0 or (2.0**-100 <= largest <= 2.0**100 and not always):
        return 1.0
    return float(np.ldexp(1.0, max(np.frexp(largest)[1], -1022)))


@dataclass
class Problem:
    """Coded data and rules, shared by the trees of a forest."""

    codes: Array
    values: Array
    offset: Array
    n_categories: Array
    targets: Targets
    weight: Array
    settings: dict[str, Any]
    monotonic: Array | None = None
    best_first: bool = False

    def growth(self, seed: int, weight: Array | None = None) -> Growth:
        """Return a tree that has not begun to grow."""
        weight = self.weight if weight is None else weight
        mass = power_of_two(float(weight.max()))
        weight = weight / mass
        total = float(weight.sum())
        rules = self.rules(total)
        none = np.empty((0, 0))
        monotonic = np.zeros(len(self.codes)) if self.monotonic is None else self.monotonic
        table = Table(
            self.codes, self.values, self.offset, self.n_categories >= 0,
            self.targets.y, self.targets.label, weight,
            self.targets.outputs if rules.by_cost else none, monotonic.astype(np.int8),
        )  # fmt: skip
        return Growth(
            table, rules, seed, self.settings["max_leaf_nodes"], self.targets.n_classes,
            self.targets.centre, self.n_categories, self.units(mass),
        )  # fmt: skip

    def units(self, mass: float) -> Units:
        """What the loops' numbers have to be multiplied by; `mass` is that of weights."""
        unit = self.targets.unit
        squared = self.settings["criterion"] == "squared_error"
        with np.errstate(over="ignore", under="ignore"):
            return Units(unit, float(np.float64(unit) ** 2) if squared else unit, mass)

    @property
    def by_cost(self) -> bool:
        """Whether only `_cost_loops` can do this."""
        return (
            self.targets.n_outputs > 1
            or self.monotonic is not None
            or self.settings["criterion"] == "poisson"
        )

    def rules(self, total: float) -> Rules:
        """Rules of a tree whose rows weigh `total`."""
        p, n_outputs = self.settings, self.targets.n_outputs
        n_classes = max(self.targets.n_classes, default=0)
        by_cost = self.by_cost
        n = self.codes.shape[1]
        leaf, parting = p["min_samples_leaf"], p["min_samples_split"]
        min_leaf = leaf if isinstance(leaf, Integral) else ceil(leaf * n)
        min_split = parting if isinstance(parting, Integral) else ceil(parting * n)
        mode, scale = {
            "gini": (MOMENT, 2.0) if n_classes <= 2 and not by_cost else (GINI, 1.0),
            "entropy": (ENTROPY, 1 / LN2),
            "log_loss": (ENTROPY, 1 / LN2),
            "squared_error": (MOMENT, 1.0),
            "absolute_error": (ABSOLUTE, 1.0),
            "poisson": (POISSON, 1.0),
        }[p["criterion"]]
        return Rules(
            mode=int(mode),
            n_stats=(max(2, n_classes) if n_classes else 1) * n_outputs,
            scale=scale,
            max_features=resolve_max_features(p["max_features"], len(self.codes)),
            random=p.get("splitter", "best") == "random",
            min_split=int(max(2, min_split)),
            min_leaf=int(min_leaf),
            min_weight=float(p["min_weight_fraction_leaf"] * total),
            max_depth=int(2**31 - 1 if p["max_depth"] is None else p["max_depth"]),
            min_decrease=least_decrease(p["min_impurity_decrease"], self.units(1.0).impurity),
            total=total,
            by_cost=by_cost,
            n_outputs=n_outputs,
            monotonic=self.monotonic is not None,
        )


def resolve_max_features(max_features: Any, n_features: int) -> int:
    """Number of features tried at a split."""
    if max_features is None:
        return n_features
    if max_features == "sqrt":
        return max(1, int(np.sqrt(n_features)))
    if max_features == "log2":
        return max(1, int(np.log2(n_features)))
    if isinstance(max_features, Integral):
        return int(max_features)
    return max(1, int(max_features * n_features))


def make_problem(
    X: Any,
    n_categories: Array,
    targets: Targets,
    weight: Array,
    settings: dict[str, Any],
    monotonic: Array | None = None,
) -> Problem:
    """Code the features and put everything together."""
    codes, values, offset = code_features(X, n_categories)
    return Problem(codes, values, offset, n_categories, targets, weight, settings, monotonic)
