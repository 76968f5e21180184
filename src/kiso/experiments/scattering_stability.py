"""Scattering is stable to deformation; the modulus of the Fourier transform is not.

A wave under a window, x(u) = exp(−|u|²/2w²) cos(ξ u₁), dilated: x_s(u) = x((1 − s) u), so that
‖∇τ‖ = s. Both |x̂| and S x do not see (S: hardly sees) a translation. But the dilation moves
|x̂| by sξ, which for high ξ is further than it is wide, 1/w: the difference is as large as x
itself. Wavelets are as much wider as their frequency is higher, and so

    ‖S x_s − S x‖ ≤ C s ‖x‖      whatever ξ is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.experiments import Check, Experiment, Outcome, at_least, at_most
from kiso.scattering import ScatteringTransform

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIDE, WINDOW = 64, 10.0
FREQUENCIES = np.array([0.3, 0.6, 1.2, 2.4])
DILATIONS = np.array([0.005, 0.01, 0.02, 0.04, 0.08])
SHIFT, SCALES = 2, (1, 2, 3, 4)
N_PAIRS = 8


def wave(frequency: float, dilation: float = 0.0) -> Any:
    """Return x((1 − s) u) on the grid, in the middle of it."""
    u = (1 - dilation) * (np.arange(SIDE) - SIDE / 2)
    square = u[:, None] ** 2 + u[None, :] ** 2
    return np.exp(-square / (2 * WINDOW**2)) * np.cos(frequency * u)[None, :]


def scattered(pictures: Any, n_scales: int = 3) -> Any:
    """S of pictures as rows, in the norm of the pictures (a value stands for 4^J pixels)."""
    scattering = ScatteringTransform(n_scales=n_scales, n_orientations=6)
    return 2.0**n_scales * scattering.fit_transform(pictures)


def fourier(pictures: Any) -> Any:
    """|x̂| of pictures as rows, in the norm of the pictures."""
    return np.abs(np.fft.fft2(pictures, norm="ortho")).reshape(len(pictures), -1)


def run(seed: int) -> Outcome:
    """Dilate waves of several frequencies; move textures; compare random pairs."""
    rng = np.random.default_rng(seed)
    kinds = {"scattering": scattered, "Fourier": fourier}
    moved = {name: dilated(transform) for name, transform in kinds.items()}
    texture = rng.standard_normal((1, SIDE, SIDE))
    by_scale = [shift_distance(texture, n_scales) for n_scales in SCALES]
    x, y = rng.standard_normal((2, N_PAIRS, SIDE, SIDE)) * rng.random((2, N_PAIRS, 1, 1))
    apart = np.linalg.norm(scattered(x) - scattered(y), axis=1)
    expansion = float(np.max(apart / np.linalg.norm((x - y).reshape(N_PAIRS, -1), axis=1)))
    checks = checks_of(moved, by_scale, expansion)
    return Outcome(tuple(checks), {"moved": moved, "by_scale": by_scale})


def dilated(transform: Any) -> Any:
    """‖F x_s − F x‖ / ‖x‖ by frequency (rows) and by dilation."""
    rows = []
    for frequency in FREQUENCIES:
        pictures = np.stack([wave(frequency), *(wave(frequency, s) for s in DILATIONS)])
        features = transform(pictures)
        gaps = np.linalg.norm(features[1:] - features[0], axis=1)
        rows.append(gaps / np.linalg.norm(pictures[0]))
    return np.array(rows)


def shift_distance(texture: Any, n_scales: int) -> float:
    """‖S x_c − S x‖ / ‖S x‖ for a texture moved by two pixels, round the edge."""
    both = np.concatenate([texture, np.roll(texture, SHIFT, axis=2)])
    features = scattered(both, n_scales)
    return float(np.linalg.norm(features[1] - features[0]) / np.linalg.norm(features[0]))


def checks_of(moved: Any, by_scale: Any, expansion: float) -> list[Check]:
    """The law in s, no dependence on the frequency, and the two bounds."""
    scattering, modulus = moved["scattering"], moved["Fourier"]
    slope = np.polyfit(np.log(DILATIONS), np.log(scattering).T, 1)[0]
    at = 3  # the dilation by 4 %
    return [
        at_least("scattering: least exponent of s over the frequencies", 0.8, float(slope.min()),
                 digits=2),
        at_most("scattering: largest ‖S x_s − S x‖ / (s ‖x‖)", 2.5,
                float((scattering / DILATIONS).max()), digits=2),
        at_least("|x̂|, s = 0.04: ξ = 2.4 against ξ = 0.3", 4.0,
                 float(modulus[-1, at] / modulus[0, at]), digits=2),
        at_most("scattering: the same ratio", 2.0, float(scattering[-1, at] / scattering[0, at]),
                digits=2),
        at_least("ξ = 2.4, s = 0.04: |x̂| moved / S moved", 5.0,
                 float(modulus[-1, at] / scattering[-1, at]), digits=2),
        at_most("moved by 2 pixels: largest ratio of S_(J+1) to S_J", 0.8,
                float(np.max(np.divide(by_scale[1:], by_scale[:-1]))), digits=2),
        at_most("largest ‖S x − S y‖ / ‖x − y‖ of random pairs", 1.0, expansion, digits=2),
    ]  # fmt: skip


def draw(outcome: Outcome) -> Figure:
    """Draw the wave, how far the features move by dilation, and the shift by scale."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 3.8), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    left.imshow(np.hstack([wave(1.2), wave(1.2, DILATIONS[-1])]), cmap="coolwarm")
    left.set(title=f"x, and dilated by {DILATIONS[-1]:.0%}", xticks=[], yticks=[])
    for name, style in (("scattering", "o-"), ("Fourier", "s--")):
        for k, frequency in enumerate(FREQUENCIES):
            middle.loglog(DILATIONS, outcome.data["moved"][name][k], style, ms=3, color=f"C{k}",
                          label=f"{name}, ξ = {frequency}")  # fmt: skip
    middle.set(xlabel="dilation s", ylabel="‖F x_s − F x‖ / ‖x‖", ylim=(4e-3, 2e2))
    middle.set_xticks(DILATIONS[::2], [f"{s:g}" for s in DILATIONS[::2]])
    middle.set_xticks([], minor=True)
    middle.legend(fontsize="x-small", ncols=2)
    right.semilogy(SCALES, outcome.data["by_scale"], "o-")
    right.set(xlabel="J: averages over 2^J pixels", ylabel="‖S x_c − S x‖ / ‖S x‖",
              title="A texture moved by 2 pixels", xticks=SCALES)  # fmt: skip
    return figure


EXPERIMENT = Experiment(
    title="Scattering: stable to deformation where the Fourier modulus is not",
    rows=(68,),
    claim="‖S x_τ − S x‖ ≤ C ‖x‖ (2^−J ‖τ‖ + ‖∇τ‖), whatever the frequency of x; ‖S x − S y‖ ≤ "
    "‖x − y‖",
    source="Mallat (2012), Group invariant scattering; Bruna & Mallat (2013), section 2",
    run=run,
    draw=draw,
)
