"""A machine needs inner products alone: f(x) = b + Σᵢ αᵢ k(x, xᵢ) with k(x, s) = φ(x)·φ(s).

The polynomial kernel (x·s + 1)ᵖ is the inner product of all monomials up to degree p, each
times the root of its multinomial coefficient. min(a, b) is the inner product of unary codes:
a ones, then zeros; for real numbers, of the functions that are 1 up to a, of which there
is no finite list.
"""

from __future__ import annotations

from itertools import combinations_with_replacement
from math import comb, factorial
from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.experiments import Experiment, Outcome, at_least, at_most, close
from kiso.svm import RBF, SVC, Min, Polynomial

if TYPE_CHECKING:
    from matplotlib.figure import Figure

N, D = 80, 4
DEGREES = (2, 3, 4)
LARGEST = 30  # of the integers in unary


def run(seed: int) -> Outcome:
    """Compare kernels with explicit features, and a machine with its own sum."""
    rng = np.random.default_rng(seed)
    X, S = rng.standard_normal((N, D)), rng.standard_normal((N // 2, D))
    y = (X**2).sum(axis=1) > D
    checks = [
        at_most(f"(x·s + 1)^{p} against {comb(D + p, p)} features, relative", 1e-12,
                kernel_error(X, S, p))
        for p in DEGREES
    ]  # fmt: skip
    counts, others = rng.integers(0, LARGEST, (20, 3)), rng.integers(0, LARGEST, (15, 3))
    gap = np.abs(Min()(counts, others) - unary(counts) @ unary(others).T).max()
    halves = np.abs(Min()(counts / 8, others / 8) - unary(counts) @ unary(others).T / 8).max()
    model = SVC(kernel="poly", degree=2, gamma=1.0, coef0=1.0, tol=1e-6).fit(X, y)
    explicit = SVC(kernel="linear", tol=1e-6).fit(monomials(X, 2), y)
    f, g = model.decision_function(S), explicit.decision_function(monomials(S, 2))
    checks += [
        close("min(a, b) − unary(a)·unary(b), largest, integers", 0.0, float(gap), atol=0.0),
        at_most("the same, steps of 1/8", 1e-12, float(halves)),
        at_most("f(x) against b + Σ αᵢ k(x, xᵢ), relative", 1e-12, sum_error(model, S)),
        at_most("machine with the kernel against one with φ(x), relative", 1e-3,
                float(np.abs(f - g).max() / np.abs(f).max())),
        at_least("rank of the Gaussian kernel of 12 rows", 12,
                 int(np.linalg.matrix_rank(RBF(1.0)(X[:12], X[:12])))),
    ]  # fmt: skip
    return Outcome(
        tuple(checks),
        {"a": counts[:2, 0]},
        "The machines with and without φ agree to the accuracy of their fits, not to 1e-12.",
    )


def monomials(X: Any, degree: int) -> Any:
    """φ(x) with φ(x)·φ(s) = (x·s + 1)^degree: one column for each multiset of coordinates."""
    rows = np.column_stack([np.ones(len(X)), X])
    columns = []
    for chosen in combinations_with_replacement(range(rows.shape[1]), degree):
        _, times = np.unique(chosen, return_counts=True)
        ways = factorial(degree) / np.prod([factorial(t) for t in times])
        columns.append(np.sqrt(ways) * rows[:, list(chosen)].prod(axis=1))
    return np.column_stack(columns)


def kernel_error(X: Any, S: Any, degree: int) -> float:
    """Largest difference of the kernel and the product of features, over the largest value."""
    K = Polynomial(degree, gamma=1.0, coef0=1.0)(X, S)
    return float(np.abs(K - monomials(X, degree) @ monomials(S, degree).T).max() / np.abs(K).max())


def unary(counts: Any) -> Any:
    """Each count as that many ones, then zeros; the codes of a row's counts one after another."""
    return (np.arange(LARGEST) < counts[:, :, None]).reshape(len(counts), -1).astype(float)


def sum_error(model: SVC, S: Any) -> float:
    """How far decision_function is from the sum over support vectors, done here."""
    k = (S @ model.support_vectors_.T + 1.0) ** 2
    own = model.intercept_[0] + k @ model.dual_coef_[0]
    found = model.decision_function(S)
    return float(np.abs(found - own).max() / np.abs(found).max())


def draw(outcome: Outcome) -> Figure:
    """Two numbers in unary, and what their codes share."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 2.6), layout="constrained")
    ax = figure.subplots()
    a, b = (int(v) for v in outcome.data["a"])
    codes = unary(np.array([[a], [b]]))
    ax.imshow(np.vstack([codes, codes.prod(axis=0)]), cmap="Blues", aspect="auto")
    ax.set_yticks([0, 1, 2], [f"a = {a}", f"b = {b}", f"min(a, b) = {min(a, b)}"])
    ax.set(xlabel="place", title="min(a, b) is the inner product of unary codes")
    return figure


EXPERIMENT = Experiment(
    title="The kernel trick: an inner product of features that are never made",
    rows=(14,),
    claim="f(x) = b + Σᵢ αᵢ k(x, xᵢ); a polynomial kernel equals its explicit features, and "
    "min(a, b) the inner product of unary codes",
    source="Goodfellow et al. (2016), Deep Learning, section 5.7.2; notes A p. 14",
    run=run,
    draw=draw,
)
