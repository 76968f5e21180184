"""A network: layers one after the other, with what one asks of the whole.

Higham & Higham (2019) number the layers of units l = 1 … L, a⁽¹⁾ = x, z⁽ˡ⁾ = W⁽ˡ⁾a⁽ˡ⁻¹⁾ + b⁽ˡ⁾,
a⁽ˡ⁾ = σ(z⁽ˡ⁾). A batch has one sample a row here, so that W⁽ˡ⁾ is the transpose of `Affine.W`.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from kiso._compute import costs
from kiso._compute.threads import blocks, map_rows
from kiso._validation import Array, RandomState, check_generator
from kiso.losses import Loss
from kiso.optim._tree import leaves_like, leaves_of

from ..layers.activations import Activation, activation
from ..layers.affine import Affine
from ..layers.containers import Parameters, Sequential
from ..layers.initialise import Initialiser
from ..layers.layer import (
    Backward,
    Layer,
    Shape,
    Tree,
    arrays_within,
    call_backward,
    layers_within,
)
from ..layers.plain import is_plain
from ..layers.run import Run
from ..layers.softmax import Softmax
from ..layers.tangent import known_tangent, sequential_tangent
from ..layers.windows import warn_unscaled
from .summary import summary_table
from .trace import Trace, trace
from .weights import load_weights, named_arrays, save_weights

__all__ = ["Network"]

_N = TypeVar("_N", bound=Layer)


class Network(Sequential):
    """Layers one after the other: y = f_L(… f₂(f₁(x))).

    Parameters
    ----------
    layers : iterable of Layer
    dtype : dtype or None, default=None
        What it computes in: arrays of another dtype are copied into it. None takes that of
        the layers, which has to be one; layers made without a dtype take the network's.

    Raises
    ------
    TypeError
        If layers are of different dtypes (the message names the layer), or a layer hides
        arrays that it calls its parameters.

    Examples
    --------
    The network of Higham & Higham (2019): 2-2-3-2, sigmoid everywhere, 23 parameters.

    >>> network = Network.dense([2, 2, 3, 2], activation="sigmoid", output="sigmoid",
    ...                         init="normal", random_state=0)
    >>> network(np.array([[0.1, 0.1], [0.3, 0.4]])).shape, network.n_parameters
    ((2, 2), 23)

    A training loop by hand; a rule moves the arrays of `network.parameters` in place:

    >>> from kiso.losses import SquaredError
    >>> from kiso.optim import Adam
    >>> x, rule, loss = np.linspace(-1, 1, 64)[:, None], Adam(0.02), SquaredError()
    >>> network = Network.dense([1, 8, 1], random_state=0)
    >>> p = network.parameters
    >>> state = rule.init(p)
    >>> for _ in range(500):
    ...     value, gradients = network.loss_and_gradients(x, x**2, loss)
    ...     p, state = rule.update(gradients, state, p)
    >>> value < 1e-3
    True
    """

    lazy_dx = True
    lazy_gradients = True
    light = True

    def __init__(self, layers: Iterable[Layer], *, dtype: Any = None):
        super().__init__(layers)
        if not self.layers:
            raise ValueError("layers: give at least one")
        found = _one_dtype(self.layers, None if dtype is None else np.dtype(dtype))
        if dtype is not None and found:
            self.layers = _converted(self, np.dtype(dtype)).layers
        if dtype is not None:
            self._dtype = np.dtype(dtype)

    @classmethod
    def dense(
        cls,
        sizes: Sequence[int],
        *,
        activation: str | Activation | Sequence[str | Activation] = "tanh",
        output: str | Activation | Softmax | None = None,
        init: str | Initialiser = "glorot",
        random_state: RandomState = None,
        dtype: Any = np.float64,
    ) -> Self:
        """Make affine layers of these sizes with an activation after each.

        Parameters
        ----------
        sizes : sequence of int
            n₁, …, n_L: inputs, hidden units, outputs.
        activation : str, Activation, or a sequence of them, default="tanh"
            After each hidden layer; a sequence gives one for each.
        output : str, Activation, Softmax or None, default=None
            After the last layer. None leaves it linear, which is what the losses on logits
            take; "softmax" gives probabilities.
        init : str or Initialiser, default="glorot"
            "normal" is Higham & Higham's: weights and biases N(0, ½²).
        random_state : int, Generator, RandomState or None, default=None
        dtype : dtype, default=float64

        Raises
        ------
        ValueError
            For fewer than two sizes, sizes below 1, or as many activations as do not fit.
        """
        sizes = list(sizes)
        if len(sizes) < 2 or any(int(n) != n or n < 1 for n in sizes):
            raise ValueError(f"sizes={sizes}: give at least two whole numbers >= 1")
        rng = check_generator(random_state)
        layers: list[Layer] = []
        hidden = _one_each(activation, len(sizes) - 2)
        for n_in, n_out, after in zip(sizes, sizes[1:], [*hidden, output], strict=False):
            layers.append(
                Affine.create(int(n_in), int(n_out), init=init, random_state=rng, dtype=dtype)
            )
            if after is not None:
                layers.append(_activation(after))
        return cls(layers)

    # --- parameters -----------------------------------------------------------------

    @property
    def parameters(self) -> Parameters:
        """One entry a layer, the arrays themselves; assigning a tree copies into them."""
        return super().parameters

    @parameters.setter
    def parameters(self, tree: Tree) -> None:
        for own, new in zip(
            leaves_of(self.parameters), leaves_like(self.parameters, tree, "parameters"),
            strict=True,
        ):  # fmt: skip
            if np.shape(new) != own.shape:
                raise ValueError(f"parameters: shape {np.shape(new)} given for {own.shape}")
            own[...] = new

    def astype(self, dtype: Any) -> Self:
        """Return a copy of the network that computes in another dtype."""
        return _converted(self, np.dtype(dtype))

    @property
    def dtype(self) -> np.dtype[Any]:
        """What it computes in: the dtype of its first parameter, float64 where it has none."""
        for layer in self.layers:
            for leaf in leaves_of(layer.parameters):
                dtype: np.dtype[Any] = leaf.dtype
                return dtype
        return getattr(self, "_dtype", np.dtype(np.float64))

    @property
    def takes_images(self) -> bool:  # type: ignore[override]
        """Whether one of its layers does."""
        return any(layer.takes_images for _, layer in layers_within(self))

    @property
    def block_rows(self) -> int:
        """Samples to run at once where there are many: fewer images, as layers blow them up."""
        return 1024 if self.takes_images else 4096

    @property
    def n_parameters(self) -> int:
        """How many numbers training moves."""
        return sum(leaf.size for leaf in leaves_of(self.parameters))

    @property
    def vector(self) -> Array:
        """All parameters as one new flat array: see `flatten` for the order."""
        return self.flatten(self.parameters)

    def flatten(self, tree: Tree) -> Array:
        """Put parameters or gradients into one flat array.

        First the arrays of two or more axes (weights) layer by layer, then the others
        (biases), each in C order. For Higham & Higham's network this is their
        W2(:), W3(:), W4(:), b2, b3, b4, as W(:) runs down the columns of the transpose.
        """
        leaves = [np.ravel(leaf) for leaf in _weights_first(leaves_of(tree))]
        return np.concatenate(leaves) if leaves else np.empty(0)

    def set_vector(self, vector: ArrayLike) -> None:
        """Write a flat array, in the order of `flatten`, into the parameters.

        Raises
        ------
        ValueError
            If its length is not the number of parameters.
        """
        v = np.asarray(vector)
        if v.shape != (self.n_parameters,):
            raise ValueError(f"vector of shape {v.shape}: give shape ({self.n_parameters},)")
        start = 0
        for leaf in _weights_first(leaves_of(self.parameters)):
            leaf[...] = v[start : start + leaf.size].reshape(leaf.shape)
            start += leaf.size

    # --- values and gradients -------------------------------------------------------

    def output_shape(self, shape: Shape) -> Shape:
        """Shape after the last layer; ShapeError names the layer that does not fit."""
        return super().output_shape(shape)

    def forward(self, x: Array, *, train: Run | None = None) -> tuple[Array, Backward]:
        """Pass x through all layers, in the network's dtype."""
        return super().forward(self.as_input(x), train=train)

    def __call__(self, x: Array) -> Array:
        """Return y = f(x) alone; many rows in lanes, each through all layers on one thread."""
        x = self.as_input(x)
        if is_plain() or len(x) < 2 * costs.INFERENCE_LANE_IMAGES:
            return super().__call__(x)
        images = self.takes_images
        worth = (
            costs.INFERENCE_LANE_IMAGES
            if images
            else max(
                costs.INFERENCE_LANE_ROWS, costs.INFERENCE_LANE_WORK // max(1, self.n_parameters)
            )
        )
        if len(x) < 2 * worth:
            return super().__call__(x)
        straight = super().__call__

        def through(rows: slice) -> list[Array]:
            parts = [rows] if images else blocks(rows, costs.INFERENCE_LANE_ROWS)
            return [straight(x[part]) for part in parts]

        lanes = map_rows(through, len(x), min_rows=worth)
        return np.concatenate([y for lane in lanes for y in lane])

    def as_input(self, x: ArrayLike) -> Array:
        """Return x as an array of the network's dtype; complex numbers stay complex.

        Warns of images that are bytes.
        """
        a, dtype = np.asarray(x), self.dtype
        if a.dtype == np.uint8 and self.takes_images:
            warn_unscaled(a)
        return a if "c" in (a.dtype.kind, dtype.kind) else a.astype(dtype, copy=False)

    def loss_and_gradients(
        self,
        x: Array,
        t: Array,
        loss: Loss,
        train: Run | None = None,
        *,
        sample_weight: Array | None = None,
    ) -> tuple[float, Tree]:
        """Return C = loss(f(x), t) and ∂C/∂p for every parameter, nested as `parameters`.

        Parameters
        ----------
        x : ndarray of shape (n, ...)
        t : ndarray
            Targets, as the loss takes them.
        loss : Loss
            From `kiso.losses`; its reduction says mean or sum.
        train : Run or None, default=None
            The training run; None computes as in inference (no dropout).
        sample_weight : ndarray of shape (n,) or None, default=None

        Raises
        ------
        ShapeError
            If x does not fit a layer; the message names it.
        ValueError
            If t does not fit the loss.
        """
        y, backward = self.forward(x, train=train)
        value, dy = loss.value_and_gradient(y, t, sample_weight)
        return value, call_backward(self, backward, dy, want_dx=False)[1]

    def input_gradient(self, x: Array, *, output: int | None = None) -> Array:
        """Return ∇ₓ a⁽ᴸ⁾ of each sample: how an output changes with the input.

        For one hidden layer and one output this is W⁽²⁾ᵀδ⁽²⁾, and through more layers δ is
        carried back by δ⁽ˡ⁾ = σ'(z⁽ˡ⁾) ∘ W⁽ˡ⁺¹⁾ᵀδ⁽ˡ⁺¹⁾.

        Parameters
        ----------
        x : ndarray of shape (n, ...)
        output : int or None, default=None
            Which output; needed where there are several.

        Returns
        -------
        ndarray of the shape of x

        Raises
        ------
        ValueError
            If there are several outputs and none is chosen, or there is none of that number.
        """
        y, backward = self.forward(x)
        n_outputs = int(np.prod(y.shape[1:]))
        if output is None and n_outputs != 1:
            raise ValueError(f"the network has {n_outputs} outputs: say which, or use jacobian")
        k = 0 if output is None else output
        if not 0 <= k < n_outputs:
            raise ValueError(f"output={output}: give 0 to {n_outputs - 1}")
        dx: Array = call_backward(self, backward, _unit(y, k), want_gradients=False)[0]
        return dx

    def jacobian(self, x: Array) -> Array:
        """Return ∂y_k/∂x_j of each sample, of shape `(n, *outputs, *inputs)`.

        One forward pass, and a backward pass for each output.
        """
        y, backward = self.forward(x)
        units = (_unit(y, k) for k in range(int(np.prod(y.shape[1:]))))
        rows = [call_backward(self, backward, dy, want_gradients=False)[0] for dy in units]
        return np.stack(rows, axis=1).reshape(*y.shape, *np.shape(x)[1:])

    def trace(self, x: Array, t: Array | None = None, loss: Loss | None = None) -> Trace:
        """Return z⁽ˡ⁾, a⁽ˡ⁾ and, given targets and a loss, δ⁽ˡ⁾ = ∂C/∂z⁽ˡ⁾, by name.

        Examples
        --------
        >>> from kiso.losses import SquaredError
        >>> network = Network.dense([2, 2, 1], activation="sigmoid", random_state=0)
        >>> seen = network.trace(np.zeros((1, 2)), np.ones((1, 1)), SquaredError())
        >>> seen.z[2], seen.a[2], seen.delta[3]
        (array([[0., 0.]]), array([[0.5, 0.5]]), array([[0.026756]]))
        """
        if type(self).forward is not Network.forward:
            raise TypeError(f"trace: {type(self).__name__} has a forward pass of its own")
        return trace(self.layers, self.as_input(x), t, loss)

    # --- looking at it, keeping it ----------------------------------------------------

    def summary(self, input_shape: Shape | None = None) -> str:
        """Return a table: shape, parameters, FLOPs and memory of each layer.

        Parameters
        ----------
        input_shape : tuple of int or None, default=None
            Shape of one sample; may be left out where the first layer is `Affine`.

        Raises
        ------
        ShapeError
            If a layer does not fit the one before; the message names it.
        ValueError
            If the shape is needed and missing.

        Examples
        --------
        >>> print(Network.dense([2, 3, 1], output="sigmoid", random_state=0).summary())
        layer          output  parameters  FLOPs  memory
        input          2                0      0    16 B
        Affine(2 → 3)  3                9     15    96 B
        Tanh()         3                0      3    24 B
        Affine(3 → 1)  1                4      7    40 B
        Sigmoid()      1                0      1     8 B
        total                          13     26   184 B
        """
        if input_shape is None:
            if not isinstance(self.layers[0], Affine):
                raise ValueError("input_shape: give the shape of one sample")
            input_shape = (self.layers[0].W.shape[0],)
        return summary_table(self, tuple(input_shape), self.dtype.itemsize)

    def save_weights(self, path: str | os.PathLike[str]) -> Path:
        """Write parameters and running statistics to a safetensors file, at once or not at all."""
        return save_weights(self, Path(path))

    def load_weights(self, path: str | os.PathLike[str]) -> None:
        """Read what `save_weights` wrote for a network of the same layers.

        Raises
        ------
        WeightsError
            If the file is damaged or belongs to another network; nothing is changed then.
        OSError
            If it cannot be read.
        """
        load_weights(self, Path(path))


