"""After its first steps a training run allocates nothing that grows.

A step needs its batch, the output of each layer, and a gradient for each parameter. All of
these are arrays of the run, made once and used again; so the arrays in memory after a few strides
of steps are those after hundreds. NumPy tells `tracemalloc` of each array that it makes, apart
from what Python makes for itself (which keeps small objects for later). A run that remembers its
gradients stands beside, to show that growth would be seen.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.experiments import Check, Experiment, Outcome, at_least, at_most
from kiso.losses import SoftmaxCrossEntropy, SquaredError
from kiso.nn import Affine, BatchNorm, Conv2D, Dropout, Flatten, Network, ReLU, train
from kiso.optim import Adam, GradientDescent, Momentum

if TYPE_CHECKING:
    from matplotlib.figure import Figure

N_WARM, N_STATES, EVERY = 8, 40, 5
LEAST = 8.0  # bytes: less than one number a stride


def run(seed: int) -> Outcome:
    """Trace four runs, and one that does remember."""
    rng = np.random.default_rng(seed)
    traces = {name: traced(make(rng)) for name, make in RUNS.items()}
    control = traced(remembering(rng))
    return Outcome(
        tuple(checks_of(traces, control)),
        {"traces": traces, "control": control},
        f"{EVERY} steps a stride, {N_STATES} strides, after {N_WARM} that are not counted.",
    )


def by_layers(rng: np.random.Generator) -> Iterator[Any]:
    """Dropout and batch normalisation, layer by layer."""
    network = Network([
        Affine.create(50, 256, random_state=rng), BatchNorm(256), ReLU(), Dropout(0.3),
        Affine.create(256, 10, random_state=rng),
    ])  # fmt: skip
    data = rng.standard_normal((2000, 50)), rng.integers(10, size=2000)
    return train(network, SoftmaxCrossEntropy(), data, Adam(), n_epochs=None, batch_size=128,
                 every=EVERY, random_state=rng)  # fmt: skip


def compiled(rng: np.random.Generator) -> Iterator[Any]:
    """A dense network in the compiled loop."""
    network = Network.dense([50, 128, 10], activation="relu", init="he", random_state=rng)
    data = rng.standard_normal((2000, 50)), rng.integers(10, size=2000)
    return train(network, SoftmaxCrossEntropy(), data, Momentum(0.01), n_epochs=None,
                 batch_size=128, every=EVERY, random_state=rng, loop="compiled")  # fmt: skip


def images(rng: np.random.Generator) -> Iterator[Any]:
    """A convolution, with validation images and the best weights kept."""
    network = Network([
        Conv2D.create(1, 8, 3, random_state=rng), ReLU(), Flatten(),
        Affine.create(8 * 12 * 12, 10, random_state=rng),
    ])  # fmt: skip
    data = rng.standard_normal((256, 1, 14, 14)), rng.integers(10, size=256)
    return train(network, SoftmaxCrossEntropy(), data, Momentum(0.01), n_epochs=None,
                 batch_size=64, every=EVERY, validation=(data[0][:64], data[1][:64]),
                 random_state=rng)  # fmt: skip


def one_by_one(rng: np.random.Generator) -> Iterator[Any]:
    """Higham & Higham's 23 parameters, a sample a step."""
    network = Network.dense([2, 2, 3, 2], activation="sigmoid", output="sigmoid", random_state=rng)
    data = rng.uniform(size=(10, 2)), np.repeat(np.eye(2), 5, axis=0)
    return train(network, SquaredError(), data, GradientDescent(0.05), n_epochs=None,
                 batch_size=1, replace=True, every=1000 * EVERY, random_state=rng)  # fmt: skip


RUNS: dict[str, Callable[[np.random.Generator], Iterator[Any]]] = {
    "dense, dropout, batch normalisation": by_layers,
    "dense, compiled loop": compiled,
    "convolution, validation": images,
    "one sample a step, compiled": one_by_one,
}


def remembering(rng: np.random.Generator) -> Iterator[Any]:
    """A loop that a learner might write: it keeps the gradients of all its steps."""
    network = Network.dense([50, 128, 10], random_state=rng)
    x, t = rng.standard_normal((128, 50)), rng.integers(10, size=128)
    kept = []
    while True:
        kept.append(network.loss_and_gradients(x, t, SoftmaxCrossEntropy())[1])
        yield None


def traced(states: Iterator[Any]) -> Any:
    """Bytes of arrays in use after each stride, less those after the first that counts."""
    next(states)  # compiles, too
    already = tracemalloc.is_tracing()
    if not already:
        tracemalloc.start()
    try:
        for _ in range(N_WARM):  # an epoch at least: what was made before is not known
            next(states)
        told = np.array([array_bytes() for _ in islice(states, N_STATES)])
    finally:
        if not already:
            tracemalloc.stop()
    return told - told[0]


def array_bytes() -> int:
    """Bytes that NumPy has allocated for the numbers of arrays since the tracing began."""
    mine = tracemalloc.DomainFilter(True, np.lib.tracemalloc_domain)
    return sum(trace.size for trace in tracemalloc.take_snapshot().filter_traces([mine]).traces)


def growth(trace: Any) -> float:
    """Bytes a stride by which the memory in use grows."""
    return float(np.polyfit(np.arange(len(trace)), trace, 1)[0])


def checks_of(traces: dict[str, Any], control: Any) -> list[Check]:
    """No growth in any run, and growth where it has to be seen."""
    checks = [
        at_most(f"{name}: bytes of arrays more a stride", LEAST, abs(growth(trace)))
        for name, trace in traces.items()
    ]
    gradients = 8 * (50 * 128 + 128 + 128 * 10 + 10)
    least = float(f"{0.99 * gradients:.3g}")
    return [*checks, at_least("gradients kept: bytes more a stride", least, growth(control))]


def draw(outcome: Outcome) -> Figure:
    """Draw bytes in use after each stride."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.4), layout="constrained")
    axes = figure.subplots()
    shown = {**outcome.data["traces"], "gradients kept, for comparison": outcome.data["control"]}
    for (name, trace), style in zip(shown.items(), ("-", "--", "-.", ":", "-"), strict=True):
        axes.plot(np.arange(1, len(trace) + 1), trace / 1024, style, lw=2, label=name)
    axes.set(
        xlabel=f"stride ({EVERY} steps; one sample a step: {1000 * EVERY:,})",
        ylabel="KiB of arrays, less the first counted",
        title="Arrays in memory while a network is trained",
    )
    axes.set_yscale("symlog", linthresh=10)
    axes.legend(loc="center right")
    return figure


EXPERIMENT = Experiment(
    title="A training run allocates nothing that grows",
    rows=(49, 79),
    claim="After the first steps the memory in use stays where it is, however long the run",
    source="Higham & Higham (2019), sections 4 and 5: what a step needs; a promise of kiso.nn",
    run=run,
    draw=draw,
)
