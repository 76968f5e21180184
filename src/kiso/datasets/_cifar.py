"""CIFAR-10 in the binary form of its author, and parts of it.

A record has 3,073 bytes: the label, then 32×32 red, green and blue values, row by row. The
archive holds five files of 10,000 records to train on and one to test on.
"""

from __future__ import annotations

import gzip
import os
import re
import tarfile
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ._cache import DataUnavailableError, RemoteFile, data_home, locate
from ._images import Split

CIFAR10_CLASSES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip

ARCHIVE = RemoteFile(
    "cifar10/cifar-10-binary.tar.gz",
    "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
    "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
)
_MEMBERS = {
    "train": [f"cifar-10-batches-bin/data_batch_{k}.bin" for k in range(1, 6)],
    "test": ["cifar-10-batches-bin/test_batch.bin"],
}
_IMAGE = (3, 32, 32)
_RECORD = 1 + 3 * 32 * 32
_PER_MEMBER = 10_000

Pictures = tuple[NDArray[np.uint8], NDArray[np.uint8]]


def fetch_cifar10(
    split: Split = "train",
    *,
    part: bool = False,
    data_folder: str | os.PathLike[str] | None = None,
    progress: bool = False,
) -> Pictures:
    """Load the CIFAR-10 photographs, downloading the archive (162 MB) at the first call.

    Parameters
    ----------
    split : {"train", "test"}, default="train"
        50,000 or 10,000 images.
    part : bool, default=False
        Be content with a part: where the archive is not in the data folder, the longest
        `cifar10/cifar10_<split>_first<n>.bin.gz` there, whose n records are the first of the
        split. Nothing is downloaded. How many images came back is how large the part is. Such
        a file has no published checksum: its length and its labels are checked instead.
    data_folder : path-like, optional
        Folder that holds, or shall hold, `cifar10/`. Default: the `KISO_DATA` setting, else
        the user's cache folder.
    progress : bool, default=False
        Draw a progress bar of the download on standard error.

    Returns
    -------
    images : ndarray of shape (n, 3, 32, 32), uint8
        Red, green and blue, 0 to 255.
    labels : ndarray of shape (n,), uint8
        Indices of `CIFAR10_CLASSES`: 0 airplane, 1 automobile, 2 bird, 3 cat, 4 deer, 5 dog,
        6 frog, 7 horse, 8 ship, 9 truck.

    Raises
    ------
    DataUnavailableError
        Without network; the message says which file to put where, and which part is there.
    ValueError
        For an unknown split, or a damaged file.

    References
    ----------
    A. Krizhevsky, "Learning multiple layers of features from tiny images", 2009.
    """
    if split not in _MEMBERS:
        raise ValueError(f"split={split!r}: give 'train' or 'test'")
    home = data_home(data_folder)
    lesser = parts_of(split, home)
    if part and not (home / ARCHIVE.path).exists():
        if not lesser:
            raise DataUnavailableError(
                f"neither {home / ARCHIVE.path} nor a part of it, "
                f"{home / 'cifar10' / f'cifar10_{split}_first<n>.bin.gz'}, is at hand"
            )
        n, path = lesser[-1]
        images, labels = read_cifar10(path)
        if len(labels) != n:
            raise ValueError(f"{path} holds {len(labels)} records; its name says {n}")
        return images, labels
    try:
        archive = locate(ARCHIVE, data_folder, progress=progress)
    except DataUnavailableError as error:
        if not lesser:
            raise
        n, path = lesser[-1]
        message = f"{error}. A part, the first {n:,} images, is there ({path}): give part=True"
        raise DataUnavailableError(message) from error
    return _read_archive(archive, _MEMBERS[split])


def parts_of(split: str, home: Path) -> list[tuple[int, Path]]:
    """Return (records, path) of the parts of a split in the data folder, shortest first."""
    name = re.compile(rf"cifar10_{split}_first(\d+)\.bin(\.gz)?")
    files = sorted((home / "cifar10").glob(f"cifar10_{split}_first*"))
    return sorted((int(m[1]), path) for path in files if (m := name.fullmatch(path.name)))


def read_cifar10(path: str | os.PathLike[str]) -> Pictures:
    """Read a file of CIFAR-10 records, as it is or gzipped (`.gz`).

    Returns
    -------
    images : ndarray of shape (n, 3, 32, 32), uint8
    labels : ndarray of shape (n,), uint8

    Raises
    ------
    ValueError
        If it is no whole number of records, holds none, or a label is above 9.
    """
    content = Path(path).read_bytes()
    if str(path).endswith(".gz"):
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(f"{path} is not a complete gzip file: {error}") from error
    return _records(content, str(path))


def _records(content: bytes, name: str) -> Pictures:
    if not content or len(content) % _RECORD:
        raise ValueError(f"{name}: {len(content)} bytes are not records of {_RECORD}")
    records = np.frombuffer(content, dtype=np.uint8).reshape(-1, _RECORD)
    labels = records[:, 0].copy()
    if labels.max() > 9:
        raise ValueError(f"{name}: label {labels.max()}; CIFAR-10 has 0 to 9")
    return np.ascontiguousarray(records[:, 1:]).reshape(-1, *_IMAGE), labels


def _read_archive(path: Path, names: list[str]) -> Pictures:
    pieces = []
    with tarfile.open(path) as archive:
        for name in names:
            member = archive.extractfile(name)
            assert member is not None  # the archive's checksum is right
            images, labels = _records(member.read(), f"{path}: {name}")
            if len(labels) != _PER_MEMBER:
                raise ValueError(f"{path}: {name} holds {len(labels)} records, not {_PER_MEMBER}")
            pieces.append((images, labels))
    return np.concatenate([p[0] for p in pieces]), np.concatenate([p[1] for p in pieces])
