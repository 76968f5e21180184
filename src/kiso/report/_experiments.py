"""The page of the experiments: what the texts claim, what came out, and every picture."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from markupsafe import Markup

from kiso.experiments import CHAPTERS, Check, Experiment, Outcome, chapter_of

from ._files import check_writable, render, to_json, write_text
from ._picture import foreign

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SCHEMA = "kiso.reproduce/1"

ExperimentStatus = Literal["holds", "false", "untestable", "failed", "skipped", "interrupted"]

STATUS_SIGNS: dict[ExperimentStatus, str] = {
    "holds": "✓",
    "false": "✗",
    "untestable": "?",
    "failed": "!",
    "skipped": "–",
    "interrupted": "…",
}


def status_of(holds: bool | None) -> ExperimentStatus:
    """Return the status that a verdict gives: of a check, or of a whole experiment.

    Examples
    --------
    >>> from kiso.report import status_of
    >>> status_of(None)
    'untestable'
    """
    if holds is None:
        return "untestable"
    return "holds" if holds else "false"


def status_words(status: ExperimentStatus) -> str:
    """Return a status as people read it in a count.

    Examples
    --------
    >>> from kiso.report import status_words
    >>> status_words("untestable")
    'not testable here'
    """
    return "not testable here" if status == "untestable" else status


def verdict_words(status: ExperimentStatus) -> str:
    """Return a status as people read it beside a claim; what never ran has no sign.

    Examples
    --------
    >>> from kiso.report import verdict_words
    >>> verdict_words("holds"), verdict_words("skipped")
    ('✓ holds', 'skipped')
    """
    ran = status not in ("skipped", "interrupted")
    return f"{STATUS_SIGNS[status]} {status_words(status)}" if ran else status


@dataclass(frozen=True)
class ExperimentResult:
    """One experiment and what came of it.

    Attributes
    ----------
    experiment : Experiment
        What ran, or did not.
    status : {"holds", "false", "untestable", "failed", "skipped", "interrupted"}
        The verdict; "untestable" when a published number needs more than there is here and
        nothing is false, "failed" when it raised, "skipped" when its data are absent.
    outcome : Outcome or None
        What it measured; None when it did not come to an end.
    seconds : float
        Duration of the run, without the picture.
    seed : int
        What its random numbers came from.
    message : str
        Why there is no verdict.
    figure : matplotlib.figure.Figure or None
        Its picture.
    frames : tuple of matplotlib.figure.Figure
        Pictures that the page plays one after the other.

    Examples
    --------
    >>> from kiso.experiments import CHAPTERS, Check, Experiment, Outcome, chapter_of
    >>> from kiso.report import ExperimentResult
    >>> outcome = Outcome((Check("one and one", "2", 2.0, True),))
    >>> claim = Experiment("Sums", (1,), "1 + 1 = 2", "arithmetic", lambda seed: outcome, None)
    >>> ExperimentResult(claim, "holds", claim.run(0)).checks[0].measured
    2.0
    """

    experiment: Experiment
    status: ExperimentStatus
    outcome: Outcome | None = None
    seconds: float = 0.0
    seed: int = 0
    message: str = ""
    figure: Figure | None = None
    frames: tuple[Figure, ...] = ()

    @property
    def checks(self) -> tuple[Check, ...]:
        """The claims that were checked; none when it did not come to an end."""
        return self.outcome.checks if self.outcome else ()


def experiments_to_dict(results: Sequence[ExperimentResult]) -> dict[str, Any]:
    """Return results as plain, JSON-ready data under a versioned schema.

    Parameters
    ----------
    results : sequence of ExperimentResult
        What ran.

    Returns
    -------
    dict
        Schema, number of results of each status, and the results; NaN becomes None.

    Examples
    --------
    >>> from kiso.report import experiments_to_dict
    >>> experiments_to_dict([])["schema"]
    'kiso.reproduce/1'
    """
    statuses = [result.status for result in results]
    counts = {s: statuses.count(s) for s in get_args(ExperimentStatus) if s in statuses}
    return {"schema": SCHEMA, "counts": counts, "experiments": [_plain(r) for r in results]}


def write_experiments(results: Sequence[ExperimentResult], folder: str | os.PathLike[str]) -> Path:
    """Write one self-contained page with every claim, verdict and picture.

    Parameters
    ----------
    results : sequence of ExperimentResult
        What ran, in the order to show.
    folder : path-like
        Made if absent; gets `index.html` and `results.json`.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    OSError
        If the folder or a file in it cannot be written; the message says why.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from kiso.report import write_experiments
    >>> with TemporaryDirectory() as folder:
    ...     write_experiments([], folder).name
    'index.html'
    """
    place = prepare_folder(folder)
    page = check_writable(place / "index.html")
    data = check_writable(place / "results.html").with_suffix(".json")
    shown = [
        {
            "result": result,
            "picture": _picture(result, f"e{i}-"),
            "frames": [
                foreign(frame, alt=f"step {k}", prefix=f"e{i}f{k}-")
                for k, frame in enumerate(result.frames)
            ],
            "formula": _typeset(result.experiment.formula),
        }
        for i, result in enumerate(results)
    ]
    summary = experiments_to_dict(results)
    text = render(
        "experiments.html",
        title="Claims of the texts, checked",
        chapters=_by_chapter(shown),
        by_row=_by_row(results),
        counts=summary["counts"],
        moving=any(result.frames for result in results),
        measured=measured,
        status_of=status_of,
        status_words=status_words,
        verdict_words=verdict_words,
    )
    write_text(data, to_json(summary))
    write_text(page, text)
    return page


def _by_chapter(shown: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Deal the experiments to the chapters of the notes, in the order of the chapters."""
    chapters: dict[str, list[dict[str, Any]]] = {}
    for name in CHAPTERS:
        found = [s for s in shown if chapter_of(s["result"].experiment) == name]
        if found:
            chapters[name] = found
    return chapters


