"""Draw the pictures of the README from a real run: python docs/draw_images.py."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.image import imread, imsave

from kiso.comparison import compare
from kiso.report import figures

FOLDER = Path(__file__).parent / "images"
PANEL = 4.2, 3.1  # inches
DPI = 100


def panel(figure: Figure) -> np.ndarray:
    """Return a picture of the report as pixels, in the size of a panel."""
    figure.set_size_inches(*PANEL)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI)
    buffer.seek(0)
    return np.pad(imread(buffer)[:, :, :3], ((8, 8), (10, 10), (0, 0)), constant_values=1.0)


def compare_picture(path: Path) -> None:
    """Draw six pictures of the report on the data set that `kiso compare` uses by default."""
    found = compare()
    shown = next(m for m in found.models if m.name == "logistic")
    rows = [
        [figures.scores(found), figures.differences(found), figures.time_against_score(found)],
        [
            figures.calibration(found, shown),
            figures.learning_curve(found, shown),
            figures.objective(found, shown),
        ],
    ]
    pixels = np.vstack([np.hstack([panel(figure) for figure in row]) for row in rows])
    imsave(path, pixels, dpi=DPI)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    compare_picture(FOLDER / "compare.png")
