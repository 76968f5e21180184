"""Where in a text the table is: what stands above and below it, and the lines of its header."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass, field

from ._numbers import parse_number
from ._text import DELIMITERS, MISSING, SAMPLE, is_number

__all__ = ["Layout", "lay_out"]

MOST_FOOTER = 30
_COMMA_NUMBER = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?")
_DIRECTIVE = re.compile(r"\s*\"?sep=(.)\"?\s*")
_UNIT = re.compile(r"[\[(].{1,15}[\])]|%|[^\W\d_°µ]{1,4}[²³]?|[°µ]\w{0,3}|\w{1,4}/\w{1,4}[²³]?")


@dataclass
class Layout:
    r"""Where the table is in a text, and how its lines become cells.

    Attributes
    ----------
    delimiter : str
        One character, or the regular expression `\s+` for runs of blanks.
    has_header : bool
        Whether there is a line that names the columns.
    first : list of str
        The cells of the first line, stripped.
    second : list of str
        A second line of names or units; empty where there is none.
    n_fields : int
        Cells in most lines after the first.
    body : str
        The rows alone.
    body_line : int
        Line of the text at which they start, from 1.
    header_line : int
        Line of the header, 0 for none.
    skipped, footer : list of (int, str)
        Lines that are no part of the table.
    """

    delimiter: str
    has_header: bool
    first: list[str]
    n_fields: int
    body: str
    body_line: int
    header_line: int = 0
    second: list[str] = field(default_factory=list)
    skipped: list[tuple[int, str]] = field(default_factory=list)
    footer: list[tuple[int, str]] = field(default_factory=list)


@dataclass
class _Row:
    line: int  # where it starts, from 1
    after: int  # the line after it
    cells: list[str]


def lay_out(text: str, *, header: bool | None = None, delimiter: str | None = None) -> Layout:
    """Find the table in a text.

    Parameters
    ----------
    text : str
        The whole file.
    header : bool, optional
        Whether the first line of the table names the columns; found out where None.
    delimiter : str, optional
        Found out where None.
    """
    skipped: list[tuple[int, str]] = []
    sample = _head(text)
    lines = sample.split("\n")
    start = 0
    directive = _DIRECTIVE.fullmatch(lines[0])
    if directive:
        delimiter = delimiter or directive[1]
        skipped.append((1, lines[0]))
        start = 1
    start, named = _comments(lines, start, skipped)
    delimiter, rows = _delimiter("\n".join(lines[start:]), start, delimiter)
    if named is not None:  # the header is a comment: # a, b, c
        line, words = named
        called = _cells(words, delimiter, line - 1)[0].cells
        if rows and len(called) == len(rows[0].cells) and len(called) > 1:
            rows.insert(0, _Row(line, rows[0].line, called))
            header = True if header is None else header
        else:
            skipped.append((line, lines[line - 1]))
    rows = _without_preamble(rows, lines, skipped)
    body = rows[1:] or rows
    first = [cell.strip() for cell in rows[0].cells]
    lengths = Counter(len(row.cells) for row in body)
    # one line of the header's length is enough: an index column would be in every line
    n_fields = len(first) if len(first) in lengths else lengths.most_common(1)[0][0]
    if n_fields > len(first) and max(_filled(row.cells) for row in body) == _filled(first):
        n_fields = len(first)  # ;; at the end of every row, but for the header
    # a sample can end inside a quoted cell
    cells = [
        [c.strip() for c in row.cells[:n_fields]]
        for row in body
        if len(row.cells) == n_fields or (len(row.cells) > n_fields >= _filled(row.cells))
    ]
    if header is None:
        header = _has_header(first, cells) if len(rows) > 1 else not any(map(is_number, first))
    layout = Layout(delimiter, header, first, n_fields, "", rows[0].line, skipped=skipped)
    if header:
        layout.header_line, layout.body_line = rows[0].line, rows[0].after
        if len(body) > 2 and len(body[0].cells) >= n_fields and _second_header(cells, first):
            layout.second = cells[0]
            layout.body_line = body[0].after
    layout.body = _after_line(text, layout.body_line)
    _cut_footer(layout)
    return layout


def _head(text: str) -> str:
    sample = text[:SAMPLE]
    if len(text) > SAMPLE and "\n" in sample:
        sample = sample[: sample.rindex("\n") + 1]  # whole lines only
    return sample


def _after_line(text: str, line: int) -> str:
    """Return the text from a line on, counted from 1."""
    place = 0
    for _ in range(line - 1):
        found = text.find("\n", place)
        if found < 0:
            return ""
        place = found + 1
    return text[place:]


def _comments(
    lines: list[str], start: int, skipped: list[tuple[int, str]]
) -> tuple[int, tuple[int, str] | None]:
    """Pass over # lines above the table; the last may be its header."""
    found = []
    while start < len(lines) and (
        lines[start].lstrip().startswith("#") or not lines[start].strip()
    ):
        if lines[start].strip():
            found.append(start)
        start += 1
    if not found or start >= len(lines) or not any(lines[start:]):
        return (found[0] if found else start), None
    below = _widths(lines[start])
    # a column that is called # is no comment
    if len(found) == 1 and re.match(r"\s*#\s*[,;\t|]", lines[found[0]]) and \
            _widths(lines[found[0]]) == below:  # fmt: skip
        return found[0], None
    last = found[-1]
    skipped += [(i + 1, lines[i]) for i in found[:-1]]
    return start, (last + 1, lines[last].lstrip().lstrip("#").strip())


