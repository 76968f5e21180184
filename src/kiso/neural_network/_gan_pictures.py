"""Pictures of a GAN at work: samples over the discriminator's surface, and a film of a run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kiso._gif import write_gif
from kiso._validation import Array

from ._gan import GAN

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["animate_gan", "plot_gan"]

_SHOWN = 1000  # rows and samples in a plane
_RESOLUTION = 80


def plot_gan(
    gan: GAN, X: Any, ax: Axes | None = None, *, n_samples: int | None = None, random_state: int = 0
) -> Axes:
    """Draw samples: points of a plane over the discriminator's surface, or a sheet of images.

    Parameters
    ----------
    gan : GAN
        Fitted.
    X : array-like of shape (n_samples, 2) or (n_samples, channels, height, width)
        The data. In a plane they are drawn in grey, and the colours behind say what D gives
        there: blue where it takes a point for data, red where for a sample.
    ax : matplotlib Axes or None, default=None
        None draws into a new figure.
    n_samples : int or None, default=None
        None is 1,000 points or 64 images.
    random_state : int, default=0
        Of the noise.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        If rows are neither points of a plane nor images.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.neural_network import GAN, plot_gan
    >>> X = np.random.default_rng(0).normal(size=(100, 2))
    >>> gan = GAN((8,), (8,), max_iter=20, random_state=0)
    >>> state = next(gan.steps(X))
    >>> ax = plot_gan(gan, X)
    """
    X = np.asarray(X)
    if ax is None:
        from matplotlib.figure import Figure

        ax = Figure(figsize=(5, 5), layout="constrained").subplots()
    if X.ndim == 4:
        samples = gan.sample(n_samples or 64, random_state=random_state)
        ax.imshow(_sheet(samples), cmap="gray_r")
    elif X.ndim == 2 and X.shape[1] == 2:
        samples = gan.sample(n_samples or _SHOWN, random_state=random_state)
        _draw_plane(gan, X, samples, ax)
    else:
        raise ValueError(f"X of shape {X.shape}: a picture is of points in a plane, or of images")
    ax.set(xticks=[], yticks=[])
    return ax


def _draw_plane(gan: GAN, X: Array, samples: Array, ax: Axes) -> None:
    low, high = X.min(axis=0), X.max(axis=0)
    room = 0.15 * np.where(high > low, high - low, 1.0)
    across, up = (np.linspace(low[k] - room[k], high[k] + room[k], _RESOLUTION) for k in (0, 1))
    grid = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)
    surface = gan.score_samples(grid).reshape(_RESOLUTION, _RESOLUTION)
    height = max(float(np.quantile(np.abs(surface - np.median(surface)), 0.95)), 1e-12)
    middle = float(np.median(surface))
    ax.imshow(
        surface, extent=(across[0], across[-1], up[0], up[-1]), origin="lower", cmap="RdBu",
        vmin=middle - height, vmax=middle + height, alpha=0.5, aspect="auto",
    )  # fmt: skip
    rows = X[:: max(1, len(X) // _SHOWN)]
    ax.scatter(rows[:, 0], rows[:, 1], s=6, color="0.35", lw=0, label="data")
    ax.scatter(samples[:, 0], samples[:, 1], s=4, color="C1", lw=0, label="samples")
    ax.set(xlim=(across[0], across[-1]), ylim=(up[0], up[-1]))


def _sheet(images: Array) -> Array:
    """Lay images out as a square; one channel in grey, three in colour."""
    n, channels, height, width = images.shape
    across = int(np.ceil(np.sqrt(n)))
    full = np.zeros((across * across, channels, height, width), images.dtype)
    full[:n] = images
    sheet = full.reshape(across, across, channels, height, width).transpose(0, 3, 1, 4, 2)
    sheet = sheet.reshape(across * height, across * width, channels)
    if channels != 3:
        return sheet[..., 0]
    low, high = float(images.min()), float(images.max())
    coloured: Array = (sheet - low) / max(high - low, 1e-12)
    return coloured


def animate_gan(
    gan: GAN, X: Any, path: str | Path, *, seconds: float = 0.4, hold: float = 2.0, dpi: int = 80
) -> int:
    """Fit step by step and write an animated GIF: one frame a state.

    Parameters
    ----------
    gan : GAN
        Is fitted by this.
    X : array-like
        As for `plot_gan`.
    path : str or Path
        The file to write.
    seconds, hold : float, default 0.4 and 2.0
        How long a frame, and the last one, stays.
    dpi : int, default=80

    Returns
    -------
    int
        Frames written.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from kiso.neural_network import GAN, animate_gan
    >>> X = np.random.default_rng(0).normal(size=(100, 2))
    >>> gan = GAN((8,), (8,), max_iter=20, every=10, random_state=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     animate_gan(gan, X, Path(folder) / "run.gif", dpi=30)
    2
    """
    return write_gif(_frames(gan, X), path, seconds=seconds, hold=hold, dpi=dpi)


def _frames(gan: GAN, X: Any) -> Iterator[Figure]:
    from matplotlib.figure import Figure

    for state in gan.steps(X):
        figure = Figure(figsize=(5, 5), layout="constrained")
        ax = plot_gan(gan, X, figure.subplots())
        ax.set_title(f"step {state.n_iter}: coverage {state.coverage:.2f}", fontsize=9)
        yield figure
