"""kiso: machine learning from first principles at production speed.

Every estimator keeps scikit-learn's names, parameters and fitted attributes; the
iterative ones can also be run step by step (`estimator.steps(X, y)`).
Subpackages load when they are first used: ``import kiso`` costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_SUBPACKAGES = (
    "adversarial",
    "approximation",
    "base",
    "cli",
    "cluster",
    "comparison",
    "datasets",
    "decomposition",
    "ensemble",
    "experiments",
    "few_shot",
    "inference",
    "inspection",
    "linear_model",
    "losses",
    "neural_network",
    "nn",
    "neighbors",
    "optim",
    "patch",
    "persistence",
    "precompile",
    "report",
    "scattering",
    "svm",
    "tree",
)

if TYPE_CHECKING:
    from .patch import all_estimators, patch_sklearn, unpatch_sklearn

__all__ = ["__version__", "all_estimators", "patch_sklearn", "unpatch_sklearn"]


def __getattr__(name: str) -> Any:
    if name in _SUBPACKAGES:
        return import_module(f"{__name__}.{name}")
    if name in __all__:
        return getattr(import_module(f"{__name__}.patch"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_SUBPACKAGES, *__all__})
