"""The data sets that scikit-learn brings along, so that there is always one to try."""

from __future__ import annotations

import numpy as np

from ._table import Table

__all__ = ["BUNDLED", "DEFAULT", "bundled_table"]

DEFAULT = "breast_cancer"
# name -> name of its target column
BUNDLED = {
    "breast_cancer": "diagnosis",
    "diabetes": "progression",
    "digits": "digit",
    "iris": "species",
    "wine": "cultivar",
}


def bundled_table(name: str = DEFAULT) -> Table:
    """Return a data set that scikit-learn bundles, its classes by name.

    Examples
    --------
    >>> table = bundled_table("iris")
    >>> table.frame.shape, table.default_target
    ((150, 5), 'species')
    """
    import pandas as pd
    from sklearn import datasets

    bunch = getattr(datasets, f"load_{name}")(as_frame=True)
    frame = bunch.data.copy()
    labels = bunch.target.to_numpy()
    target = BUNDLED[name]
    names = getattr(bunch, "target_names", None)
    if names is not None:
        labels = np.array([str(names[i]) for i in labels], dtype=object)
    frame[target] = pd.Series(labels, dtype=labels.dtype)
    note = f"{name} is one of the data sets that scikit-learn bundles; its target is {target!r}."
    return Table(frame, name, [note], default_target=target)
