"""Claims of the source texts, checked: one file a topic, run by `kiso reproduce`."""

from ._chapters import CHAPTERS, chapter_of, reading_order
from ._protocol import Check, Experiment, Outcome, at_least, at_most, close, untestable
from ._registry import load, names

__all__ = [
    "CHAPTERS",
    "Check",
    "Experiment",
    "Outcome",
    "at_least",
    "at_most",
    "chapter_of",
    "close",
    "load",
    "names",
    "reading_order",
    "untestable",
]
