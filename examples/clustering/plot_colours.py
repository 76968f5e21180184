"""
A photograph in eight colours
=============================

k-means on the colours of 273,280 pixels: every pixel takes the colour of its centre.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_sample_image

from kiso.cluster import KMeans
from kiso.report import house_style

photo = load_sample_image("china.jpg") / 255
pixels = photo.reshape(-1, 3).astype(np.float32)
model = KMeans(8, random_state=0).fit(pixels)
few = np.clip(model.cluster_centers_, 0, 1)
order = np.argsort(-np.bincount(model.labels_))

with house_style():
    figure, axes = plt.subplots(2, 2, figsize=(9, 3.7), height_ratios=(9, 1), layout="constrained")
    axes[0, 0].imshow(photo)
    axes[0, 1].imshow(few[model.labels_].reshape(photo.shape))
    axes[0, 0].set_title(f"{len(np.unique(pixels, axis=0)):,} colours")
    axes[0, 1].set_title(f"8 colours, after {model.n_iter_} iterations")
    axes[1, 1].imshow(few[order][None], aspect="auto")
    for ax in axes.flat:
        ax.axis("off")
    plt.show()
