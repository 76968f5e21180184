"""How examples of the gallery are run."""

from __future__ import annotations

from typing import Any


def reset(gallery_conf: dict[str, Any], fname: str) -> None:
    """Every example starts in the style of the house, with the same random numbers."""
    import matplotlib as mpl
    import numpy as np

    from kiso.report import house_style

    mpl.rcdefaults()
    mpl.use("agg")
    with house_style():
        style = dict(mpl.rcParams)
    mpl.rcParams.update({**style, "savefig.dpi": 160})  # pictures are saved after the block
    np.random.seed(0)  # noqa: NPY002 - for libraries that draw from the global state
