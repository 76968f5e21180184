"""Types of arguments as JSON, and the list of what is compiled in advance.

`signatures.json` says for each loop ("module:name") with which types the first fits of all
estimators and the commands call it. `tests/record_loops.py` writes it; nobody edits it. An entry
that no longer fits its loop is left out when a store is made, and the loop is compiled when it
is called.
"""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["Wanted", "decode", "encode", "listed"]

LIST = Path(__file__).with_name("signatures.json")


class Wanted(NamedTuple):
    """A loop and the types that it is compiled for.

    Attributes
    ----------
    loop : str
        "module:name".
    types : list
        The encoded types of the arguments.
    rank : int
        0 for what comes first: float64 and the commands.
    seconds : float
        What compiling it took, for dealing the work to processes.
    """

    loop: str
    types: list[Any]
    rank: int
    seconds: float


def encode(kind: Any) -> Any:
    """Return a JSON value for one of Numba's types.

    Raises
    ------
    TypeError
        If it is of a kind that loops do not take.
    """
    types: Any = import_module("numba.core.types")

    if isinstance(kind, types.Array):
        flags = ("" if kind.mutable else "r") + ("" if kind.aligned else "u")
        return ["array", encode(kind.dtype), kind.ndim, kind.layout, flags]
    if isinstance(kind, types.BaseNamedTuple):
        owner = kind.instance_class
        members = [encode(each) for each in kind.types]
        return ["record", f"{owner.__module__}:{owner.__qualname__}", members]
    if isinstance(kind, types.BaseTuple):
        return ["tuple", [encode(each) for each in kind.types]]
    if isinstance(kind, types.Omitted):
        if kind.value is not None and not isinstance(kind.value, bool | int | float | str):
            raise TypeError(f"{kind}: a default value that JSON cannot hold")
        return ["omitted", kind.value]
    if isinstance(kind, types.Number | types.Boolean | types.NoneType | types.UnicodeType):
        return str(kind)
    raise TypeError(f"{kind}: no such argument of a loop is known")


def decode(code: Any) -> Any:
    """Return Numba's type of an encoded one; the reverse of `encode`."""
    types: Any = import_module("numba.core.types")

    if isinstance(code, str):
        return {"bool": types.boolean, "none": types.none}.get(code) or getattr(types, code)
    name, *rest = code
    if name == "array":
        dtype, ndim, layout, flags = rest
        return types.Array(decode(dtype), ndim, layout, "r" in flags, aligned="u" not in flags)
    if name == "record":
        module, _, qualname = rest[0].partition(":")
        owner = getattr(import_module(module), qualname)
        members = [decode(each) for each in rest[1]]
        if len(set(members)) == 1:
            return types.NamedUniTuple(members[0], len(members), owner)
        return types.NamedTuple(members, owner)
    if name == "tuple":
        return types.BaseTuple.from_types([decode(each) for each in rest[0]])
    if name == "omitted":
        return types.Omitted(rest[0])
    raise ValueError(f"{code!r}: no encoded type")


def listed(path: Path = LIST) -> list[Wanted]:
    """Return what is to be compiled in advance, the most urgent first, the longest first."""
    if not path.is_file():
        return []
    entries = json.loads(path.read_text(encoding="utf-8"))
    wanted = [
        Wanted(loop, types, rank, seconds)
        for loop, each in entries.items()
        for types, rank, seconds in each
    ]
    return sorted(wanted, key=lambda one: (one.rank, -one.seconds))
