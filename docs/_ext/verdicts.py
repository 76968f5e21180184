"""`{verdict} NAME ...`: what an experiment claims, what it measured, and whether it holds.

The numbers are those that `python docs/list_verdicts.py` wrote into docs/path/verdicts.json;
a reader gets them again by `kiso reproduce NAME`.
"""

from __future__ import annotations

import html
import json
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

RESULTS = Path(__file__).parents[1] / "path" / "verdicts.json"
SHOWN = 4  # checks above the fold
WORDS = {
    "en": ("quantity", "claimed", "measured", "verdict", "holds", "does not hold",
           "not testable here", "Experiment", "{} more"),
    "ja": ("量", "主張", "実測", "判定", "成り立つ", "成り立たない",
           "ここでは検証できない", "実験", "ほか {} 件"),
    "zh_TW": ("量", "主張", "實測", "判定", "成立", "不成立",
              "此處無法檢驗", "實驗", "另有 {} 項"),
}  # fmt: skip


def number(value: float | str | None) -> str:
    """Six significant digits at most, as `kiso reproduce` prints them."""
    if value is None:
        return "–"
    return value if isinstance(value, str) else f"{value:.6g}".replace("-", "−")


def table(checks: list[dict[str, Any]], words: tuple[str, ...]) -> str:
    """Rows of an HTML table."""
    signs = {True: f"✓ {words[4]}", False: f"✗ {words[5]}", None: f"? {words[6]}"}
    head = "".join(f"<th>{word}</th>" for word in words[:4])
    rows = "".join(
        "<tr>" + "".join(
            f"<td>{html.escape(cell)}</td>"
            for cell in (c["what"], c["claimed"], number(c["measured"]), signs[c["holds"]])
        ) + "</tr>"
        for c in checks
    )  # fmt: skip
    body = f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody>"
    return f'<table class="table verdict-table">{body}</table>'


def page(result: dict[str, Any], language: str) -> str:
    """One experiment as HTML: the claim, the first checks, the others folded."""
    words = WORDS.get(language, WORDS["en"])
    sign = {True: f"✓ {words[4]}", False: f"✗ {words[5]}", None: f"? {words[6]}"}
    checks = result["checks"]
    shown = checks if len(checks) <= SHOWN + 1 else checks[:SHOWN]
    parts = [
        '<div class="verdict">',
        f"<p><strong>{words[7]} <code>kiso reproduce {result['name']}</code>: "
        f"{sign[result['verdict']]}.</strong> {html.escape(result['claim'])}</p>",
        table(shown, words),
    ]
    if len(shown) < len(checks):
        more = words[8].format(len(checks) - len(shown))
        rest = table(checks[len(shown) :], words)
        parts.append(f"<details><summary>{more}</summary>{rest}</details>")
    return "".join([*parts, "</div>"])


class Verdict(SphinxDirective):
    """Put one experiment's recorded result here."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Give its HTML."""
        name = self.arguments[0]
        self.env.note_dependency(str(RESULTS))
        results = json.loads(RESULTS.read_text("utf-8"))
        if name not in results:
            raise self.error(f"no result of {name!r}; run python docs/list_verdicts.py {name}")
        return [nodes.raw("", page(results[name], self.config.language), format="html")]


def setup(app: Any) -> dict[str, Any]:
    """Register."""
    app.add_directive("verdict", Verdict)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
