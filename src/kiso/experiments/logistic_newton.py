"""The sigmoid, and logistic regression without a closed form: Newton against gradient descent.

σ(z) = 1/(1 + e⁻ᶻ) has σ′ = σ(1 − σ), at most σ′(0) = ¼. The likelihood of
p(y = 1 | x) = σ(wᵀx + b) has no maximum in closed form; it is climbed. Newton's method
(iteratively reweighted least squares) doubles the digits at each step; gradient descent
divides the error by a constant that nears 1 as the features become alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit, log_expit

from kiso.experiments import Check, Experiment, Outcome
from kiso.linear_model import LogisticRegression
from kiso.nn import Sigmoid

if TYPE_CHECKING:
    from matplotlib.figure import Figure

N, D, C = 400, 5, 10.0
TOL = 1e-8
MAX_DESCENT = 20_000


def run(seed: int) -> Outcome:
    """Measure σ′ by differences; fit the same model twice, counting steps."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((N, D)) + 1.5 * rng.standard_normal((N, 1))  # features alike
    y = (rng.random(N) < expit(X @ rng.standard_normal(D))).astype(int)
    model = LogisticRegression(C=C, solver="newton-cholesky", tol=TOL, max_iter=30)
    newton = [state.gradient_norm for state in model.steps(X, y)]
    solution = np.append(model.coef_[0], model.intercept_)
    descent, where = gradient_descent(X, y)
    data = {"newton": np.array(newton), "descent": descent}
    checks = (
        *sigmoid_checks(Sigmoid()),
        Check(
            "largest |gradient| after one weighted least squares: no closed form",
            f"> {TOL:g}",
            newton[0],
            newton[0] > TOL,
        ),
        steps_check(len(newton), len(descent)),
        order_check(order(data["newton"])),
        Check(
            "largest difference of the two solutions",
            "≤ 1e-5",
            float(np.abs(solution - where).max()),
            bool(np.abs(solution - where).max() <= 1e-5),
        ),
    )
    return Outcome(checks, data)


def sigmoid_checks(sigmoid: Any) -> tuple[Check, ...]:
    """Check the slope at 0, the identity σ′ = σ(1 − σ), and the values at ±1000."""
    z, h = np.linspace(-30, 30, 601), 1e-5
    slope = (sigmoid(z + h) - sigmoid(z - h)) / (2 * h)
    value, backward = sigmoid.forward(z)
    given = backward(np.ones_like(z))[0]
    identity = float(np.abs(slope - value * (1 - value)).max())
    backwards = float(np.abs(slope - given).max())
    quarter = float(slope[300])
    ends = sigmoid(np.array([-1000.0, 1000.0]))
    model = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    model.coef_, model.intercept_ = np.array([[1.0]]), np.zeros(1)
    p = model.predict_proba([[-1000.0], [1000.0]])[:, 1]
    log_p = model.predict_log_proba([[-1000.0]])[0, 1]
    stable = bool(np.array_equal(p, ends) and np.array_equal(p, [0.0, 1.0]) and log_p == -1000.0)
    return (
        Check("σ′(0)", "1/4", quarter, abs(quarter - 0.25) < 1e-9),
        Check("largest |σ′ − σ(1 − σ)| on [−30, 30]", "0, to 1e-9", identity, identity < 1e-9),
        Check("largest |σ′ − what the layer's backward pass gives|", "0, to 1e-9", backwards,
              backwards < 1e-9),
        Check("σ(−1000), σ(1000), log σ(−1000)", "0, 1, −1000", f"{p[0]:g}, {p[1]:g}, {log_p:g}",
              stable),
    )  # fmt: skip


def gradient_descent(X: Any, y: Any) -> tuple[Any, Any]:
    """Plain descent with step 1/L, L = λmax(X̃ᵀX̃)/4n + 1/Cn, on the same objective."""
    Z = np.column_stack([X, np.ones(len(X))])
    penalty = np.append(np.full(X.shape[1], 1 / (C * len(X))), 0.0)
    rate = 1 / (np.linalg.eigvalsh(Z.T @ Z)[-1] / (4 * len(X)) + penalty[0])
    theta, norms = np.zeros(Z.shape[1]), []
    for _ in range(MAX_DESCENT):
        theta = theta - rate * (Z.T @ (expit(Z @ theta) - y) / len(X) + penalty * theta)
        gradient = Z.T @ (expit(Z @ theta) - y) / len(X) + penalty * theta
        norms.append(float(np.abs(gradient).max()))
        if norms[-1] <= TOL:
            break
    return np.array(norms), theta


def order(norms: Any) -> float:
    """Give q: near the end, the next gradient norm is like the q-th power of this one."""
    logs = np.log(norms[norms > 1e-14])
    changes = np.diff(logs)
    return float(changes[-1] / changes[-2])


def steps_check(newton: int, descent: int) -> Check:
    """Check that gradient descent needs many times as many steps."""
    return Check(
        f"steps to |gradient| ≤ {TOL:g}: gradient descent / Newton",
        "≥ 10",
        f"{descent} / {newton}",
        descent >= 10 * newton,
    )


def order_check(q: float) -> Check:
    """Check that Newton's convergence is quadratic."""
    return Check("order of convergence of Newton", "2 ± 0.4", q, abs(q - 2.0) <= 0.4)


def draw(outcome: Outcome) -> Figure:
    """Left: σ shifted and scaled. Middle: log σ. Right: gradient norms against steps."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 4), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    z = np.linspace(-8, 8, 400)
    for w, b in [(1, 0), (3, 0), (0.5, 0), (1, -4), (-1, 0)]:
        left.plot(z, expit(w * z + b), label=f"σ({w:g}x {b:+g})" if b else f"σ({w:g}x)")
    left.plot(z, 0.5 + z / 4, ":", color="black", label="slope ¼")
    left.set(xlabel="x", title="w scales, b shifts", ylim=(-0.05, 1.05))
    left.legend(fontsize=8)
    far = np.linspace(-1000, 1000, 400)
    middle.plot(far, log_expit(far))
    middle.set(xlabel="z", title="log σ(z): finite everywhere")
    for name in ("newton", "descent"):
        norms = outcome.data[name]
        right.loglog(np.arange(1, len(norms) + 1), norms, ".-" if name == "newton" else "-",
                     label="Newton" if name == "newton" else "gradient descent")  # fmt: skip
    right.set(xlabel="step", ylabel="largest |gradient|", title="The same likelihood, climbed")
    right.legend()
    return figure


EXPERIMENT = Experiment(
    title="Logistic regression: no closed form, and Newton against gradient descent",
    rows=(7, 8),
    claim="σ′ = σ(1 − σ), σ′(0) = ¼; the likelihood of logistic regression has no maximum in "
    "closed form, and Newton's method finds it in far fewer steps than gradient descent",
    source="Goodfellow et al. (2016), Deep Learning, sections 3.10 and 5.7.1",
    run=run,
    draw=draw,
)