def _widths(line: str) -> tuple[int, ...]:
    return tuple(line.count(d) for d in DELIMITERS)


def _cells(sample: str, delimiter: str, offset: int = 0) -> list[_Row]:
    """Cut lines into cells; blank lines are left out, and keep their numbers."""
    if delimiter == r"\s+":
        return [
            _Row(i + 1 + offset, i + 2 + offset, line.split())
            for i, line in enumerate(sample.split("\n"))
            if line.strip()
        ]
    csv.field_size_limit(1 << 27)
    reader = csv.reader(io.StringIO(sample), delimiter=delimiter, skipinitialspace=True)
    rows = []
    before = 0
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append(_Row(before + 1 + offset, reader.line_num + 1 + offset, cells))
            before = reader.line_num
    except csv.Error:  # a cell beyond the csv module's limit
        return []
    return rows


def _delimiter(sample: str, offset: int, given: str | None) -> tuple[str, list[_Row]]:
    """Return the delimiter that cuts the lines most evenly, and the cells it gives."""
    if given is not None:
        return given, _cells(sample, given, offset)
    best: tuple[tuple[float, float, int], str, list[_Row]] | None = None
    for delimiter in DELIMITERS:
        rows = _cells(sample, delimiter, offset)
        if not rows:
            continue
        widths = [_filled(row.cells) for row in rows]
        fields, count = Counter(max(w, 1) for w in widths).most_common(1)[0]
        fields = max(fields, Counter(len(row.cells) for row in rows).most_common(1)[0][0])
        count = sum(
            len(row.cells) == fields or w == fields for row, w in zip(rows, widths, strict=True)
        )
        if fields < 2 or count < 0.5 * len(rows) or not _starts(rows, _usual(rows)):
            continue
        others = [d for d in DELIMITERS if d != delimiter]
        cells = [cell for row in rows[:100] for cell in row.cells]
        clean = sum(
            not any(d in cell for d in others) or _COMMA_NUMBER.fullmatch(cell.strip()) is not None
            for cell in cells
        )
        score = (round(count / len(rows), 2), round(clean / len(cells), 1), fields)
        if best is None or score > best[0]:
            best = score, delimiter, rows
    if best is not None:
        return best[1], best[2]
    blanks = _cells(sample, r"\s+", offset)
    while len(blanks) > 2 and len(blanks[0].cells) != len(blanks[-1].cells):
        blanks = blanks[1:]  # a title
    if blanks and len(blanks[0].cells) > 1 and len({len(row.cells) for row in blanks}) == 1:
        cells = [cell for row in blanks[1:] or blanks for cell in row.cells]
        if sum(map(is_number, cells)) > 0.5 * len(cells):
            return r"\s+", blanks
    rows = _cells(sample, ",", offset)
    whole = [
        _Row(i + 1 + offset, i + 2 + offset, [line])
        for i, line in enumerate(sample.split("\n"))
        if line.strip()
    ]
    return ",", rows or whole


def _filled(cells: list[str]) -> int:
    """Cells up to the last that is not blank."""
    n = len(cells)
    while n and not cells[n - 1].strip():
        n -= 1
    return n


def _usual(rows: list[_Row]) -> int:
    """Return how many cells most rows have, blank ones at the end not counted."""
    return Counter(_filled(row.cells) for row in rows).most_common(1)[0][0]


def _starts(rows: list[_Row], fields: int) -> bool:
    """Whether the first row but titles is about as wide as the others."""
    return len(rows[_preamble(rows, fields)].cells) >= fields - 1


