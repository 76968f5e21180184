"""Pictures of constructed networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ._network import TanhNetwork

__all__ = ["plot"]


def plot(made: TanhNetwork, n_points: int = 801) -> Figure:
    """Draw targets and network above, |error| and its bound below, one colour an output."""
    from matplotlib.figure import Figure

    x = made.points(n_points)
    wanted, given = made.targets(x), made.values(x)
    figure = Figure(figsize=(7, 6), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    for k, name in enumerate(made.names):
        colour = f"C{k % 10}"
        above.plot(x, wanted[:, k], color=colour, lw=4, alpha=0.35, label=f"{name}, exact")
        above.plot(x, given[:, k], color=colour, lw=1.2, label=f"{name}, network")
        error = np.abs(given[:, k] - wanted[:, k])
        below.semilogy(x, np.maximum(error, 1e-18), color=colour, lw=1)
        below.axhline(made.error_bound[k], color=colour, ls=":", lw=1)
    above.legend(fontsize="small", ncols=max(1, len(made.names) // 3))
    above.set_title(f"Constructed tanh network, {made.n_units} units, h = {float(made.h):.3g}")
    below.set(xlabel="x", ylabel="|error| (dotted: bound)")
    return figure
