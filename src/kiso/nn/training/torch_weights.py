"""Weights of a PyTorch model for a network of the same layers: names, axes and sums differ.

A module of PyTorch is known by the names of its tensors up to the last dot. Its weights are
laid out otherwise: a `Linear` multiplies by its weight's transpose, an `LSTM` has two biases
that are only ever added.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from kiso._validation import Array

from ..layers.affine import Affine
from ..layers.attention import MultiHeadAttention
from ..layers.convolution import Conv2D, ConvTranspose2D
from ..layers.convolution_1d import Conv1D
from ..layers.embedding import Embedding
from ..layers.layer import Layer, layers_within
from ..layers.normalise import BatchNorm, GroupNorm, LayerNorm
from ..layers.recurrent import GRU, LSTM, RNN
from .weights import WeightsError, read_tensors

__all__ = ["load_torch"]

Tensors = dict[str, Array]


def _filters(module: Tensors) -> Tensors:
    return {"W": module["weight"], "b": module["bias"]}


def _affine(module: Tensors) -> Tensors:
    found = {"W": module["weight"].T}
    return found | ({"b": module["bias"]} if "bias" in module else {})


def _scaled(module: Tensors) -> Tensors:
    return {"gamma": module["weight"], "beta": module["bias"]}


def _batch_norm(module: Tensors) -> Tensors:
    running = {"mean": module["running_mean"], "var": module["running_var"]}
    return _scaled(module) | running


def _recurrent(module: Tensors) -> Tensors:
    W, U = module["weight_ih_l0"].T, module["weight_hh_l0"].T
    return {"W": W, "U": U, "b": module["bias_ih_l0"] + module["bias_hh_l0"]}


def _gru(module: Tensors) -> Tensors:
    b, c = module["bias_ih_l0"], module["bias_hh_l0"]
    return {"W": module["weight_ih_l0"].T, "U": module["weight_hh_l0"].T, "b": b, "c": c}


def _attention(module: Tensors) -> Tensors:
    weights = np.split(module["in_proj_weight"], 3), np.split(module["in_proj_bias"], 3)
    found = {f"W{name}": W.T for name, W in zip("qkv", weights[0], strict=True)}
    found |= {f"b{name}": b for name, b in zip("qkv", weights[1], strict=True)}
    return found | {"Wo": module["out_proj.weight"].T, "bo": module["out_proj.bias"]}


_READERS: dict[type[Layer], Callable[[Tensors], Tensors]] = {
    Affine: _affine,
    Conv1D: _filters,
    Conv2D: _filters,
    ConvTranspose2D: _filters,
    BatchNorm: _batch_norm,
    LayerNorm: _scaled,
    GroupNorm: _scaled,
    Embedding: lambda module: {"W": module["weight"]},
    RNN: _recurrent,
    LSTM: _recurrent,
    GRU: _gru,
    MultiHeadAttention: _attention,
}


def load_torch(
    network: Layer,
    source: str | os.PathLike[str] | Mapping[str, Any],
    names: Mapping[str, str] | None = None,
) -> None:
    """Load the weights of a PyTorch model into a network of the same layers, all or none.

    Parameters
    ----------
    network : Network or Layer
        Its arrays are changed; they keep their dtype. Layers with weights may be `Affine`
        (of `Linear`), `Conv1D`, `Conv2D`, `ConvTranspose2D`, `BatchNorm`, `LayerNorm`,
        `GroupNorm`, `Embedding`, `RNN`, `LSTM`, `GRU` (one layer, one direction) and
        `MultiHeadAttention`, within other layers too.
    source : path-like or mapping of str to array or tensor
        A safetensors file of a `state_dict`, or the `state_dict` itself.
    names : mapping of str to str or None, default=None
        Module of PyTorch for each layer with weights: ``{"0": "conv1", "3.0": "block.fc"}``,
        where a layer is named as in files of weights. None takes both in their order.

    Raises
    ------
    WeightsError
        If a layer or a module has no partner, or shapes do not fit: the message names the
        layer, the module and both shapes. Nothing has been changed then.
    FileNotFoundError
        If there is no such file.

    Examples
    --------
    >>> from kiso.nn import Network, load_torch
    >>> network = Network.dense([2, 1], random_state=0)
    >>> load_torch(network, {"fc.weight": np.array([[1.0, 2.0]]), "fc.bias": np.array([0.5])})
    >>> network(np.array([[1.0, 1.0]]))
    array([[3.5]])
    """
    modules, origin = _modules_of(source)
    layers = {
        name: layer for name, layer in layers_within(network) if _own_arrays(layer)
    }  # containers' parameters are those of their layers
    pairs = _pairs(layers, modules, names, origin)
    copies: list[tuple[Array, Array]] = []
    for name, module in pairs.items():
        copies += _copies(name, layers[name], module, modules[module], origin)
    for own, given in copies:
        own[...] = given


def _own_arrays(layer: Layer) -> Tensors:
    """Return parameters and statistics that are a layer's own, not those of layers within."""
    own = {k: a for k, a in layer.parameters.items() if isinstance(a, np.ndarray)}
    return own | layer.statistics


