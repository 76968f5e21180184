"""
Bayes and maximum likelihood, throw by throw
============================================

After one throw maximum likelihood is sure; Bayes waits for more.
"""

import matplotlib.pyplot as plt
import numpy as np

from kiso.inference import BetaBernoulli, plot_bayes_and_likelihood
from kiso.report import house_style

throws = (np.random.default_rng(12).random(60) < 0.35).astype(int)

with house_style():
    figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
    plot_bayes_and_likelihood(BetaBernoulli(2, 2), throws, truth=0.35, ax=ax)
    ax.set_title("Likelihood jumps, the posterior mean moves")
    plt.show()
