"""
Entropy of words
================

Surprise in bits: how unevenly letters are used in this very text, and what a fair alphabet costs.
"""

from collections import Counter

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_iris

from kiso.inference import entropy
from kiso.report import house_style

text = [c for c in load_iris().DESCR.lower() if c.isascii() and c.isalpha()]
counts = Counter(text)
letters = sorted(counts, key=counts.get, reverse=True)
shares = np.array([counts[c] for c in letters]) / len(text)
bits = entropy(shares, base=2)

with house_style():
    figure, ax = plt.subplots(figsize=(6, 3.8), layout="constrained")
    ax.bar(letters, 100 * shares, color="C0", alpha=0.85)
    ax.axhline(100 / 26, color="C1", linewidth=1.2)
    ax.text(25.4, 4.2, f"all alike: {np.log2(26):.2f} bits a letter", color="C1", ha="right")
    ax.set(ylabel="share (%)")
    ax.set_title(f"A letter of English prose carries {bits:.2f} bits")
    plt.show()
