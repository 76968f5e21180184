"""Numbers as people write them: grouped, in brackets, with signs of currency and units.

    1,200   1.200,50   1 200   1'200   12,34,567   (1,200)   −5   $5   R$ 5   5 USD   45 %
    22.8k   3.5万   228.3 km

A column has one decimal mark, and at most one unit.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Marks", "Parsed", "count_marks", "is_currency", "parse_number", "parse_numbers"]

_SPACES = "\u00a0\u202f\u2009\u2007\u2008 "
_MINUS = str.maketrans({"\u2212": "-", "\uff0d": "-", "\u2013": "-", "\uff0e": ".", "\uff0c": ",",
                        **{chr(0xFF10 + d): str(d) for d in range(10)}})  # fmt: skip
_SIGNS = (
    r"US\$|A\$|C\$|R\$|HK\$|NT\$|S\$|MX\$|[$€£¥₹₩₽₺฿₫₴₦₱₪₡￥￡]|Rs\.?|kr\.?|zł|Kč|Fr\.?|円|元|원"
)
_CODES = (
    "USD|EUR|GBP|JPY|CNY|RMB|CHF|SEK|NOK|DKK|CAD|AUD|NZD|INR|BRL|RUB|KRW|TWD|HKD|SGD|MXN|ZAR|PLN|"
    "CZK|HUF|TRY|THB|IDR|ILS|AED|SAR|VND|PHP|MYR"
)
_CURRENCY = rf"(?:{_SIGNS}|{_CODES})"
_DIGITS = r"\d[\d.,'’" + _SPACES + r"]*|[.,]\d+"
_NUMBER = re.compile(
    rf"(?P<open>\()?\s*(?P<sign>[+-])?\s*(?P<before>{_CURRENCY})?\s*(?P<sign2>[+-])?"
    rf"(?P<digits>{_DIGITS})(?P<power>[eE][+-]?\d+)?"
    r"\s*(?P<times>[kKMBT](?![^\W\d_])|bn|mn|mio\.?|Mio\.?|Mrd\.?|Tsd\.?|万|億|亿|萬|千)?"
    rf"\s*(?P<after>{_CURRENCY}|[%‰]|[^\W\d_][^\d,;]{{0,15}}|[°²³µΩ\"'′″][^\d,;]{{0,6}})?"
    r"\s*(?P<close>\))?\s*(?P<late>-)?"
)
_TIMES = {
    "k": 1e3, "K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12, "bn": 1e9, "mn": 1e6, "mio": 1e6,
    "Mio": 1e6, "Mrd": 1e9, "Tsd": 1e3, "千": 1e3, "万": 1e4, "萬": 1e4, "億": 1e8, "亿": 1e8,
}  # fmt: skip


@dataclass(frozen=True)
class Marks:
    """What the numbers of a text say about its decimal mark.

    Attributes
    ----------
    comma, point : int
        Cells that only make sense with this decimal mark.
    doubtful_comma, doubtful_point : int
        Cells as 28,705 and 28.705, which make sense both ways.
    """

    comma: int = 0
    point: int = 0
    doubtful_comma: int = 0
    doubtful_point: int = 0

    def __add__(self, other: Marks) -> Marks:
        return Marks(
            self.comma + other.comma,
            self.point + other.point,
            self.doubtful_comma + other.doubtful_comma,
            self.doubtful_point + other.doubtful_point,
        )


_LIKE_NUMBER = re.compile(r"[^\d]{0,5}\d[\d.,'’" + _SPACES + r"]*[^\d]{0,12}")


def count_marks(cells: Iterable[str]) -> Marks:
    """Count what the cells of a column say about the decimal mark.

    Examples
    --------
    >>> count_marks(["1,5", "1.234,50", "28,705", "1,234.5"])
    Marks(comma=2, point=1, doubtful_comma=1, doubtful_point=0)
    """
    comma = point = doubtful_comma = doubtful_point = 0
    for cell in cells:
        if ("," not in cell and "." not in cell) or not _LIKE_NUMBER.fullmatch(cell.strip()):
            continue
        digits = "".join(ch for ch in cell if ch.isdigit() or ch in ",.")
        digits = digits.strip(",.") if digits.strip(",.").count(",") else digits.rstrip(",.")
        commas, points = digits.count(","), digits.count(".")
        if commas and points:
            last_comma = digits.rindex(",") > digits.rindex(".")
            comma += last_comma and commas == 1
            point += not last_comma and points == 1
        elif commas:
            if commas > 1:
                point += _grouped(digits, ",")
            elif _doubtful(digits, ","):
                doubtful_comma += 1
            else:
                comma += 1
        elif points:
            if points > 1:
                comma += _grouped(digits, ".")
            elif _doubtful(digits, "."):
                doubtful_point += 1
            else:
                point += 1
    return Marks(comma, point, doubtful_comma, doubtful_point)


def _grouped(digits: str, mark: str) -> bool:
    """Whether digits stand in groups of three, or in India's of two and a last of three."""
    m = re.escape(mark)
    return (
        re.fullmatch(rf"\d{{1,3}}({m}\d{{3}})+|\d{{1,2}}({m}\d{{2}})*{m}\d{{3}}", digits)
        is not None
    )


