"""What the compiled loops of dense networks take: arrays that one equation uses, by name."""

from __future__ import annotations

from typing import NamedTuple

from kiso._validation import Array


class Dense(NamedTuple):
    """A dense network and what moves it, flat: W⁽ˡ⁾ (n_in × n_out, C order), b⁽ˡ⁾, layer by layer.

    p holds the parameters, g their gradients, m and v the averages of the rule; `packed` holds
    W and Wᵀ as products read them. `sizes` counts the units of each layer, the inputs first;
    `codes` and `leaks` name the activation after each affine layer.
    """

    p: Array
    g: Array
    m: Array
    v: Array
    packed: Array
    sizes: Array
    codes: Array
    leaks: Array


class Values(NamedTuple):
    """Of a batch, layer after layer, each b × n: activations a, δ, and slopes s.

    s holds the slopes that values do not tell (GELU); it may be the array of δ where there are
    none.
    """

    a: Array
    d: Array
    s: Array


class Samples(NamedTuple):
    """Inputs X, targets T (last column: the weights of the samples), or labels; and the loss."""

    X: Array
    T: Array
    labels: Array
    loss: int
    mean: bool


class Steps(NamedTuple):
    """Step k takes `rows[starts[k]:starts[k + 1]]` at `rates[k]`; a full batch has `batch_size`."""

    rows: Array
    starts: Array
    rates: Array
    batch_size: int


class Rule(NamedTuple):
    """An update rule: its code, its constants beside the rate, λ, and the steps taken so far."""

    kind: int
    hyper: Array
    decay: float
    step: int
    check: bool


class Lanes(NamedTuple):
    """Of the lanes of a step, one for each column of `sums`, those from first to last.

    `sums` holds what each lane added up; `meeting` is the barrier of all `n_members` that share
    the step.
    """

    sums: Array
    first: int
    last: int
    meeting: Array
    n_members: int
