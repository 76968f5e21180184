"""Claims of the source texts, checked: one file a topic, run by `kiso reproduce`."""

from ._protocol import Check, Experiment, Outcome, at_least, at_most, close
from ._registry import load, names

__all__ = ["Check", "Experiment", "Outcome", "at_least", "at_most", "close", "load", "names"]
