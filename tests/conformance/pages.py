"""The tables of docs/conformance.md: what passes of scikit-learn's own tests, and what differs."""

from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "conformance.md"
_START, _END = "<!-- {} -->", "<!-- end of {} -->"


def write(outcomes):
    """Write both tables into the page, between their marks; rooms that did not run keep theirs."""
    text = PAGE.read_text(encoding="utf-8")
    for outcome in outcomes:
        text = _between(text, f"counts: {outcome.room}", _counts(outcome))
        text = _between(text, f"differences: {outcome.room}", _differences(outcome))
    PAGE.write_text(text, encoding="utf-8")


def _between(text, name, lines):
    start, end = _START.format(name), _END.format(name)
    if start not in text or end not in text:
        raise ValueError(f"{PAGE.name} has no place for {name!r}: add the lines {start} and {end}")
    before, _, rest = text.partition(start)
    _, _, after = rest.partition(end)
    return "\n".join([before + start, *lines, end + after])


def _counts(outcome):
    lines = ["| class | pass | of | |", "|---|---|---|---|"]
    for name, (passed, counted) in outcome.table().items():
        lines.append(f"| {name} | {passed} | {counted} | {passed / counted:.1%} |")
    return lines


def _differences(outcome):
    lines = ["| what differs | tests |", "|---|---|"]
    for reason, count in outcome.on_purpose().items():
        lines.append(f"| {reason[0].upper()}{reason[1:]}. | {count} |")
    return lines if len(lines) > 2 else ["Nothing differs on purpose."]
