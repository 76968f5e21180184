"""A common shift for squared distances, and the number of features up to which they subtract.

    ‖x_i − y_j‖² = ‖x_i‖² + ‖y_j‖² − 2 x_i·y_j

cancels: in arithmetic of unit roundoff u its value is off by at most

    ε_i = (d/2 + 8) u (‖x_i‖ + max_j ‖y_j‖)²

(2 |x·y| γ_d for the product, the rest for norms, sum and shift). So everything is shifted first by
a point from the middle of the data, where they lie far from the origin compared with their spread.
`kiso.cluster`, `kiso.neighbors` and `kiso.svm` do so, and take decisions that ε_i could change
again by subtraction.
"""

from __future__ import annotations

import numpy as np

from kiso._compute.gram import near_mean
from kiso._validation import Array

__all__ = ["DIRECT_FEATURES", "common_shift"]

DIRECT_FEATURES = 8  # up to so many, subtraction is faster than a product
_OFF_CENTRE = 4.0  # ‖mean‖² in variances from where a shift pays
_SAMPLED_ROWS = 64


def common_shift(X: Array) -> Array | None:
    """Give a point in the middle of the data, or None where they lie about the origin.

    Looks at no more than 64 rows. Its coordinates are values of the data, so that the
    subtraction is exact where it matters.
    """
    some = X[:: max(1, -(-len(X) // _SAMPLED_ROWS))].astype(np.float64)
    with np.errstate(all="ignore"):
        mean = some.mean(axis=0)
        near_origin = mean @ mean <= _OFF_CENTRE * np.var(some, axis=0).sum()
    return None if near_origin or len(some) == 0 else near_mean(X)
