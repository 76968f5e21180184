"""Pictures and the marks that they are made of.

A picture is a pair of axes with marks on it; what each mark is called here is what the page
draws (`lab/web/src/marks/`). Colours are roles, not values: an int is a class (0 blue,
1 vermilion, 2 green, 3 purple, 4 sky, 5 amber), "muted" is context, "ink" is text.

Every mark takes

- `key`: its name in the picture: marks of one name move from frame to frame, and a click or a
  pointer on it is reported with that name;
- `term`: the term of the rule that it shows: both light up together;
- `label`: a `Msg` or text for the legend, the hover and the table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = [
    "Axis",
    "Picture",
    "area",
    "arrows",
    "bars",
    "cloud",
    "contours",
    "field_of",
    "handle",
    "images",
    "line",
    "matrix",
    "network",
    "points",
    "rule_line",
    "segments",
    "texts",
]

Mark = dict[str, Any]


@dataclass(frozen=True)
class Axis:
    """One axis: its range, its label (text, unit in brackets, or a `Msg`), its scale."""

    low: float
    high: float
    label: Any = ""
    log: bool = False

    def describe(self) -> dict[str, Any]:
        """Return it as the page reads it."""
        return {
            "low": float(self.low), "high": float(self.high), "label": self.label, "log": self.log,
        }  # fmt: skip


@dataclass(frozen=True)
class Picture:
    """A picture of a frame.

    Attributes
    ----------
    key : str
        Its name; `scene.pictures.<key>` of the catalogue is its heading.
    title : Msg or None
        What it shows now, in words: the finding.
    x, y : Axis or None
        None where there are no axes (a network, a matrix).
    marks : list
        Drawn in this order.
    equal : bool
        One unit is as long in x as in y.
    edit : bool
        A click adds a point here, points can be dragged and removed.
    wide : float
        Its share of the row: 1 is as wide as its neighbour.
    """

    key: str
    marks: list[Mark] = field(default_factory=list)
    x: Axis | None = None
    y: Axis | None = None
    title: Any = None
    equal: bool = False
    edit: bool = False
    wide: float = 1.0

    def describe(self) -> dict[str, Any]:
        """Return it as the page reads it."""
        return {
            "key": self.key,
            "title": self.title,
            "x": None if self.x is None else self.x.describe(),
            "y": None if self.y is None else self.y.describe(),
            "equal": self.equal,
            "edit": self.edit,
            "wide": self.wide,
            "marks": self.marks,
        }


def _mark(kind: str, key: str, **content: Any) -> Mark:
    return {"mark": kind, "key": key, **{k: v for k, v in content.items() if v is not None}}


def points(
    key: str, xy: Any, *, color: Any = "muted", value: Any = None, size: Any = None,
    shape: str = "disc", hollow: Any = None, term: str | None = None, label: Any = None,
    data: bool = False, names: Sequence[str] | None = None, scale: str | None = None,
) -> Mark:  # fmt: skip
    """Points (n, 2).

    `color`: one role, or n class numbers (-1 muted); `value`: n numbers in [0, 1] (sequential)
    or [-1, 1] (`scale="diverging"`) in place of a colour; `size`: radius in px, one or n;
    `shape`: disc, square, diamond, cross, ring; `hollow`: n booleans; `data`: these are the
    rows that the user edits.
    """
    return _mark(
        "points", key, xy=np.asarray(xy, float).reshape(-1, 2), color=_roles(color),
        value=None if value is None else np.asarray(value, np.float32),
        size=size if size is None or np.isscalar(size) else np.asarray(size, np.float32),
        shape=shape, hollow=None if hollow is None else np.asarray(hollow, bool), term=term,
        label=label, data=data or None, names=names, scale=scale,
    )  # fmt: skip


def segments(
    key: str, ends: Any, *, color: Any = "muted", width: float = 1.0, alpha: float = 1.0,
    dash: bool = False, term: str | None = None, label: Any = None,
) -> Mark:  # fmt: skip
    """Straight pieces (n, 4): x0, y0, x1, y1."""
    return _mark(
        "segments", key, ends=np.asarray(ends, float).reshape(-1, 4), color=_roles(color),
        width=width, alpha=alpha, dash=dash or None, term=term, label=label,
    )  # fmt: skip


def line(
    key: str, xy: Any, *, color: Any = 0, width: float = 2.0, dash: bool = False,
    alpha: float = 1.0, term: str | None = None, label: Any = None,
) -> Mark:  # fmt: skip
    """Draw a line through (n, 2); NaN breaks it; its label stands at its end."""
    return _mark(
        "line", key, xy=np.asarray(xy, float).reshape(-1, 2), color=color, width=width,
        dash=dash or None, alpha=alpha, term=term, label=label,
    )  # fmt: skip


def area(
    key: str, x: Any, low: Any, high: Any, *, color: Any = 0, alpha: float = 0.2,
    term: str | None = None, label: Any = None,
) -> Mark:  # fmt: skip
    """Band between two curves over x."""
    return _mark(
        "area", key, xy=np.column_stack([x, low, high]).astype(float), color=color, alpha=alpha,
        term=term, label=label,
    )  # fmt: skip


def arrows(
    key: str, xyuv: Any, *, color: Any = "ink", width: float = 2.0, term: str | None = None,
    label: Any = None,
) -> Mark:  # fmt: skip
    """Arrows (n, 4): from (x, y) by (u, v)."""
    return _mark(
        "arrows", key, xyuv=np.asarray(xyuv, float).reshape(-1, 4), color=_roles(color),
        width=width, term=term, label=label,
    )  # fmt: skip


def field_of(
    key: str, values: Any, extent: tuple[float, float, float, float], *, scale: str = "sequential",
    low: float | None = None, high: float | None = None, alpha: float = 1.0,
    term: str | None = None, label: Any = None,
) -> Mark:  # fmt: skip
    """Draw a surface from above: values (height, width), row 0 at the bottom.

    `extent`: left, right, bottom, top. `scale`: "sequential", "diverging" (blue, wash,
    vermilion; zero in the middle) or "classes" (whole numbers are class colours).
    """
    a = np.asarray(values)
    if scale == "classes":
        a = a.astype(np.int32)
        bounds = {}
    else:
        a = a.astype(np.float32)
        finite = a[np.isfinite(a)]
        top = float(finite.max()) if finite.size else 1.0
        bottom = float(finite.min()) if finite.size else 0.0
        if scale == "diverging":
            top = max(abs(top), abs(bottom)) or 1.0
            bottom = -top
        bounds = {"low": bottom if low is None else low, "high": top if high is None else high}
    return _mark("field", key, values=a, extent=[float(v) for v in extent], scale=scale,
                 alpha=alpha, term=term, label=label, **bounds)  # fmt: skip


def contours(
    key: str, values: Any, extent: tuple[float, float, float, float], levels: Any, *,
    color: Any = "muted", width: float = 1.0, alpha: float = 1.0, label: Any = None,
) -> Mark:  # fmt: skip
    """Level lines of values (height, width), as segments."""
    from contourpy import contour_generator

    a = np.asarray(values, float)
    x, y = (np.linspace(*ends, n) for ends, n in
            ((extent[:2], a.shape[1]), (extent[2:], a.shape[0])))  # fmt: skip
    generator = contour_generator(x, y, np.ma.masked_invalid(a))
    paths = [np.asarray(path) for level in levels for path in generator.lines(level)]
    pieces = [np.hstack([path[:-1], path[1:]]) for path in paths]
    ends = np.vstack(pieces) if pieces else np.empty((0, 4))
    return segments(key, ends, color=color, width=width, alpha=alpha, label=label)


def bars(
    key: str, heights: Any, *, x: Any = None, width: float = 0.8, color: Any = 0,
    names: Sequence[str] | None = None, low: Any = None, high: Any = None, horizontal: bool = False,
    term: str | None = None, label: Any = None,
) -> Mark:  # fmt: skip
    """Bars of these heights at x (0, 1, ... where not given); `low`, `high`: error bars."""
    h = np.asarray(heights, float).ravel()
    return _mark(
        "bars", key, heights=h, x=np.arange(len(h), dtype=float) if x is None
        else np.asarray(x, float), width=float(width), color=_roles(color), names=names,
        low=None if low is None else np.asarray(low, float),
        high=None if high is None else np.asarray(high, float), horizontal=horizontal or None,
        term=term, label=label,
    )  # fmt: skip


def matrix(
    key: str, values: Any, *, scale: str = "diverging", text: bool = True,
    rows: Sequence[str] | None = None, columns: Sequence[str] | None = None, marked: Any = None,
    digits: int = 2, low: float | None = None, high: float | None = None,
    term: str | None = None, label: Any = None,
) -> Mark:  # fmt: skip
    """Numbers in cells (height, width), row 0 on top; `marked`: booleans, cells with a frame."""
    a = np.asarray(values, float)
    return _mark("matrix", key, values=a, scale=scale, text=text, rows=rows, columns=columns,
                 marked=None if marked is None else np.asarray(marked, bool), digits=digits,
                 low=low, high=high, term=term, label=label)  # fmt: skip


def images(
    key: str, stack: Any, *, columns: int = 1, names: Sequence[str] | None = None,
    scale: str = "grey", low: float | None = None, high: float | None = None, colors: Any = None,
    marked: Any = None, draw: bool = False, term: str | None = None, label: Any = None,
) -> Mark:  # fmt: skip
    """Small images (n, height, width) in a grid, each with a name under it.

    `columns`: 0 is as many as make them largest; a name that is too wide ends at its colon;
    `scale`: "grey" (0 is paper), "diverging"; `colors`: n classes, a frame around each;
    `draw`: the user draws on the (single) image; it is reported as an action "draw".
    """
    a = np.asarray(stack, np.float32)
    if a.ndim != 3:
        raise ValueError(f"stack has shape {a.shape}: give (n, height, width)")
    return _mark("images", key, stack=a, columns=int(columns), names=names, scale=scale, low=low,
                 high=high, color=None if colors is None else _roles(colors),
                 marked=None if marked is None else np.asarray(marked, bool), draw=draw or None,
                 term=term, label=label)  # fmt: skip


def network(
    key: str, weights: Sequence[Any], *, units: Sequence[Any] | None = None,
    maps: Any = None, names: Sequence[Sequence[str]] | None = None,
    active: int | None = None, backward: bool = False, deltas: Sequence[Any] | None = None,
    label: Any = None,
) -> Mark:  # fmt: skip
    """Units in columns and the weights between them.

    `weights`: one (n_in, n_out) a layer; `units`: the values of the units of every layer,
    inputs first; `maps`: (n_units, h, w): what each unit gives over the plane, inputs first;
    `names`: names of units by layer; `active`: the layer that this step computes;
    `deltas`: the error terms by layer (None where not yet known). Elements are reported as
    "unit" (index over all units) and "weight" (index over all weights).
    """
    return _mark("network", key, weights=[np.asarray(w, float) for w in weights],
                 units=None if units is None else [np.asarray(u, float) for u in units],
                 maps=None if maps is None else np.asarray(maps, np.float32), names=names,
                 active=active, backward=backward or None,
                 deltas=None if deltas is None
                 else [None if d is None else np.asarray(d, float) for d in deltas],
                 label=label)  # fmt: skip


def texts(
    key: str, xy: Any, names: Sequence[str], *, color: Any = "ink", align: str = "left",
) -> Mark:  # fmt: skip
    """Words beside places (n, 2)."""
    return _mark("texts", key, xy=np.asarray(xy, float).reshape(-1, 2), names=list(names),
                 color=color, align=align)  # fmt: skip


def rule_line(
    key: str, *, x: float | None = None, y: float | None = None, color: Any = "muted",
    label: Any = None, dash: bool = True, term: str | None = None,
) -> Mark:  # fmt: skip
    """Draw a thin line across the picture, with its name: a bound, zero, the theory."""
    return _mark("ruleline", key, x=x, y=y, color=color, label=label, dash=dash or None,
                 term=term)  # fmt: skip


def handle(
    key: str, xy: Any, *, color: Any = "ink", names: Sequence[str] | None = None,
    along: str = "xy", shape: str = "diamond", hollow: Any = None, term: str | None = None,
    label: Any = None, size: float = 9.0,
) -> Mark:  # fmt: skip
    """Things that the user drags (n, 2): reported as an action {kind: key, index, to: [x, y]}.

    `along`: "xy", "x" or "y".
    """
    return _mark("points", key, xy=np.asarray(xy, float).reshape(-1, 2), color=_roles(color),
                 names=names, drag=along, shape=shape, size=size, term=term, label=label,
                 hollow=None if hollow is None else np.asarray(hollow, bool))  # fmt: skip


def cloud(
    key: str, xyz: Any, *, color: Any = 0, plane: Any = None, size: float = 4.0,
    label: Any = None, names: Sequence[str] = ("x", "y", "z"),
) -> Mark:  # fmt: skip
    """Points in space (n, 3) that the user turns; `plane`: (a, b, c, d), ax + by + cz + d = 0."""
    return _mark("cloud", key, xyz=np.asarray(xyz, float).reshape(-1, 3), color=_roles(color),
                 plane=None if plane is None else [float(v) for v in plane], size=size,
                 label=label, names=list(names))  # fmt: skip


def _roles(color: Any) -> Any:
    if isinstance(color, str | int) or color is None:
        return color
    return np.asarray(color, np.int32)
