"""How many components to keep: a share of the variance, or Minka's evidence."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln

from kiso._validation import Array

_FLOOR = 1e-15


def of_share(ratios: Array, share: float) -> int:
    """Fewest components whose variances add up to more than `share` of the whole."""
    needed = int(np.searchsorted(np.cumsum(ratios), share, side="right")) + 1
    return min(needed, len(ratios))


def of_evidence(variances: Array, n: int) -> int:
    """Dimension k in 1 … d − 1 of largest evidence (Minka 2000, equation 30), 0 if d = 1.

    With λ the d variances, v the mean of those beyond k, m = dk − k(k + 1)/2 and λ̂ the
    spectrum with v in place of those:

        log p(X | k) ≈ log p(U) − n/2 Σ_{j≤k} log λⱼ − n (d − k)/2 log v
                       + (m + k)/2 log 2π − ½ log|A| − k/2 log n,
        log p(U) = −k log 2 + Σ_{i≤k} [log Γ((d − i + 1)/2) − (d − i + 1)/2 log π],
        log|A| = Σ_{i≤k} Σ_{j>i} log[n (λᵢ − λⱼ)(1/λ̂ⱼ − 1/λ̂ᵢ)]
    """
    d = len(variances)
    evidence = [-np.inf, *(_log_evidence(variances, k, n) for k in range(1, d))]
    return int(np.argmax(evidence))


def _log_evidence(variances: Array, k: int, n: int) -> float:
    d = len(variances)
    if variances[k - 1] < _FLOOR:  # not a dimension of the data
        return -np.inf
    halves = (d - np.arange(1, k + 1) + 1) / 2.0
    log_pu = -k * np.log(2.0) + float(np.sum(gammaln(halves) - halves * np.log(np.pi)))
    v = max(_FLOOR, float(variances[k:].mean()))
    m = d * k - k * (k + 1.0) / 2.0
    hat = np.where(np.arange(d) < k, variances, v)
    i, j = np.nonzero(np.arange(k)[:, None] < np.arange(d))
    least = np.finfo(np.float64).eps * variances[0]  # equal variances have a gap, of rounding
    gaps = np.maximum(variances[i] - variances[j], least)
    gaps_hat = np.maximum(hat[i] - hat[j], least)
    terms = np.log(gaps) + np.log(gaps_hat) - np.log(hat[i]) - np.log(hat[j]) + np.log(n)
    return float(
        log_pu
        - n / 2.0 * np.sum(np.log(variances[:k]))
        - n * (d - k) / 2.0 * np.log(v)
        + (m + k) / 2.0 * np.log(2.0 * np.pi)
        - np.sum(terms) / 2.0
        - k / 2.0 * np.log(n)
    )
