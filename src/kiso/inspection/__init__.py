"""Pictures of any fitted model."""

from ._regions import plot_decision_regions

__all__ = ["plot_decision_regions"]
