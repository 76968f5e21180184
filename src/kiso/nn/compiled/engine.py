"""Steps of a dense network in one compiled call: which runs it suits, and where it wins.

Two loops do the work: `sample_loops.py` goes sample by sample, for networks of so few numbers
that a call of BLAS costs more than the step; `dense_loops.py` takes whole batches, cut into
lanes that go over the threads: a step has one result whatever the number of threads.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import numpy as np

from kiso._compute import costs
from kiso._compute.threads import one_blas_thread, run_together
from kiso._validation import Array
from kiso.losses import Loss, SigmoidCrossEntropy, SoftmaxCrossEntropy, SquaredError
from kiso.optim import GradientDescent, Rule, global_norm
from kiso.optim._schedules import rate_at

from ..training.engine import Engine, Progress, bad_gradient, largest_output
from ..training.feed import Feed, RowFeed
from ..training.network import Network
from . import dense_loops as loops
from .activation_loops import GELU
from .dense_codes import is_known, layer_codes
from .flat import FlatParameters
from .records_loops import Lanes, Samples, Steps, Values
from .sample_loops import descend

__all__ = ["CompiledEngine"]

LANE_WORK = costs.STEP_ONE_THREAD_WORK // 2  # parameters × samples that are worth a lane more
LANE_ROWS, FEWEST_ROWS = 64, 32  # samples of a lane; samples of a batch that are worth two

_LOSSES: dict[type, int] = {
    SquaredError: loops.SQUARED,
    SoftmaxCrossEntropy: loops.SOFTMAX,
    SigmoidCrossEntropy: loops.SIGMOID_LOSS,
}


class CompiledEngine(Engine):
    """Dense networks of any size, four rules, three losses, weights of samples and decay."""

    def __init__(
        self, network: Network, loss: Loss, feed: RowFeed, rule: Any, weight_decay: float = 0.0
    ):
        self.network, self.feed, self.rule, self.decay = network, feed, rule, weight_decay
        self.mean = loss.reduction == "mean"
        self.rule_state = rule.init(network.parameters)
        self.tiny = self._is_tiny(loss)
        self.flat = FlatParameters(network, rule, packed=not self.tiny)
        self.p, gelu = self.flat.p, GELU in self.flat.codes
        largest = max(W.size for W in self.flat.leaves[::2])
        self.large = (
            largest * feed.batch_size > costs.BLAS_ONE_THREAD_WORK
            or self.p.size > costs.BLAS_ONE_THREAD_NUMBERS
        )
        batch = 1 if self.tiny else feed.batch_size
        a, d = (np.empty(batch * self.flat.sizes.sum(), self.p.dtype) for _ in range(2))
        self.values = Values(a, d, np.empty_like(d) if gelu else d)
        self.n_lanes = 1 if self.tiny else _lanes_of(network, feed)
        self.samples = self._samples(loss)

    @classmethod
    def suits(cls, network: Network, loss: Loss, feed: Feed, rule: Rule) -> str:
        """Return why it cannot take this run; empty if it can."""
        if not is_known(rule):
            return "the rule is not GradientDescent, Momentum, Nesterov or Adam in their usual form"
        if type(loss) not in _LOSSES or loss != type(loss)(reduction=loss.reduction):
            return "the loss is not SquaredError, SoftmaxCrossEntropy or SigmoidCrossEntropy"
        if not isinstance(feed, RowFeed):
            return "the data are not arrays"
        if feed.X.ndim != 2 or isinstance(feed.X, np.memmap) or isinstance(feed.t, np.memmap):
            return "the data are not arrays in memory with one row a sample"
        if feed.weight is not None and not feed.weight.min() > 0:
            return "there are sample weights that are not positive"
        if layer_codes(network)[0].size == 0:
            return "the layers are not affine ones each with at most one known activation"
        if network.layers[0].parameters["W"].shape[0] != feed.X.shape[1]:
            return "X does not fit the first layer"
        if (
            feed.X.dtype != network.dtype
            and feed.X.size * network.dtype.itemsize > costs.TRAINING_COPY_BYTES
        ):
            return "X is large and not of the network's dtype"
        return _misfit(loss, feed.t, network.output_shape(feed.X.shape[1:])[0])

    @classmethod
    def wins(cls, network: Network, feed: Feed) -> bool:
        """Whether it is faster here than calling the layers, whose BLAS has all threads."""
        if not isinstance(feed, RowFeed):
            return False
        work = network.n_parameters * feed.batch_size
        return work <= costs.STEP_ONE_THREAD_WORK or _lanes_of(network, feed) > 1

    def advance(self, n_steps: int) -> Progress:
        """Take steps in as many calls as leave room for Ctrl-C."""
        if n_steps == 0:
            return Progress(0, 0.0, 0.0)
        with one_blas_thread() if self.large else nullcontext():
            return self._advance(n_steps)

    def _advance(self, n_steps: int) -> Progress:
        self.flat.read(self.rule_state)
        size = max(
            1,
            costs.TRAINING_CALL_WORK
            // max(costs.TRAINING_STEP_WORK, self.p.size * self.feed.batch_size),
        )
        taken, loss, mass = 0, 0.0, 0.0
        try:
            while taken < n_steps:
                count = min(size, n_steps - taken)
                rows, starts = self.feed.rows(count)
                steps = Steps(rows, starts, self._rates(count), self.feed.batch_size)
                call = self._sample_by_sample if self.tiny else self._batch_by_batch
                done, losses, masses, end = call(steps)
                taken, loss = taken + done, loss + losses
                mass += masses if self.mean else done
                self.rule_state.step += done
                if end != loops.DONE or not np.isfinite(self.p).all():
                    at = min(done, count - 1)
                    bad = self.samples.X[rows[starts[at] : starts[at + 1]]]
                    return Progress(taken, loss, mass, fault=self._fault(end, bad))
        finally:
            self.flat.write(self.rule_state)
        norm = global_norm(self.flat.g) * (self._share(starts) if self.tiny else 1.0)
        return Progress(taken, loss, mass, norm)

    # --- the two loops ------------------------------------------------------------------

    def _is_tiny(self, loss: Loss) -> bool:
        return (
            self.network.n_parameters * self.feed.batch_size <= costs.STEP_TINY_WORK
            and type(self.rule) is GradientDescent
            and type(loss) is SquaredError
            and self.feed.weight is None
            and self.decay == 0
            and GELU not in layer_codes(self.network)[0]
        )

    def _sample_by_sample(self, steps: Steps) -> tuple[int, float, float, int]:
        done, losses = descend(self.flat.net(), self.values, self.samples, steps)
        end = loops.DONE if done == len(steps.rates) else loops.BAD_LOSS
        return done, losses, float(steps.starts[done]), end

    def _batch_by_batch(self, steps: Steps) -> tuple[int, float, float, int]:
        net, rule = self.flat.net(), self.flat.rule_record(self.rule_state.step, self.decay)
        sums, meeting = np.empty((2, self.n_lanes)), np.zeros(1, np.int64)

        def take_part(mine: slice, n_members: int) -> tuple[int, float, float, int]:
            lanes = Lanes(sums, mine.start, mine.stop, meeting, n_members)
            return loops.descend_batches(net, self.values, self.samples, steps, rule, lanes)

        return run_together(take_part, self.n_lanes, meeting)[0]

    def _samples(self, loss: Loss) -> Samples:
        """Put targets and, for batches, the samples' weights beside each other."""
        t, kind, labels = self.feed.t, _LOSSES[type(loss)], np.empty(0, np.intp)
        X = np.ascontiguousarray(self.feed.X, self.p.dtype)
        if t.ndim == 1:
            kind, labels = loops.SOFTMAX_OF_LABELS, t.astype(np.intp)
            t = np.empty((len(t), 0))
        if self.tiny:
            T = np.ascontiguousarray(t, self.p.dtype)
        else:
            T = np.empty((len(t), t.shape[1] + 1), self.p.dtype)
            T[:, :-1], T[:, -1] = t, 1.0 if self.feed.weight is None else self.feed.weight
        return Samples(X, T, labels, kind, self.mean)

    def _rates(self, count: int) -> Array:
        rate, step = self.rule.learning_rate, self.rule_state.step
        if not callable(rate):
            return np.full(count, float(rate))
        return np.array([rate_at(rate, k) for k in range(step, step + count)])

    def _share(self, starts: Array) -> float:
        """What the last gradient, summed over its samples, was multiplied by."""
        size = 1.0 if self.mean else float(starts[-1] - starts[-2])
        return size / self.feed.batch_size

    def _fault(self, end: int, x: Array) -> str:
        self.flat.write(self.rule_state)
        step = self.rule_state.step + 1
        if end == loops.BAD_GRADIENT:
            return f"step {step}: {bad_gradient(self.network, self.flat.gradients(), x)}"
        return f"step {step}: the loss is not finite; {largest_output(self.network, x)}"


def _lanes_of(network: Network, feed: RowFeed) -> int:
    """Lanes that a step is worth, whatever the number of threads."""
    by_rows = max(feed.batch_size // LANE_ROWS, 2 if feed.batch_size >= FEWEST_ROWS else 1)
    return min(
        costs.STEP_MOST_LANES, by_rows, 1 + network.n_parameters * feed.batch_size // LANE_WORK
    )


def _misfit(loss: Loss, t: Array, n_out: int) -> str:
    """Say why targets do not fit; the layers' loss says it in its own words then."""
    if t.ndim == 1 and type(loss) is SoftmaxCrossEntropy:
        known = t.dtype.kind in "iu" and t.min() >= 0 and t.max() < n_out
        return "" if known else "t holds labels that are not classes"
    if t.shape != (len(t), n_out):
        return "t does not fit the last layer"
    if type(loss) is not SquaredError and not (t.min() >= 0 and t.max() <= 1):
        return "t holds no probabilities"
    return ""
