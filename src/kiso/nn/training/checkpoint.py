"""A training run on disk: one safetensors file that holds everything that moves.

Tensors: `now/<array>` of the network, `best/<array>`, `rule/<bundle>/<slot>` of the rule.
The metadata hold, as JSON, where the run stands: steps, generators, position in the data.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kiso._validation import Array
from kiso.optim import RuleState
from kiso.optim._groups import GroupsState
from kiso.optim._transform import innermost

from ..layers.layer import layers_within
from .network import Network
from .weights import (
    WeightsError,
    check_arrays,
    named_arrays,
    put_arrays,
    read_tensors,
    write_tensors,
)

__all__ = ["Checkpoint", "load_checkpoint", "plain_text", "save_checkpoint"]

FORMAT = "kiso.training/1"
# what 0.2 added to the name of a loss, at its defaults: runs of 0.1 go on with it
LOSS_OF_0_2 = ", class_weight=None, label_smoothing=0.0, ignore_index=None"


@dataclass(frozen=True)
class Checkpoint:
    """What is written, and what a file is read into."""

    network: Network
    rule: Any
    rule_state: Any
    best: dict[str, Array]
    progress: dict[str, Any]


def save_checkpoint(path: Path, run: Checkpoint) -> None:
    """Write the file, at once or not at all."""
    state = _inner(run.rule_state)
    tensors = {f"now/{name}": array for name, array in named_arrays(run.network).items()}
    tensors |= {f"best/{name}": array for name, array in run.best.items()}
    tensors |= {
        f"rule/{i}/{name}": slot
        for i, slots in enumerate(state.slots)
        for name, slot in slots.items()
    }
    about = {
        **run.progress,
        "rule_step": state.step,
        "rule": _rule_names(run.rule),
        "layers": _layer_names(run.network),
    }
    write_tensors(path, tensors, {"format": FORMAT, "run": json.dumps(about)})


def load_checkpoint(
    path: Path, run: Checkpoint, place: Callable[[dict[str, Any]], None] | None = None
) -> dict[str, Any]:
    """Read a file into the arrays of a run, all or none; return its progress.

    All of it is checked before anything changes. `place` then moves what else the run has (its
    data, its generators) to the progress; where it raises, no array was written.

    Raises
    ------
    WeightsError
        If the file is damaged, or was written by a run with another network, rule or loss.
    """
    tensors, metadata = read_tensors(path)
    if metadata.get("format") != FORMAT:
        raise WeightsError(f"{path}: no checkpoint of a training run")
    about = _progress(path, metadata, run)
    kinds = {
        "layers": _layer_names(run.network),
        "rule": _rule_names(run.rule),
        "loss": run.progress["loss"],
    }
    older = {
        "layers": [entry for entry in kinds["layers"] if ".inner " not in entry],  # of Spectral
        "loss": kinds["loss"].replace(LOSS_OF_0_2, ""),
    }
    for name, own in kinds.items():
        if about.get(name) not in (own, older.get(name, own)):
            raise WeightsError(f"{path}: made with {name} {about.get(name)}, this run has {own}")
    state = _inner(run.rule_state)
    parts: dict[str, dict[str, Array]] = {"now": {}, "best": {}, "rule": {}}
    for name, tensor in tensors.items():
        part, _, rest = name.partition("/")
        parts.setdefault(part, {})[rest] = tensor
    check_arrays(run.network, parts["now"], str(path))
    slots = {f"{i}/{k}": a for i, each in enumerate(state.slots) for k, a in each.items()}
    for own_arrays, part in ((slots, "rule"), (run.best, "best")):
        _check_part(path, part, own_arrays, parts[part])
    if place is not None:
        place(about)
    put_arrays(run.network, parts["now"], str(path))
    for own_arrays, part in ((slots, "rule"), (run.best, "best")):
        for key, array in own_arrays.items():
            array[...] = parts[part][key]
    state.step = about["rule_step"]
    _say_what_changed(path, about.get("settings", {}), run.progress["settings"])
    return about


def _progress(path: Path, metadata: dict[str, str], run: Checkpoint) -> dict[str, Any]:
    """Return what the metadata say of the run, every field there and of its kind."""
    try:
        about = json.loads(metadata["run"])
    except (KeyError, ValueError):
        raise WeightsError(f"{path}: its field 'run' is missing or no JSON") from None
    if not isinstance(about, dict):
        raise WeightsError(f"{path}: its field 'run' is no JSON object")
    for name in ("n_iter", "since_best", "rule_step"):
        value = about.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise WeightsError(f"{path}: {name}={value!r}: it has to be a whole number from 0")
    best = about.get("best_value", "missing")
    if not (best is None or (isinstance(best, int | float) and best == best)):
        raise WeightsError(f"{path}: best_value={best!r}: it has to be a number")
    for name in ("feed", "dropout"):
        own, given = run.progress[name], about.get(name)
        if not isinstance(given, dict) or given.keys() != own.keys():
            raise WeightsError(
                f"{path}: {name}={given!r}: it has to be a JSON object with {sorted(own)}"
            )
    for name in ("taken", "epoch", "done"):
        value = about["feed"].get(name, 0)
        if not isinstance(value, int) or value < 0:
            raise WeightsError(f"{path}: feed: {name}={value!r} has to be a whole number from 0")
    if not isinstance(about.get("settings", {}), dict):
        raise WeightsError(f"{path}: settings={about['settings']!r}: it has to be a JSON object")
    return about


def _check_part(path: Path, part: str, own: dict[str, Array], given: dict[str, Array]) -> None:
    """Refuse arrays of other names, shapes or dtypes than the run's, and NaN in them."""
    if {k: a.shape for k, a in own.items()} != {k: a.shape for k, a in given.items()}:
        raise WeightsError(f"{path}: its arrays '{part}/…' are not those of this run")
    for name, array in given.items():
        if array.dtype != own[name].dtype:
            raise WeightsError(
                f"{path}: '{part}/{name}' is {array.dtype}, that of this run {own[name].dtype}"
            )
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise WeightsError(f"{path}: '{part}/{name}' holds NaN or infinity")


