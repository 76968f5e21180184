"""The level of the processor that loops are compiled for: one a process.

A level is a set of vector instructions under a name that compilers know: x86-64-v3 (AVX2 and
FMA), x86-64-v4 (AVX-512), or the baseline of aarch64. All loops of a process are compiled for
the same one, those that come from a store and those that are compiled when they are called:
packed panels have the width of a level's vectors, so that a packer of one level and a product
of another would be silently wrong. Everything that depends on the processor asks `level()`.
"""

from __future__ import annotations

import platform
from dataclasses import dataclass
from functools import cache

__all__ = ["HOST", "LEVELS", "Level", "best_level", "choose", "level", "use"]


@dataclass(frozen=True)
class Level:
    """What loops are compiled for.

    Attributes
    ----------
    name : str
    architecture : str
        As LLVM writes it: "x86_64" or "aarch64".
    cpu : str
        LLVM's name of the processor; "" is the processor of this machine.
    features : tuple of str
        LLVM's names of the instruction sets that it needs.
    vector_bytes : int
        Width of a vector register.
    tile_rows : int
        Rows of a register tile that is two vectors wide.
    """

    name: str
    architecture: str
    cpu: str
    features: tuple[str, ...]
    vector_bytes: int
    tile_rows: int

    @property
    def feature_string(self) -> str:
        """The features as LLVM takes them."""
        return ",".join(f"+{name}" for name in self.features)


_V3 = [
    *("cmov", "cx8", "cx16", "fxsr", "mmx", "sahf", "sse", "sse2", "sse3", "ssse3"),
    *("sse4.1", "sse4.2", "popcnt", "crc32", "avx", "avx2", "bmi", "bmi2", "f16c", "fma"),
    *("lzcnt", "movbe", "xsave"),
]
_V4 = [*_V3, "avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"]

LEVELS = {
    each.name: each
    for each in (  # the best of an architecture first
        Level("x86-64-v4", "x86_64", "x86-64-v4", tuple(_V4), 64, 12),
        Level("x86-64-v3", "x86_64", "x86-64-v3", tuple(_V3), 32, 6),
        Level("aarch64", "aarch64", "generic", ("fp-armv8", "neon"), 16, 12),
    )
}
HOST = "host"  # the name of the level of a processor that has none of the above

_NOT_ASKED = {"cmov", "cx8", "fxsr", "mmx", "crc32", "sahf", "fp-armv8"}  # every such processor's


@cache
def _host() -> tuple[str, dict[str, bool]]:
    """Architecture and features of the processor as Numba sees it."""
    import os

    from llvmlite import binding

    machine = binding.get_process_triple().split("-")[0]
    architecture = {"amd64": "x86_64", "arm64": "aarch64"}.get(machine, machine)
    given = os.environ.get("NUMBA_CPU_FEATURES")
    if given is not None:  # Numba's own setting, for tests and for mixed clusters
        return architecture, {name[1:]: name[0] == "+" for name in given.split(",") if name}
    return architecture, dict(binding.get_host_cpu_features())


def has(one: Level) -> bool:
    """Whether this processor has all instructions of a level."""
    architecture, features = _host()
    if architecture != one.architecture:
        return False
    return all(features.get(name, False) for name in one.features if name not in _NOT_ASKED)


def best_level() -> Level:
    """Return the highest level that this processor has."""
    for one in LEVELS.values():
        if has(one):
            return one
    architecture, features = _host()
    width = 32 if features.get("avx") else 16
    return Level(HOST, architecture, "", (), width, 12 if architecture == "aarch64" else 6)


_chosen: list[Level] = []


def choose(stored: set[str]) -> Level:
    """Fix the level of this process: the highest that the processor and a store have.

    Parameters
    ----------
    stored : set of str
        Names of the levels that loops are stored for. Where the processor has none of them the
        level is the processor's highest.
    """
    if not _chosen:
        both = [one for one in LEVELS.values() if one.name in stored and has(one)]
        _chosen.append(both[0] if both else best_level())
    return _chosen[0]


def use(name: str) -> Level:
    """Fix the level of this process by name; it has to be before any loop is compiled.

    Raises
    ------
    ValueError
        If there is no such level.
    RuntimeError
        If loops have been compiled for another one.
    """
    if name != HOST and name not in LEVELS:
        raise ValueError(f"level={name!r}: give one of {', '.join(LEVELS)}")
    wanted = best_level() if name == HOST else LEVELS[name]
    if _chosen and _chosen[0] != wanted:
        raise RuntimeError(f"loops are already compiled for {_chosen[0].name}, not for {name}")
    _chosen[:] = [wanted]
    return wanted


def level() -> Level:
    """Return the level of this process; the processor's highest where none was chosen."""
    return choose(set())


def machine() -> str:
    """Return the name of the platform that a store is for: system and architecture."""
    return f"{platform.system().lower()}-{_host()[0]}"
