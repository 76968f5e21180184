"""Which data sets are in the data folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from . import _cifar, _images, _omniglot
from ._cache import RemoteFile, data_home


def _all_there(files: Callable[[], list[RemoteFile]], home: Path) -> bool:
    return all((home / file.path).is_file() for file in files())


def _pairs(name: str) -> list[RemoteFile]:
    return [file for pair in _images._FILES[name].values() for file in pair]


def _parts(names: tuple[str, ...]) -> list[RemoteFile]:
    return [_omniglot.PARTS[name] for name in names]


def _cifar_or_part(home: Path) -> bool:
    return (home / _cifar.ARCHIVE.path).is_file() or all(
        _cifar.parts_of(split, home) for split in ("train", "test")
    )


_SETS: dict[str, Callable[[Path], bool]] = {
    "mnist": partial(_all_there, partial(_pairs, "mnist")),
    "fashion-mnist": partial(_all_there, partial(_pairs, "fashion-mnist")),
    "cifar10": partial(_all_there, lambda: [_cifar.ARCHIVE]),
    "cifar10-part": _cifar_or_part,
    "omniglot": partial(_all_there, partial(_parts, ("background", "evaluation"))),
    "omniglot-small": partial(
        _all_there, partial(_parts, ("background_small1", "background_small2"))
    ),
    "omniglot-runs": partial(_all_there, lambda: [_omniglot.RUNS]),
}


def available(name: str, data_folder: str | os.PathLike[str] | None = None) -> bool:
    """Return whether every file of a data set is in the data folder (nothing is downloaded).

    Parameters
    ----------
    name : str
        "mnist", "fashion-mnist"; "cifar10", or "cifar10-part" where a part will do;
        "omniglot" (background and evaluation), "omniglot-small" (both small backgrounds),
        "omniglot-runs".
    data_folder : path-like, optional
        Default: the `KISO_DATA` setting, else the user's cache folder.

    Raises
    ------
    ValueError
        For a name that kiso has no loader for.
    """
    if name not in _SETS:
        raise ValueError(f"no data set {name!r}; kiso loads {', '.join(sorted(_SETS))}")
    return _SETS[name](data_home(data_folder))