def _doubtful(digits: str, mark: str) -> bool:
    whole, _, rest = digits.partition(mark)
    return len(rest) == 3 and 1 <= len(whole) <= 3 and whole[0] != "0"


def parse_number(cell: str, decimal: str = ".") -> tuple[float, str] | None:
    """Return a number and its unit ("" for none), or None for what is no number.

    Parameters
    ----------
    cell : str
    decimal : str
        "." or ","; the other one groups digits.

    Examples
    --------
    >>> parse_number("(1,200)"), parse_number("−5"), parse_number("1.234,5 km", ",")
    ((-1200.0, ''), (-5.0, ''), (1234.5, 'km'))
    >>> parse_number("12,34,567"), parse_number("22.8k"), parse_number("kr 95"), parse_number("A12")
    ((1234567.0, ''), (22800.0, ''), (95.0, 'kr'), None)
    """
    text = cell.strip().translate(_MINUS)
    found = _NUMBER.fullmatch(text)
    if found is None or bool(found["open"]) != bool(found["close"]):
        return None
    number = _digits(found["digits"], decimal)
    if number is None:
        return None
    before, after = (found["before"] or "").strip(" ."), (found["after"] or "").strip(" .")
    if before and after and before != after:
        return None
    signs = [s for s in (found["sign"], found["sign2"], found["late"]) if s]
    if len(signs) > 1 or (found["open"] and signs):
        return None
    minus = bool(found["open"]) or "-" in signs
    try:
        value = float(number + (found["power"] or ""))
    except ValueError:
        return None
    value *= _TIMES.get((found["times"] or "").rstrip("."), 1.0)
    return (-value if minus else value), before or after


def _digits(text: str, decimal: str) -> str | None:
    """Return digits as Python writes them; None where groups are not groups."""
    group = "," if decimal == "." else "."
    text = text.strip(_SPACES)
    whole, mark, rest = text.rpartition(decimal)
    if not mark:
        whole, rest = text, ""
    elif not (rest.isdigit() or rest == ""):
        return None
    for separator in (group, "'", "’", *_SPACES):
        if separator in whole:
            if not _grouped(whole, separator):
                return None
            whole = whole.replace(separator, "")
    if not (whole.isdigit() or (whole == "" and rest)):
        return None
    return f"{whole or 0}.{rest or 0}"


@dataclass(frozen=True)
class Parsed:
    """The distinct texts of a column as numbers.

    Attributes
    ----------
    values : dict of str to float
        Those that are numbers in the column's unit.
    unit : str
        "" for none, "km", "%", "$".
    units : tuple of str
        All units that were found; with more than one the column is no measure.
    n_cells : int
        Cells that are numbers, in whatever unit.
    """

    values: dict[str, float]
    unit: str
    units: tuple[str, ...]
    n_cells: int


def parse_numbers(counts: dict[str, int], decimal: str) -> Parsed:
    """Parse the distinct texts of a column; the unit is the one that most of its cells have.

    A cell in another unit, or with words after its number ("12 or so"), is no number of the
    column.
    """
    found = {text: parsed for text in counts if (parsed := parse_number(text, decimal))}
    weights: Counter[str] = Counter()
    for text, (_, unit) in found.items():
        weights[_plain(unit)] += counts[text]
    total = sum(weights.values())
    named = [(unit, n) for unit, n in weights.most_common() if unit]
    all_named = sum(n for _, n in named)
    usual = bool(named) and named[0][1] >= max(0.3 * total, 0.9 * all_named)
    unit = named[0][0] if usual else ""
    if (
        not unit
        and named
        and named[0][1] >= 0.02 * total
        and (named[0][0] == "%" or is_currency(named[0][0]))
    ):
        unit = named[0][0]
    values = {text: value for text, (value, u) in found.items() if _plain(u) in ("", unit)}
    units = tuple(u for u, n in named if n >= 0.05 * total)
    return Parsed(values, unit, units, total)


def _plain(unit: str) -> str:
    """Return years for year, and KM for km."""
    return unit.removesuffix("s").lower() if len(unit) > 3 else unit


def is_currency(unit: str) -> bool:
    """Whether a unit is a sign or a code of a currency."""
    return re.fullmatch(_CURRENCY, unit) is not None
