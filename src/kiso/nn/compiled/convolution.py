"""Convolutions by compiled loops over strips of images: the fast form of `layers/im2col.py`.

Lanes of images go to threads; each lane adds up its own ∂C/∂W, and the lanes' are added in
order, so that a result does not depend on the number of threads. What a strip is, and why
a tap of a filter is a shift of it, stands in `convolution_loops.py`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from kiso._compute import costs
from kiso._compute.threads import MAX_LANES, lanes, run_sharing_counter
from kiso._validation import Array

from ..layers.layer import Backward
from ..layers.run import Run, empty
from ..layers.windows import Window
from .convolution_loops import (
    AFTER_POOL,
    AFTER_RELU,
    PLAIN,
    VECTOR,
    Strip,
    backward_lanes,
    forward_lanes,
)

__all__ = ["convolve", "correlate", "correlate_dW", "correlate_dx", "for_loops", "suits"]


NEVER = 1 << 30  # depth of a tap that is not there

_NONE = np.empty((0, 0, 0, 0), np.uint8)


class Plan(NamedTuple):
    """How images of one shape are correlated with filters of one shape."""

    strip: Strip
    n_lanes: int
    starts: Array  # the column of the image at which each plane begins
    off: Array  # of each tap of a group's filter, in the strip of images
    back: Array  # (planes, taps of n_out/groups filters): the same in that of gradients
    depth: Array  # of those: how many rows lower they carry a gradient; ascending
    taps: tuple[Array, ...]  # of each plane
    order: Array  # (planes, taps of n_out/groups filters): theirs, filter by filter before


def suits(x: Array, W: Array) -> bool:
    """Whether the loops can take these: real numbers of one kind."""
    return x.dtype == W.dtype and x.dtype in (np.float32, np.float64)


def for_loops(x: Array, dtype: Any = None) -> Array:
    """Return x in C order and not read-only: every other kind would be compiled anew."""
    x = np.ascontiguousarray(x, dtype)
    return x if x.flags.writeable else x.copy()


def convolve(
    x: Array,
    W: Array,
    b: Array,
    window: Window,
    groups: int = 1,
    train: Run | None = None,
    *,
    rectify: bool = False,
    pool: bool = False,
) -> tuple[Array, Backward]:
    """Compute y = W ∗ x + b, then max(0, y), then the maximum over 2×2 pixels, where asked for."""
    x, b = for_loops(x), for_loops(b)
    plan = _plan(x.shape, W.shape, window, groups, x.itemsize)
    oh, ow = plan.strip.oh, plan.strip.ow
    shape = (len(x), len(W), *((oh // 2, ow // 2) if pool else (oh, ow)))
    y = empty(train, shape, x)
    codes = train.empty(shape, np.dtype(np.uint8)) if pool and train is not None else _NONE
    _forward(plan, x, W, b, rectify, pool, y, codes)
    after = AFTER_POOL if pool else AFTER_RELU if rectify else PLAIN

    def backward(dy: Array, want_dx: bool = True) -> tuple[Any, dict[str, Array]]:
        marks = codes
        if pool and train is None:  # inference did not keep which pixels were the largest
            marks = np.empty(shape, np.uint8)
            _forward(plan, x, W, b, rectify, pool, np.empty_like(y), marks)
        dx = empty(train, x.shape, x) if want_dx else None
        dW, db = _backward(plan, x, dy, W, (y, marks, after), dx, train)
        return dx, {"W": dW, "b": db.astype(b.dtype)}

    return y, backward


def _forward(
    plan: Plan, x: Array, W: Array, b: Array, rectify: bool, pool: bool, y: Array, codes: Array
) -> None:
    """Fill y, and codes where they are wanted."""
    flat = _by_threes(W)
    off = plan.off[: flat.shape[1]]

    def take_turns(turns: Array) -> None:
        forward_lanes(
            x, flat, b, off, plan.strip, plan.starts, rectify, y, codes, pool, plan.n_lanes, turns
        )

    run_sharing_counter(take_turns, plan.n_lanes)


def correlate(x: Array, W: Array, window: Window, groups: int = 1) -> Array:
    """Compute y = W ∗ x."""
    return convolve(x, W, np.zeros(len(W), W.dtype), window, groups)[0]


def correlate_dx(
    dy: Array, W: Array, window: Window, groups: int, shape: tuple[int, int, int, int]
) -> Array:
    """∂C/∂x for images x of this shape."""
    plan = _plan(shape, W.shape, window, groups, dy.itemsize)
    dx = np.empty(shape, dy.dtype)
    _backward(plan, None, dy, W, None, dx)
    return dx


def correlate_dW(x: Array, dy: Array, window: Window, groups: int = 1) -> Array:
    """∂C/∂W."""
    x = for_loops(x)
    shape = (dy.shape[1], x.shape[1] // groups, *window.size)
    plan = _plan(x.shape, shape, window, groups, x.itemsize)
    return _backward(plan, x, dy, np.empty(shape, x.dtype), None, None)[0]


def _backward(
    plan: Plan,
    x: Array | None,
    dy: Array,
    W: Array,
    behind: Any,
    dx: Array | None,
    train: Run | None = None,
) -> tuple[Array, Array]:
    """Return ∂C/∂W (of no use where x is None) and ∂C/∂b; fill dx."""
    dy = for_loops(dy, W.dtype)
    n_out, dtype = len(W), W.dtype
    none = np.empty((0, 0, 0, 0), dtype)
    y, codes, after = behind or (none, _NONE, PLAIN)
    if after == PLAIN:
        y = none
    V = _turned(W, plan) if dx is not None else np.empty((0, 0, 0), dtype)
    n_taps = W.size // n_out

    n_lanes = max(1, min(plan.n_lanes, costs.CONVOLUTION_LANE_BYTES // W.nbytes))
    parts = empty(train, (n_lanes, n_out, len(plan.off) if x is not None else 0), W)
    of_biases = np.zeros((n_lanes, n_out))

    def take_turns(turns: Array) -> None:
        backward_lanes(
            none if x is None else x, dy, y, codes, after, plan.off, V, plan.back, plan.depth,
            plan.strip, plan.starts, n_out, parts, of_biases, none if dx is None else dx, turns,
        )  # fmt: skip

    run_sharing_counter(take_turns, n_lanes)
    db = np.add.reduce(of_biases)
    if x is None:
        return W, db
    dW = np.add.reduce(parts)[:, :n_taps]
    return dW.reshape(W.shape), db


@lru_cache(maxsize=64)
def _plan(
    shape: tuple[int, int, int, int],
    filters: tuple[int, int, int, int],
    window: Window,
    groups: int,
    itemsize: int,
) -> Plan:
    """Lay out the strip, and find each tap's place in it."""
    n, n_in, height, width = shape
    n_out, per_group, fh, fw = filters
    (top, _), (left, _) = window.pads(height, width)
    (sh, sw), (dh, dw) = window.stride, window.dilation
    oh, ow = window.output(height, width)
    columns = _columns(width, ow, window, height)
    narrow = columns > costs.NARROW_PLANES_RATIO * ow  # a plane for each column of taps
    across, starts = (fw, np.arange(fw) * dw - left) if narrow else (sw, np.arange(sw) - left)
    columns = ow if narrow else columns
    rows = -(-((oh - 1) * sh + window.reach[0]) // sh)
    one = (n_in * sh * across + n_out) * rows * columns * itemsize
    work = 2 * n * oh * ow * n_out * per_group * fh * fw
    n_lanes = max(1, min(MAX_LANES, n, work // costs.CONVOLUTION_LANE_WORK))
    n_images = _side_by_side(
        n, n_lanes, min(-(-costs.CONVOLUTION_LENGTH // (oh * columns)), costs.STRIPS_BYTES // one)
    )
    row = n_images * columns
    n_tiles = -(
        -oh * row // (costs.CONVOLUTION_LENGTH + costs.CONVOLUTION_LENGTH // 4)
    )  # of even height, for pooling
    tile = _up(-(-oh // n_tiles), 2)
    taps = [(a * dh, b) for a in range(fh) for b in range(fw)]
    within = [b if narrow else b * dw % sw for _, b in taps]
    phase = np.array([a % sh * across + u for (a, _), u in zip(taps, within, strict=True)], np.intp)
    shift = np.array([a // sh * row + (0 if narrow else b * dw // sw) for a, b in taps], np.intp)
    # the last filter of the last row may see zeros that the next row would have held
    plane, largest = rows * row + window.reach[1], _up(int(shift.max()), VECTOR)
    if narrow:
        plane = _up(rows * row, VECTOR)
    off = np.add.outer(np.arange(per_group) * sh * across * plane, phase * plane + shift).ravel()
    dplane = _up(largest + rows * row, VECTOR)
    of_phase = tuple(np.flatnonzero(phase == p) for p in range(sh * across))
    most = n_out // groups * max(map(len, of_phase))
    back = np.full((sh * across, _up(most, 3)), largest, np.intp)
    depth = np.full(back.shape, NEVER, np.intp)
    down = np.array([a // sh for a, _ in taps], np.intp)
    for p, which in enumerate(of_phase):
        own = np.add.outer(np.arange(n_out // groups) * dplane, largest - shift[which])
        back[p, : own.size] = own.ravel()
        depth[p, : own.size] = np.tile(down[which], len(own))
    if per_group > 1:  # the loop for one channel goes filter by filter
        order = np.argsort(depth, axis=1, kind="stable")
        back, depth = np.take_along_axis(back, order, 1), np.take_along_axis(depth, order, 1)
    else:
        order = np.tile(np.arange(back.shape[1]), (len(back), 1))
    strip = Strip(
        n_images, n_in, height, width, top, sh, sw, across, oh, ow, rows, columns, row, plane,
        largest, dplane, tile, _up(tile * row, VECTOR) + VECTOR, groups,
    )  # fmt: skip
    padded = np.zeros(_up(len(off), 12), np.intp)
    padded[: len(off)] = off
    return Plan(strip, n_lanes, starts.astype(np.intp), padded, back, depth, of_phase, order)


def _side_by_side(n: int, n_lanes: int, wanted: int) -> int:
    """Images in a strip, near to `wanted`, that leave the fewest places of the lanes empty."""
    sizes = [lane.stop - lane.start for lane in lanes(n, max_lanes=n_lanes)]
    most = max(1, min(wanted, max(sizes)))
    choices = range(most, most // 2, -1)
    return min(choices, key=lambda k: sum(-(-size // k) * k for size in sizes))


def _columns(width: int, ow: int, window: Window, height: int) -> int:
    """Columns of an image in a phase of the strip: neighbours share their zeros."""
    _, (left, _) = window.pads(height, width)
    step = window.stride[1]
    seen = (ow - 1) * step + window.reach[1]
    return -(-max(left + width, seen - left, ow * step) // step)


def _up(n: int, step: int) -> int:
    """The next multiple of a step."""
    return -(-n // step) * step


def _by_threes(W: Array) -> Array:
    """(n_out, taps), filled up with zeros to a multiple of three taps."""
    n_taps = W.size // len(W)
    flat = np.zeros((len(W), _up(n_taps, 3)), W.dtype)
    flat[:, :n_taps] = W.reshape(len(W), n_taps)
    return flat


def _turned(W: Array, plan: Plan) -> Array:
    """(planes, n_in, taps as `plan.back` has them): what a pixel of x gave to."""
    groups = plan.strip.groups
    per_group, n_in = len(W) // groups, W.shape[1]
    V = np.zeros((len(plan.taps), groups * n_in, plan.back.shape[1]), W.dtype)
    each = W.reshape(groups, per_group, n_in, -1).transpose(0, 2, 1, 3)
    for phase, taps in enumerate(plan.taps):
        own = each[..., taps].reshape(groups * n_in, -1)
        V[phase, :, : own.shape[1]] = own
        V[phase] = V[phase][:, plan.order[phase]]
    return V
