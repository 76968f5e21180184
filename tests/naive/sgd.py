"""Stochastic gradient descent as the formulas say, on plain floats, one step after another."""

import math

import numpy as np


def loss_value(name, y, p, epsilon=0.1):
    """ℓ(y, p) as written in the text books."""
    return {
        "hinge": lambda: max(0.0, 1 - y * p),
        "perceptron": lambda: max(0.0, -y * p),
        "squared_hinge": lambda: max(0.0, 1 - y * p) ** 2,
        "log_loss": lambda: math.log(1 + math.exp(-y * p)),
        "modified_huber": lambda: max(0.0, 1 - y * p) ** 2 if y * p >= -1 else -4 * y * p,
        "squared_error": lambda: 0.5 * (p - y) ** 2,
        "huber": lambda: (
            0.5 * (p - y) ** 2 if abs(p - y) <= epsilon else epsilon * abs(p - y) - 0.5 * epsilon**2
        ),
        "epsilon_insensitive": lambda: max(0.0, abs(p - y) - epsilon),
        "squared_epsilon_insensitive": lambda: max(0.0, abs(p - y) - epsilon) ** 2,
    }[name]()


def loss_slope(name, y, p, epsilon=0.1):
    """∂ℓ/∂p; at a kink the side that scikit-learn takes."""
    r = p - y
    sign = math.copysign(1, r)
    out = max(0.0, abs(r) - epsilon)
    return {
        "hinge": lambda: -y if y * p <= 1 else 0.0,
        "perceptron": lambda: -y if y * p <= 0 else 0.0,
        "squared_hinge": lambda: -2 * y * max(0.0, 1 - y * p),
        "log_loss": lambda: -y / (1 + math.exp(y * p)),
        "modified_huber": lambda: -2 * y * max(0.0, 1 - y * p) if y * p >= -1 else -4 * y,
        "squared_error": lambda: r,
        "huber": lambda: r if abs(r) <= epsilon else epsilon * sign,
        "epsilon_insensitive": lambda: sign if out > 0 else 0.0,
        "squared_epsilon_insensitive": lambda: 2 * sign * out,
    }[name]()


def sgd(
    X, y, *, loss, penalty="l2", alpha=1e-4, l1_ratio=0.15, learning_rate="constant", eta0=0.01,
    power_t=0.5, epsilon=0.1, average=0, n_epochs=1, weight=None, intercept_decay=1.0,
    kinks=None,
):  # fmt: skip
    """Return coef, intercept, mean losses plus penalties of the epochs, updates of the epochs.

    A list `kinks` gets, for each step from moved weights, how far y p is from a kink: closer
    than rounding, two right programs may take different sides.
    """
    n, d = X.shape
    rho = {"l1": 1.0, "l2": 0.0, "elasticnet": l1_ratio, None: 0.0}[penalty]
    alpha_of_penalty = 0.0 if penalty is None else alpha
    w, b, t, u = np.zeros(d), 0.0, 1, 0.0
    taken = np.zeros(d)  # what L1 has taken from each weight
    history, ever = [], False
    objectives, updates = [], []
    for _ in range(n_epochs):
        total, moved = 0.0, 0
        for i in range(n):
            x, c = X[i].astype(float), 1.0 if weight is None else weight[i]
            p = x @ w + b
            ever = ever or bool(w.any() or b)
            if kinks is not None and ever:  # back at zero, too: but for rounding
                kinks.append(min(abs(y[i] * p - kink) for kink in (-1.0, 0.0, 1.0)))
            value, slope = loss_value(loss, y[i], p, epsilon), loss_slope(loss, y[i], p, epsilon)
            total += c * value
            eta = eta0
            if learning_rate == "optimal":
                eta = 1 / (alpha * (alpha**-0.75 + t - 1))
            elif learning_rate == "invscaling":
                eta = eta0 / t**power_t
            step = -eta * slope
            if learning_rate in ("pa1", "pa2"):
                size = x @ x
                if learning_rate == "pa1" and size == 0:
                    continue
                length = min(eta0, value / size) if learning_rate == "pa1" else 0
                if learning_rate == "pa2":
                    length = value / (size + 1 / (2 * eta0))
                step = -length * np.sign(slope)
            else:
                total += alpha_of_penalty * ((1 - rho) / 2 * (w @ w) + rho * np.abs(w).sum())
            step *= c
            w = w * max(0.0, 1 - eta * alpha_of_penalty * (1 - rho))
            w = w + step * x
            b += intercept_decay * step
            moved += step != 0
            if alpha_of_penalty * rho > 0:
                u += eta * alpha_of_penalty * rho
                for j in np.flatnonzero(x) if intercept_decay != 1 else range(d):
                    before = w[j]
                    if w[j] > 0:
                        w[j] = max(0.0, w[j] - (u + taken[j]))
                    elif w[j] < 0:
                        w[j] = min(0.0, w[j] + (u - taken[j]))
                    taken[j] += w[j] - before
            if average and t >= average:
                history.append((w.copy(), b))
            t += 1
        objectives.append(total / n)
        updates.append(moved)
    if history:
        w = np.mean([h[0] for h in history], axis=0)
        b = np.mean([h[1] for h in history])
    return w, b, np.array(objectives), np.array(updates)


def batch_step(W, b, X, Y, C, slope, *, eta, l2, batch_size):
    """One mini-batch step, sample by sample: (1/m') Σ c ∇ℓ, then the penalty's shrinking."""
    G, g = np.zeros_like(W), np.zeros_like(b)
    for x, y, c in zip(X, Y, C, strict=True):
        for k in range(len(b)):
            s = c[k] * slope(y[k], W[k] @ x + b[k])
            G[k] += s * x / batch_size
            g[k] += s / batch_size
    share = len(X) / batch_size
    return W * max(0.0, 1 - eta * l2 * share) - eta * G, b - eta * g


def largest_margin(X, y, n_trials=20_000):
    """A lower bound on the largest margin of planes through the origin, by trying many."""
    rng = np.random.default_rng(0)
    w = rng.standard_normal((n_trials, X.shape[1]))
    w /= np.linalg.norm(w, axis=1, keepdims=True)
    return (y[:, None] * (X @ w.T)).min(axis=0).max()
