"""Compiled loops that single trees and forests share: criteria, random numbers, sorting.

Random numbers of a node are a hash of the seed and the path to the node: they do not depend
on the order in which nodes are met. Keys to sort hold a code in the upper half and the place
of a row in the lower.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kiso._compute.jit import compiled
from kiso._validation import Array

MOMENT, GINI, ENTROPY, ABSOLUTE, POISSON = range(5)  # criteria; two classes under Gini are moments
LN2 = 0.6931471805599453
SMALL = 40  # rows up to which insertion beats counting


@compiled
def xlogx(x: float) -> float:
    return x * np.log(x) if x > 0.0 else 0.0


@compiled
def mix(z: Any) -> Any:
    """Splitmix64."""
    z = np.uint64(z) + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@compiled
def enough(decrease: float, least: float) -> bool:
    """Whether a decrease is at least what is asked for, but for rounding."""
    return least <= 0.0 or decrease >= least * (1.0 - 1e-12)


@compiled
def centre_for(mean: float, variance: float) -> float:
    """What to take from targets before they are squared: 0 where that costs few digits.

    Targets as they are make equal decreases equal to the last bit where they are whole numbers,
    so that ties are ties, also when a weight stands for repetitions.
    """
    return mean if mean * mean > 16.0 * variance else 0.0


@compiled
def uniform(z: Any) -> float:
    return float(mix(z) >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@compiled
def sort_keys(keys: Array, spare: Array, n: Any, span: Any) -> None:
    """Sort keys[:n] by their upper halves, which are less than `span`; stable."""
    if n <= SMALL:
        for i in range(1, n):
            key = keys[i]
            j = i
            while j > 0 and keys[j - 1] > key:
                keys[j] = keys[j - 1]
                j -= 1
            keys[j] = key
        return
    bits = 1
    while (span - 1) >> bits:
        bits += 1
    passes = (bits + 7) // 8 if n < 4096 else (bits + 10) // 11
    digit = (bits + passes - 1) // passes
    size = 1 << digit
    mask = np.uint64(size - 1)
    count = np.empty(size, np.int64)
    source, target = keys, spare
    for p in range(passes):
        shift = np.uint64(32 + p * digit)
        count[:] = 0
        for i in range(n):
            count[(source[i] >> shift) & mask] += 1
        total = 0
        for b in range(size):
            here = count[b]
            count[b] = total
            total += here
        for i in range(n):
            item = source[i]
            digit_here = (item >> shift) & mask
            target[count[digit_here]] = item
            count[digit_here] += 1
        source, target = target, source
    if passes % 2 == 1:
        keys[:n] = spare[:n]


@compiled
def by_code(code: Array, n: Any, low: Any, high: Any, keys: Array, spare: Array) -> None:
    """Positions 0..n-1 in the order of their codes, in the lower halves of keys[:n]."""
    for i in range(n):
        keys[i] = (np.uint64(code[i] - low) << np.uint64(32)) | np.uint64(i)
    sort_keys(keys, spare, n, high - low + 1)
