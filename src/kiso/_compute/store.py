"""Files of compiled loops: what a wheel brings along, and what `kiso warm` writes.

A store holds machine code of loops for one level of the processor, one version of Python, Numba
and llvmlite, and one state of the sources. An entry is found by the name of its loop and a
digest of the types of the arguments. An entry whose sources have changed, whose bytes are
damaged, or a store that is for other versions is ignored: the loop is compiled as if there were
no store.

The file is: a magic line, the length and the CRC of the header, the header as JSON, and the
payloads, each compressed, at offsets that the header gives with their CRCs.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import platform
import re
import sys
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

__all__ = ["Store", "file_name", "find", "package_folder", "sources_of", "user_folder", "write"]

_log = logging.getLogger("kiso.loops")

_MAGIC = b"kiso loops 1\n"
_PACKAGE = Path(__file__).resolve().parents[1]
# what all loops depend on
_ALWAYS = tuple(f"_compute/{name}.py" for name in ("jit", "levels", "llvm", "store"))


def versions() -> dict[str, str]:
    """Return what machine code depends on beside the sources and the level."""
    found = {
        "python": str(sys.implementation.cache_tag) + getattr(sys, "abiflags", ""),
        "machine": f"{platform.system()}-{platform.machine()}".lower(),
    }
    for name in ("numba", "llvmlite"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "none"
    return found


def file_name(level: str) -> str:
    """Return the name of the store for a level and the versions of this environment."""
    return "-".join([level, *(value.replace("-", "_") for value in versions().values())]) + ".loops"


def package_folder() -> Path:
    """Return the folder of the stores that came with the installation."""
    return _PACKAGE / "_compute" / "stores"


def user_folder() -> Path:
    """Return the folder of the stores that `kiso warm` wrote for this user."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "kiso" / "loops"


def find() -> dict[str, list[Path]]:
    """Return the stores for this environment by level: the user's first, the newer one."""
    suffix = file_name("")
    found: dict[str, list[Path]] = {}
    for folder in (user_folder, package_folder):
        with suppress(OSError, RuntimeError):  # no home, no permission
            for path in sorted(folder().glob(f"*{suffix}")):
                found.setdefault(path.name.removesuffix(suffix), []).append(path)
    return found


_IMPORT = re.compile(r"^\s*from\s+(\.*[\w.]*)\s+import\s+(\([^)]*\)|[^\n]*)", re.MULTILINE)


def sources_of(module: str, package: Path = _PACKAGE) -> list[str]:
    """Return the files that a module of loops is compiled from, relative to the package.

    The module, the modules of loops that it imports, those that they import, and what all
    depend on.
    """
    found: set[str] = set(_ALWAYS)
    waiting = [module]
    while waiting:
        name = waiting.pop()
        parts = name.split(".")[1:]
        path = "/".join(parts) + ".py"
        if (path in found and path not in _ALWAYS) or not (package / path).is_file():
            continue
        found.add(path)
        for origin, names in _IMPORT.findall((package / path).read_text(encoding="utf-8")):
            dots = len(origin) - len(origin.lstrip("."))
            base = ["kiso", *parts[: len(parts) - dots]] if dots else []
            target = ".".join([*base, *([origin.lstrip(".")] if origin.lstrip(".") else [])])
            if target.split(".")[0] != "kiso" or target == "kiso._validation":
                continue
            waiting.append(target)
            waiting += [f"{target}.{each}" for each in re.findall(r"\w+", names)]
    return sorted(found)


def digest_of(files: Iterable[str], package: Path = _PACKAGE) -> str:
    """Return a digest of the contents of files; "" where one cannot be read."""
    digest = hashlib.sha256()
    try:
        for name in files:
            digest.update(name.encode() + b"\0" + (package / name).read_bytes() + b"\0")
    except OSError:
        return ""
    return digest.hexdigest()


def signature_key(args: Iterable[Any]) -> str:
    """Return a digest of Numba's types of the arguments."""
    return hashlib.sha256("; ".join(map(str, args)).encode()).hexdigest()[:24]


class Store:
    """The compiled loops of one file, read one by one when they are asked for.

    Parameters
    ----------
    path : Path

    Raises
    ------
    ValueError
        If the file is damaged or for other versions.
    OSError
        If it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("rb") as file:
            if file.read(len(_MAGIC)) != _MAGIC:
                raise ValueError("it does not begin as a store of loops does")
            sizes = file.read(12)
            length, crc = int.from_bytes(sizes[:8], "little"), int.from_bytes(sizes[8:], "little")
            if length > path.stat().st_size:
                raise ValueError("its header is cut off")
            text = file.read(length)
            self.start = file.tell()
        if len(text) != length or zlib.crc32(text) != crc:
            raise ValueError("its header is damaged")
        header = json.loads(text)
        if header["versions"] != versions():
            raise ValueError("it is for other versions")
        self.level: str = header["level"]
        self.modules: dict[str, Any] = header["modules"]
        self.entries: dict[str, dict[str, list[int]]] = header["entries"]
        self._fresh: dict[str, bool] = {}

    def _is_fresh(self, module: str) -> bool:
        """Whether the sources of a module are those that the store was made of."""
        if module not in self._fresh:
            known = self.modules.get(module)
            self._fresh[module] = known is not None and digest_of(known["files"]) == known["digest"]
        return self._fresh[module]

    def read(self, loop: str, key: str) -> bytes | None:
        """Return the payload of "module:name" for a key of types; None where there is none.

        A damaged entry is forgotten, with a line in the log.
        """
        place = self.entries.get(loop, {}).get(key)
        if place is None or not self._is_fresh(loop.partition(":")[0]):
            return None
        offset, length, crc = place
        try:
            with self.path.open("rb") as file:
                file.seek(self.start + offset)
                packed = file.read(length)
            if len(packed) != length or zlib.crc32(packed) != crc:
                raise ValueError("its bytes have changed")
            return zlib.decompress(packed)
        except (OSError, ValueError, zlib.error) as error:
            self.forget(loop, key, error)
            return None

    def forget(self, loop: str, key: str, error: Exception) -> None:
        """Do not offer an entry again."""
        del self.entries[loop][key]
        _log.warning("%s: the entry of %s is damaged (%s) and ignored", self.path, loop, error)


def write(
    path: Path, level: str, payloads: Iterator[tuple[str, str, bytes]], package: Path = _PACKAGE
) -> int:
    """Write a store of (loop, key, payload); return the number of entries.

    It appears whole or not at all.
    """
    entries: dict[str, dict[str, list[int]]] = {}
    modules: dict[str, Any] = {}
    blobs, offset, count = [], 0, 0
    for loop, key, payload in payloads:
        module = loop.partition(":")[0]
        if module not in modules:
            files = sources_of(module, package)
            modules[module] = {"files": files, "digest": digest_of(files, package)}
        packed = zlib.compress(payload, 6)
        entries.setdefault(loop, {})[key] = [offset, len(packed), zlib.crc32(packed)]
        blobs.append(packed)
        offset += len(packed)
        count += 1
    header = json.dumps(
        {"versions": versions(), "level": level, "modules": modules, "entries": entries},
        sort_keys=True,
    ).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".loops")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(_MAGIC + len(header).to_bytes(8, "little"))
            file.write(zlib.crc32(header).to_bytes(4, "little") + header)
            file.writelines(blobs)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return count
