"""Morlet wavelets and their low-pass filter, in the Fourier domain.

    ψ̂_{jθ}(ω) = ψ̂(2ʲ r_θ ω),   ψ̂(ω) = c (g(ω − ξ) − κ g(ω)),   φ̂_J(ω) = exp(−σ_J² |ω|²/2)

with g(ω) = exp(−σ² (ω₁² + s² ω₂²)/2) along and across the orientation θ = π l/L, ξ = 3π/4
and σ = 0.8 pixels at the finest scale, s = L/4 the shape of the envelope. κ makes the mean
ψ̂(0) zero; c is the greatest for which the Littlewood-Paley sum

    A(ω) = |φ̂_J(ω)|² + ½ Σ_{jθ} (|ψ̂_{jθ}(ω)|² + |ψ̂_{jθ}(−ω)|²)  ≤  1,

so that the transform brings no two pictures further apart (Mallat 2012, proposition 2.5).
All are periodised, for pictures are samples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kiso._validation import Array

__all__ = ["FilterBank", "morlet_filters"]

SIGMA, XI = 0.8, 3 * np.pi / 4
_PERIODS = 2  # further copies are below 1e-16


@dataclass(frozen=True)
class FilterBank:
    """The filters of J scales and L orientations on a grid of height × width frequencies.

    Attributes
    ----------
    psi : ndarray of shape (J, L, height, width)
        ψ̂_{jθ} at ω = 2πk/N, in the order of the discrete Fourier transform; real.
    phi_rows, phi_columns : ndarray of shape (height,), (width,)
        The low-pass filter, which is the product of the two: φ̂_J(ω).
    """

    psi: Array
    phi_rows: Array
    phi_columns: Array

    @property
    def phi(self) -> Array:
        """φ̂_J of shape (height, width)."""
        return np.multiply.outer(self.phi_rows, self.phi_columns)

    @property
    def littlewood_paley(self) -> Array:
        """A(ω) of shape (height, width): how much of a picture's energy the filters keep."""
        return np.asarray(self.phi**2 + _psi_energy(self.psi))


def morlet_filters(n_scales: int, n_orientations: int, shape: tuple[int, int]) -> FilterBank:
    """Make the filters of a scattering transform.

    Parameters
    ----------
    n_scales : int
        J: wavelets of scales 2⁰ … 2^(J−1), averages over 2^J pixels.
    n_orientations : int
        L: angles 0, π/L, … (L − 1)π/L.
    shape : (height, width)
        Of the pictures, padding included.

    Returns
    -------
    FilterBank

    References
    ----------
    J. Bruna, S. Mallat, "Invariant scattering convolution networks", IEEE Transactions on
    Pattern Analysis and Machine Intelligence 35, 2013.

    Examples
    --------
    >>> from kiso.scattering import morlet_filters
    >>> bank = morlet_filters(2, 8, (32, 32))
    >>> bank.psi.shape, bool(bank.littlewood_paley.max() <= 1 + 1e-12)
    ((2, 8, 32, 32), True)
    """
    psi = np.array(
        [
            [_morlet(j, np.pi * k / n_orientations, n_orientations / 4, shape)
             for k in range(n_orientations)]
            for j in range(n_scales)
        ]
    )  # fmt: skip
    sigma = SIGMA * 2 ** (n_scales - 1)
    rows, columns = (_low_pass(sigma, n) for n in shape)
    left = 1 - np.multiply.outer(rows, columns) ** 2
    energy = _psi_energy(psi)
    seen = energy > 1e-12 * energy.max()
    return FilterBank(psi * np.sqrt((left[seen] / energy[seen]).min()), rows, columns)


def _frequencies(n: int) -> Array:
    """2πk/n and its periodic copies, (copies, n)."""
    return 2 * np.pi * (np.fft.fftfreq(n) + np.arange(-_PERIODS, _PERIODS + 1)[:, None])


def _morlet(j: int, angle: float, shape_of_envelope: float, shape: tuple[int, int]) -> Array:
    """ψ̂_{jθ} but for the constant c."""
    w1, w2 = (_frequencies(n) for n in shape)
    row = w1[:, None, :, None] * 2.0**j
    column = w2[None, :, None, :] * 2.0**j
    along = np.cos(angle) * column + np.sin(angle) * row
    across = np.cos(angle) * row - np.sin(angle) * column

    def envelope(centre: float) -> Array:
        square = (along - centre) ** 2 + (shape_of_envelope * across) ** 2
        return np.asarray(np.exp(-(SIGMA**2) * square / 2).sum(axis=(0, 1)))

    wave, mean = envelope(XI), envelope(0.0)
    return wave - wave[0, 0] / mean[0, 0] * mean


def _low_pass(sigma: float, n: int) -> Array:
    """One factor of φ̂_J, with φ̂_J(0) = 1."""
    values = np.exp(-((sigma * _frequencies(n)) ** 2) / 2).sum(axis=0)
    return np.asarray(values / values[0])


def _psi_energy(psi: Array) -> Array:
    """½ Σ (|ψ̂(ω)|² + |ψ̂(−ω)|²)."""
    energy = np.square(psi).sum(axis=(0, 1))
    mirrored = np.roll(energy[::-1, ::-1], 1, axis=(0, 1))
    return np.asarray((energy + mirrored) / 2)