known_tangent(Network)(sequential_tangent)


def _one_dtype(layers: Sequence[Layer], wanted: np.dtype[Any] | None) -> bool:
    """Give layers made without a dtype the others'; return whether one differs from `wanted`.

    Raises
    ------
    TypeError
        If layers that have a dtype differ and none is wanted; the message names the layer.
    """
    within = [
        (position, layer, inner)
        for position, layer in enumerate(layers)
        for _, inner in layers_within(layer)
    ]
    first, where = wanted, ""
    other = False
    for position, layer, inner in within:
        for array in arrays_within(inner).values() if not inner._any_dtype else ():
            if array.dtype == np.complex128 or array.dtype == first:
                continue
            if first is None:
                first, where = array.dtype, f"layer {position} {layer!r}"
            elif wanted is None:
                raise TypeError(
                    f"layer {position} {layer!r} is {array.dtype}, {where} is {first}: a network "
                    "computes in one dtype; make the layers with the same dtype=, or give "
                    f"Network(layers, dtype=np.{first})"
                )
            else:
                other = True
    for _, _, inner in within:
        if inner._any_dtype and first is not None:
            for name, array in arrays_within(inner).items():
                if array.dtype != first:
                    setattr(inner, name, array.astype(first))
    return other


def _converted(network: _N, dtype: np.dtype[Any]) -> _N:
    """Return a copy whose arrays (parameters and running statistics) are of this dtype."""
    arrays = [a for _, inner in layers_within(network) for a in arrays_within(inner).values()]
    arrays += list(named_arrays(network).values())
    memo: dict[int, Any] = {id(a): a.astype(dtype) for a in arrays}
    converted = copy.deepcopy(network, memo)
    if isinstance(converted, Network):
        converted._dtype = dtype
    return converted


def _one_each(
    names: str | Activation | Sequence[str | Activation], n: int
) -> Iterator[str | Activation]:
    each = [names] * n if isinstance(names, str | Activation) else list(names)
    if len(each) != n:
        raise ValueError(f"activation: {len(each)} given for {n} hidden layers")
    return iter(each)


def _activation(name: str | Activation | Softmax) -> Layer:
    if isinstance(name, Softmax) or name == "softmax":
        return Softmax()
    return activation(name)


def _weights_first(leaves: list[Array]) -> list[Array]:
    return sorted(leaves, key=lambda leaf: np.ndim(leaf) < 2)  # stable: layer by layer


def _unit(y: Array, k: int) -> Array:
    """Return dy that is 1 at output k of every sample."""
    dy = np.zeros_like(y)
    dy.reshape(len(y), -1)[:, k] = 1
    return dy
