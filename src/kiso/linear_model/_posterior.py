"""The conjugate posterior of linear regression, and the evidence for its prior.

Model, in centred coordinates (a flat prior on the intercept leaves exactly these):

    y = X w + ε,  ε ~ N(0, σ² I),   w = μ₀ + L u,  u | σ² ~ N(0, κ/λ I),   C = L Lᵀ

with prior covariance C, its precision multiplied by λ; κ = 1 where σ² is known and κ = σ²
where it is not (Normal-inverse-gamma, σ² ~ IG(a₀, b₀)). With α = λ σ²/κ, that is λ σ² or λ,

    P = Lᵀ XX L + α I = RᵀR,   û = P⁻¹ Lᵀ (XY − XX μ₀),   u | σ², y ~ N(û, σ² P⁻¹)

and μ_m = μ₀ + L û, V_m = L P⁻¹ Lᵀ = S Sᵀ with S = L R⁻¹. For σ² = 1 and λ = 1 these are
Λ_m = (XᵀX + Λ₀⁻¹)⁻¹ and μ_m = Λ_m (Xᵀy + Λ₀⁻¹ μ₀) of Goodfellow, section 5.6. With
E = Σ r² + α ‖û‖² at the mode and N = W − 1 (N = W without an intercept),

    log p(y) = −N/2 log 2π − ½ log W + d/2 log α − ½ log |P| + log Z
    known σ²:     log Z = −N/2 log σ² − E / (2 σ²)
    unknown σ²:   log Z = a₀ log b₀ − a_m log b_m + log Γ(a_m) − log Γ(a₀),
                  a_m = a₀ + N/2,  b_m = b₀ + E/2

(½ log W is there with an intercept only; its flat prior has density one.) The evidence is
greatest where α = γ / (τ ‖û‖²), with γ = d − α tr P⁻¹ the number of coefficients that the
data determine and τ = 1/σ² or a_m / b_m (MacKay 1992). The iteration of that equation is
fast but may overshoot; the EM step α = d / (τ ‖û‖² + tr P⁻¹) never does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import scipy.linalg
from scipy.linalg.lapack import dtrtri
from scipy.special import gammaln

from kiso._validation import Array
from kiso.base import State

from ._moments import Moments
from ._normal_equations import FINE_RCOND, MIN_RCOND, SMALL_RSS, Cholesky, few_threads

ALPHA_RANGE = 1e15  # λ is sought within this factor of the size of the data


@dataclass(frozen=True)
class Prior:
    """The prior: mean μ₀ (d,), a square root L of its covariance, and the noise.

    Attributes
    ----------
    mean : ndarray of shape (d,)
    root : ndarray of shape (d,) or (d, d)
        L; one-dimensional for a diagonal one.
    noise_variance : float or None
        σ² where it is known.
    shape, scale : float
        a₀ and b₀ where it is not.
    """

    mean: Array
    root: Array
    noise_variance: float | None
    shape: float
    scale: float

    def forth(self, u: Array) -> Array:
        """Return L u."""
        return self.root[:, None] * u if self.root.ndim == 1 else self.root @ u

    def back(self, g: Array) -> Array:
        """Return Lᵀ g."""
        return self.root[:, None] * g if self.root.ndim == 1 else self.root.T @ g


@dataclass(frozen=True, kw_only=True)
class PosteriorState(State):
    """The posterior under one prior precision; `objective` is minus the log evidence.

    Attributes
    ----------
    precision : float
        λ.
    mean : ndarray of shape (d,)
        μ_m.
    root : ndarray of shape (d, d)
        S, with V_m = S Sᵀ.
    n_effective : float
        γ, how many coefficients the data determine.
    shape, scale : float
        a_m and b_m; known noise: NaN and NaN.
    """

    precision: float
    mean: Array
    root: Array
    n_effective: float
    shape: float
    scale: float


@dataclass(frozen=True)
class Mode:
    """û, R and E at one α."""

    u: Array
    R: Array
    loss: float


class Posterior:
    """Solves for the mode at any α; normal equations, else the triangle of the data.

    Parameters
    ----------
    at : Moments
    prior : Prior
    residuals : callable
        w (d, 1) ↦ (Σ w (x − x̄) r, Σ w r²), from the data.
    triangle : callable
        () ↦ R and z with ‖√w (y − ȳ − (X − x̄) w)‖² = ‖R w − z‖² + rest, and the rest.
    center : bool
        Whether there is an intercept.
    """

    def __init__(
        self,
        at: Moments,
        prior: Prior,
        residuals: Callable[[Array], tuple[Array, Array]],
        triangle: Callable[[], tuple[Array, Array, float]],
        *,
        center: bool,
    ):
        self.at, self.prior = at, prior
        self.residuals, self._triangle = residuals, triangle
        self.center = center
        self.found: tuple[Array, Array, float] | None = None
        self.G = prior.back(prior.back(at.XX.T).T)
        XX_mean = at.XX @ prior.mean[:, None]
        self.h = prior.back(at.XY - XX_mean)
        # Σ r² at the prior mean
        self.start = float(at.YY[0] + prior.mean @ (XX_mean - 2 * at.XY)[:, 0])

    def mode(self, alpha: float) -> Mode:
        """Return the mode under the penalty α ‖u‖²."""
        factor = Cholesky(self.G, alpha, np.ones(len(self.G)))
        if not factor.rcond >= MIN_RCOND:
            return self._orthogonal(alpha)
        u = factor.solve(self.h)
        for _ in range(2 if factor.rcond < FINE_RCOND else 0):
            gradient = self.prior.back(self._residuals(u)[0])
            u = u + factor.solve(gradient - alpha * u)
        loss = self.start - float((self.h * u).sum())
        if loss < SMALL_RSS * self.start:  # cancelled: take it from the data
            loss = float(self._residuals(u)[1][0]) + alpha * float((u**2).sum())
        return Mode(u[:, 0], factor.into_triangle(), loss)

    def _residuals(self, u: Array) -> tuple[Array, Array]:
        return self.residuals(self.prior.mean[:, None] + self.prior.forth(u))

    def _orthogonal(self, alpha: float) -> Mode:
        """The same from a QR decomposition of [R L; √α I]."""
        if self.found is None:
            self.found = self._triangle()
        R, z, rest = self.found
        d = len(self.prior.mean)
        A = np.vstack([self.prior.back(R.T).T, np.sqrt(alpha) * np.eye(d)])
        rhs = np.concatenate([z - R @ self.prior.mean, np.zeros(d)])
        T = np.asarray(np.linalg.qr(np.column_stack([A, rhs]), mode="r"))
        u = scipy.linalg.solve_triangular(T[:d, :d], T[:d, d])
        return Mode(u, T[:d, :d], rest + float((T[d:, d] ** 2).sum()))

    def state(self, precision: float) -> PosteriorState:
        """Return the posterior and its evidence at a prior precision λ."""
        prior, total, d = self.prior, self.at.total, len(self.prior.mean)
        known = prior.noise_variance
        alpha = precision * (1.0 if known is None else known)
        mode = self.mode(alpha)
        with few_threads(d):
            inverse, _ = dtrtri(mode.R, lower=False)
        n = total - self.center
        log_det = 2 * float(np.log(np.abs(np.diagonal(mode.R))).sum())
        evidence = 0.5 * (d * np.log(alpha) - log_det - n * np.log(2 * np.pi))
        evidence -= 0.5 * np.log(total) if self.center else 0.0
        shape = scale = float("nan")
        if known is not None:
            evidence -= 0.5 * (n * np.log(known) + mode.loss / known)
        else:
            shape, scale = prior.shape + n / 2, prior.scale + mode.loss / 2
            evidence += prior.shape * np.log(prior.scale) - shape * np.log(scale)
            evidence += gammaln(shape) - gammaln(prior.shape)
        return PosteriorState(
            n_iter=1,
            objective=-float(evidence),
            converged=True,
            precision=precision,
            mean=prior.mean + prior.forth(mode.u[:, None])[:, 0],
            root=prior.forth(inverse),
            n_effective=d - alpha * float((inverse**2).sum()),
            shape=shape,
            scale=scale,
        )

    def proposals(self, state: PosteriorState) -> tuple[float, float]:
        """Return the next λ: by MacKay's equation, and by EM."""
        known, d = self.prior.noise_variance, len(self.prior.mean)
        unit = 1.0 if known is None else known
        alpha = state.precision * unit
        u = self._u(state)
        squares = float((u**2).sum()) * (1 / unit if known else state.shape / state.scale)
        trace = (d - state.n_effective) / alpha
        low, high = self._range()
        fast = state.n_effective / squares if squares > 0 else np.inf
        steps = np.clip([fast, d / (squares + trace)], low, high) / unit
        return float(steps[0]), float(steps[1])

    def _u(self, state: PosteriorState) -> Array:
        """û = L⁻¹ (μ_m − μ₀)."""
        offset, root = state.mean - self.prior.mean, self.prior.root
        if root.ndim == 1:
            return offset / root
        return scipy.linalg.solve_triangular(root, offset, lower=True)

    def _range(self) -> tuple[float, float]:
        size = max(float(np.trace(self.G)), np.finfo(np.float64).tiny * ALPHA_RANGE)
        return size / ALPHA_RANGE, size * ALPHA_RANGE


def maximise_evidence(
    posterior: Posterior, *, max_iter: int, tol: float
) -> Iterator[PosteriorState]:
    """Yield posteriors of growing evidence, until log λ moves by less than `tol`.

    MacKay's step where it raises the evidence, else the EM step from the same place.
    """
    state = replace(posterior.state(1.0), converged=False)
    yield state
    for n_iter in range(2, max_iter + 1):
        fast, safe = posterior.proposals(state)
        following = posterior.state(fast)
        if following.objective > state.objective + 1e-12 * abs(state.objective):
            following = posterior.state(safe)
        moved = abs(np.log(following.precision / state.precision))
        state = replace(following, n_iter=n_iter, converged=bool(moved < tol))
        yield state
        if state.converged:
            return
