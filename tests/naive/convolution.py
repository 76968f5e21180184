"""Convolution and pooling by their definitions, one number at a time."""

import itertools

import numpy as np


def pixel(x, i, c, r, q, outside=0.0):
    """x[i, c, r, q], or what stands outside of the image."""
    inside = 0 <= r < x.shape[2] and 0 <= q < x.shape[3]
    return x[i, c, r, q] if inside else outside


def convolution(x, W, b, out, stride, before, dilation, groups=1):
    """The six loops: images, filters, rows, columns, and over channels and taps a sum."""
    n_out, per_group, fh, fw = W.shape
    y = np.zeros((len(x), n_out, *out), np.result_type(x, W))
    for i, f, o, q in itertools.product(*map(range, y.shape)):
        total = b[f]
        first = f // (n_out // groups) * per_group
        for c, u, v in itertools.product(range(per_group), range(fh), range(fw)):
            row = o * stride[0] - before[0] + u * dilation[0]
            column = q * stride[1] - before[1] + v * dilation[1]
            total += W[f, c, u, v] * pixel(x, i, first + c, row, column)
        y[i, f, o, q] = total
    return y


def im2col(x, size, out, stride, before, dilation):
    """One row an output pixel, one column a channel and tap."""
    n, channels = x.shape[:2]
    rows = []
    for i, o, q in itertools.product(range(n), range(out[0]), range(out[1])):
        rows.append([
            pixel(x, i, c, o * stride[0] - before[0] + u * dilation[0],
                  q * stride[1] - before[1] + v * dilation[1])
            for c, u, v in itertools.product(range(channels), range(size[0]), range(size[1]))
        ])  # fmt: skip
    return np.array(rows)


def pooling(x, size, out, stride, before, reduce):
    """`reduce` of the pixels of the image in each window."""
    y = np.zeros((*x.shape[:2], *out), x.dtype)
    for i, c, o, q in itertools.product(*map(range, y.shape)):
        values = [
            pixel(x, i, c, o * stride[0] - before[0] + u, q * stride[1] - before[1] + v, None)
            for u, v in itertools.product(range(size[0]), range(size[1]))
        ]
        y[i, c, o, q] = reduce([v for v in values if v is not None])
    return y
