"""Adversarial training: what a batch becomes before a network learns from it.

x ← Π(x + η sign ∇ₓC(x, t)), against the weights as they are; Π clips to x₀ ± ε and to bounds.
One step of η = ε is the fast gradient sign method, several are projected gradient ascent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from kiso._validation import Array
from kiso.losses import Loss
from kiso.optim._check import check_count, check_real

from .network import Network

__all__ = ["AdversarialTraining"]

Bounds: TypeAlias = tuple[float, float] | None


@dataclass(frozen=True)
class AdversarialTraining:
    """Replace a share of each batch by examples made against the network as it is.

    With `share` = ½ the objective is, in expectation, that of Goodfellow et al.,
    ½ C(x, t) + ½ C(x + ε sign ∇ₓC, t); with 1 and several steps that of Madry et al.
    Dropout and random changes of images are off while the examples are made.

    Parameters
    ----------
    eps : float, default=0.25
        ε, the largest change of an entry, in units of the input.
    n_steps : int, default=1
        1 is the fast gradient sign method.
    step : float or None, default=None
        η; None is ε for one step, else 2.5 ε / n_steps.
    random_start : bool, default=False
        Begin at a random place in the ball.
    share : float, default=0.5
        Part of a batch that is replaced, above 0 and at most 1; which rows is drawn anew.
    bounds : (float, float) or None, default=(0, 1)
        Lowest and highest entry of an example; None sets no bounds.

    Raises
    ------
    ValueError
        If a parameter is out of range; on use, if the batch lies outside `bounds`.

    References
    ----------
    Goodfellow, Shlens & Szegedy (2015), Explaining and harnessing adversarial examples.
    Madry et al. (2018), Towards deep learning models resistant to adversarial attacks.

    Examples
    --------
    A unit with weight 2 that should answer less at 0.5:

    >>> from kiso.losses import SquaredError
    >>> from kiso.nn import AdversarialTraining, Affine, Network
    >>> network = Network([Affine(np.array([[2.0]]), np.zeros(1))])
    >>> attack = AdversarialTraining(eps=0.1, share=1)
    >>> attack(network, SquaredError(), np.array([[0.5]]), np.array([[0.0]]),
    ...        np.random.default_rng(0))
    array([[0.6]])
    """

    eps: float = 0.25
    n_steps: int = 1
    step: float | None = None
    random_start: bool = False
    share: float = 0.5
    bounds: Bounds = (0, 1)

    def __post_init__(self) -> None:
        check_real("eps", self.eps, least=0)
        check_count("n_steps", self.n_steps, least=1)
        if self.step is not None:
            check_real("step", self.step, above=0)
        check_real("share", self.share, above=0)
        if self.share > 1:
            raise ValueError(f"share={self.share!r}: give a part of the batch, 0 < share <= 1")
        if self.bounds is not None and not (
            len(self.bounds) == 2 and self.bounds[0] < self.bounds[1]
        ):
            raise ValueError(f"bounds={self.bounds!r}: give (lowest, highest) or None")

    def __call__(
        self, network: Network, loss: Loss, x: Array, t: Array, rng: np.random.Generator
    ) -> Array:
        """Return the batch to learn from; x is left as it is.

        Parameters
        ----------
        network : Network
        loss : Loss
        x : ndarray of shape (n, ...)
        t : ndarray
            Targets, as the loss takes them.
        rng : Generator
            Of the rows that are replaced, and of random starts.
        """
        if self.bounds is not None and not (
            x.min() >= self.bounds[0] and x.max() <= self.bounds[1]
        ):
            raise ValueError(
                f"adversary: X goes from {x.min():g} to {x.max():g}, outside "
                f"bounds={self.bounds}; scale X, or give other bounds"
            )
        count = round(self.share * len(x))
        rows = slice(None) if count == len(x) else np.sort(rng.permutation(len(x))[:count])
        out: Array = x.copy()
        if count:
            out[rows] = self._attacked(network, loss, x[rows], t[rows], rng)
        return out

    def _attacked(
        self, network: Network, loss: Loss, start: Array, t: Array, rng: np.random.Generator
    ) -> Array:
        eps, x = start.dtype.type(self.eps), start
        if self.random_start:
            x = self._within(
                start + rng.uniform(-eps, eps, start.shape).astype(start.dtype), start, eps
            )
        default = self.eps if self.n_steps == 1 else 2.5 * self.eps / self.n_steps
        rate = start.dtype.type(default if self.step is None else self.step)
        for _ in range(self.n_steps):
            y, backward = network.forward(network.as_input(x))
            dy = loss.value_and_gradient(y, t, None)[1]
            dx = backward(dy, want_gradients=False)[0].reshape(x.shape)
            x = self._within(x + rate * np.sign(dx), start, eps)
        return x

    def _within(self, x: Array, start: Array, eps: float) -> Array:
        """Π: into the ball, then into the bounds."""
        x = np.clip(x, start - eps, start + eps)
        return x if self.bounds is None else np.clip(x, *self.bounds)
