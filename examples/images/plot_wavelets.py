"""
Wavelets see strokes and their directions
=========================================

The filters of the scattering transform: eight directions on two scales (real parts), and what one
scale makes of a photograph.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_sample_image

from kiso.report import house_style
from kiso.scattering import morlet_filters

photo = load_sample_image("flower.jpg").mean(axis=2)[120:248, 250:378]
bank = morlet_filters(3, 8, photo.shape)
filters = np.fft.fftshift(np.fft.ifft2(bank.psi).real, axes=(-2, -1))[2, :, 44:84, 44:84]
spectrum = np.fft.fft2(photo)
moduli = np.abs(np.fft.ifft2(spectrum * bank.psi[2]))

with house_style():
    figure, axes = plt.subplots(2, 5, figsize=(9, 3.7), layout="constrained")
    axes[0, 0].imshow(photo, cmap="gray")
    axes[1, 0].imshow(moduli.sum(axis=0), cmap="gray")
    axes[0, 0].set_title("photograph")
    axes[1, 0].set_title("sum of all")
    for column, direction in enumerate((0, 2, 4, 6), start=1):
        limit = abs(filters[direction]).max()
        axes[0, column].imshow(filters[direction], cmap="RdBu", vmin=-limit, vmax=limit)
        axes[1, column].imshow(moduli[direction], cmap="viridis")
        axes[0, column].set_title(f"{direction * 180 / 8:.0f}°")
    for ax in axes.flat:
        ax.axis("off")
    plt.show()
