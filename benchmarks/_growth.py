"""Time against size on log-log axes: kiso and its peers, one size varied at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Growth = dict[str, dict[str, list[float]]]  # seconds by what is varied and by contestant


def measure(
    base: Mapping[str, int],
    steps: Mapping[str, Sequence[int]],
    setup: Callable[..., Any],
    runs: Mapping[str, Callable[..., Any]],
    *,
    repeats: int = 3,
) -> Growth:
    """Give, for each size varied and each contestant, the best of some interleaved runs.

    `setup(**sizes)` makes the data, `runs[name](data)` is timed; a contestant whose library
    is absent raises ImportError and gets no point.
    """
    found: Growth = {}
    for varied, values in steps.items():
        found[varied] = {name: [] for name in runs}
        for value in values:
            data = setup(**{**base, varied: value})
            times: dict[str, list[float]] = {name: [] for name in runs}
            for _ in range(repeats):
                for name, run in runs.items():
                    try:
                        start = time.perf_counter()
                        run(data)
                        times[name].append(time.perf_counter() - start)
                    except ImportError:
                        times[name].append(float("nan"))
            for name in runs:
                found[varied][name].append(min(times[name]))
    return found


def draw(
    rows: Sequence[tuple[str, Mapping[str, int], Mapping[str, Sequence[int]], Growth]],
) -> Any:
    """Draw a row of log-log panels for each (title, base, steps, what was measured)."""
    from matplotlib.figure import Figure

    width = max(len(steps) for _, _, steps, _ in rows)
    figure = Figure(figsize=(4.3 * width, 4.2 * len(rows)), layout="constrained")
    bands = figure.subfigures(len(rows), 1, squeeze=False).ravel()
    for band, (title, base, steps, found) in zip(bands, rows, strict=True):
        band.suptitle(title)
        for ax, (varied, lines) in zip(
            band.subplots(1, width, squeeze=False).ravel(), found.items(), strict=True
        ):
            for name, seconds in lines.items():
                bold = 2 if name.startswith("kiso") else 1
                ax.loglog(steps[varied], seconds, "o-", label=name, lw=bold, ms=4)
            others = ", ".join(f"{key} = {value:,}" for key, value in base.items() if key != varied)
            ax.set(xlabel=varied, ylabel="seconds", title=others)
            ax.grid(alpha=0.3, which="both")
            ax.legend(fontsize=8)
    return figure


def save(figure: Any, path: str) -> None:
    """Write a PNG of few colours: a third of the bytes, and lines need no more."""
    from io import BytesIO

    from PIL import Image

    buffer = BytesIO()
    figure.savefig(buffer, dpi=70)
    Image.open(buffer).convert("RGB").quantize(48).save(path, optimize=True)
