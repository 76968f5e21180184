"""Pictures of any fitted model."""

from ._images import plot_filters, plot_worst_images
from ._margin import plot_margin, plot_margin_steps
from ._regions import plot_decision_regions

__all__ = [
    "plot_decision_regions",
    "plot_filters",
    "plot_margin",
    "plot_margin_steps",
    "plot_worst_images",
]
