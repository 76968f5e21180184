"""One trace format: messages whose arrays are named by their content.

A message is a JSON value in which an array stands as {"$": id}. Every array travels once, before
or with the first message that uses it:

- live, a binary frame: u32 length of the header (little endian), the header in JSON
  {"message", "arrays": [{"id", "type", "shape", "at"}]}, padded to 8 bytes, the arrays' bytes;
- in a file, JSON lines: {"array": id, "type", "shape", "data": [...]} and {"frame": ...}.
"""

from __future__ import annotations

import hashlib
import json
import math
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["digest", "lines", "pack"]

Array = np.ndarray[Any, np.dtype[Any]]

_TYPES = {"f8": "<f8", "f4": "<f4", "i4": "<i4", "u1": "u1"}


def _typed(a: Array) -> tuple[str, Array]:
    if a.dtype.kind == "b":
        return "u1", np.ascontiguousarray(a, "u1")
    if a.dtype.kind in "iu":
        return "i4", np.ascontiguousarray(a, "<i4")
    if a.dtype == np.float32:
        return "f4", np.ascontiguousarray(a, "<f4")
    return "f8", np.ascontiguousarray(a, "<f8")


def _identity(kind: str, a: Array) -> str:
    sum_ = hashlib.blake2b(f"{kind}{a.shape}".encode(), digest_size=9)
    sum_.update(a.tobytes())
    return sum_.hexdigest()


def _walk(value: Any, found: dict[str, tuple[str, Array]]) -> Any:
    """Return the value as JSON knows it; put arrays into `found`."""
    if isinstance(value, np.ndarray):
        kind, a = _typed(value)
        name = _identity(kind, a)
        found[name] = (kind, a)
        return {"$": name}
    if isinstance(value, Mapping):
        return {str(k): _walk(v, found) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_walk(v, found) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def pack(message: Any, known: set[str]) -> bytes:
    """Return a binary frame; `known` are the arrays that the other side has, and is added to."""
    found: dict[str, tuple[str, Array]] = {}
    body = _walk(message, found)
    arrays, chunks, at = [], [], 0
    for name, (kind, a) in found.items():
        if name in known:
            continue
        known.add(name)
        raw = a.tobytes()
        raw += b"\0" * (-len(raw) % 8)
        arrays.append({"id": name, "type": kind, "shape": list(a.shape), "at": at})
        chunks.append(raw)
        at += len(raw)
    header = json.dumps({"message": body, "arrays": arrays}, ensure_ascii=False).encode()
    header += b" " * (-(len(header) + 4) % 8)
    return struct.pack("<I", len(header)) + header + b"".join(chunks)


def lines(message: Any, known: set[str]) -> list[str]:
    """Return the JSON lines of a message: its new arrays, then itself."""
    found: dict[str, tuple[str, Array]] = {}
    body = _walk(message, found)
    out = []
    for name, (kind, a) in found.items():
        if name in known:
            continue
        known.add(name)
        data = [v if math.isfinite(v) else None for v in a.ravel().tolist()]
        out.append(json.dumps({"array": name, "type": kind, "shape": list(a.shape), "data": data}))
    out.append(json.dumps(body, ensure_ascii=False, allow_nan=False))
    return out


def digest(value: Any) -> str:
    """Return the hash of what a trace holds: 16 hexadecimal digits."""
    found: dict[str, tuple[str, Array]] = {}
    body = _walk(value, found)
    text = json.dumps(body, sort_keys=True, ensure_ascii=False)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
