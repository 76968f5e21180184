"""The house prices of CS229: 47 houses of Portland, Oregon."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

# living area in square feet, bedrooms, price in dollars
_ROWS = (
    (2104, 3, 399900), (1600, 3, 329900), (2400, 3, 369000), (1416, 2, 232000),
    (3000, 4, 539900), (1985, 4, 299900), (1534, 3, 314900), (1427, 3, 198999),
    (1380, 3, 212000), (1494, 3, 242500), (1940, 4, 239999), (2000, 3, 347000),
    (1890, 3, 329999), (4478, 5, 699900), (1268, 3, 259900), (2300, 4, 449900),
    (1320, 2, 299900), (1236, 3, 199900), (2609, 4, 499998), (3031, 4, 599000),
    (1767, 3, 252900), (1888, 2, 255000), (1604, 3, 242900), (1962, 4, 259900),
    (3890, 3, 573900), (1100, 3, 249900), (1458, 3, 464500), (2526, 3, 469000),
    (2200, 3, 475000), (2637, 3, 299900), (1839, 2, 349900), (1000, 1, 169900),
    (2040, 4, 314900), (3137, 3, 579900), (1811, 4, 285900), (1437, 3, 249900),
    (1239, 3, 229900), (2132, 4, 345000), (4215, 4, 549000), (2162, 4, 287000),
    (1664, 2, 368500), (2238, 3, 329900), (2567, 4, 314000), (1200, 3, 299000),
    (852, 2, 179900), (1852, 4, 299900), (1203, 3, 239500),
)  # fmt: skip
_NAMES = ["house_size", "bedrooms", "price"]


@overload
def load_portland_housing(
    *, as_frame: Literal[False] = False
) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...
@overload
def load_portland_housing(*, as_frame: Literal[True]) -> pd.DataFrame: ...
def load_portland_housing(*, as_frame: bool = False) -> Any:
    """Return the living area, bedrooms and price of 47 houses in Portland, Oregon.

    The running example of Andrew Ng's CS229 lecture notes, part I, and the file
    `ex1data2.txt` of the exercises of his first online course on machine learning, from
    which the rows are taken as they are.

    Parameters
    ----------
    as_frame : bool, default=False
        Return one table with the columns house_size, bedrooms and price.

    Returns
    -------
    X : ndarray of shape (47, 2)
        Living area in square feet and number of bedrooms.
    y : ndarray of shape (47,)
        Price in dollars.

    Examples
    --------
    >>> from kiso.datasets import load_portland_housing
    >>> X, y = load_portland_housing()
    >>> X[0], y[0]
    (array([2104.,    3.]), np.float64(399900.0))
    """
    rows = np.array(_ROWS, dtype=np.float64)
    if not as_frame:
        return rows[:, :2], rows[:, 2]
    import pandas as pd

    return pd.DataFrame(np.array(_ROWS), columns=_NAMES)
