"""Points: ready sets, files, and the user's edits, in the order in which they were made.

Points are X (n, 2) and classes y (n,), small whole numbers; regression scenes read the second
column as the target. A data setup is a mapping

    {"set": "blobs", "n": 200, "seed": 0}      a ready set
    {"file": SHA-256, "x": "width", "y": "height", "class": None}
    {"rows": [[x, y, class], ...]}             few points, as they are

with "edits", a list of ["add", x, y, class], ["move", i, x, y] and ["remove", i].
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["MAX_POINTS", "POINT_SETS", "Data", "DataSpec", "Files", "PointSet", "make_points",
           "read_data"]  # fmt: skip

MAX_POINTS = 20_000
MAX_BYTES = 20 << 20  # of an uploaded file

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class PointSet:
    """A ready set.

    Attributes
    ----------
    make : callable
        (n, rng) → (X, y).
    sized : bool
        Whether n and the seed mean something.
    source : str
        Where real data come from.
    x, y : str
        Names of the columns, with units.
    """

    make: Callable[[int, np.random.Generator], tuple[Array, Array]]
    sized: bool = True
    source: str = ""
    x: str = "x₁"
    y: str = "x₂"


@dataclass(frozen=True)
class DataSpec:
    """The ready sets that a scene offers.

    Attributes
    ----------
    sets : tuple of str
        Names in `POINT_SETS`, the default first.
    n : int
        How many points to begin with.
    classes : int
        Classes that a click can add; 0 where points have none.
    y_is_target : bool
        The file's second column is the target of a regression, not a feature.
    """

    sets: tuple[str, ...]
    n: int = 200
    classes: int = 0
    y_is_target: bool = False

    def describe(self) -> dict[str, Any]:
        """Return the declaration as the page reads it."""
        return {
            "sets": [
                {"name": s, "sized": POINT_SETS[s].sized, "source": POINT_SETS[s].source}
                for s in self.sets
            ],
            "n": self.n,
            "classes": self.classes,
            "target": self.y_is_target,
        }


@dataclass(frozen=True)
class Data:
    """Points with their names."""

    X: Array
    y: Array
    names: tuple[str, str] = ("x₁", "x₂")
    source: str = ""
    classes: tuple[str, ...] = field(default=())
    set: str = ""


def make_points(name: str, n: int = 200, seed: int = 0) -> tuple[Array, Array]:
    """Return a ready set.

    Parameters
    ----------
    name : str
        A key of `POINT_SETS`.
    n : int, default=200
        Points; without effect on sets of a fixed size.
    seed : int, default=0

    Returns
    -------
    X : ndarray of shape (n, 2)
    y : ndarray of shape (n,)
        Classes; all 0 where there are none.

    Raises
    ------
    ValueError
        If there is no such set, or n is not from 1 to 20,000.

    Examples
    --------
    >>> from kiso.lab import make_points
    >>> X, y = make_points("xor", 100, seed=1)
    >>> X.shape, bool(((X[:, 0] * X[:, 1] > 0) == (y == 0)).mean() > 0.8)
    ((100, 2), True)
    """
    if name not in POINT_SETS:
        raise ValueError(f"name={name!r}: give one of {', '.join(POINT_SETS)}")
    if not 1 <= n <= MAX_POINTS:
        raise ValueError(f"n={n}: give 1 to {MAX_POINTS} points")
    X, y = POINT_SETS[name].make(n, np.random.default_rng(seed))
    return np.ascontiguousarray(X, dtype=np.float64), np.asarray(y, dtype=np.int64)


def _blobs(n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    k = 4
    centers = np.array([[-2.2, 1.8], [2.3, 2.0], [1.9, -2.1], [-1.8, -1.9]])
    y = np.arange(n) % k
    return centers[y] + rng.normal(scale=0.65, size=(n, 2)), y


def _two_blobs(n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    y = np.arange(n) % 2
    return np.array([[-1.3, -1.0], [1.3, 1.0]])[y] + rng.normal(scale=0.75, size=(n, 2)), y


def _moons(n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    y = np.arange(n) % 2
    angle = rng.uniform(0, np.pi, n)
    X = np.column_stack([np.cos(angle), np.sin(angle)])
    X[y == 1] = np.array([1.0, 0.5]) - X[y == 1]
    return (X - [0.5, 0.25] + rng.normal(scale=0.12, size=(n, 2))) * 2, y


def _circles(n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    y = np.arange(n) % 2
    angle = rng.uniform(0, 2 * np.pi, n)
    radius = np.where(y == 0, 2.6, 1.0) + rng.normal(scale=0.18, size=n)
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]), y


def _xor(n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    X = rng.uniform(-3, 3, (n, 2))
    X += 0.25 * np.sign(X)
    return X, (X[:, 0] * X[:, 1] < 0).astype(int)


def _spiral(n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    y = np.arange(n) % 2
    at = np.sqrt(rng.uniform(0.02, 1, n))
    angle = 1.75 * 2 * np.pi * at + np.pi * y
    X = 3 * np.column_stack([at * np.cos(angle), at * np.sin(angle)])
    return X + rng.normal(scale=0.06, size=(n, 2)), y


def _uniform(n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    return rng.uniform(-3, 3, (n, 2)), np.zeros(n, int)


def _oil(extra: bool) -> Callable[[int, np.random.Generator], tuple[Array, Array]]:
    def make(n: int, rng: np.random.Generator) -> tuple[Array, Array]:
        x = [[0.1, 0.1], [0.3, 0.4], [0.1, 0.5], [0.6, 0.9], [0.4, 0.2],
             [0.6, 0.3], [0.5, 0.6], [0.9, 0.2], [0.4, 0.4], [0.7, 0.6]]  # fmt: skip
        y = [0] * 5 + [1] * 5
        if extra:
            x, y = [*x, [0.3, 0.7]], [*y, 1]
        return np.array(x), np.array(y)

    return make


def _runge(n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    x = np.linspace(-1, 1, n)
    return np.column_stack([x, 1 / (1 + 25 * x**2)]), np.zeros(n, int)


def _line(n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    x = np.sort(rng.uniform(-3, 3, n))
    return np.column_stack([x, 0.8 * x + 0.5 + rng.normal(scale=0.6, size=n)]), np.zeros(n, int)


def _bell(n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    x = 0.6 + 1.2 * rng.normal(size=n)
    return np.column_stack([x, 0.8 * x - 0.6 + rng.normal(scale=0.6, size=n)]), np.zeros(n, int)


def _wave(n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    x = np.sort(rng.uniform(-3, 3, n))
    y = np.sin(1.7 * x) + 0.3 * x + rng.normal(scale=0.25, size=n)
    return np.column_stack([x, y]), np.zeros(n, int)


def _ellipse(n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    turn = np.array([[np.cos(0.6), -np.sin(0.6)], [np.sin(0.6), np.cos(0.6)]])
    return (rng.normal(size=(n, 2)) * [1.8, 0.6]) @ turn.T, np.zeros(n, int)


def _ring(n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    angle = 2 * np.pi * (np.arange(n) % 8) / 8
    means = 2.4 * np.column_stack([np.cos(angle), np.sin(angle)])
    return means + rng.normal(scale=0.18, size=(n, 2)), np.zeros(n, int)


def _grid(n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    side = np.array([-2.3, 0.0, 2.3])
    means = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    return means[np.arange(n) % 9] + rng.normal(scale=0.2, size=(n, 2)), np.zeros(n, int)


def _houses(n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    from kiso.datasets import load_portland_housing

    X, y = load_portland_housing()
    return np.column_stack([X[:, 0], y / 1000]), X[:, 1].astype(int)


POINT_SETS = {
    "blobs": PointSet(_blobs),
    "two-blobs": PointSet(_two_blobs),
    "moons": PointSet(_moons),
    "circles": PointSet(_circles),
    "xor": PointSet(_xor),
    "spiral": PointSet(_spiral),
    "uniform": PointSet(_uniform),
    "ring": PointSet(_ring),
    "grid": PointSet(_grid),
    "ellipse": PointSet(_ellipse),
    "line": PointSet(_line, x="x", y="y"),
    "bell": PointSet(_bell, x="x", y="y"),
    "wave": PointSet(_wave, x="x", y="y"),
    "runge": PointSet(_runge, x="x", y="1 / (1 + 25 x²)"),
    "houses": PointSet(
        _houses, sized=False, source="CS229 lecture notes, Portland, Oregon: 47 houses",
        x="living area [ft²]", y="price [1000 $]",
    ),
    "oil-wells": PointSet(
        _oil(False), sized=False, source="Higham & Higham (2019), section 2: ten points",
    ),
    "oil-wells-11": PointSet(
        _oil(True), sized=False, source="Higham & Higham (2019), section 6: the eleventh point",
    ),
}  # fmt: skip


class Files:
    """Uploaded tables by their SHA-256."""

    def __init__(self) -> None:
        self.tables: dict[str, tuple[str, Any]] = {}

    def add(self, name: str, raw: bytes) -> dict[str, Any]:
        """Read a table; return its sum, its columns and how many rows it has."""
        import tempfile
        from pathlib import Path

        from kiso.comparison import DataError, read_table

        if len(raw) > MAX_BYTES:
            raise ValueError(f"{name} has {len(raw) / 2**20:.1f} MB: give at most 20 MB.")
        digest = hashlib.sha256(raw).hexdigest()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "table" + Path(name).suffix[:16].replace("/", ""))
            path.write_bytes(raw)
            try:
                frame = read_table(path).frame
            except DataError as error:
                raise ValueError(str(error).replace(path.name, name)) from error
        columns: list[dict[str, Any]] = [
            {"name": str(c), "number": frame[c].dtype.kind in "iuf",
             "classes": int(frame[c].nunique())} for c in frame.columns
        ]  # fmt: skip
        if sum(column["number"] for column in columns) < 2:
            raise ValueError(f"{name} has fewer than two columns of numbers.")
        self.tables[digest] = (name, frame)
        return {"file": digest, "name": name, "columns": columns, "rows": len(frame)}

    def points(self, data: Mapping[str, Any]) -> Data:
        """Return the points of a file's columns; rows with missing cells are left out."""
        digest = str(data["file"])
        if digest not in self.tables:
            raise FileWantedError(digest)
        name, frame = self.tables[digest]
        x, y, kind = data.get("x"), data.get("y"), data.get("class") or None
        for column in (x, y, kind):
            if column is not None and column not in frame.columns:
                raise ValueError(f"{name} has no column {column!r}.")
        if x is None or y is None:
            raise ValueError(f"{name}: choose a column for x and one for y.")
        used = frame[[c for c in dict.fromkeys((x, y, kind)) if c is not None]].dropna()
        if len(used) > MAX_POINTS:
            raise ValueError(f"{name} has {len(used)} rows: the lab shows at most {MAX_POINTS}.")
        if not len(used):
            raise ValueError(f"{name}: no row has a number in both {x!r} and {y!r}.")
        for column in (x, y):
            if used[column].dtype.kind not in "iuf":
                raise ValueError(f"{name}: column {column!r} does not hold numbers.")
        labels: tuple[str, ...] = ()
        classes = np.zeros(len(used), np.int64)
        if kind is not None:
            values, classes = np.unique(used[kind].astype(str), return_inverse=True)
            if len(values) > 6:
                raise ValueError(f"{name}: column {kind!r} has {len(values)} values: at most 6.")
            labels = tuple(map(str, values))
        X = used[[x, y]].to_numpy(float) if x != y else used[[x]].to_numpy(float)[:, [0, 0]]
        return Data(X, classes, (str(x), str(y)), name, labels)


