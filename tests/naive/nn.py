"""Training as plainly as can be: one sample after the other, in Python."""

import numpy as np


def sgd(network, X, T, rows, starts, rates, batch_size):
    """Squared error, mean over the batch; ½ as in Higham & Higham. Changes the network."""
    losses = []
    for k, rate in enumerate(rates):
        total = None
        for i in rows[starts[k] : starts[k + 1]]:
            y, backward = network.forward(X[i : i + 1])
            losses.append(0.5 * np.sum((y - T[i]) ** 2))
            _, grads = backward(y - T[i])
            flat = network.flatten(grads)
            total = flat if total is None else total + flat
        network.set_vector(network.vector - rate * total / batch_size)
    return losses
