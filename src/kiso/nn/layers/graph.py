"""A graph of layers: named nodes with one or several inputs, forward and back in their order.

    y_k = f_k(y_i, y_j, …)    nodes in topological order, the inputs of a node before it
    ∂C/∂y_i = Σ over the nodes k that take y_i of (∂f_k/∂y_i)ᵀ ∂C/∂y_k    in the reverse order

No tape is kept: each node's forward pass returns its backward pass, as everywhere here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any, TypeAlias

import numpy as np

from kiso._validation import Array

from .layer import Backward, Layer, ShapeError, Tree, call_backward, call_forward
from .run import Run

__all__ = ["Add", "Concatenate", "Graph", "Merge", "Multiply"]

Inputs: TypeAlias = Array | Sequence[Array] | Mapping[str, Array]


class Merge:
    """What joins several arrays into one; a function and its backward pass.

    A subclass gives `join(*xs) -> (y, backward)` with `backward(dy)` a list of ∂C/∂x, one each.
    """

    def join(self, *xs: Array) -> tuple[Array, Callable[[Array], list[Array]]]:
        """Join the inputs."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class Add(Merge):
    """y = x₁ + x₂ + …, all of one shape."""

    def join(self, *xs: Array) -> tuple[Array, Callable[[Array], list[Array]]]:
        """Add up."""
        _check_same(self, xs)
        return sum(xs[1:], xs[0].copy()), lambda dy: [dy for _ in xs]


class Multiply(Merge):
    """y = x₁ ∘ x₂ of one shape;  ∂C/∂x₁ = x₂ ∘ ∂C/∂y and the other way round."""

    def join(self, *xs: Array) -> tuple[Array, Callable[[Array], list[Array]]]:
        """Multiply number by number."""
        _check_same(self, xs)
        if len(xs) != 2:
            raise ShapeError(f"{self!r} takes two inputs, not {len(xs)}")
        return xs[0] * xs[1], lambda dy: [dy * xs[1], dy * xs[0]]


class Concatenate(Merge):
    """The inputs side by side along an axis (of a batch; the last by default)."""

    def __init__(self, axis: int = -1):
        self.axis = axis

    def join(self, *xs: Array) -> tuple[Array, Callable[[Array], list[Array]]]:
        """Put them side by side."""
        cuts = np.cumsum([x.shape[self.axis] for x in xs])[:-1]
        return np.concatenate(xs, self.axis), lambda dy: np.split(dy, cuts, axis=self.axis)


def _check_same(merge: Merge, xs: Sequence[Array]) -> None:
    if len({x.shape for x in xs}) != 1:
        raise ShapeError(f"{merge!r}: its inputs have shapes {[x.shape for x in xs]}; give one")