class FileWantedError(ValueError):
    """A link names a file by its sum, and nobody has brought that file yet."""

    def __init__(self, digest: str):
        super().__init__(f"this link needs the file with SHA-256 {digest}: choose it")
        self.digest = digest


def read_data(data: Mapping[str, Any], files: Files) -> Data:
    """Return the points that a data setup says, after its edits."""
    if "file" in data:
        points = files.points(data)
    elif "rows" in data:
        rows = np.array(data["rows"], dtype=float).reshape(-1, 3)
        if len(rows) > MAX_POINTS or not np.isfinite(rows).all():
            raise ValueError("rows: give at most 20,000 triples of finite numbers")
        points = Data(rows[:, :2].copy(), rows[:, 2].astype(np.int64))
    else:
        name, n, seed = data["set"], int(data.get("n", 200)), int(data.get("seed", 0))
        X, y = make_points(name, n, seed)
        known = POINT_SETS[name]
        points = Data(X, y, (known.x, known.y), known.source, set=name)
    X, y = edited(points.X, points.y, data.get("edits", ()))
    if not len(X):
        raise ValueError("no point is left: click into the picture to add one")
    return Data(X, y, points.names, points.source, points.classes, points.set)


def edited(X: Array, y: Array, edits: Sequence[Sequence[Any]]) -> tuple[Array, Array]:
    """Return the points after these edits."""
    if not edits:
        return X, y
    places, classes = [tuple(row) for row in X], list(y)
    for edit in edits:
        kind = edit[0]
        if kind == "add":
            places.append((float(edit[1]), float(edit[2])))
            classes.append(int(edit[3]))
        elif kind == "move" and 0 <= int(edit[1]) < len(places):
            places[int(edit[1])] = (float(edit[2]), float(edit[3]))
        elif kind == "remove" and 0 <= int(edit[1]) < len(places):
            del places[int(edit[1])], classes[int(edit[1])]
        else:
            raise ValueError(f"edit {edit!r}: give add, move or remove of a point that exists")
        if len(places) > MAX_POINTS:
            raise ValueError(f"the lab shows at most {MAX_POINTS} points")
    X = np.array(places, float).reshape(-1, 2)
    if not np.isfinite(X).all():
        raise ValueError("edits: places are finite numbers")
    return X, np.array(classes, np.int64)


