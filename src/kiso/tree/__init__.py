"""Decision trees: exact splits, categorical features, every split a step."""

from ._base import TreeState
from ._classifier import DecisionTreeClassifier
from ._pictures import export_text, plot_tree
from ._regressor import DecisionTreeRegressor
from ._tree import Tree

__all__ = [
    "DecisionTreeClassifier",
    "DecisionTreeRegressor",
    "Tree",
    "TreeState",
    "export_text",
    "plot_tree",
]

_MOVED = ("ForestState", "RandomForestClassifier", "RandomForestRegressor")


def __getattr__(name: str) -> object:
    """Forests stood here before 0.2; imports of that time keep working."""
    if name in _MOVED:
        import importlib
        import warnings

        warnings.warn(
            f"kiso.tree.{name} has moved: import it from kiso.ensemble",
            FutureWarning,
            stacklevel=2,
        )
        return getattr(importlib.import_module("kiso.ensemble"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
