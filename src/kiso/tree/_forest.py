"""Where forests stood before 0.2: model files of that time name this module."""

from importlib import import_module
from typing import Any


def __getattr__(name: str) -> Any:
    if name in ("RandomForestClassifier", "RandomForestRegressor"):
        return getattr(import_module("kiso.ensemble"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
