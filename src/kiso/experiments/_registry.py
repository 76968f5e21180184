"""The registry: every public file of this folder is an experiment."""

from __future__ import annotations

import pkgutil
from dataclasses import replace
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path

from ._protocol import Experiment


def names() -> list[str]:
    """Names of all experiments, sorted; imports none of them."""
    files = pkgutil.iter_modules([str(Path(__file__).parent)])
    return sorted(f.name.replace("_", "-") for f in files if not f.name.startswith("_"))


def load(name: str) -> Experiment:
    """Import one experiment.

    Raises
    ------
    ValueError
        If there is none of this name; the message gives the nearest names.
    """
    known = names()
    if name not in known:
        near = get_close_matches(name, known, n=3, cutoff=0.4) or known
        raise ValueError(f"no experiment {name!r}; did you mean {', '.join(near)}?")
    module = import_module(f"{__package__}.{name.replace('-', '_')}")
    experiment: Experiment = module.EXPERIMENT
    return replace(experiment, name=name)
