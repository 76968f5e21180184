"""Twenty characters as strokes, made for this scene, drawn by hands that differ."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

__all__ = ["SIDE", "WAYS", "make_drawings"]

Array = np.ndarray[Any, np.dtype[Any]]

SIDE, WAYS = 35, 20  # pixels of a side, characters
THICK = 0.028  # half the width of a pen stroke, of a side of 1

# strokes from corner to corner on a grid of 0 to 9, x to the right and y down; ~ bends them
GLYPHS = (
    "18 12 82 88", "11 81 ; 51 59", "18 51 98 ; 35 75", "22 82 28 88", "51 15 59 95 51",
    "12 82 ; 15 85 ; 18 88", "11 88 ; 81 18", "31 38 ; 35 75 ; 71 78", "~12 52 85 58 18",
    "~82 32 15 38 88", "51 54 ; 14 84 ; 14 18 ; 84 88", "11 18 88 ; 55 85",
    "~15 51 95 59 15 ; 55 56", "21 29 ; 21 71 75 25", "51 59 ; ~13 33 54 73 93",
    "11 51 18 58 ; 75 95", "~29 21 61 84 45 ; 45 88", "18 11 88 81",
    "51 13 93 51 ; 53 59 ; 38 78", "~12 42 45 75 78 ; 18 38",
)  # fmt: skip


def strokes(glyph: str) -> list[tuple[Array, bool]]:
    """Return the corners of each stroke, (n, 2) rows and columns, and whether it bends."""
    return [
        (np.array([[int(p[1]), int(p[0])] for p in part.strip(" ~").split()], float) / 10,
         part.strip().startswith("~"))
        for part in glyph.split(";")
    ]  # fmt: skip


def curve(corners: Array) -> Array:
    """Return a smooth line through corners (Catmull and Rom)."""
    p = np.vstack([2 * corners[0] - corners[1], corners, 2 * corners[-1] - corners[-2]])
    t = np.linspace(0, 1, 9)[:-1, None]
    pieces = [
        0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2
               + (3 * b - a - 3 * c + d) * t**3)
        for a, b, c, d in zip(p, p[1:], p[2:], p[3:], strict=False)
    ]  # fmt: skip
    return np.vstack([*pieces, corners[-1:]])


def make_drawings(wobble: float = 0.8, seed: int = 0) -> tuple[Array, Array, Array]:
    """Draw twenty characters twice, by hands that differ: an example and a query of each.

    Parameters
    ----------
    wobble : float, default=0.8
        How much the hands differ: a drawing is turned by 14°, stretched by 13 % and leant by
        0.16 (standard deviations, times `wobble`), and its corners are shaken; 0 is as designed.
    seed : int, default=0

    Returns
    -------
    examples : ndarray of shape (20, 35, 35)
        1 where there is ink; character k is number k.
    queries : ndarray of shape (20, 35, 35)
        In an order of the seed.
    labels : ndarray of shape (20,)
        The character of each query.

    Raises
    ------
    ValueError
        If `wobble` is not from 0 to 2.

    Examples
    --------
    >>> from kiso.few_shot import ModifiedHausdorffClassifier
    >>> from kiso.lab import make_drawings
    >>> examples, queries, labels = make_drawings(0.0)
    >>> ModifiedHausdorffClassifier().fit(examples, range(20)).score(queries, labels)
    1.0
    """
    if not 0 <= wobble <= 2:
        raise ValueError(f"wobble={wobble!r}: give 0 to 2")
    rng = np.random.default_rng(seed)
    examples = np.array([drawn(k, wobble, rng) for k in range(WAYS)], float)
    labels = rng.permutation(WAYS)
    return examples, np.array([drawn(int(k), wobble, rng) for k in labels], float), labels


def drawn(number: int, wobble: float, rng: np.random.Generator) -> Array:
    """Draw a character, (35, 35), True where there is ink."""
    turn = np.radians(14 * wobble) * rng.standard_normal()
    stretch = 1 + 0.13 * wobble * rng.standard_normal(2)
    lean = 0.16 * wobble * rng.standard_normal()
    A = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    A = A @ np.diag(stretch) @ np.array([[1.0, 0.0], [lean, 1.0]])
    shift = 0.035 * wobble * rng.standard_normal(2)
    grid = (np.indices((SIDE, SIDE)).reshape(2, -1).T + 0.5) / SIDE
    ink = np.zeros(len(grid), bool)
    for corners, bent in strokes(GLYPHS[number]):
        shaken = corners + 0.022 * wobble * rng.standard_normal(corners.shape)
        line = (curve(shaken) if bent else shaken) - 0.5
        line = np.clip(line @ A.T + 0.5 + shift, 0.04, 0.96)
        for a, b in pairwise(line):
            along = b - a
            t = np.clip((grid - a) @ along / max(along @ along, 1e-12), 0, 1)
            ink |= np.sum((grid - a - t[:, None] * along) ** 2, axis=1) < THICK**2
    return ink.reshape(SIDE, SIDE)
