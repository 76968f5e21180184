"""Formulas by KaTeX, which ships with the site: docs/_static/katex, fonts from the lab's page."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.util.math import get_node_equation_number

FONTS = Path(__file__).parents[2] / "src" / "kiso" / "lab" / "static"


def visit_math(self: Any, node: nodes.math) -> None:
    """`<span class="math">`, whose text _static/formulas.js draws."""
    self.body.append(self.starttag(node, "span", "", CLASS="math notranslate"))
    self.body.append(self.encode(node.astext()) + "</span>")
    raise nodes.SkipNode


def visit_display(self: Any, node: nodes.math_block) -> None:
    """`<div class="math">`, with its number where it has one."""
    text = node.astext()
    # &-aligned or several lines: as Sphinx reads a `math` directive
    if not node.get("no-wrap", node.get("nowrap")):
        blocks = [block.strip() for block in text.split("\n\n") if block.strip()]
        rows = [
            rf"\begin{{split}}{b}\end{{split}}" if r"\\" in b or "&" in b else b for b in blocks
        ]
        if any(b.startswith(r"\begin{") for b in blocks):
            rows = blocks
        text = (
            rows[0]
            if len(rows) == 1
            else r"\begin{gathered}" + r"\\".join(rows) + r"\end{gathered}"
        )
    self.body.append(self.starttag(node, "div", CLASS="math notranslate"))
    if node["number"]:
        number = get_node_equation_number(self, node)
        self.body.append(f'<span class="eqno">({number})')
        self.add_permalink_ref(node, "Link to this equation")
        self.body.append("</span>")
    self.body.append(f'<span class="formula">{self.encode(text)}</span></div>\n')
    raise nodes.SkipNode


def copy_fonts(app: Any, error: Exception | None) -> None:
    """The fonts beside the style sheet."""
    if error is None and app.builder.format == "html":
        target = Path(app.outdir) / "_static" / "katex" / "fonts"
        target.mkdir(parents=True, exist_ok=True)
        for font in FONTS.glob("KaTeX_*.woff2"):
            shutil.copyfile(font, target / font.name)


def setup(app: Any) -> dict[str, Any]:
    """Register."""
    app.add_html_math_renderer(
        "katex", inline_renderers=(visit_math, None), block_renderers=(visit_display, None)
    )
    app.add_css_file("katex/katex.min.css")
    app.add_js_file("katex/katex.min.js", loading_method="defer")
    app.add_js_file("formulas.js", loading_method="defer")
    app.connect("build-finished", copy_fonts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
