"""A matplotlib figure as part of a page: inline SVG in the page's colours, or a PNG.

matplotlib names every part of an SVG by an id and writes colours as numbers. In a page with
many pictures the ids must not meet, and the colours must follow light and dark.
"""

from __future__ import annotations

import base64
import io
import re
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from .figures._style import INK, THEME, house_style, unescaped

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAX_SVG = 150_000  # characters; a foreign picture that is longer goes in as a PNG

_TAG = re.compile(r"<[^>]*>")  # matplotlib writes "&gt;" inside attributes
_ID = re.compile(r'(\bid="|xlink:href="#|url\(#)')
_LONG = re.compile(r"(-?\d+\.\d\d\d)\d+")
_COLOUR = re.compile("|".join(light for light, _ in THEME.values()))
_GREY = re.compile(r"((?:fill|stroke): ?)#([0-9a-f]{2})\2\2(?![0-9a-f])")
_ROLE = {light: f"var(--{role},{light})" for role, (light, _) in THEME.items()}


def themed(
    figure: Figure, *, alt: str, prefix: str, whole: Mapping[str, str] | None = None
) -> Markup:
    """Return a picture in the house style as SVG that follows the page's light and dark.

    Text stays text (it can be selected, and any script is drawn in the reader's fonts).

    Parameters
    ----------
    figure : Figure
        Drawn with the colours of the house.
    alt : str
        What it shows, for those who cannot see it.
    prefix : str
        Unique in the page; put before every id.
    whole : mapping of str to str, optional
        The whole of each label that is shortened in the picture: shown where one points at it.
    """
    svg = _svg(figure, fonttype="none", transparent=True)
    shown = _embed(svg, alt, prefix, lambda tag: _COLOUR.sub(lambda m: _ROLE[m[0]], tag))
    return _with_tooltips(shown, whole or {})


def _with_tooltips(svg: Markup, whole: Mapping[str, str]) -> Markup:
    """Give each shortened label the whole one as its title, which browsers show on pointing."""
    text = str(svg)
    for written, full in whole.items():
        title = f"<title>{escape(unescaped(full))}</title>"
        for form in {str(escape(written)), written.replace("&", "&amp;").replace("<", "&lt;")}:
            text = text.replace(f">{form}</text>", f">{title}{form}</text>")
            text = text.replace(f">{form}</tspan>", f">{title}{form}</tspan>")
    return Markup(text)


def foreign(figure: Figure, *, alt: str, prefix: str) -> Markup:
    """Return a picture drawn under `house_style`; what lies beyond the house's colours stays.

    Black, white and greys follow the page's light and dark as ink, paper and muted do. A large
    picture becomes a PNG.
    """
    width = f'style="max-width: {96 * figure.get_size_inches()[0]:.0f}px" '  # as it was drawn
    with house_style():
        svg = _svg(figure, fonttype="none", transparent=True)
        if len(svg) <= MAX_SVG:
            shown = _embed(svg, alt, prefix, _follow_theme)
            return Markup(str(shown).replace("<svg ", f"<svg {width}", 1))
        data = base64.b64encode(_saved(figure, "png", dpi=144)).decode("ascii")
    return Markup('<img class="opaque" {}alt="{}" src="data:image/png;base64,{}">').format(
        Markup(width), alt, Markup(data)
    )


def _follow_theme(tag: str) -> str:
    """Give a tag's colours the names of the page's."""
    tag = _GREY.sub(lambda m: f"{m[1]}var(--{_grey_role(int(m[2], 16))},#{m[2] * 3})", tag)
    tag = _COLOUR.sub(lambda m: _ROLE[m[0]], tag)
    if tag.startswith("<text") and "fill" not in tag:  # the SVG's own black
        tag = tag.replace('style="', f'style="fill: {_ROLE[INK]}; ', 1)
    return tag


def _grey_role(level: int) -> str:
    """Name the role that a grey plays, 0 black, 255 white."""
    return (
        "ink" if level < 0x50 else "muted" if level < 0xC0 else "grid" if level < 0xF8 else "paper"
    )


def _svg(figure: Figure, *, fonttype: str, transparent: bool) -> str:
    from matplotlib import rc_context

    with rc_context({"svg.fonttype": fonttype, "svg.hashsalt": "kiso", "text.usetex": False}):
        return _saved(figure, "svg", transparent=transparent, metadata={"Date": None}).decode()


def _saved(figure: Figure, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings():  # a glyph that matplotlib's font lacks, a crowded layout
        warnings.simplefilter("ignore", UserWarning)
        figure.savefig(buffer, format=kind, **options)
    return buffer.getvalue()


def _embed(svg: str, alt: str, prefix: str, recolour: Any) -> Markup:
    """Make the SVG part of an HTML page; only tags are touched, never what a user wrote."""
    svg = svg[svg.index("<svg") :]
    for pattern in (r"<!--.*?-->", r"<metadata>.*?</metadata>", r"<style.*?</style>"):
        svg = re.sub(pattern, "", svg, flags=re.DOTALL)

    def tag(match: re.Match[str]) -> str:
        text = _ID.sub(lambda m: m[0] + prefix, match[0])
        return str(recolour(_LONG.sub(r"\1", text))).replace("xlink:href", "href")

    svg = _TAG.sub(tag, svg)
    box = re.search(r'viewBox="([^"]*)"', svg)
    start = f'<svg class="picture" viewBox="{box[1] if box else ""}" role="img" aria-label="'
    return Markup(start) + escape(alt) + Markup('">' + svg[svg.index(">") + 1 :].strip())
