"""Maximum likelihood written as the textbook sum over observations."""

import numpy as np


def weighted_mean_and_covariance(X, w):
    """x̄ = Σ w x / W and Σ w (x − x̄)(x − x̄)ᵀ / W, one observation at a time."""
    mean = sum(wi * xi for wi, xi in zip(w, X, strict=True)) / sum(w)
    covariance = np.zeros((X.shape[1],) * 2)
    for wi, xi in zip(w, X, strict=True):
        covariance += wi * np.outer(xi - mean, xi - mean)
    return mean, covariance / sum(w)


def absolute_error(m, x, w):
    """Σ w |x − m|."""
    return sum(wi * abs(xi - m) for wi, xi in zip(w, x, strict=True))


def fisher_information(log_prob_at, theta, X, step=1e-4):
    """The mean of (∇ log p)(∇ log p)ᵀ over observations, gradients by central differences."""
    scores = []
    for i in range(len(theta)):
        up, down = theta.copy(), theta.copy()
        up[i] += step
        down[i] -= step
        scores.append((log_prob_at(up, X) - log_prob_at(down, X)) / (2 * step))
    return np.cov(np.array(scores), bias=True) + np.outer(*[np.mean(scores, axis=1)] * 2)