class Graph(Layer):
    """Layers as named nodes of a graph, with any number of inputs and one output.

    Parameters
    ----------
    nodes : mapping of str to tuple
        name → (layer, input) or (merge, input, input, …). An input is the name of a node or of
        one of `inputs`. A merge is `Add()`, `Multiply()`, `Concatenate()` or one of your own. A
        layer that stands at two nodes shares its weights.
    inputs : sequence of str, default=("x",)
        Names of what the graph is given: an array for one; for several, a sequence of arrays in
        this order or a mapping by name.
    output : str or None, default=None
        The node whose value is y; None is the last of `nodes`.

    Raises
    ------
    ValueError
        If a name is unknown or stands twice, or the nodes go round in a circle.

    Examples
    --------
    Two inputs through layers of their own, and a product of both:

    >>> from kiso.nn import Affine, Concatenate, Graph, Multiply, Tanh
    >>> graph = Graph(
    ...     {
    ...         "a": (Affine.create(3, 4, random_state=0), "left"),
    ...         "b": (Affine.create(2, 4, random_state=1), "right"),
    ...         "product": (Multiply(), "a", "b"),
    ...         "all": (Concatenate(), "a", "product"),
    ...         "y": (Affine.create(8, 1, random_state=2), "all"),
    ...     },
    ...     inputs=["left", "right"],
    ... )
    >>> y, backward = graph.forward([np.ones((5, 3)), np.ones((5, 2))])
    >>> y.shape, [dx.shape for dx in backward(np.ones((5, 1)))[0]]
    ((5, 1), [(5, 3), (5, 2)])
    """

    lazy_dx = False

    def __init__(
        self,
        nodes: Mapping[str, tuple[Any, ...]],
        *,
        inputs: Sequence[str] = ("x",),
        output: str | None = None,
    ):
        self.inputs = tuple(inputs)
        if not nodes:
            raise ValueError("nodes: give at least one")
        known = {*nodes, *self.inputs}
        if len(known) != len(nodes) + len(self.inputs):
            raise ValueError(f"inputs={list(inputs)}: a name stands twice, or is that of a node")
        for name, (what, *sources) in nodes.items():
            unknown = [s for s in sources if s not in known]
            if unknown or not sources:
                raise ValueError(f"node {name!r}: no input of that name: {unknown or 'none given'}")
            if isinstance(what, Layer) and len(sources) != 1:
                raise ValueError(f"node {name!r}: {what!r} takes one input, not {sources}")
            if not isinstance(what, Layer | Merge):
                raise TypeError(f"node {name!r}: {what!r} is neither a layer nor a Merge")
        try:
            order = TopologicalSorter({n: nodes[n][1:] for n in nodes}).static_order()
            self.order = [name for name in order if name in nodes]
        except CycleError as error:
            raise ValueError(f"nodes: they go round in a circle: {error.args[1]}") from None
        self.layers = {n: nodes[n][0] for n in nodes if isinstance(nodes[n][0], Layer)}
        self.merges = {n: nodes[n][0] for n in nodes if isinstance(nodes[n][0], Merge)}
        self.sources = {n: tuple(nodes[n][1:]) for n in nodes}
        self.output = list(nodes)[-1] if output is None else output
        if self.output not in nodes:
            raise ValueError(f"output={output!r}: give one of {list(nodes)}")

    @property
    def parameters(self) -> Tree:
        """By the names of the nodes; {} where a layer stands again."""
        seen: set[int] = set()
        found: dict[str, Tree] = {}
        for name in self.layers:
            again = id(self.layers[name]) in seen
            found[name] = {} if again else self.layers[name].parameters
            seen.add(id(self.layers[name]))
        return found

    def forward(self, x: Any, *, train: Run | None = None) -> tuple[Array, Backward]:
        """Compute the nodes in order; backward gives dx as x was given (array, list or dict)."""
        values = self._given(x)
        backs: dict[str, Any] = {}
        for name in self.order:
            taken = [values[source] for source in self.sources[name]]
            try:
                if name in self.layers:
                    values[name], backs[name] = call_forward(self.layers[name], taken[0], train)
                else:
                    values[name], backs[name] = self.merges[name].join(*taken)
            except ShapeError as error:
                raise ShapeError(f"node {name!r}: {error}") from None
        shapes = {name: values[name].shape for name in self.inputs}

        def backward(dy: Array) -> tuple[Any, Tree]:
            upstream: dict[str, Any] = {self.output: dy}
            gradients: dict[str, Tree] = {name: {} for name in self.layers}
            for name in reversed(self.order):
                if name not in upstream:  # nothing of the output comes through here
                    if name in self.layers:
                        gradients[name] = _zeros(self.layers[name].parameters)
                    continue
                if name in self.layers:
                    d, gradients[name] = call_backward(
                        self.layers[name], backs[name], upstream[name]
                    )
                    parts = [d]
                else:
                    parts = backs[name](upstream[name])
                for source, part in zip(self.sources[name], parts, strict=True):
                    upstream[source] = upstream[source] + part if source in upstream else part
            dx = {n: upstream.get(n, np.zeros(shapes[n], dy.dtype)) for n in self.inputs}
            return self._like(x, dx), self._add_shared(gradients)

        return values[self.output], backward

    def _given(self, x: Any) -> dict[str, Array]:
        if isinstance(x, Mapping):
            if set(x) != set(self.inputs):
                raise ValueError(f"inputs {sorted(x)}: give {list(self.inputs)}")
            return dict(x)
        arrays = [x] if isinstance(x, np.ndarray) else list(x)
        if len(arrays) != len(self.inputs):
            raise ValueError(f"{len(arrays)} inputs: give {len(self.inputs)}: {list(self.inputs)}")
        return dict(zip(self.inputs, arrays, strict=True))

    def _like(self, x: Any, dx: dict[str, Array]) -> Any:
        if isinstance(x, Mapping):
            return dx
        return dx[self.inputs[0]] if isinstance(x, np.ndarray) else [dx[n] for n in self.inputs]

    def _add_shared(self, gradients: dict[str, Tree]) -> dict[str, Tree]:
        """Add the gradients of a layer that stands again to those of its first node."""
        from kiso.optim._tree import map_tree

        first: dict[int, str] = {}
        for name, layer in self.layers.items():
            place = first.setdefault(id(layer), name)
            if place != name:
                gradients[place] = map_tree(np.add, gradients[place], gradients[name])
                gradients[name] = {}
        return gradients

    def __repr__(self) -> str:
        return f"Graph({', '.join(self.inputs)} → {' → '.join(self.order)})"


def _zeros(tree: Tree) -> Tree:
    from kiso.optim._tree import map_tree

    return map_tree(np.zeros_like, tree) if tree else {}
