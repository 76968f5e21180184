"""The house style of every picture: colours, sizes, and text that is safe to draw.

Colours are named by role. A page replaces each by a CSS variable of that name, so that the
same picture is readable in light and in dark; that is why a role has two values and why no
picture uses a colour that is not here. The hues are Okabe and Ito's (2008), which people
with any of the common colour-vision deficiencies can tell apart.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# role: (light, dark)
THEME = {
    "ink": ("#1b1f24", "#e6edf3"),
    "muted": ("#57606a", "#9198a1"),
    "grid": ("#d8dee4", "#30363d"),
    "paper": ("#fefefe", "#0d1117"),
    "blue": ("#0072b2", "#4ba3e3"),
    "vermilion": ("#c24e00", "#f0883e"),
    "green": ("#007a58", "#2fbf92"),
    "purple": ("#a03a8f", "#d98bd0"),
    "sky": ("#2a87bd", "#8ccbf2"),
    "amber": ("#9a6b00", "#f0c04a"),
}
INK, MUTED, GRID, PAPER, BLUE, VERMILION, GREEN, PURPLE, SKY, AMBER = (
    light for light, _ in THEME.values()
)
CYCLE = (BLUE, VERMILION, GREEN, PURPLE, SKY, AMBER)  # of what is compared, in this order

WIDTH = 4.5  # inches; a phone shows it at about three quarters of its size, still readable
TEXT, SMALL = 9.5, 8.5  # points


@contextmanager
def house_style() -> Iterator[None]:
    """Draw inside with the colours, sizes and bare axes of the house.

    For figures that set none of these themselves: matplotlib's settings, for the time of the
    block. What is saved has to be saved inside, too, for "C0" is looked up when it is drawn.

    Examples
    --------
    >>> import matplotlib
    >>> from kiso.report import house_style
    >>> with house_style():
    ...     matplotlib.rcParams["axes.spines.top"]
    False
    """
    from cycler import cycler
    from matplotlib import rc_context

    settings: Any = {
        "axes.prop_cycle": cycler(color=CYCLE),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.edgecolor": MUTED,
        "axes.linewidth": 0.8,
        "axes.titlelocation": "left",
        "axes.titlesize": 12,
        "axes.titlecolor": INK,
        "axes.labelcolor": INK,
        "axes.labelsize": 11.5,
        "axes.grid": False,
        "axes.axisbelow": True,
        "grid.color": GRID,
        "grid.linewidth": 0.7,
        "text.color": INK,
        "xtick.color": MUTED,
        "ytick.color": MUTED,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "xtick.labelsize": 11,
        "ytick.labelsize": 11,
        "font.size": 11.5,
        "legend.frameon": False,
        "legend.fontsize": 11,
        "lines.linewidth": 1.8,
        "lines.markersize": 5.5,
        "figure.facecolor": PAPER,
        "axes.facecolor": PAPER,
        "savefig.facecolor": PAPER,
        "image.cmap": "viridis",
    }
    with rc_context(settings):
        yield


def canvas(height: float, *, width: float = WIDTH) -> tuple[Figure, Axes]:
    """Return an empty figure of the house's width and its one pair of axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained", facecolor=PAPER)
    return figure, figure.add_subplot()


def dress(
    ax: Axes,
    *,
    title: str = "",
    xlabel: str = "",
    ylabel: str = "",
    grid: str = "both",
    align: Literal["left", "center", "right"] = "center",
) -> None:
    """Put title, labels, spines, ticks and grid of the house on axes.

    `grid` is "x", "y", "both" or "none". Title and labels are escaped here. Where long names leave
    little width, `align="right"` lets the label of x reach under them, not over the edge.
    """
    ax.set_facecolor(PAPER)
    ax.figure.suptitle(
        plain(title), x=0.01, ha="left", fontsize=TEXT + 0.5, fontweight="bold", color=INK
    )
    ax.set_xlabel(plain(xlabel), fontsize=TEXT, color=INK, loc=align)
    ax.set_ylabel(plain(ylabel), fontsize=TEXT, color=INK)
    ax.tick_params(which="both", labelsize=SMALL, color=GRID, labelcolor=INK, length=3)
    for side, spine in ax.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(GRID)
    ax.set_axisbelow(True)
    if grid != "none":
        ax.grid(visible=True, axis=grid, color=GRID, linewidth=0.7)  # type: ignore[arg-type]