def _say_what_changed(path: Path, before: dict[str, str], now: dict[str, str]) -> None:
    """Warn of settings that differ from those of the run that is resumed."""
    changed = [
        f"{name} was {before[name]}, now is {now[name]}"
        for name in now
        if name in before and before[name] != now[name]
    ]
    if changed:
        warnings.warn(
            f"resume: {path} was made with other settings; from here on the new ones hold: "
            + "; ".join(changed),
            UserWarning,
            stacklevel=4,
        )


def plain_text(settings: dict[str, Any]) -> dict[str, str]:
    """Return settings as text that is the same in every process (no addresses)."""
    return {name: re.sub(r" at 0x[0-9a-f]+", "", str(value)) for name, value in settings.items()}


def _layer_names(network: Network) -> list[str]:
    """Return the kinds of the layers and where they stand; their shapes are those of the arrays."""
    return [f"{name} {type(layer).__name__}" for name, layer in layers_within(network)]


def _inner(state: Any) -> RuleState | GroupsState:
    """Return the state of the innermost rule: those around it remember nothing."""
    state = innermost(state)
    if not isinstance(state, RuleState | GroupsState):
        raise TypeError(f"checkpoint: the rule's state is a {type(state).__name__}, no RuleState")
    return state


def _rule_names(rule: Any) -> list[str]:
    """Return the kinds of the rule and of those within it; their settings may be changed."""
    names = [type(rule).__name__]
    while hasattr(rule, "rule"):
        for pattern, inside in getattr(rule, "groups", {}).items():
            names += [pattern, *([] if inside is None else _rule_names(inside))]
        rule = rule.rule
        names.append(type(rule).__name__)
    return names
