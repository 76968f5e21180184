"""Compiling in advance what the first fits need.

kiso's loops are compiled by Numba. An installation from a wheel brings them along as machine
code; where it does not, or where Numba or Python have changed since, `kiso warm` (or
`precompile` from Python) compiles them once for this user, on all cores.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kiso._compute import levels, making, signatures, store

__all__ = ["Precompiled", "is_precompiled", "precompile"]


@dataclass(frozen=True)
class Precompiled:
    """What `precompile` has done.

    Attributes
    ----------
    path : Path
        The file that holds the machine code.
    level : str
        The level of the processor that it is for, "x86-64-v3" for instance.
    n_loops : int
        How many loops and types of arguments it holds.
    n_failed : int
        How many could not be compiled; they are compiled when they are called.
    seconds : float
        Processor time of the compilations.
    errors : tuple of str
        Why, one for each that failed.
    """

    path: Path
    level: str
    n_loops: int
    n_failed: int
    seconds: float
    errors: tuple[str, ...] = ()


def is_precompiled() -> bool:
    """Return whether there is machine code for this version of Python, Numba and llvmlite.

    Examples
    --------
    >>> isinstance(is_precompiled(), bool)
    True
    """
    return bool(store.find())


def precompile(
    *,
    n_jobs: int | None = None,
    level: str | None = None,
    only_first: bool = False,
    folder: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Precompiled:
    """Compile the loops that the first fits of all estimators need, and keep them.

    Parameters
    ----------
    n_jobs : int or None, default=None
        Processes; None is the number of cores of this process.
    level : str or None, default=None
        The level of the processor to compile for: "x86-64-v3", "x86-64-v4" or "aarch64". None is
        the highest that this processor has.
    only_first : bool, default=False
        Compile what the commands and float64 data need, and leave out the rest.
    folder : Path or None, default=None
        Where the file goes; None is the user's cache, where it is found by later processes.
    progress : callable or None, default=None
        Called as `progress(done, total)` after each loop, from several threads.

    Returns
    -------
    Precompiled

    Raises
    ------
    ValueError
        If the level is none of the above, or not one of this processor.
    RuntimeError
        If no loop could be compiled.

    Examples
    --------
    >>> precompile(level="pentium")
    Traceback (most recent call last):
        ...
    ValueError: level='pentium': give one of x86-64-v4, x86-64-v3, aarch64
    """
    if level is not None and level not in levels.LEVELS:
        raise ValueError(f"level={level!r}: give one of {', '.join(levels.LEVELS)}")
    if level is not None and not levels.has(levels.LEVELS[level]):
        raise ValueError(f"level={level!r}: this processor has {levels.best_level().name}")
    name = level or levels.best_level().name
    wanted = [one for one in signatures.listed() if one.rank == 0 or not only_first]
    done = 0

    def count(_: making.Made) -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, len(wanted))

    made = making.compile_all(
        [(one.loop, one.types) for one in wanted],
        name,
        package=store.package_folder().parents[1],
        processes=n_jobs,
        progress=count,
    )
    good = [one for one in made if not one.error]
    errors = tuple(f"{one.loop}: {one.error}" for one in made if one.error)
    if not good:
        raise RuntimeError(f"none of {len(wanted)} loops could be compiled: {errors[:1]}")
    path = (folder or store.user_folder()) / store.file_name(name)
    store.write(path, name, ((one.loop, one.key, one.payload) for one in good))
    return Precompiled(path, name, len(good), len(errors), sum(one.seconds for one in made), errors)
