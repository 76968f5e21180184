"""Where new rows differ from those that a model was fitted on.

A model answers for rows like its own. What is new is said: numbers outside the range of
training, a distribution that has moved, categories never seen, more cells missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.comparison import Column

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["drift_notes", "profile_of"]

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
MAX_CATEGORIES = 200  # whose shares are kept
LEAST_ROWS = 30  # of a table whose distribution is compared
MOVED = 0.25  # share of the rows that would have to be elsewhere


def profile_of(frame: pd.DataFrame, columns: Sequence[Column]) -> dict[str, Any]:
    """Return what each used column holds, in a few numbers.

    Parameters
    ----------
    frame : pandas.DataFrame
        The rows that a model is fitted on.
    columns : sequence of Column
    """
    found: dict[str, Any] = {}
    for column in columns:
        if not column.used:
            continue
        values = frame[column.name]
        entry: dict[str, Any] = {"missing": float(values.isna().mean())}
        if column.kind == "number":
            numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
            numbers = numbers[np.isfinite(numbers)]
            if numbers.size:
                entry["range"] = [float(numbers.min()), float(numbers.max())]
                entry["quantiles"] = [float(q) for q in np.quantile(numbers, QUANTILES)]
        elif column.kind in ("category", "boolean"):
            shares = values.astype(object).map(str, na_action="ignore").value_counts(normalize=True)
            entry["shares"] = {str(k): float(v) for k, v in shares.head(MAX_CATEGORIES).items()}
        found[column.name] = entry
    return found


def drift_notes(profile: dict[str, Any], frame: pd.DataFrame) -> list[str]:
    """Say where rows differ from those that a profile was made of.

    Parameters
    ----------
    profile : dict
        From `profile_of`.
    frame : pandas.DataFrame
        New rows, with the columns as they were in training.

    Examples
    --------
    >>> import pandas as pd
    >>> from kiso.comparison import classify_columns
    >>> old = pd.DataFrame({"x": range(100)})
    >>> drift_notes(profile_of(old, classify_columns(old.assign(y=0))), pd.DataFrame({"x": [500]}))
    ["column 'x': 1 row is outside the range of training (0 to 99): 500."]
    """
    notes = []
    for name, entry in profile.items():
        if name not in frame:
            continue
        parts = [
            *_outside(frame[name], entry),
            *_moved(frame[name], entry),
            *_shares(frame[name], entry),
            *_missing(frame[name], entry),
        ]
        if parts:
            notes.append(f"column {name!r}: {'; '.join(parts)}.")
    return notes


def _outside(values: Any, entry: dict[str, Any]) -> list[str]:
    if "range" not in entry:
        return []
    low, high = entry["range"]
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    out = (numbers < low) | (numbers > high)
    n = int(out.sum())
    if not n:
        return []
    rows = "1 row is" if n == 1 else f"{n:,} rows are"
    far = numbers[out]
    shown = f"{far[0]:g}" if n == 1 else f"{np.nanmin(far):g} to {np.nanmax(far):g}"
    return [f"{rows} outside the range of training ({low:g} to {high:g}): {shown}"]


def _moved(values: Any, entry: dict[str, Any]) -> list[str]:
    """Compare the median with the quartiles of training: by chance it is hardly ever outside."""
    if "quantiles" not in entry or len(values) < LEAST_ROWS:
        return []
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    if np.isnan(numbers).all():
        return []
    median = float(np.nanmedian(numbers))
    _, low, usual, high, _ = entry["quantiles"]
    if low <= median <= high:
        return []
    return [
        f"its median is {median:g}, in training {usual:g} (half of the rows {low:g} to {high:g})"
    ]


def _shares(values: Any, entry: dict[str, Any]) -> list[str]:
    if "shares" not in entry or len(values) < LEAST_ROWS:
        return []
    shares = values.astype(object).map(str, na_action="ignore").value_counts(normalize=True)
    old = entry["shares"]
    moved = 0.5 * sum(
        abs(float(shares.get(k, 0.0)) - old.get(k, 0.0)) for k in {*shares.index, *old}
    )
    if moved < MOVED or len(values) < 4 * len(old):
        return []
    most = max(old, key=lambda k: abs(float(shares.get(k, 0.0)) - old[k]))
    return [
        f"its categories have other shares ({most!r} {100 * float(shares.get(most, 0.0)):.0f} %, "
        f"in training {100 * old[most]:.0f} %)"
    ]


def _missing(values: Any, entry: dict[str, Any]) -> list[str]:
    share = float(values.isna().mean())
    old = float(entry["missing"])
    n = len(values)
    noise = 3 * np.sqrt(max(old * (1 - old), 1 / (n + 1)) / max(n, 1))
    if share - old <= max(0.1, noise) or n < 5:
        return []
    return [f"{100 * share:.0f} % are missing, in training {100 * old:.0f} %"]
