"""Logistic regression written so that it is obviously right: sums over rows, SciPy's minimiser."""

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp


def probabilities(W, b, X):
    """softmax(Wx + b) of each row; a single row of W is two classes with scores 0 and z."""
    scores = []
    for x in X:
        z = W @ x + b
        scores.append(np.concatenate([[0.0], z]) if len(W) == 1 else z)
    scores = np.array(scores)
    return np.exp(scores - logsumexp(scores, axis=1, keepdims=True))


def objective(W, b, X, y, weights, l2, l1=0.0):
    """Mean of −log p(yᵢ | xᵢ) with weights that sum to 1, plus λ/2 ‖W‖² + α ‖W‖₁."""
    p = probabilities(W, b, X)
    likelihood = sum(s * -np.log(p[i, y[i]]) for i, s in enumerate(weights))
    return likelihood + 0.5 * l2 * np.sum(W**2) + l1 * np.sum(np.abs(W))


def gradient(W, b, X, y, weights, l2):
    """Derivatives by W and by b, row after row."""
    p = probabilities(W, b, X)
    dW, db = l2 * W, np.zeros(len(W))
    for i, s in enumerate(weights):
        error = p[i] - np.eye(p.shape[1])[y[i]]
        error = error[1:] if len(W) == 1 else error
        dW = dW + s * np.outer(error, X[i])
        db = db + s * error
    return dW, db


def fit(X, y, weights, l2, *, intercept=True):
    """Minimise the smooth objective to the last digits that BFGS gives; (W, b)."""
    K, d = len(np.unique(y)), X.shape[1]
    K = 1 if K == 2 else K

    def unpack(v):
        W = v[: K * d].reshape(K, d)
        return W, v[K * d :] if intercept else np.zeros(K)

    def value_and_gradient(v):
        W, b = unpack(v)
        dW, db = gradient(W, b, X, y, weights, l2)
        packed = np.concatenate([dW.ravel(), db]) if intercept else dW.ravel()
        return objective(W, b, X, y, weights, l2), packed

    start = np.zeros(K * d + (K if intercept else 0))
    for _ in range(5):  # from its own answer again, until nothing moves
        start = minimize(
            value_and_gradient, start, jac=True, method="BFGS", options={"gtol": 1e-12}
        ).x
    return unpack(start)
