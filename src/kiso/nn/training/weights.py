"""Weights to and from safetensors: names, shapes and numbers, no code.

A parameter is named by its way through the layers: `0.W`, `3.0.gamma`; a running statistic
ends in `#mean`.
"""

from __future__ import annotations

import os
import uuid
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from kiso._validation import Array
from kiso.optim._tree import named_leaves

from ..layers.layer import Layer, layers_within

__all__ = [
    "WeightsError",
    "check_arrays",
    "load_weights",
    "named_arrays",
    "save_weights",
]

FORMAT = "kiso.weights/1"


class WeightsError(ValueError):
    """A file does not hold the weights of this network; the message says why."""


def named_arrays(network: Layer) -> dict[str, Array]:
    """Return the parameters and running statistics (the arrays themselves) by name."""
    named = dict(named_leaves(network.parameters))
    for name, layer in layers_within(network):
        named |= {f"{name}#{key}": array for key, array in layer.statistics.items()}
    return named


def save_weights(network: Layer, path: Path) -> Path:
    """Write the file; an existing one is replaced at once or not at all."""
    write_tensors(path, named_arrays(network), {"format": FORMAT, "network": repr(network)})
    return path


def load_weights(network: Layer, path: Path) -> None:
    """Read the file into the network's arrays, all or none."""
    tensors, about = read_tensors(path)
    if about.get("format") != FORMAT:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in tensors.items())
        raise WeightsError(
            f"{path}: not a file of weights (format {about.get('format')!r}); it holds {shapes}. "
            "kiso.nn.load_torch reads those of PyTorch"
        )
    put_arrays(network, tensors, f"{path}, saved from {about.get('network')},")


def put_arrays(network: Layer, tensors: dict[str, Array], source: str) -> None:
    """Copy arrays by name into a network, after looking at all of them."""
    for name, array in check_arrays(network, tensors, source).items():
        array[...] = tensors[name]


def check_arrays(network: Layer, tensors: dict[str, Array], source: str) -> dict[str, Array]:
    """Return a network's own arrays; refuse others by name, with both shapes."""
    own = named_arrays(network)
    if own.keys() != tensors.keys():
        missing, extra = sorted(own.keys() - tensors.keys()), sorted(tensors.keys() - own.keys())
        raise WeightsError(
            f"{source} does not fit {network!r}: missing {missing or 'none'}, "
            f"unknown {extra or 'none'}"
        )
    for name, array in own.items():
        given = tensors[name]
        if (given.shape, given.dtype) != (array.shape, array.dtype):
            raise WeightsError(
                f"{source} does not fit {network!r}: {name} is {given.dtype} of shape "
                f"{given.shape}, the network's {array.dtype} of shape {array.shape}"
            )
    return own


def write_tensors(path: Path, tensors: dict[str, Array], about: dict[str, str]) -> None:
    """Write a safetensors file beside its place, with a checksum, then move it there."""
    from safetensors.numpy import save_file

    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    whole = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    try:
        save_file(whole, beside, {**about, "crc32": _checksum(whole)})
        with beside.open("rb+") as written:
            os.fsync(written.fileno())
        beside.replace(path)
        sync_folder(path.parent)
    finally:
        with suppress(FileNotFoundError):
            beside.unlink()


def sync_folder(folder: Path) -> None:
    """Have a folder's entries on the disk, where the system can do that."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def read_tensors(path: Path) -> tuple[dict[str, Array], dict[str, str]]:
    """Read a safetensors file whole: arrays by name, and its metadata.

    Raises
    ------
    WeightsError
        If it is damaged (a checksum tells, where the file has one) or no safetensors file.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such file")
    try:
        file: Any
        with safe_open(path, framework="numpy") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            about = file.metadata() or {}
    except (SafetensorError, TypeError, ValueError, KeyError, AttributeError) as error:
        raise WeightsError(f"{path}: damaged, or no safetensors file ({error})") from None
    if "crc32" not in about and str(about.get("format", "")).startswith("kiso."):
        raise WeightsError(f"{path}: its field 'crc32', the checksum, is missing")
    if about.get("crc32", _checksum(tensors)) != _checksum(tensors):
        raise WeightsError(f"{path}: damaged; its numbers are not those that were written")
    return tensors, about


def _checksum(tensors: dict[str, Array]) -> str:
    """CRC-32 over all numbers, in the order of the names."""
    crc = 0
    for name in sorted(tensors):
        crc = zlib.crc32(tensors[name].reshape(-1).view(np.uint8).data, crc)
    return f"{crc:08x}"
