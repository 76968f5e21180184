"""kiso.nn in one file: a network, its gradients, its training, and the proof of its gradients.

Everything that `kiso.nn` does is here once, as short as it can be read: a layer's forward pass
returns its backward pass; a loss gives a value and a slope; a rule moves the parameters;
training is a loop. `kiso.nn` adds speed, checks and more layers, and gives the same numbers
(tests/nn/test_micro_kiso.py compares them digit by digit).

Notation: x holds one sample a row. z = x W + b, a = σ(z), C is the cost, δ = ∂C/∂z. The
equations are those of Higham & Higham (2019), Deep learning: an introduction for applied
mathematicians. Needs NumPy alone:   python examples/micro_kiso.py
"""

import numpy as np

# --- layers: forward(x) returns y and the function that carries gradients back ------------------


class Affine:
    """y = x W + b, equation (3.4), for a batch."""

    def __init__(self, W, b):
        self.parameters = {"W": W, "b": b}

    def forward(self, x):
        W, b = self.parameters["W"], self.parameters["b"]

        def backward(dy):  # dy = ∂C/∂y
            dx = dy @ W.T  # (5.7): δ goes back through the transpose
            return dx, {"W": x.T @ dy, "b": dy.sum(axis=0)}  # (5.8), (5.9), summed over the batch

        return x @ W + b, backward


class ReLU:
    """y = max(0, x), number by number."""

    parameters = {}

    def forward(self, x):
        return np.maximum(x, 0), lambda dy: ((x > 0) * dy, {})  # σ' is 1 or 0


class Network:
    """Layers one after the other; the chain rule runs backwards through them."""

    def __init__(self, layers):
        self.layers = layers

    @property
    def parameters(self):
        return [layer.parameters for layer in self.layers]

    def forward(self, x):
        backwards = []
        for layer in self.layers:
            x, back = layer.forward(x)
            backwards.append(back)

        def backward(dy):
            gradients = []
            for back in reversed(backwards):
                dy, own = back(dy)
                gradients.append(own)
            return dy, gradients[::-1]

        return x, backward


# --- a loss: its value, and its slope in the outputs -------------------------------------------


def softmax_cross_entropy(z, labels):
    """C = −mean log softmax(z)_label, equation (7.1);  ∂C/∂z = (softmax(z) − 1_label)/n."""
    n = len(z)
    shifted = z - z.max(axis=1, keepdims=True)  # the same softmax, and nothing overflows
    p = np.exp(shifted)
    total = p.sum(axis=1, keepdims=True)
    p /= total
    rows = np.arange(n)
    cost = (np.log(total[:, 0]) - shifted[rows, labels]).sum() / n
    p[rows, labels] -= 1
    return cost, p * (1 / n)


# --- a rule, and the loop -----------------------------------------------------------------------


def descend(parameters, gradients, rate):
    """θ ← θ − η ∂C/∂θ, equation (4.2), in place."""
    for layer, slopes in zip(parameters, gradients):
        for name in layer:
            layer[name] -= rate * slopes[name]


def train(network, x, labels, *, rate, n_epochs, batch_size, rng):
    """Mini-batches in a new order each epoch; yields the mean cost of each epoch."""
    n = len(x)
    for _ in range(n_epochs):
        costs, order = 0.0, rng.permutation(n)
        for start in range(0, n, batch_size):
            rows = order[start : start + batch_size]
            z, backward = network.forward(x[rows])
            cost, dz = softmax_cross_entropy(z, labels[rows])
            _, gradients = backward(dz)
            descend(network.parameters, gradients, rate)
            costs += len(rows) * cost
        yield costs / n


# --- are the gradients right? --------------------------------------------------------------------


def check_gradients(network, x, labels, rng):
    """Slope of log |C(θ + h v) − C(θ) − h v·∂C/∂θ| over log h: 2 where the gradient is right."""

    def cost():
        return softmax_cross_entropy(network.forward(x)[0], labels)[0]

    z, backward = network.forward(x)
    here, dz = softmax_cross_entropy(z, labels)
    _, gradients = backward(dz)
    arrays = [p for layer in network.parameters for p in layer.values()]
    slopes = [g for layer in gradients for g in layer.values()]
    directions = [rng.standard_normal(p.shape) for p in arrays]
    along = sum((g * v).sum() for g, v in zip(slopes, directions))
    starts, lengths, remainders = [p.copy() for p in arrays], 10.0 ** np.arange(-3, -5.5, -0.5), []
    for h in lengths:
        for p, start, v in zip(arrays, starts, directions):
            p[...] = start + h * v
        remainders.append(abs(cost() - here - h * along))
    for p, start in zip(arrays, starts):
        p[...] = start
    return np.polyfit(np.log(lengths), np.log(remainders), 1)[0]


# --- two moons that no line separates ------------------------------------------------------------


def glorot(n_in, n_out, rng):
    limit = np.sqrt(6 / (n_in + n_out))
    return Affine(rng.uniform(-limit, limit, (n_in, n_out)), np.zeros(n_out))


def moons(n, rng):
    angle, labels = np.pi * rng.random(n), np.arange(n) % 2
    sign = 1 - 2 * labels
    x = np.stack([sign * np.cos(angle) + labels, sign * np.sin(angle) + labels / 2], axis=1)
    return x + 0.1 * rng.standard_normal(x.shape), labels


def main():
    rng = np.random.default_rng(0)
    x, labels = moons(400, rng)
    network = Network([glorot(2, 16, rng), ReLU(), glorot(16, 16, rng), ReLU(), glorot(16, 2, rng)])
    print(
        f"remainder of order {check_gradients(network, x[:20], labels[:20], rng):.2f} (2 is right)"
    )
    costs = train(network, x, labels, rate=0.2, n_epochs=60, batch_size=32, rng=rng)
    for epoch, cost in enumerate(costs, 1):
        if epoch % 20 == 0:
            print(f"epoch {epoch}: cost {cost:.4f}")
    accuracy = (network.forward(x)[0].argmax(axis=1) == labels).mean()
    print(f"right on {accuracy:.1%} of the rows")
    return accuracy


if __name__ == "__main__":
    main()
