"""A fitted pipeline in one file that holds data and no code.

The file is what skops writes: a zip of one JSON tree, which names the types, and the arrays
as `.npy`. Loading walks the tree first and refuses any type that is not in the closed
registry of `_trusted.py`; there is no fall-back to pickle.
"""

from __future__ import annotations

import io
import json
import os
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from sklearn.exceptions import InconsistentVersionWarning
from sklearn.pipeline import Pipeline

from kiso.comparison import DataError

from ._invariants import check_invariants
from ._model import FittedModel
from ._replace import replace_file
from ._trusted import LOADERS, MOVED_MODULES, TYPES

FORMAT = "kiso.model/1"
_LATER = {"reading", "profile"}  # fields that files of kiso 0.1 lack
MAX_BYTES = 8 << 30  # unpacked; a zip of a few kilobytes can claim far more


class ModelFileError(DataError):
    """A file is not a kiso model that can be loaded; the message says why."""


def save_model(model: FittedModel, path: str | os.PathLike[str]) -> Path:
    """Write a fitted model to a file; an existing file is replaced at once or not at all.

    Parameters
    ----------
    model : FittedModel
    path : path-like
        By custom with the suffix `.kiso`.

    Returns
    -------
    Path

    Raises
    ------
    ValueError
        If the pipeline holds a type that could not be loaded again; the message names it.
    OSError
        If the file cannot be written.
    """
    import skops.io

    content = {"format": FORMAT, **{f.name: getattr(model, f.name) for f in fields(model)}}
    packed = skops.io.dumps(content, compression=zipfile.ZIP_DEFLATED)
    foreign = sorted(_foreign(_tree(zipfile.ZipFile(io.BytesIO(packed)))))
    if foreign:
        raise ValueError(f"the model holds what a model file may not: {', '.join(foreign)}")
    return replace_file(path, packed)


def load_model(path: str | os.PathLike[str]) -> FittedModel:
    """Load a fitted model; nothing in the file is executed.

    Raises
    ------
    ModelFileError
        If the file is truncated, is not a kiso model, is of a later format, or names a type
        outside the closed registry (then nothing of it is built).
    OSError
        If the file cannot be read.
    """
    path = Path(path)
    packed = _with_modules_of_today(path.read_bytes())
    try:
        archive = zipfile.ZipFile(io.BytesIO(packed))
    except Exception as error:  # BadZipFile, and what else a broken directory provokes
        raise ModelFileError(f"{path} is not a kiso model file, or is cut short") from error
    with archive:
        _check_archive(archive, path)
    return _to_model(_build(packed, path), path)


def _with_modules_of_today(packed: bytes) -> bytes:
    """Return a file with the modules of types that have moved since; others as they are."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(packed))
        schema = archive.read("schema.json").decode()
    except Exception:  # no such file: said, in words, where it is read
        return packed
    size = sum(entry.file_size for entry in archive.infolist())
    if size > MAX_BYTES or not any(f'"{old}"' in schema for old in MOVED_MODULES):
        return packed
    for old, new in MOVED_MODULES.items():
        schema = schema.replace(f'"__module__": "{old}"', f'"__module__": "{new}"')
    out = io.BytesIO()
    with archive, zipfile.ZipFile(out, "w") as changed:
        for entry in archive.infolist():
            content = schema if entry.filename == "schema.json" else archive.read(entry)
            changed.writestr(entry, content, compress_type=entry.compress_type)
    return out.getvalue()


def _check_archive(archive: zipfile.ZipFile, path: Path) -> None:
    """Refuse what must not be built, by the table of contents and the tree alone."""
    if sum(entry.file_size for entry in archive.infolist()) > MAX_BYTES:
        raise ModelFileError(f"{path} unpacks to more than {MAX_BYTES >> 30} GiB: not loaded")
    try:
        foreign = sorted(_foreign(_tree(archive)))
    except KeyError as error:
        raise ModelFileError(f"{path} is a zip file, but not a kiso model") from error
    except Exception as error:  # zlib, JSON and zipfile each fail in their own way
        raise ModelFileError(f"{path} is damaged: its description cannot be read") from error
    if foreign:
        raise ModelFileError(
            f"{path} names what a kiso model never holds ({', '.join(foreign[:5])}): not loaded"
        )


def _build(packed: bytes, path: Path) -> Any:
    """Let skops build the checked tree."""
    import skops.io

    with warnings.catch_warnings():
        # the file's versions are compared, and said, by FittedModel
        warnings.simplefilter("ignore", InconsistentVersionWarning)
        try:
            return skops.io.loads(packed, trusted=sorted(TYPES))
        except Exception as error:
            raise ModelFileError(
                f"{path} is damaged, or was written by another version of kiso "
                f"({type(error).__name__}: {str(error)[:200]})"
            ) from error


def _tree(archive: zipfile.ZipFile) -> Any:
    return json.loads(archive.read("schema.json"))


def _foreign(tree: Any) -> Iterator[str]:
    """Yield every type and loader named in a tree that is not in the registry."""
    seen: set[str] = set()
    stack = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            stack.extend(node.values())
            if "__class__" in node or "__module__" in node or "__loader__" in node:
                name = f"{node.get('__module__')}.{node.get('__class__')}"
                loader = str(node.get("__loader__"))
                if name not in TYPES:
                    seen.add(name)
                if loader not in LOADERS:
                    seen.add(loader)
        elif isinstance(node, list):
            stack.extend(node)
    yield from seen


def _to_model(content: Any, path: Path) -> FittedModel:
    if not isinstance(content, dict) or not str(content.get("format", "")).startswith("kiso.model"):
        raise ModelFileError(f"{path} is a skops file, but not a kiso model")
    if content["format"] != FORMAT:
        raise ModelFileError(
            f"{path} has format {content['format']}; this kiso reads {FORMAT}: update kiso"
        )
    try:
        model = FittedModel(
            **{
                f.name: content[f.name]
                for f in fields(FittedModel)
                if f.name in content or f.name not in _LATER
            }
        )
    except KeyError as error:
        raise ModelFileError(f"{path} is damaged: it lacks {error}") from error
    if not isinstance(model.pipeline, Pipeline):
        raise ModelFileError(f"{path} is damaged: it holds no pipeline")
    try:
        check_invariants(model)
    except Exception as error:  # a part that is missing fails in a way of its own
        raise ModelFileError(f"{path} is damaged: {error}") from error
    return model
