"""A network as an ONNX model: the same inference anywhere that ONNX runs.

One short function a kind of layer says which operators it is; a layer of your own joins by
`emit_onnx.register`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import singledispatch
from pathlib import Path
from typing import Any

import numpy as np

from kiso._validation import Array

from ..layers.activations import (
    ELU,
    GELU,
    LeakyReLU,
    ReLU,
    Sigmoid,
    SiLU,
    Softplus,
    Tanh,
)
from ..layers.affine import Affine
from ..layers.affine_augment import RandomAffine
from ..layers.attention import MultiHeadAttention
from ..layers.augment import RandomCrop, RandomFlip, RandomShift
from ..layers.containers import Parallel, Residual, Sequential
from ..layers.convolution import Conv2D, ConvTranspose2D
from ..layers.convolution_1d import Conv1D
from ..layers.dropout import Dropout
from ..layers.embedding import Embedding
from ..layers.flatten import Flatten, Reshape
from ..layers.graph import Add, Concatenate, Graph, Multiply
from ..layers.layer import Layer, Shape
from ..layers.normalise import BatchNorm, GroupNorm, LayerNorm
from ..layers.pooling import AveragePool, GlobalAveragePool, MaxPool
from ..layers.pooling_1d import AveragePool1D, GlobalAveragePool1D, MaxPool1D
from ..layers.recurrent import GRU, LSTM, RNN
from ..layers.softmax import Softmax
from ..layers.spectral import Spectral
from ..layers.upsample import Upsample
from .network import Network

__all__ = ["OnnxBuilder", "emit_onnx", "to_onnx"]

OPSET = 18
IR_VERSION = 9


class OnnxBuilder:
    """Nodes and constants of an ONNX graph under way; values are named by strings."""

    def __init__(self, dtype: np.dtype[Any]):
        self.dtype = dtype
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def add(self, op: str, *inputs: str, **attributes: Any) -> Any:
        """Add a node of this operator; return the name of its output."""
        from onnx import helper

        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [name], **attributes))
        return name

    def constant(self, value: Any, dtype: Any = None) -> str:
        """Add an array; return its name."""
        from onnx import numpy_helper

        name = f"c{len(self.constants)}"
        array = np.array(value, self.dtype if dtype is None else dtype, order="C")
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def reshape(self, x: str, shape: Sequence[int]) -> str:
        """Give each sample a shape; the batch axis stays."""
        return str(self.add("Reshape", x, self.constant([0, *shape], np.int64)))


def to_onnx(
    network: Network | Graph,
    path: str | os.PathLike[str] | None = None,
    *,
    input_shape: Shape | Sequence[Shape] | None = None,
) -> Any:
    """Return a network's inference as an ONNX model, and write it to a file if one is given.

    Parameters
    ----------
    network : Network or Graph
    path : path-like or None, default=None
    input_shape : tuple of int, or one for each input of a graph, default=None
        Shape of one sample; may be left out where the first layer is `Affine`.

    Returns
    -------
    onnx.ModelProto
        Inputs "x" (or the names of the graph's inputs), output "y"; the batch axis is free.
        Dropout and random changes of images are left out, as in inference.

    Raises
    ------
    TypeError
        For a layer that has no form here; the message names it.
    ValueError
        If the shape is needed and missing.
    ImportError
        Without the package onnx.

    Examples
    --------
    >>> from kiso.nn import Network, to_onnx
    >>> model = to_onnx(Network.dense([2, 3, 1], random_state=0))
    >>> [node.op_type for node in model.graph.node]
    ['MatMul', 'Add', 'Tanh', 'MatMul', 'Add', 'Identity']
    """
    from onnx import checker, helper

    names = list(network.inputs) if isinstance(network, Graph) else ["x"]
    shapes = _shapes(network, input_shape, len(names))
    dtype = _dtype(network)
    build = OnnxBuilder(dtype)
    kind = helper.np_dtype_to_tensor_dtype(dtype)
    if isinstance(network, Graph):
        y, shape = _graph(network, build, dict(zip(names, shapes, strict=True)), names)
    else:
        y, shape = emit_onnx(network, build, names[0], shapes[0]), network.output_shape(shapes[0])
    build.nodes.append(helper.make_node("Identity", [y], ["y"]))
    given = [
        helper.make_tensor_value_info(name, kind, ["n", *shape_of])
        for name, shape_of in zip(names, shapes, strict=True)
    ]
    out = helper.make_tensor_value_info("y", kind, ["n", *shape])
    graph = helper.make_graph(build.nodes, "kiso", given, [out], build.constants)
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="kiso"
    )
    model.ir_version = IR_VERSION
    checker.check_model(model)
    if path is not None:
        Path(path).write_bytes(model.SerializeToString())
    return model


def _shapes(network: Any, given: Any, n: int) -> list[Shape]:
    if given is None:
        first = None if isinstance(network, Graph) else network.layers[0]
        if not isinstance(first, Affine):
            raise ValueError("input_shape: give the shape of one sample")
        return [(len(first.W),)]
    shapes = [given] if n == 1 and isinstance(given[0], int) else list(given)
    if len(shapes) != n:
        raise ValueError(f"input_shape={given}: give a shape for each of {n} inputs")
    return [tuple(int(m) for m in shape) for shape in shapes]


def _dtype(network: Any) -> np.dtype[Any]:
    if isinstance(network, Network):
        return network.dtype
    return Network([network]).dtype


@singledispatch
def emit_onnx(layer: Layer, build: OnnxBuilder, x: str, shape: Shape) -> str:
    """Add a layer's operators to a model; return the name of its output.

    Parameters
    ----------
    layer : Layer
    build : OnnxBuilder
    x : str
        Name of the input.
    shape : tuple of int
        Of a sample of the input.
    """
    raise TypeError(
        f"to_onnx: {layer!r} has no form in ONNX here; give it one by "
        f"emit_onnx.register({type(layer).__name__})"
    )


def _emit(layer: Layer, build: OnnxBuilder, x: str, shape: Shape) -> str:
    """Emit a layer, unless its class overrides the forward pass of one that is known."""
    for kind in type(layer).__mro__:
        if kind in emit_onnx.registry and issubclass(kind, Layer):
            if kind is not type(layer) and type(layer).forward is not kind.forward:
                raise TypeError(
                    f"to_onnx: {layer!r} overrides the forward pass of {kind.__name__}; give it "
                    f"a form by emit_onnx.register({type(layer).__name__})"
                )
            break
    return str(emit_onnx(layer, build, x, shape))


@emit_onnx.register(Sequential)
def _sequential(layer: Sequential, build: OnnxBuilder, x: str, shape: Shape) -> str:
    for inner in layer.layers:
        x, shape = _emit(inner, build, x, shape), inner.output_shape(shape)
    return x


emit_onnx.register(Network)(_sequential)


@emit_onnx.register(Parallel)
def _parallel(layer: Parallel, build: OnnxBuilder, x: str, shape: Shape) -> str:
    parts = [_emit(inner, build, x, shape) for inner in layer.layers]
    return str(build.add("Concat", *parts, axis=layer.axis))


@emit_onnx.register(Residual)
def _residual(layer: Residual, build: OnnxBuilder, x: str, shape: Shape) -> str:
    return str(build.add("Add", _emit(layer.layers[0], build, x, shape), x))


def _graph(
    graph: Graph, build: OnnxBuilder, shapes: dict[str, Shape], names: Sequence[str]
) -> tuple[str, Shape]:
    values = dict(zip(graph.inputs, names, strict=True))
    for node in graph.order:
        taken, sources = [values[s] for s in graph.sources[node]], graph.sources[node]
        if node in graph.layers:
            layer, before = graph.layers[node], shapes[sources[0]]
            values[node] = _emit(layer, build, taken[0], before)
            shapes[node] = layer.output_shape(before)
            continue
        merge: Any = graph.merges[node]
        samples = [np.zeros((1, *shapes[s])) for s in sources]
        shapes[node] = merge.join(*samples)[0].shape[1:]
        if type(merge) is Add:
            total = taken[0]
            for other in taken[1:]:
                total = build.add("Add", total, other)
            values[node] = total
        elif type(merge) is Multiply:
            values[node] = build.add("Mul", *taken)
        elif type(merge) is Concatenate:
            values[node] = build.add("Concat", *taken, axis=merge.axis)
        else:
            raise TypeError(f"to_onnx: node {node!r}, {merge!r}, has no form in ONNX here")
    return values[graph.output], shapes[graph.output]


@emit_onnx.register(Graph)
def _inner_graph(layer: Graph, build: OnnxBuilder, x: str, shape: Shape) -> str:
    return _graph(layer, build, {layer.inputs[0]: shape}, [x])[0]


@emit_onnx.register(Affine)
def _affine(layer: Affine, build: OnnxBuilder, x: str, shape: Shape) -> str:
    y = build.add("MatMul", x, build.constant(layer.W))
    return y if layer.b is None else str(build.add("Add", y, build.constant(layer.b)))


@emit_onnx.register(Spectral)
def _spectral(layer: Spectral, build: OnnxBuilder, x: str, shape: Shape) -> str:
    return _emit(layer._normalised(None)[0], build, x, shape)


@emit_onnx.register(ReLU)
@emit_onnx.register(Sigmoid)
@emit_onnx.register(Tanh)
@emit_onnx.register(Softplus)
@emit_onnx.register(LeakyReLU)
@emit_onnx.register(ELU)
def _activation(layer: Any, build: OnnxBuilder, x: str, shape: Shape) -> str:
    names: dict[Any, str] = {ReLU: "Relu", LeakyReLU: "LeakyRelu", ELU: "Elu"}
    op = names.get(type(layer), type(layer).__name__)
    alpha = getattr(layer, "negative_slope", getattr(layer, "alpha", None))
    return str(build.add(op, x, **({} if alpha is None else {"alpha": float(alpha)})))


@emit_onnx.register(SiLU)
def _silu(layer: SiLU, build: OnnxBuilder, x: str, shape: Shape) -> str:
    return str(build.add("Mul", x, build.add("Sigmoid", x)))


@emit_onnx.register(GELU)
def _gelu(layer: GELU, build: OnnxBuilder, x: str, shape: Shape) -> str:
    erf = build.add("Erf", build.add("Mul", x, build.constant(np.sqrt(0.5))))
    half = build.add("Mul", x, build.constant(0.5))
    return str(build.add("Mul", half, build.add("Add", erf, build.constant(1.0))))


@emit_onnx.register(Softmax)
def _softmax(layer: Softmax, build: OnnxBuilder, x: str, shape: Shape) -> str:
    return str(build.add("Softmax", x, axis=-1))


@emit_onnx.register(Dropout)
@emit_onnx.register(RandomAffine)
@emit_onnx.register(RandomFlip)
@emit_onnx.register(RandomShift)
def _nothing(layer: Layer, build: OnnxBuilder, x: str, shape: Shape) -> str:
    return x


@emit_onnx.register(RandomCrop)
def _crop(layer: RandomCrop, build: OnnxBuilder, x: str, shape: Shape) -> str:
    size = layer.output_shape(shape)[1:]
    starts = [(m - k) // 2 for m, k in zip(shape[1:], size, strict=True)]
    ends = [a + k for a, k in zip(starts, size, strict=True)]
    return str(
        build.add("Slice", x, *(build.constant(v, np.int64) for v in (starts, ends, [2, 3])))
    )


@emit_onnx.register(Flatten)
def _flatten(layer: Flatten, build: OnnxBuilder, x: str, shape: Shape) -> str:
    return str(build.add("Flatten", x, axis=1))


@emit_onnx.register(Reshape)
def _reshape(layer: Reshape, build: OnnxBuilder, x: str, shape: Shape) -> str:
    return build.reshape(x, layer.shape)


def _window(window: Any, shape: Shape) -> dict[str, list[int]]:
    (top, bottom), (left, right) = window.pads(*shape[1:])
    return {
        "kernel_shape": list(window.size),
        "strides": list(window.stride),
        "pads": [top, left, bottom, right],
        "dilations": list(window.dilation),
    }


@emit_onnx.register(Conv2D)
def _conv(layer: Conv2D, build: OnnxBuilder, x: str, shape: Shape) -> str:
    arrays = build.constant(layer.W), build.constant(layer.b)
    return str(build.add("Conv", x, *arrays, group=layer.groups, **_window(layer.window, shape)))


@emit_onnx.register(ConvTranspose2D)
def _transpose(layer: ConvTranspose2D, build: OnnxBuilder, x: str, shape: Shape) -> str:
    arrays = build.constant(layer.W), build.constant(layer.b)
    return str(
        build.add(
            "ConvTranspose", x, *arrays, group=layer.groups,
            output_padding=list(layer._extra), **_window(layer.window, shape),
        )
    )  # fmt: skip


def _on_images(flat: Layer, build: OnnxBuilder, x: str, shape: Shape) -> str:
    """Emit a layer of signals as one of images of height 1."""
    images = (shape[0], 1, shape[1])
    y = _emit(flat, build, build.reshape(x, images), images)
    channels, _, length = flat.output_shape(images)
    return build.reshape(y, (channels, length))


@emit_onnx.register(Conv1D)
@emit_onnx.register(MaxPool1D)
@emit_onnx.register(AveragePool1D)
def _of_signals(layer: Any, build: OnnxBuilder, x: str, shape: Shape) -> str:
    return _on_images(layer.flat, build, x, shape)


@emit_onnx.register(MaxPool)
def _max_pool(layer: MaxPool, build: OnnxBuilder, x: str, shape: Shape) -> str:
    return str(build.add("MaxPool", x, **_window(layer.window, shape)))


@emit_onnx.register(AveragePool)
def _average_pool(layer: AveragePool, build: OnnxBuilder, x: str, shape: Shape) -> str:
    options = _window(layer.window, shape)
    del options["dilations"]
    mean = build.add("AveragePool", x, count_include_pad=1, **options)
    share = layer._share(np.zeros((1, *shape))) * np.prod(layer.window.size)
    return str(build.add("Mul", mean, build.constant(share)))


@emit_onnx.register(GlobalAveragePool)
def _global_pool(layer: GlobalAveragePool, build: OnnxBuilder, x: str, shape: Shape) -> str:
    return str(build.add("ReduceMean", x, build.constant([2, 3], np.int64), keepdims=0))


@emit_onnx.register(GlobalAveragePool1D)
def _global_pool_1d(layer: GlobalAveragePool1D, build: OnnxBuilder, x: str, shape: Shape) -> str:
    return str(build.add("ReduceMean", x, build.constant([2], np.int64), keepdims=0))


@emit_onnx.register(BatchNorm)
def _batch_norm(layer: BatchNorm, build: OnnxBuilder, x: str, shape: Shape) -> str:
    arrays = (build.constant(a) for a in (layer.gamma, layer.beta, layer.mean, layer.var))
    return str(build.add("BatchNormalization", x, *arrays, epsilon=float(layer.eps)))


@emit_onnx.register(LayerNorm)
def _layer_norm(layer: LayerNorm, build: OnnxBuilder, x: str, shape: Shape) -> str:
    arrays = build.constant(layer.gamma), build.constant(layer.beta)
    return str(build.add("LayerNormalization", x, *arrays, axis=-1, epsilon=float(layer.eps)))


@emit_onnx.register(GroupNorm)
def _group_norm(layer: GroupNorm, build: OnnxBuilder, x: str, shape: Shape) -> str:
    groups, last = build.reshape(x, (layer.n_groups, -1)), build.constant([2], np.int64)
    centred = build.add("Sub", groups, build.add("ReduceMean", groups, last))
    var = build.add("ReduceMean", build.add("Mul", centred, centred), last)
    root = build.add("Sqrt", build.add("Add", var, build.constant(layer.eps)))
    x_hat = build.reshape(build.add("Div", centred, root), shape)
    seen = (-1, *[1] * (len(shape) - 1))
    scaled = build.add("Mul", x_hat, build.constant(layer.gamma.reshape(seen)))
    return str(build.add("Add", scaled, build.constant(layer.beta.reshape(seen))))


@emit_onnx.register(Upsample)
def _upsample(layer: Upsample, build: OnnxBuilder, x: str, shape: Shape) -> str:
    scales = build.constant([1, 1, *layer.factor], np.float32)
    return str(
        build.add(
            "Resize", x, "", scales, mode="nearest", nearest_mode="floor",
            coordinate_transformation_mode="asymmetric",
        )
    )  # fmt: skip


@emit_onnx.register(Embedding)
def _embedding(layer: Embedding, build: OnnxBuilder, x: str, shape: Shape) -> str:
    from onnx import TensorProto

    places = build.add("Cast", x, to=TensorProto.INT64)
    return str(build.add("Gather", build.constant(layer.W), places, axis=0))


@emit_onnx.register(MultiHeadAttention)
def _attention(layer: MultiHeadAttention, build: OnnxBuilder, x: str, shape: Shape) -> str:
    p, (n_places, n) = layer.parameters, shape
    d = n // layer.n_heads

    def affine(value: str, k: str) -> str:
        product = build.add("MatMul", value, build.constant(p[f"W{k}"]))
        return str(build.add("Add", product, build.constant(p[f"b{k}"])))

    def heads(k: str, perm: list[int]) -> str:
        split = build.reshape(affine(x, k), (n_places, layer.n_heads, d))
        return str(build.add("Transpose", split, perm=perm))

    S = build.add("MatMul", heads("q", [0, 2, 1, 3]), heads("k", [0, 2, 3, 1]))
    S = build.add("Mul", S, build.constant(1 / np.sqrt(d)))
    if layer.causal:
        later = np.triu(np.full((n_places, n_places), -np.inf), 1)
        S = build.add("Add", S, build.constant(later))
    seen = build.add("MatMul", build.add("Softmax", S, axis=-1), heads("v", [0, 2, 1, 3]))
    joined = build.reshape(build.add("Transpose", seen, perm=[0, 2, 1, 3]), (n_places, n))
    return affine(joined, "o")


_GATES = {RNN: [0], LSTM: [0, 3, 1, 2], GRU: [1, 0, 2]}  # in the order of ONNX


@emit_onnx.register(RNN)
@emit_onnx.register(LSTM)
@emit_onnx.register(GRU)
def _recurrent(layer: Any, build: OnnxBuilder, x: str, shape: Shape) -> str:
    def gates(array: Array) -> Array:
        parts = np.split(array, len(_GATES[type(layer)]), axis=-1)
        return np.concatenate([parts[k] for k in _GATES[type(layer)]], axis=-1)

    second = getattr(layer, "c", np.zeros_like(layer.b))
    arrays = (
        gates(layer.W).T[None], gates(layer.U).T[None],
        np.concatenate([gates(layer.b), gates(second)])[None],
    )  # fmt: skip
    options = {"linear_before_reset": 1} if type(layer) is GRU else {}
    steps = build.add("Transpose", x, perm=[1, 0, 2])
    y = build.add(
        type(layer).__name__, steps, *(build.constant(a) for a in arrays),
        hidden_size=layer.n_hidden, **options,
    )  # fmt: skip
    y = build.add("Squeeze", y, build.constant([1], np.int64))
    if layer.sequences:
        return str(build.add("Transpose", y, perm=[1, 0, 2]))
    return str(build.add("Gather", y, build.constant(-1, np.int64), axis=0))
