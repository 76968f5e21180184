"""The scattering transform by sums over pixels, with the filters as they are given."""

import numpy as np


def convolve(x, filter_):
    """(x ∗ f)(u) = Σ_v f(v) x(u − v) round the edge."""
    out = np.zeros(x.shape, np.result_type(x, filter_))
    for (i, j), weight in np.ndenumerate(filter_):
        out += weight * np.roll(x, (i, j), axis=(0, 1))
    return out


def scattering(x, psi, phi, step, shape):
    """Features (paths, height, width) of one padded picture; filters in the Fourier domain."""
    waves = [[np.fft.ifft2(f) for f in scale] for scale in psi]
    low = np.fft.ifft2(phi).real
    features = []

    def average(u):
        smooth = convolve(u, low)
        features.append(smooth[step::step, step::step][: shape[0], : shape[1]])

    average(x)
    for j, scale in enumerate(waves):
        for wave in scale:
            first = np.abs(convolve(x, wave))
            average(first)
            for coarser in waves[j + 1 :]:
                for second in coarser:
                    average(np.abs(convolve(first, second)))
    return np.array(features)
