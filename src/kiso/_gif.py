"""Pictures one after the other, as an animated GIF."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL.Image import Image

__all__ = ["write_gif"]


def write_gif(
    figures: Iterable[Figure],
    path: str | Path,
    *,
    seconds: float = 0.6,
    hold: float = 2.0,
    dpi: int = 80,
) -> int:
    """Write figures as the frames of a GIF that repeats; return how many there were.

    Parameters
    ----------
    figures : iterable of matplotlib Figure
        Drawn one at a time, so an iterator may make them as it goes.
    path : str or Path
    seconds, hold : float, default 0.6 and 2.0
        How long a frame, and the last one, stays.
    dpi : int, default=80
        Dots per inch.
    """
    frames = [_image(figure, dpi) for figure in figures]
    if frames:
        frames[0].save(
            path,
            format="GIF",
            save_all=True,
            append_images=frames[1:],
            duration=[int(1000 * seconds)] * (len(frames) - 1) + [int(1000 * hold)],
            loop=0,
        )
    return len(frames)


def _image(figure: Figure, dpi: int) -> Image:
    from PIL.Image import open as open_image

    png = BytesIO()
    figure.savefig(png, format="png", dpi=dpi)
    return open_image(png).convert("RGB")