def script_of(data: Mapping[str, Any], name: str = "") -> str:
    """Return the lines of Python that make X and y."""
    if "file" in data:
        columns = [data["x"], data["y"]]
        kind = data.get("class")
        used = [*columns, *([kind] if kind else [])]
        lines = [
            "from kiso.comparison import read_table",
            f"table = read_table({name or 'my.csv'!r}).frame[{used!r}].dropna()",
            f"X = table[{columns!r}].to_numpy(float)",
            f"y = np.unique(table[{kind!r}].astype(str), return_inverse=True)[1]"
            if kind
            else "y = np.zeros(len(X), int)",
        ]
    elif "rows" in data:
        rows = [list(map(float, row)) for row in data["rows"]]
        lines = [f"rows = np.array({rows!r})", "X, y = rows[:, :2].copy(), rows[:, 2].astype(int)"]
    else:
        lines = [
            "from kiso.lab import make_points",
            f"X, y = make_points({data['set']!r}, {int(data.get('n', 200))}, "
            f"seed={int(data.get('seed', 0))})",
        ]
    for edit in data.get("edits", ()):
        if edit[0] == "add":
            lines.append(f"X, y = np.vstack([X, [{edit[1]!r}, {edit[2]!r}]]), "
                         f"np.append(y, {int(edit[3])})")  # fmt: skip
        elif edit[0] == "move":
            lines.append(f"X[{int(edit[1])}] = ({edit[2]!r}, {edit[3]!r})")
        else:
            lines.append(f"X, y = np.delete(X, {int(edit[1])}, axis=0), "
                         f"np.delete(y, {int(edit[1])})")  # fmt: skip
    return "\n".join(lines)
