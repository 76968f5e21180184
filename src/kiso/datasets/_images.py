"""MNIST and Fashion-MNIST, from the gzip files of their authors (IDX format)."""

from __future__ import annotations

import gzip
import os
import struct
import zlib
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ._cache import RemoteFile, locate

Split = Literal["train", "test"]


def _pair(
    name: str, url: str, stem: str, images: str, labels: str
) -> tuple[RemoteFile, RemoteFile]:
    """Images and labels of one split, with their checksums."""
    files = (f"{stem}-images-idx3-ubyte.gz", images), (f"{stem}-labels-idx1-ubyte.gz", labels)
    first, second = (RemoteFile(f"{name}/{file}", url + file, sha) for file, sha in files)
    return first, second


_MNIST = "https://ossci-datasets.s3.amazonaws.com/mnist/"
_FASHION = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"

# set -> split -> (images, labels)
_FILES = {
    "mnist": {
        "train": _pair(
            "mnist", _MNIST, "train",
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        ),
        "test": _pair(
            "mnist", _MNIST, "t10k",
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        ),
    },
    "fashion-mnist": {
        "train": _pair(
            "fashion-mnist", _FASHION, "train",
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        ),
        "test": _pair(
            "fashion-mnist", _FASHION, "t10k",
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        ),
    },
}  # fmt: skip


def fetch_mnist(
    split: Split = "train",
    *,
    data_folder: str | os.PathLike[str] | None = None,
    progress: bool = False,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Load the MNIST digits, downloading them at the first call.

    Parameters
    ----------
    split : {"train", "test"}, default="train"
        60,000 or 10,000 images.
    data_folder : path-like, optional
        Folder that holds, or shall hold, `mnist/*.gz`. Default: the `KISO_DATA` setting,
        else the user's cache folder.
    progress : bool, default=False
        Draw a progress bar of the download on standard error.

    Returns
    -------
    images : ndarray of shape (n, 28, 28), uint8
        Grey levels, 0 (background) to 255.
    labels : ndarray of shape (n,), uint8
        Digits 0 to 9.

    Raises
    ------
    DataUnavailableError
        Without network; the message says which file to put where.
    ValueError
        For an unknown split, or a damaged file.

    References
    ----------
    Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits".
    """
    return _load("mnist", split, data_folder, progress)


def fetch_fashion_mnist(
    split: Split = "train",
    *,
    data_folder: str | os.PathLike[str] | None = None,
    progress: bool = False,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Load Fashion-MNIST, downloading it at the first call; parameters as `fetch_mnist`.

    Returns
    -------
    images : ndarray of shape (n, 28, 28), uint8
    labels : ndarray of shape (n,), uint8
        0 T-shirt/top, 1 trouser, 2 pullover, 3 dress, 4 coat, 5 sandal, 6 shirt,
        7 sneaker, 8 bag, 9 ankle boot.

    References
    ----------
    H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST", arXiv:1708.07747.
    """
    return _load("fashion-mnist", split, data_folder, progress)


def _load(
    name: str, split: str, folder: str | os.PathLike[str] | None, progress: bool
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    if split not in _FILES[name]:
        raise ValueError(f"split={split!r}: give 'train' or 'test'")
    images, labels = (
        read_idx(locate(file, folder, progress=progress)) for file in _FILES[name][split]
    )
    return images, labels


def read_idx(path: str | os.PathLike[str]) -> NDArray[Any]:
    """Read an array of unsigned bytes in IDX format, gzipped.

    The header is two zero bytes, 0x08, the number of dimensions, then each dimension as a
    big-endian int32; the bytes follow in row-major order.

    Raises
    ------
    ValueError
        If the file is not of this format, or shorter or longer than its header says.
    """
    try:
        content = gzip.decompress(Path(path).read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise ValueError(f"{path} is not a complete gzip file: {error}") from error
    if len(content) < 4 or content[:3] != b"\x00\x00\x08":
        raise ValueError(f"{path} is not an IDX file of unsigned bytes")
    n_dims = content[3]
    start = 4 + 4 * n_dims
    if len(content) < start:
        raise ValueError(f"{path} ends within its header")
    shape = struct.unpack(f">{n_dims}i", content[4:start])
    if len(content) - start != np.prod(shape, dtype=np.int64):
        raise ValueError(f"{path} holds {len(content) - start} bytes; its header says {shape}")
    return np.frombuffer(content, dtype=np.uint8, offset=start).reshape(shape)