def _by_row(results: Sequence[ExperimentResult]) -> list[tuple[int, list[str]]]:
    """For each row of the inventory of the notes the experiments that show it."""
    rows: dict[int, list[str]] = {}
    for result in results:
        for row in result.experiment.rows:
            rows.setdefault(row, []).append(result.experiment.name)
    return sorted(rows.items())


def _typeset(formula: str) -> Markup:
    """Return LaTeX as MathML, which browsers draw without a script or a font of ours."""
    if not formula:
        return Markup()
    from latex2mathml.converter import convert

    return Markup(convert(formula, display="block"))


def prepare_folder(folder: str | os.PathLike[str]) -> Path:
    """Return the folder of a page, made if absent, or say why it cannot be.

    Raises
    ------
    OSError
        If a file is in its way, or it may not be made or written.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from kiso.report import prepare_folder
    >>> with TemporaryDirectory() as folder:
    ...     prepare_folder(f"{folder}/made/here").is_dir()
    True
    """
    place = Path(folder)
    if place.exists() and not place.is_dir():
        raise NotADirectoryError(f"cannot write into {place}: it is a file; name a folder")
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise type(error)(f"cannot make the folder {place}: {error.strerror}") from error
    if not os.access(place, os.W_OK):
        raise PermissionError(f"cannot write into {place}: the folder is read-only")
    return place


def measured(check: Check) -> str:
    """Return what a check measured, as people read it: six significant digits.

    Examples
    --------
    >>> from kiso.experiments import Check
    >>> from kiso.report import measured
    >>> measured(Check("slope", "0.1345", 0.13452528, True))
    '0.134525'
    """
    value = check.measured
    if isinstance(value, str):
        return value
    return f"{float(value):.6g}".replace("-", "−")


def _picture(result: ExperimentResult, prefix: str) -> Markup:
    if result.figure is None:
        return Markup()
    alt = f"{result.experiment.title}: {result.experiment.claim}"
    return foreign(result.figure, alt=alt, prefix=prefix)


def _plain(result: ExperimentResult) -> dict[str, Any]:
    e = result.experiment
    return {
        "name": e.name,
        "title": e.title,
        "rows": [int(row) for row in e.rows],
        "claim": e.claim,
        "source": e.source,
        "slow": bool(e.slow),
        "needs": list(e.needs),
        "status": result.status,
        "verdict": result.outcome.verdict if result.outcome else None,
        "seconds": float(result.seconds),
        "seed": int(result.seed),
        "message": result.message,
        "remark": result.outcome.remark if result.outcome else "",
        "erratum": result.outcome.erratum if result.outcome else "",
        "checks": [
            {
                "what": check.what,
                "claimed": check.claimed,
                "measured": _number(check.measured),
                "holds": None if check.holds is None else bool(check.holds),
            }
            for check in result.checks
        ],
    }


def _number(value: float | str) -> float | str | None:
    if isinstance(value, str):
        return value
    return float(value) if math.isfinite(value) else None
