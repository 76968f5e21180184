"""Pictures of descents."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from kiso._validation import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_trajectories"]


def plot_trajectories(
    fun: Callable[..., Any],
    runs: Mapping[str, Any],
    ax: Axes | None = None,
    *,
    xlim: tuple[float, float] | None = None,
    ylim: tuple[float, float] | None = None,
    n_levels: int = 25,
) -> Axes:
    """Draw trajectories over the contours of a function of two variables.

    Parameters
    ----------
    fun : callable
        An `Objective`, or a function x → f or x → (f, ∇f), x of shape (2,).
    runs : mapping of str to trajectory
        What to draw, by its name in the legend: the states of `descent` (or any objects
        with an `x`), or an array of shape (n_points, 2).
    ax : matplotlib Axes or None, default None
        Where to draw; None makes a new figure (`ax.figure`).
    xlim, ylim : (low, high) or None
        What to show; None for what holds all trajectories and known minima.
    n_levels : int, default 25
        Contour lines, closer together near the minimum.

    Returns
    -------
    matplotlib Axes
        The axis drawn on.

    Raises
    ------
    ValueError
        If a trajectory has another shape, or there is none.

    Examples
    --------
    >>> from kiso.optim import Adam, Himmelblau, Momentum, descent, plot_trajectories
    >>> f = Himmelblau()
    >>> rules = {"Adam": Adam(0.2), "momentum": Momentum(0.003)}
    >>> ax = plot_trajectories(
    ...     f, {name: descent(f, f.start, method=rule) for name, rule in rules.items()}
    ... )
    >>> ax.get_legend_handles_labels()[1]
    ['Adam', 'momentum', 'minimum']
    """
    paths = {name: _path(name, run) for name, run in runs.items()}
    if not paths:
        raise ValueError("runs is empty: give at least one trajectory")
    if ax is None:
        from matplotlib.figure import Figure

        ax = Figure(figsize=(7, 6), layout="constrained").add_subplot()
    minimizers = np.asarray(getattr(fun, "minimizers", np.empty((0, 2))))
    seen = np.vstack([*paths.values(), minimizers])
    xlim = _limits(seen[:, 0]) if xlim is None else xlim
    ylim = _limits(seen[:, 1]) if ylim is None else ylim
    _contours(fun, ax, xlim, ylim, n_levels)
    for number, (name, path) in enumerate(paths.items()):
        color = f"C{number % 10}"
        ax.plot(*path.T, "-", color=color, lw=1.6, label=name, zorder=3)
        if len(path) <= 60:  # single steps can be told apart
            ax.plot(*path.T, ".", color=color, ms=5, zorder=3)
        ax.plot(*path[-1], "o", color=color, ms=7, mec="white", zorder=4)
    first = next(iter(paths.values()))[0]
    ax.plot(*first, "s", color="black", ms=6, zorder=5)
    ax.annotate("start", first, xytext=(6, 6), textcoords="offset points", fontsize=9)
    if len(minimizers):
        style: dict[str, Any] = {
            "color": "gold",
            "mec": "black",
            "ms": 18,
            "zorder": 3.5,
        }  # below the ends
        ax.plot(*minimizers.T, "*", **style, label="minimum")
    ax.set(xlim=xlim, ylim=ylim, xlabel="x₁", ylabel="x₂")
    ax.legend(loc="best", framealpha=0.9)
    return ax


def _path(name: str, run: Any) -> Array:
    if not isinstance(run, np.ndarray):
        points: Iterable[Any] = list(run)
        run = np.array([getattr(point, "x", point) for point in points], dtype=np.float64)
    if run.ndim != 2 or run.shape[1:] != (2,) or len(run) == 0:
        raise ValueError(f"runs[{name!r}] has shape {run.shape}: give (n_points, 2)")
    return run[np.isfinite(run).all(axis=1)]


def _limits(values: Array) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    margin = 0.15 * (high - low) or 1.0
    return low - margin, high + margin


def _contours(
    fun: Callable[..., Any],
    ax: Axes,
    xlim: tuple[float, float],
    ylim: tuple[float, float],
    n_levels: int,
) -> None:
    value = getattr(fun, "value", fun)
    xs, ys = np.linspace(*xlim, 161), np.linspace(*ylim, 161)
    z = np.array([[_number(value(np.array([x, y]))) for x in xs] for y in ys])
    low = float(np.nanmin(z))
    depth = np.log10(z - low + 1e-3 * (np.nanmedian(z) - low) + 1e-300)
    ax.contourf(xs, ys, depth, levels=n_levels, cmap="Blues_r", alpha=0.55)
    ax.contour(xs, ys, depth, levels=n_levels, colors="steelblue", linewidths=0.4, alpha=0.7)


def _number(value: Any) -> float:
    return float(value[0] if isinstance(value, tuple) else value)
