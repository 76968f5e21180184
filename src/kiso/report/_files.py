"""Writing a result to disk: whole or not at all, and refused early where it cannot be."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from kiso.persistence import replace_file

from . import _words
from .figures._style import THEME


def check_writable(path: str | os.PathLike[str]) -> Path:
    """Return the path of a page to be written, or say why it cannot be.

    Call it before a long computation whose result goes there.

    Parameters
    ----------
    path : path-like
        File of the page; the data go beside it with the ending `.json`.

    Returns
    -------
    Path
        The file itself, symbolic links followed.

    Raises
    ------
    ValueError
        If the path ends in `.json`, where the data go.
    OSError
        If it is a folder, its folder is absent, or one of them may not be written.

    Examples
    --------
    >>> from kiso.report import check_writable
    >>> check_writable("no/such/folder/report.html")
    Traceback (most recent call last):
    FileNotFoundError: cannot write no/such/folder/report.html: there is no folder no/such/folder
    """
    target = Path(path)
    if target.suffix.lower() == ".json":
        raise ValueError(f"cannot write the page to {path}: the data go into that file; use .html")
    for file in (target, target.with_suffix(".json")):
        if file.is_dir():
            raise IsADirectoryError(f"cannot write {file}: it is a folder; name a file in it")
        if file.exists() and not file.is_file():
            raise OSError(f"cannot write {file}: it is no ordinary file")
        if file.exists() and not os.access(file, os.W_OK):
            raise PermissionError(f"cannot write {file}: the file is read-only")
    folder = target.parent
    if not folder.exists():
        raise FileNotFoundError(f"cannot write {path}: there is no folder {folder}")
    if not folder.is_dir():
        raise NotADirectoryError(f"cannot write {path}: {folder} is no folder")
    if not os.access(folder, os.W_OK):
        raise PermissionError(f"cannot write {path}: the folder {folder} is read-only")
    return target.resolve()


def write_text(path: Path, text: str) -> None:
    """Write a text in one stroke, as UTF-8."""
    # half a surrogate pair, as a broken file can hold, is no character: written \\udxxx
    replace_file(path, text.encode("utf-8", "backslashreplace"))


def to_json(data: Any) -> str:
    """Return strict JSON in one line; characters stand as they are."""
    return json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"


def render(template: str, **values: Any) -> str:
    """Fill a template of this room; every value is escaped that is not markup."""
    environment = Environment(
        loader=PackageLoader(__package__, "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in ("number", "count", "seconds", "size", "percent"):
        environment.filters[name] = getattr(_words, name)
    return environment.get_template(template).render(theme=THEME, **values)
