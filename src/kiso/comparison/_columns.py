"""What each column is, and the pipeline that turns columns into features.

Nothing is learnt here from values except what a column is (a number, a category, ...): the
means, the categories and what replaces a missing value are learnt by the pipeline's own
transformers, from the rows that the pipeline is fitted on.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from ._dates import DateParts, date_format
from ._result import Column
from ._text_features import MAX_TERMS, N_DIRECTIONS, TextFeatures, count_words

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "classify_columns",
    "feature_columns",
    "feature_names",
    "has_text",
    "is_boolean",
    "make_pipeline_for",
    "make_preparation",
    "squares_hold",
    "width",
]

MAX_CATEGORIES = 100  # indicator columns that one category column may give
MISSING_CATEGORY = "(missing)"
RARE_CATEGORY = "(rare)"
TEXT_NOTE = "free text, as weighted counts of its words and pairs of words"

_INDEX_NAMES = {"", "index", "rownames", "row.names", "row_names", "rowname", "level_0"}
_ID_NAME = re.compile(r"(^|[_ .-])(id|uuid|guid|key)$|[a-z]I[dD]$", re.IGNORECASE)


def classify_columns(
    frame: pd.DataFrame, target: str = "", *, drop: Sequence[str] = (), blank_first: bool = False
) -> list[Column]:
    """Say of every column but the target what it is and whether it is used.

    Parameters
    ----------
    frame : pandas.DataFrame
        As `read_table` gives it.
    target : str
        The column to predict; it is left out.
    drop : sequence of str
        Columns that the caller does not want used.
    blank_first : bool
        Whether the first column has no name of its own.

    Returns
    -------
    list of Column
        In the table's order, without the target.
    """
    columns = []
    row_numbers = None
    for i, name in enumerate(map(str, frame.columns)):
        if name == target:
            continue
        column = _classify(frame.iloc[:, i], name, first=i == 0, nameless=blank_first and i == 0)
        if name in drop:
            column.used, column.note = False, "left out, as asked"
        elif column.kind == "identifier" and column.note.startswith("counts the rows"):
            row_numbers = column
        columns.append(column)
    # a lone column that counts 1, 2, 3, ... is time rather than a row number
    if row_numbers is not None and not any(column.used for column in columns):
        row_numbers.kind, row_numbers.used, row_numbers.note = "number", True, ""
    return columns


def _classify(values: pd.Series[Any], name: str, *, first: bool, nameless: bool) -> Column:
    n_missing = int(values.isna().sum())
    present = values.dropna()
    n_unique = int(present.nunique())

    def column(kind: str, note: str = "", *, used: bool = True) -> Column:
        return Column(name, kind, n_missing, n_unique, used, note)

    if n_unique == 0:
        return column("constant", "no value in any row", used=False)
    if n_unique == 1 and n_missing == 0:
        return column("constant", f"always {present.iloc[0]!s:.40}", used=False)
    all_distinct = n_unique == len(values)
    if all_distinct and (nameless or name.lower() in _INDEX_NAMES or name.startswith("Unnamed:")):
        return column("identifier", "an index", used=False)
    kind = values.dtype.kind
    if kind == "M":
        return column("date", "as time, month, day, weekday, hour")
    if is_boolean(present):
        return column("boolean")
    if kind in "iuf":
        return _classify_numbers(values, name, all_distinct, first, column)
    return _classify_text(present, all_distinct and len(values) > 1, column)


def is_boolean(values: pd.Series[Any]) -> bool:
    """Whether a column without missing values holds nothing but True and False."""
    return values.dtype.kind == "b" or all(isinstance(value, bool) for value in values.unique())


def _classify_numbers(
    values: Any, name: str, all_distinct: bool, first: bool, column: Any
) -> Column:
    if values.dtype.kind in "iu" and all_distinct and len(values) > 2:
        steps = np.diff(values.to_numpy())
        if first and values.iloc[0] in (0, 1) and (steps == 1).all():
            return column("identifier", "counts the rows", used=False)
        if _ID_NAME.search(name):
            return column("identifier", "a different whole number in every row", used=False)
    if not squares_hold(values.dropna().to_numpy(dtype=np.float64)):
        return column("number", "too large or too small to be squared: not used", used=False)
    return column("number")


def squares_hold(values: Any) -> bool:
    """Whether the variance of values that differ neither overflows nor underflows."""
    if (values == values[0]).all():
        return True
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        variance = float(np.var(values))
    return bool(np.finfo(np.float64).tiny <= variance < np.inf)


def _classify_text(present: Any, all_distinct: bool, column: Any) -> Column:
    form = date_format(present)
    if form:
        order = {"%m/%d": "month before day", "%d/%m": "day before month"}.get(form[:5], "")
        note = "as time, month, day, weekday, hour"
        return column("date", f"{note}; read as {order}" if order else note)
    distinct = present.unique()
    share = len(distinct) / len(present)
    some = distinct[:: max(1, len(distinct) // 2000)]
    words = float(np.mean([count_words(str(value)) for value in some]))
    if all_distinct or (share > 0.9 and len(distinct) > 20):
        if words >= 2.5:
            return _text(distinct, column)
        return column("identifier", "a different value in (almost) every row", used=False)
    if (share > 0.5 and words > 8) or (len(distinct) > MAX_CATEGORIES and words > 4):
        return _text(distinct, column)
    note = ""
    if len(distinct) > MAX_CATEGORIES:
        note = f"the {MAX_CATEGORIES - 1} most frequent values, the others together"
    return column("category", note)


def _text(distinct: Any, column: Any) -> Column:
    """Say how texts are used; those that have no term in common say nothing."""
    import pandas as pd

    some = pd.DataFrame({"text": distinct[:5000]})
    if not len(TextFeatures().fit(some).terms_[0]):
        return column("text", "texts without a word in common: not used", used=False)
    return column("text", TEXT_NOTE)


def make_preparation(
    columns: Sequence[Column], n_rows: int, *, sparse: bool = False
) -> ColumnTransformer:
    """Return the transformer from columns to features, not yet fitted.

    - number, boolean: a missing value becomes the median, and a 0/1 feature says where it
      was missing; then every feature has mean 0 and variance 1;
    - category: one 0/1 feature a value, missing being a value of its own; values in fewer
      than about 10 rows (2 % of a small table) share one feature, which an unseen value
      gets too;
    - date: its parts (`DateParts`), then as numbers;
    - text: weighted counts of words (`TextFeatures`), their 50 largest directions where features
      are dense.

    Parameters
    ----------
    columns : sequence of Column
        As `classify_columns` gives them; those not `used` are left out.
    n_rows : int
        Rows of the table: what "rare" means depends on it.
    sparse : bool
        Whether to return a scipy sparse matrix (for many categories).
    """

    def names(*kinds: str) -> list[str]:
        return [column.name for column in columns if column.used and column.kind in kinds]

    numbers = make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
        StandardScaler(),
    )
    dates = make_pipeline(
        DateParts(), SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler()
    )
    categories = make_pipeline(
        SimpleImputer(strategy="constant", fill_value=MISSING_CATEGORY, keep_empty_features=True),
        OneHotEncoder(
            handle_unknown="infrequent_if_exist",
            min_frequency=rare_below(n_rows),
            max_categories=MAX_CATEGORIES,
            sparse_output=sparse,
            dtype=np.float64,
        ),
    )
    parts = [
        ("numbers", numbers, names("number", "boolean")),
        ("dates", dates, names("date")),
        ("categories", categories, names("category")),
        ("texts", TextFeatures(None if sparse else N_DIRECTIONS), names("text")),
    ]
    return ColumnTransformer(
        [part for part in parts if part[2]],
        sparse_threshold=1.0 if sparse else 0.0,
        verbose_feature_names_out=False,
    )


def make_pipeline_for(
    columns: Sequence[Column], estimator: Any, n_rows: int, *, sparse: bool = False
) -> Pipeline:
    """Return the pipeline that `compare` judges and `fit` saves: preparation, then the model.

    Parameters
    ----------
    columns, n_rows, sparse
        As for `make_preparation`.
    estimator : estimator
        The last step, named "model"; the first is named "columns".

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.dummy import DummyRegressor
    >>> frame = pd.DataFrame({"kind": list("abab"), "size": [1.0, None, 3.0, 4.0]})
    >>> columns = classify_columns(frame)
    >>> pipeline = make_pipeline_for(columns, DummyRegressor(), len(frame))
    >>> feature_names(pipeline.fit(frame, [1, 2, 3, 4])["columns"])
    ['size', 'size is missing', 'kind = a', 'kind = b']
    """
    return Pipeline(
        [("columns", make_preparation(columns, n_rows, sparse=sparse)), ("model", estimator)]
    )


def rare_below(n_rows: int) -> int:
    """Return the number of rows below which a category counts as rare."""
    return max(2, min(10, n_rows // 50))


def has_text(columns: Sequence[Column]) -> bool:
    """Whether a column of free text is used."""
    return any(column.used and column.kind == "text" for column in columns)


def width(columns: Sequence[Column], *, sparse: bool = False) -> int:
    """Return about how many features the columns give; never fewer than they do."""
    terms = MAX_TERMS if sparse else N_DIRECTIONS
    return sum(
        1 + (column.n_missing > 0)
        if column.kind in ("number", "boolean")
        else 5
        if column.kind == "date"
        else terms
        if column.kind == "text"
        else min(column.n_unique + 1, MAX_CATEGORIES)
        for column in columns
        if column.used
    )


def feature_names(preparation: ColumnTransformer) -> list[str]:
    """Return a readable name for each feature of a fitted preparation."""
    names: list[str] = []
    for part, transformer, inputs in preparation.transformers_:
        if part == "categories":
            encoder = copy.copy(transformer[-1])
            encoder.feature_name_combiner = _category_name
            names += list(encoder.get_feature_names_out(inputs))
        elif part == "texts":
            names += [str(name) for name in transformer.get_feature_names_out()]
        elif part in ("numbers", "dates"):
            found = transformer.get_feature_names_out(inputs)
            names += [re.sub(r"^missingindicator_(.*)$", r"\1 is missing", str(n)) for n in found]
    return [str(name) for name in names]


def feature_columns(preparation: ColumnTransformer) -> list[str]:
    """Return the column that each feature of a fitted preparation is made of."""
    columns: list[str] = []
    for part, transformer, inputs in preparation.transformers_:
        if part == "categories":
            encoder = transformer[-1]
            for name, n in zip(inputs, _widths(encoder), strict=True):
                columns += [str(name)] * n
        elif part == "numbers":
            columns += [str(name) for name in inputs]
            indicator = transformer[0].indicator_
            columns += [str(inputs[j]) for j in getattr(indicator, "features_", [])]
        elif part == "texts":
            for name, n in zip(transformer.feature_names_in_, transformer.widths(), strict=True):
                columns += [str(name)] * n
        elif part == "dates":
            dates = transformer[0]
            for name, parts in zip(dates.feature_names_in_, dates.parts_, strict=True):
                columns += [str(name)] * len(parts)
    return columns


def _widths(encoder: OneHotEncoder) -> list[int]:
    """Features that each category column gives."""
    rare = encoder.infrequent_categories_ or [None] * len(encoder.categories_)
    return [
        len(seen) - (0 if few is None else len(few) - 1)
        for seen, few in zip(encoder.categories_, rare, strict=True)
    ]


def _category_name(column: str, category: Any) -> str:
    if category == "infrequent_sklearn":
        category = RARE_CATEGORY
    return f"{column} = {category}"
