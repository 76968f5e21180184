"""Columns that name who or what a row belongs to: patients, users, devices.

Rows of one patient resemble each other. Where some are in a training fold and some in the test
fold, a model scores by recognising the patient, which it cannot do for a new one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["GroupColumn", "names_someone", "repeated_identifiers"]

LEAST_GROUPS = 5
CHANCE = 1e-3  # of a column that is the same within every group by accident

_OWNERS = frozenset(
    """patient subject user customer client person participant individual household family student
    pupil animal mouse rat cow horse plant tree device machine engine sensor station session
    speaker writer author batch donor specimen account member player driver rider vehicle truck
    employee worker teacher school case respondent visitor candidate borrower applicant group
    cluster site subj pat proband kunde haushalt gerät maschine schüler mitarbeiter fahrer cliente
    paciente usuario alumno""".split()  # noqa: SIM905  a list of words is read as words
)
_ASIAN_OWNERS = re.compile(
    r"患者|顧客|被験者|会員|利用者|個人|ユーザー|客户|用户|病人|會員|使用者|환자|고객"
)
_NUMBERING = {"id", "ids", "uid", "uuid", "guid", "no", "nr", "num", "number", "code", "key",
              "index", "name", "idx"}  # fmt: skip
_TOKEN = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+")
_LABEL = re.compile(r"[A-Za-z]+[-_ #.]?\d+")


@dataclass(frozen=True)
class GroupColumn:
    """A column whose values each stand in several rows that belong together.

    Attributes
    ----------
    name : str
    n_groups : int
        Distinct values.
    least, most : int
        Rows of the smallest and the largest group.
    constant : tuple of str
        Columns, the target among them, that are the same in all rows of a group.
    sure : bool
        Whether its name or the form of its values says that it identifies someone; where not,
        only the scores can tell.
    """

    name: str
    n_groups: int
    least: int
    most: int
    constant: tuple[str, ...]
    sure: bool


def names_someone(name: str) -> bool:
    """Whether a column's name is that of an identifier: patient, user_id, subjectNo, id.

    Examples
    --------
    >>> [names_someone(name) for name in ("patient", "user_id", "customer age", "width")]
    [True, True, False, False]
    """
    if _ASIAN_OWNERS.search(name):
        return True
    tokens = [token.lower() for token in _TOKEN.findall(name)]
    rest = [t for t in tokens if t not in _OWNERS and t.removesuffix("s") not in _OWNERS]
    if not tokens or len(rest) == len(tokens):
        return bool(tokens) and tokens[-1] in {"id", "uid", "uuid", "guid"}
    return tokens[-1] not in rest or tokens[-1] in _NUMBERING


def repeated_identifiers(
    frame: pd.DataFrame, target: str, candidates: Sequence[str]
) -> list[GroupColumn]:
    """Find columns that name groups of rows.

    A value stands in 2 rows at least and in a third of them at most, and some other column (or
    the target) is the same in all rows of every group, which chance would hardly do.

    Parameters
    ----------
    frame : pandas.DataFrame
        With the target, rows without target left out.
    target : str
    candidates : sequence of str
        Columns to look at: text and whole numbers.

    Returns
    -------
    list of GroupColumn
        Those that are sure first, then those with most constant columns.
    """
    coded = {str(name): _codes(frame[name]) for name in frame.columns}
    found = [
        group
        for name in candidates
        if name != target and (group := _group(frame, coded, name, target)) is not None
    ]
    found.sort(key=lambda group: (not group.sure, target not in group.constant,
                                  -len(group.constant)))  # fmt: skip
    return found


def _group(
    frame: pd.DataFrame, coded: dict[str, Any], name: str, target: str
) -> GroupColumn | None:
    codes = coded[name]
    n = len(codes)
    counts = np.bincount(codes)
    if frame[name].isna().mean() > 0.05 or len(counts) < LEAST_GROUPS:
        return None
    if counts.max() > n / 3 or counts[counts >= 2].sum() < 0.8 * n or np.median(counts) < 2:
        return None
    is_text = frame[name].dtype.kind not in "iufb"
    if not is_text and not _whole(frame[name]):
        return None
    constant = tuple(
        other
        for other, values in coded.items()
        if other != name and _constant_within(values, codes, counts, any_number=other == target)
    )
    if not constant:
        return None
    sure = names_someone(name) or (
        is_text and len(counts) >= 8 and _labels(frame[name].dropna().unique())
    )
    blocks = int((np.diff(codes) != 0).sum()) + 1 == len(counts)
    if not sure and not blocks and target not in constant:
        return None
    return GroupColumn(name, len(counts), int(counts.min()), int(counts.max()), constant, sure)


def _codes(values: Any) -> Any:
    """Number the values from 0 in order of appearance; a missing one is a value too."""
    import pandas as pd

    return pd.factorize(values, use_na_sentinel=False)[0]


def _whole(values: Any) -> bool:
    present = values.dropna().to_numpy(dtype=np.float64)
    return bool((present == np.round(present)).all())


def _labels(values: Any) -> bool:
    """Whether texts are letters and a number, as P07 or device-12."""
    return float(np.mean([_LABEL.fullmatch(str(value)) is not None for value in values])) > 0.95


def _constant_within(values: Any, groups: Any, counts: Any, *, any_number: bool) -> bool:
    """Whether values are the same within groups, which chance would not bring about.

    A column that tells the groups apart (their name beside their number) says nothing; a
    target may.
    """
    shares = np.bincount(values) / len(values)
    if len(shares) < 2 or (len(shares) >= len(counts) and not any_number):
        return False
    first = np.zeros(len(counts), dtype=values.dtype)
    first[groups[::-1]] = values[::-1]
    if not np.array_equal(values, first[groups]):
        return False
    # k more rows of a group agree with its first by chance with probability (Σ p²)ᵏ
    return bool((len(values) - len(counts)) * np.log(np.sum(shares**2)) < np.log(CHANCE))
