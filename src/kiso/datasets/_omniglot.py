"""Omniglot: characters of 50 alphabets, each drawn once by 20 people.

The zip files hold 1-bit PNG of 105×105: `<part>/<alphabet>/<character>/<id>_<drawer>.png`, and
`runNN/training/classMM.png`, `runNN/test/itemMM.png` with `runNN/class_labels.txt` for the runs.
"""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ._cache import RemoteFile, locate

Part = Literal["background", "evaluation", "background_small1", "background_small2"]

_URL = "https://raw.githubusercontent.com/brendenlake/omniglot/master/python/"
_SIDE = 105

PARTS = {
    name: RemoteFile(f"omniglot/images_{name}.zip", f"{_URL}images_{name}.zip", *check)
    for name, check in {
        "background": ("68d2efa1b9178cc56df9314c21c6e718", "md5"),
        "evaluation": ("6b91aef0f799c5bb55b94e3f2daec811", "md5"),
        "background_small1": ("f38eb80f801274ac2b4dff5b24289016bfaba4a7d5bb50deebf27104ad6cb8a4",),
        "background_small2": ("3ccaa407515a8778e5d0861875af38b17e418f301ad5bb3b5a6b65d901a41c7f",),
    }.items()
}
RUNS = RemoteFile(
    "omniglot/all_runs.zip",
    f"{_URL}one-shot-classification/all_runs.zip",
    "437c1eeab0af8484112e1b4cc0f3d541ec727f7c47b9b202da738af9dfd6c325",
)


@dataclass(frozen=True)
class Drawings:
    """Drawn characters, and what each is.

    Attributes
    ----------
    images : ndarray of shape (n, 105, 105), bool
        True where there is ink.
    alphabet, character : ndarray of shape (n,), str
        "Greek", "character01": characters are numbered within their alphabet.
    drawer : ndarray of shape (n,), int
        1 to 20; who drew it.
    """

    images: NDArray[np.bool_]
    alphabet: NDArray[np.str_]
    character: NDArray[np.str_]
    drawer: NDArray[np.intp]

    def __len__(self) -> int:
        """Return the number of drawings."""
        return len(self.images)

    @property
    def labels(self) -> NDArray[np.str_]:
        """Classes over all alphabets: "Greek/character01"."""
        return np.char.add(np.char.add(self.alphabet, "/"), self.character)


@dataclass(frozen=True)
class OneShotRun:
    """One of Lake's runs: 20 new characters of one alphabet, drawn by two people.

    Attributes
    ----------
    name : str
        "run01" to "run20".
    support : ndarray of shape (20, 105, 105), bool
        One drawing of each character; its number is its class.
    queries : ndarray of shape (20, 105, 105), bool
        Another person's drawings of them.
    labels : ndarray of shape (20,), int
        The class of each query.
    """

    name: str
    support: NDArray[np.bool_]
    queries: NDArray[np.bool_]
    labels: NDArray[np.intp]


def fetch_omniglot(
    part: Part = "background",
    *,
    data_folder: str | os.PathLike[str] | None = None,
    progress: bool = False,
) -> Drawings:
    """Load the drawings of one part of Omniglot, downloading it at the first call.

    Parameters
    ----------
    part : str, default="background"
        - "background": 30 alphabets, 964 characters, 19,280 drawings;
        - "evaluation": the 20 other alphabets, 659 characters, 13,180 drawings;
        - "background_small1", "background_small2": 5 alphabets each out of the background
          (136 characters, 2,720 drawings; 156 and 3,120), which Lake et al. gave to show what
          can be learned from less; Greek and Latin are in both.
    data_folder : path-like, optional
        Folder that holds, or shall hold, `omniglot/images_<part>.zip`. Default: the
        `KISO_DATA` setting, else the user's cache folder.
    progress : bool, default=False
        Draw a progress bar of the download on standard error.

    Returns
    -------
    Drawings
        In the order alphabet, character, drawer.

    Raises
    ------
    DataUnavailableError
        Without network; the message says which file to put where.
    ValueError
        For an unknown part, or a damaged file.

    References
    ----------
    B. M. Lake, R. Salakhutdinov, J. B. Tenenbaum, "Human-level concept learning through
    probabilistic program induction", Science 350, 2015.
    """
    if part not in PARTS:
        raise ValueError(f"part={part!r}: give one of {', '.join(map(repr, PARTS))}")
    path = locate(PARTS[part], data_folder, progress=progress)
    with _opened(path) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".png"))
        if not names:
            raise ValueError(f"{path} holds no drawings")
        fields = np.array([_fields(name, path) for name in names])
        images = _read_images(archive, names)
    return Drawings(images, fields[:, 0], fields[:, 1], fields[:, 2].astype(np.intp))


def fetch_omniglot_runs(
    *, data_folder: str | os.PathLike[str] | None = None, progress: bool = False
) -> tuple[OneShotRun, ...]:
    """Load the 20 runs of Lake's one-shot classification (`all_runs.zip`).

    Each run gives one drawing of each of 20 characters of one evaluation alphabet, and asks of
    20 drawings by another person which character they are: 400 questions in all. Errors
    published for this protocol are not to be compared with those for Vinyals' episodes, where
    the 20 characters come from different alphabets.

    Parameters
    ----------
    data_folder, progress
        As for `fetch_omniglot`; the file is `omniglot/all_runs.zip`.

    Returns
    -------
    tuple of OneShotRun
    """
    path = locate(RUNS, data_folder, progress=progress)
    with _opened(path) as archive:
        names = sorted({name.split("/")[0] for name in archive.namelist()})
        return tuple(_read_run(archive, name) for name in names)


def _read_run(archive: zipfile.ZipFile, name: str) -> OneShotRun:
    pairs = [line.split() for line in archive.read(f"{name}/class_labels.txt").decode().split("\n")]
    pairs = sorted(pair for pair in pairs if pair)
    classes = sorted(training for _, training in pairs)
    return OneShotRun(
        name,
        _read_images(archive, classes),
        _read_images(archive, [item for item, _ in pairs]),
        np.array([classes.index(training) for _, training in pairs]),
    )


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise ValueError(f"{path} is not a zip file") from error


def _fields(name: str, path: Path) -> tuple[str, str, str]:
    """Alphabet, character and drawer from `<part>/<alphabet>/<character>/<id>_<drawer>.png`."""
    pieces = name.split("/")
    drawer = pieces[-1].removesuffix(".png").rpartition("_")[2]
    if len(pieces) != 4 or not drawer.isdigit():
        raise ValueError(f"{path}: {name} is not <part>/<alphabet>/<character>/<id>_<drawer>.png")
    return pieces[1], pieces[2], drawer


def _read_images(archive: zipfile.ZipFile, names: list[str]) -> Any:
    from PIL import Image

    images = np.empty((len(names), _SIDE, _SIDE), dtype=np.bool_)
    for image, name in zip(images, names, strict=True):
        drawn = np.asarray(Image.open(BytesIO(archive.read(name))).convert("1"))
        if drawn.shape != image.shape:
            raise ValueError(f"{archive.filename}: {name} is {drawn.shape}, not {image.shape}")
        np.logical_not(drawn, out=image)  # paper is 1 in the file
    return images
