"""Writing a file in one stroke."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path


def replace_file(path: str | os.PathLike[str], content: bytes) -> Path:
    """Write a file so that whoever reads it sees the old content or the new, never half.

    The content goes into a file beside the target, which is then renamed; it is on the
    disk before it takes the place of the old one.

    Raises
    ------
    OSError
        If the path is a folder or cannot be written; an old file is as it was.
    """
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; give the name of a file")
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    with suppress(OSError):  # systems that cannot sync a folder
        descriptor = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    return path
