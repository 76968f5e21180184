"""Rows that are the sum of other rows: "Total", or a city above its districts.

Such a row is no case of its own: it is far from all others and tells nothing that they do not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TotalRow", "total_rows"]

_WORDS = re.compile(
    r"(grand |sub-?)?(total|sum|overall)s?( \w+)?|all|(ins)?gesamt(summe|ergebnis)?|summe|zusammen"
    r"|totale?s?|ensemble|suma|итого|всего|合計|総計|小計|総数|合计|总计|总数|總計|總數|합계|총계",
    re.IGNORECASE,
)
CHANCE = 1e-3
LARGEST = 20_000  # rows that are searched for sums


@dataclass(frozen=True)
class TotalRow:
    """A row that adds up others.

    Attributes
    ----------
    row : int
        From 0.
    label : str
        Its first text, "" where it has none.
    of : str
        What it adds up, in words.
    """

    row: int
    label: str
    of: str


def total_rows(frame: pd.DataFrame) -> list[TotalRow]:
    """Find rows whose numbers are sums of those of other rows.

    A row is one where at least two columns (and half of those of numbers) say so: it is the sum
    of all other rows, of those that share a value with it in another column, or of the rows
    right below or above it; by so many digits that chance does not do it. A row that is called
    a total ("Total", "Summe", "合計") need not add up: parts may be left out.

    Parameters
    ----------
    frame : pandas.DataFrame

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"town": list("abc") + ["Total"], "men": [10, 21, 34, 65],
    ...                       "women": [17, 22, 30, 69]})
    >>> [(total.row, total.of) for total in total_rows(frame)]
    [(3, 'all other rows')]
    """
    if len(frame) < 4:
        return []
    texts = [str(c) for c in frame.columns if frame[c].dtype.kind not in "iufbM"]
    called = _called(frame, texts)
    found: dict[int, str] = {}
    if len(frame) <= LARGEST:
        names, X = _amounts(frame)
        if len(names) >= 2:
            for row in np.flatnonzero(_agree(X, X.sum(axis=0) - X, _evidence(X), len(X))).tolist():
                found[row] = "all other rows"
            found = {**_of_groups(frame, names, X), **_of_blocks(X), **found}
            # a table in which many rows are sums of others has a pattern, not totals
            if len(found) > max(1, 0.34 * len(frame)):
                found = {}
    for row in called:
        found.setdefault(row, "others, as it says")
    return [TotalRow(row, _label(frame, texts, row), found[row]) for row in sorted(found)]


def _called(frame: pd.DataFrame, texts: list[str]) -> list[int]:
    """Rows with a cell that says so, where few do and it is no common category."""
    rows: set[int] = set()
    for name in texts:
        column = frame[name]
        distinct = {str(v) for v in column.dropna().unique() if _WORDS.fullmatch(str(v).strip())}
        if not distinct:
            continue
        mine = np.flatnonzero(column.astype(str).isin(distinct).to_numpy())
        others = int(column.nunique()) - len(distinct)
        if others >= 3 and len(mine) <= 1.5 * len(frame) / (others + 1) + 1:
            rows.update(int(row) for row in mine)
    return sorted(rows) if len(rows) <= 0.34 * len(frame) else []


def _label(frame: pd.DataFrame, texts: list[str], row: int) -> str:
    cells = [frame[name].iloc[row] for name in texts]
    cells = [str(cell) for cell in cells if cell == cell]
    said = [cell for cell in cells if _WORDS.fullmatch(cell.strip())]
    return (said or cells or [""])[0][:40]


def _amounts(frame: pd.DataFrame) -> tuple[list[str], Any]:
    """Columns that could add up: numbers, none negative, not a few codes."""
    names = [
        str(name)
        for name in frame.columns
        if frame[name].dtype.kind in "iuf"
        and frame[name].notna().mean() > 0.5
        and float(frame[name].min()) >= 0
        and frame[name].nunique() > min(10, 0.5 * len(frame))
    ]
    X = np.column_stack([frame[name].to_numpy(dtype=np.float64, na_value=0.0) for name in names]) \
        if names else np.zeros((len(frame), 0))  # fmt: skip
    return names, np.nan_to_num(X)


def _evidence(X: Any) -> Any:
    """How unlikely it is (minus its log) that chance brings about an equality with each number.

    Of whole numbers around x one in x; of others hardly ever.
    """
    whole = (np.round(X) == X).all(axis=0)
    return np.where(whole, np.log(np.maximum(X, 1.0)), np.where(X > 0, np.log(1e5), 0.0))


def _agree(parts: Any, sums: Any, evidence: Any, trials: float, *, free: int = -1) -> Any:
    """Which rows equal sums in enough columns and digits.

    Column `free` was searched for a sum of some rows that fits: as many tries as its sums lie
    close, so that its own numbers count for that spacing and not for their size.
    """
    close = (np.abs(parts - sums) <= 1e-7 * np.abs(sums) + 1e-12) & (parts > 0)
    proof = np.where(close, evidence, 0.0)
    if free >= 0:
        usual = max(1.0, float(np.median(parts[:, free])))
        proof[:, free] = np.minimum(proof[:, free], np.log(usual))
    enough = close.sum(axis=1) >= max(2, 0.5 * parts.shape[1])
    return enough & (proof.sum(axis=1) > np.log(trials / CHANCE))


def _of_groups(frame: pd.DataFrame, names: list[str], X: Any) -> dict[int, str]:
    import pandas as pd

    found = {}
    for key in map(str, frame.columns):
        codes = pd.factorize(frame[key], use_na_sentinel=False)[0]
        counts = np.bincount(codes)
        if len(counts) < 2 or len(counts) > len(codes) / 3:
            continue
        sums = np.column_stack([np.bincount(codes, X[:, j]) for j in range(X.shape[1])])
        others = X if key not in names else np.delete(X, names.index(key), axis=1)
        totals = sums if key not in names else np.delete(sums, names.index(key), axis=1)
        if others.shape[1] < 2:
            continue
        trials = len(X) * frame.shape[1]
        hits = _agree(others, totals[codes] - others, _evidence(others), trials)
        hits &= counts[codes] >= 3
        for row in np.flatnonzero(hits):
            found[int(row)] = f"the other rows with {key} {frame[key].iloc[row]!s:.30}"
    return found


def _of_blocks(X: Any) -> dict[int, str]:
    """Rows that equal the sum of two or more rows right below, or right above."""
    found = {}
    n = len(X)
    for order, where in ((slice(None), "below"), (slice(None, None, -1), "above")):
        Z = X[order]
        P = np.vstack([np.zeros(X.shape[1]), np.cumsum(Z, axis=0)])
        j0 = int(np.argmax((Z > 0).mean(axis=0)))  # searched in the column that has most numbers
        end = np.searchsorted(P[:, j0], (P[1:, j0] + Z[:, j0]) * (1 + 1e-9)) - 1
        size = end - np.arange(1, n + 1)
        sums = P[end] - P[1:]
        hits = _agree(Z, sums, _evidence(Z), 2 * n, free=j0)
        for place in np.flatnonzero(hits & (size >= 2) & (size < n - 1)):
            row = int(place if where == "below" else n - 1 - place)
            found[row] = f"the {int(size[place])} rows {where} it"
    return found