def _modules_of(source: Any) -> tuple[dict[str, Tensors], str]:
    """Return tensors by module and name, and what to call the source."""
    if isinstance(source, Mapping):
        tensors, origin = {str(k): _array(k, v) for k, v in source.items()}, "the state_dict"
    else:
        tensors, origin = read_tensors(Path(source))[0], str(source)
    modules: dict[str, Tensors] = {}
    for key, tensor in tensors.items():
        module, _, name = key.rpartition(".")
        if module.rpartition(".")[2] == "out_proj":  # of attention, which has a module inside
            module, name = module.rpartition(".")[0], f"out_proj.{name}"
        if name != "num_batches_tracked":
            modules.setdefault(module, {})[name] = tensor
    return modules, origin


def _array(key: Any, value: Any) -> Array:
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    array = np.asarray(value)
    if array.dtype.kind not in "fiu":
        raise WeightsError(f"the state_dict: {key!r} holds {array.dtype}; give numbers")
    return array


def _pairs(
    layers: Mapping[str, Layer],
    modules: Mapping[str, Tensors],
    names: Mapping[str, str] | None,
    origin: str,
) -> dict[str, str]:
    """Return the module of each layer."""
    has = f"layers with weights: {_listed(layers)}; {origin} has modules {_listed(modules)}"
    if names is None:
        if len(layers) != len(modules):
            raise WeightsError(
                f"{len(layers)} layers have weights and {origin} has {len(modules)} modules, so "
                f"their order does not say what belongs together: give names. The network has {has}"
            )
        return dict(zip(layers, modules, strict=True))
    for name in layers:
        if name not in names:
            raise WeightsError(f"names: none for layer {name!r}. The network has {has}")
    for name, module in names.items():
        if name not in layers or module not in modules:
            raise WeightsError(f"names: {name!r}: {module!r} do not exist. The network has {has}")
    return dict(names)


def _listed(names: Mapping[str, Any]) -> str:
    return ", ".join(repr(name) for name in names) or "none"


def _copies(
    name: str, layer: Layer, module_name: str, module: Tensors, origin: str
) -> list[tuple[Array, Array]]:
    """Return (own array, given array) of a layer; refuse what does not fit."""
    about = f"{origin}: module {module_name!r} for layer {name!r}, {layer!r}"
    reader = next((_READERS[kind] for kind in type(layer).__mro__ if kind in _READERS), None)
    if reader is None:
        raise WeightsError(f"{about}: layers of this kind cannot be read from PyTorch's names")
    shapes = {key: tensor.shape for key, tensor in module.items()}
    try:
        given = reader(module)
    except KeyError as error:
        raise WeightsError(f"{about}: it has no {error.args[0]!r}; it has {shapes}") from None
    except ValueError as error:
        raise WeightsError(f"{about}: {error}; it has {shapes}") from None
    own = _own_arrays(layer)
    if given.keys() != own.keys():
        raise WeightsError(
            f"{about}: the layer has {sorted(own)}, the module gives {sorted(given)}"
        )
    for key, array in own.items():
        if given[key].shape != array.shape:
            raise WeightsError(
                f"{about}: {key} has shape {array.shape}, the module gives {given[key].shape}"
            )
        if not np.isfinite(given[key]).all():
            raise WeightsError(f"{about}: the module's {key} holds NaN or infinity")
    return [(array, given[key]) for key, array in own.items()]
