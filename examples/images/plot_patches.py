"""
The strokes that flowers are made of
====================================

Principal components of 8 × 8 patches of a photograph: a basis from coarse to fine, close to that
of JPEG.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_sample_image
from sklearn.feature_extraction.image import extract_patches_2d

from kiso.decomposition import PCA
from kiso.report import house_style

photo = load_sample_image("flower.jpg").mean(axis=2) / 255
patches = extract_patches_2d(photo, (8, 8), max_patches=20000, random_state=0).reshape(-1, 64)
model = PCA(40).fit(patches)

with house_style():
    figure, axes = plt.subplots(4, 10, figsize=(8, 3.6), layout="constrained")
    for ax, component in zip(axes.flat, model.components_, strict=True):
        limit = np.abs(component).max()
        ax.imshow(component.reshape(8, 8), cmap="RdBu", vmin=-limit, vmax=limit)
        ax.axis("off")
    share = model.explained_variance_ratio_[:10].sum()
    figure.suptitle(f"The first ten of 64 hold {share:.0%} of the variance", x=0.01, ha="left")
    plt.show()