def name_rows(ax: Axes, names: list[str]) -> None:
    """Name the rows of a horizontal chart, the first at the top; long names are shortened."""
    ax.set_yticks(range(len(names)), [plain(name) for name in distinct(names, 32)])
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)


def logarithmic(
    ax: Axes, which: str, low: float, high: float, write: Callable[[float], str]
) -> None:
    """Make the "x" or "y" axis, from `low` to `high`, logarithmic; write its ticks in words.

    matplotlib's own writes powers as formulas, in fonts that a page need not have.
    """
    from matplotlib.ticker import LogLocator, NullFormatter

    ax.set(**{f"{which}scale": "log"})
    axis = ax.xaxis if which == "x" else ax.yaxis
    decades = math.log10(high / low)
    steps = (1.0, 2.0, 5.0) if decades < 2 else (1.0, 3.0) if decades < 4 else (1.0,)
    axis.set_major_locator(LogLocator(subs=steps, numticks=12))
    axis.set_major_formatter(lambda value, _: write(value))
    axis.set_minor_formatter(NullFormatter())


def legend(ax: Axes, **options: Any) -> None:
    """Draw a legend without a frame."""
    ax.legend(frameon=False, fontsize=SMALL, labelcolor=INK, **options)


def plain(text: object) -> str:
    r"""Return text that matplotlib draws as it stands: no formula, one line.

    A dollar sign is escaped, for `price in $ and $/m` is not TeX; control characters,
    which XML has no way to write, become spaces.
    """
    return unescaped(text).replace("$", r"\$")


def unescaped(text: object) -> str:
    """Return text in one line, with a space for each character that XML cannot write."""
    return "".join(
        " " if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") else c for c in str(text)
    )


def short(text: object, length: int = 26) -> str:
    """Return text of at most `length` characters: the middle of a longer one is left out."""
    line = str(text)
    if len(line) <= length:
        return line
    head = length // 2
    found = f"{line[:head]}…{line[len(line) - (length - 1 - head) :]}"
    noted = _SHORTENED.get()
    if noted is not None:
        noted[found] = noted.get(line, line)  # what is shortened twice is whole, too
    return found


def distinct(names: list[str], length: int) -> list[str]:
    """Shorten names; of those that would look the same the part is shown where they differ.

    Examples
    --------
    >>> distinct(["the mean height before all costs", "the mean height after all costs"], 20)
    ['the…before all costs', 'the…after all costs']
    """
    found = [short(name, length) for name in names]
    for text in {text for text in found if found.count(text) > 1}:
        alike = [i for i, other in enumerate(found) if other == text]
        if len({names[i] for i in alike}) < len(alike):
            continue
        columns = zip(*(names[i] for i in alike), strict=False)
        start = next((at for at, letters in enumerate(columns) if len(set(letters)) > 1), 0)
        for i in alike:
            rest = names[i][start:]
            room = length - 4
            rest = rest if len(rest) <= room else f"{rest[: room - 1]}…"
            found[i] = f"{names[i][:3]}…{rest}"
            noted = _SHORTENED.get()
            if noted is not None:
                noted[found[i]] = names[i]
    return found


_SHORTENED: ContextVar[dict[str, str] | None] = ContextVar("shortened", default=None)


@contextmanager
def shortened() -> Iterator[dict[str, str]]:
    """Note what `short` leaves out inside: what is written -> the whole text."""
    noted: dict[str, str] = {}
    token = _SHORTENED.set(noted)
    try:
        yield noted
    finally:
        _SHORTENED.reset(token)
