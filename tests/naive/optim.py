"""Update rules one number at a time, in plain Python, as their papers write them."""

from math import copysign, sqrt


def gradient_descent(p, grads, rates):
    for g, eta in zip(grads, rates, strict=True):
        p = p - eta * g
    return p


def momentum(p, grads, rates, alpha):
    v = 0.0
    for g, eta in zip(grads, rates, strict=True):
        v = alpha * v - eta * g
        p = p + v
    return p


def nesterov_lookahead(phi, gradient, eta, alpha, n_steps):
    """Nesterov as he wrote it: the gradient is taken at the looked-ahead place."""
    v = 0.0
    for _ in range(n_steps):
        v = alpha * v - eta * gradient(phi + alpha * v)
        phi = phi + v
    return phi + alpha * v  # the looked-ahead place, which is what kiso keeps


def nesterov(p, grads, rates, alpha):
    v = 0.0
    for g, eta in zip(grads, rates, strict=True):
        v = alpha * v - eta * g
        p = p + alpha * v - eta * g
    return p


def adagrad(p, grads, rates, eps):
    r = 0.0
    for g, eta in zip(grads, rates, strict=True):
        r += g**2
        p -= eta * g / (sqrt(r) + eps)
    return p


def rmsprop(p, grads, rates, rho, eps):
    r = 0.0
    for g, eta in zip(grads, rates, strict=True):
        r = rho * r + (1 - rho) * g**2
        p -= eta * g / (sqrt(r) + eps)
    return p


def adam(p, grads, rates, beta1, beta2, eps, weight_decay=0.0):
    m = v = 0.0
    for t, (g, eta) in enumerate(zip(grads, rates, strict=True), start=1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat = m / (1 - beta1**t)
        v_hat = v / (1 - beta2**t)
        p = p - eta * weight_decay * p
        p = p - eta * m_hat / (sqrt(v_hat) + eps)
    return p


def lion(p, grads, rates, beta1, beta2, weight_decay=0.0):
    m = 0.0
    for g, eta in zip(grads, rates, strict=True):
        c = beta1 * m + (1 - beta1) * g
        sign = 0.0 if c == 0 else copysign(1.0, c)
        p = p - eta * (sign + weight_decay * p)
        m = beta2 * m + (1 - beta2) * g
    return p


def inverse_hessian_bfgs(pairs, n):
    """The dense inverse BFGS matrix of these pairs, started from γ I of the last one."""
    import numpy as np

    s, y = pairs[-1]
    H = np.eye(n) * (s @ y) / (y @ y)
    for s, y in pairs:
        rho = 1 / (y @ s)
        V = np.eye(n) - rho * np.outer(y, s)
        H = V.T @ H @ V + rho * np.outer(s, s)
    return H
