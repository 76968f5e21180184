"""Principal components: scikit-learn's names; one pass over the data, digits kept."""

from ._incremental import IncrementalPCA
from ._pca import PCA

__all__ = ["PCA", "IncrementalPCA"]