def _is_title(cells: list[str], fields: int) -> bool:
    """Whether a line above the table says something of it: few cells beside its width."""
    filled = sum(bool(cell.strip()) for cell in cells)
    narrow = len(cells) < fields - 1 or (fields == 2 and len(cells) == 1)
    if narrow and filled <= max(1, fields // 2):
        return True
    return fields >= 3 and filled == 1 and bool(cells[0].strip())


def _preamble(rows: list[_Row], fields: int) -> int:
    """Return how many rows stand above the table.

    A line that is nearly as wide as the table is a title too if one follows it that is not, or
    a blank line.
    """
    start = 0
    for i, row in enumerate(rows[:-2]):
        if _is_title(row.cells, fields):
            start = i + 1
        elif len(row.cells) >= fields or i > 0.7 * len(rows):
            break
        elif rows[i + 1].line > row.after:
            start = i + 1
    return start


def _without_preamble(
    rows: list[_Row], lines: list[str], skipped: list[tuple[int, str]]
) -> list[_Row]:
    if len(rows) < 3:
        return rows
    start = _preamble(rows, _usual(rows))
    if start == 0 or start > 0.7 * len(rows):
        return rows
    for row in rows[:start]:
        for line in range(row.line, row.after):
            text = lines[line - 1] if line <= len(lines) else ""
            if text.strip():
                skipped.append((line, text.strip()))
    skipped.sort()
    return rows[start:]


def _cut_footer(layout: Layout) -> None:
    """Cut lines below the table: few cells, with words, and no row that is just short."""
    body = layout.body.rstrip()
    fields = layout.n_fields
    if fields < 2 or layout.delimiter == r"\s+":
        return
    cut = len(body)
    found: list[str] = []
    while len(found) < MOST_FOOTER:
        place = body.rfind("\n", 0, cut)
        line = body[place + 1 : cut]
        if place < 0 or line.count('"') % 2:
            break
        cells = next(csv.reader([line], delimiter=layout.delimiter, skipinitialspace=True), [])
        filled = sum(bool(cell.strip()) for cell in cells)
        words = bool(cells) and re.search(r"[^\W\d_]{2}", cells[0]) is not None
        blank_above = body[: max(place, 0)].endswith("\n")
        few = filled <= max(1, fields // 3) and (len(cells) < fields or blank_above)
        said = filled == 1 and re.search(r"[:*]|\w \w", cells[0]) is not None and fields > 2
        apart = blank_above and len(cells) < fields
        below = words and (few or said or apart) and (fields > 2 or len(cells) == 1)
        if line.strip() and not below and not line.lstrip().startswith("#"):
            break
        if line.strip():
            found.append(line.strip())
        cut = place
    if not found:
        return
    rest = body[:cut]
    at = layout.body_line + rest.count("\n") + 1
    layout.footer = [(at + i, line) for i, line in enumerate(reversed(found))]
    layout.body = rest + "\n"


def _number(cell: str) -> bool:
    return is_number(cell) or parse_number(cell) is not None or parse_number(cell, ",") is not None


def _has_header(first: list[str], body: list[list[str]]) -> bool:
    """Tell names from data: names are no numbers above numbers, nor values seen below."""
    if not body or len(first) != len(body[0]):
        return True  # a header that lacks the index column's name
    numbers = [i for i, cell in enumerate(first) if _number(cell)]
    if _consecutive([first[i] for i in numbers]):
        return True  # a data frame's default names 0, 1, 2, ... or years, among others or not
    columns = list(zip(*body, strict=True))
    below = [sum(map(_number, column)) > 0.5 * len(column) for column in columns]
    words = sum(
        is_below and bool(cell) and cell not in MISSING and not _number(cell)
        for cell, is_below in zip(first, below, strict=True)
    )
    if numbers:  # a name may be a number, as 'inf' and '2019' are, where most are words
        return words > len(numbers)
    if any(below):
        return True
    again = sum(cell in set(column) for cell, column in zip(first, columns, strict=True) if cell)
    return again < 0.5 * len(first)


def _second_header(body: list[list[str]], first: list[str]) -> bool:
    """Whether the line below the names is more names, or units, and no row."""
    line, rest = body[0], body[1:]
    if len(rest) < 2 or len(first) != len(line):
        return False
    columns = list(zip(*rest, strict=True))
    numeric = [
        j
        for j, column in enumerate(columns)
        if sum(map(_number, column))
        >= 0.8 * max(1, sum(bool(c) and c not in MISSING for c in column))
        and any(map(_number, column))
    ]
    words = [line[j] for j in numeric if line[j]]
    if not words or any(_number(w) or w in MISSING or w.lower() in _ABSENT for w in words):
        return False
    others = [line[j] for j in range(len(line)) if j not in numeric and line[j]]
    units = all(_UNIT.fullmatch(w) for w in [*words, *others])
    seen = any(line[j] in columns[j] for j in range(len(line)) if j not in numeric and line[j])
    if seen or any(len(w) > 40 for w in words):
        return False
    if len(numeric) == 1:
        return (units and bool(re.match(r"[\[(%°µ]", words[0]))) or (units and len(line) == 1)
    return len(words) >= max(2, 0.6 * len(numeric)) or (units and len(words) >= 2)


_ABSENT = {"none", "-", "--", ".", "*", "missing", "unknown", "nil", "na", "n.a.", "nd"}


def _consecutive(cells: list[str]) -> bool:
    if len(cells) < 2 or not all(cell.isdigit() for cell in cells):
        return False
    numbers = [int(cell) for cell in cells]
    if not (numbers[0] == 0 or numbers[0] >= 1000 or (numbers[0] == 1 and len(numbers) > 2)):
        return False
    return numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def are_units(cells: list[str]) -> bool:
    """Whether a second line holds units rather than names.

    Examples
    --------
    >>> are_units(["", "cm", "(kg)"]), are_units(["mean", "maximum", "mean"])
    (True, False)
    """
    filled = [cell for cell in cells if cell]
    return bool(filled) and all(_UNIT.fullmatch(cell) for cell in filled)
