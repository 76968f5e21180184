"""How weights begin: the variance that keeps signals at one size through the layers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from kiso._validation import Array

__all__ = ["Glorot", "He", "Initialiser", "Normal", "Orthogonal", "Zeros", "initialiser"]


class Initialiser(ABC):
    """Draws the weights of a layer from the number of its inputs and outputs."""

    @abstractmethod
    def draw(
        self, rng: np.random.Generator, shape: tuple[int, ...], n_in: int, n_out: int
    ) -> Array:
        """Return weights of this shape; n_in and n_out count what meets in one unit."""

    def affine(self, rng: np.random.Generator, n_in: int, n_out: int) -> tuple[Array, Array]:
        """Return W of shape (n_in, n_out) and b = 0."""
        return self.draw(rng, (n_in, n_out), n_in, n_out), np.zeros(n_out)


@dataclass(frozen=True)
class Normal(Initialiser):
    """N(0, sd²) for weights and biases: Higham & Higham's start with sd = 0.5."""

    sd: float = 0.5

    def draw(
        self, rng: np.random.Generator, shape: tuple[int, ...], n_in: int, n_out: int
    ) -> Array:
        """Return sd times standard normal numbers."""
        return self.sd * rng.standard_normal(shape)

    def affine(self, rng: np.random.Generator, n_in: int, n_out: int) -> tuple[Array, Array]:
        """Return W and b, both drawn."""
        W = self.draw(rng, (n_in, n_out), n_in, n_out)
        return W, self.sd * rng.standard_normal(n_out)


class Glorot(Initialiser):
    """Uniform on ±√(6/(n_in + n_out)): for tanh and sigmoid (Glorot & Bengio 2010, eq. 16)."""

    def draw(
        self, rng: np.random.Generator, shape: tuple[int, ...], n_in: int, n_out: int
    ) -> Array:
        """Return weights of variance 2/(n_in + n_out)."""
        limit = np.sqrt(6.0 / (n_in + n_out))
        return rng.uniform(-limit, limit, shape)


class He(Initialiser):
    """N(0, 2/n_in): for rectifiers (He et al. 2015, eq. 10)."""

    def draw(
        self, rng: np.random.Generator, shape: tuple[int, ...], n_in: int, n_out: int
    ) -> Array:
        """Return weights of variance 2/n_in."""
        return np.sqrt(2.0 / n_in) * rng.standard_normal(shape)


class Orthogonal(Initialiser):
    """A random matrix with orthonormal rows or columns (Saxe et al. 2014)."""

    def draw(
        self, rng: np.random.Generator, shape: tuple[int, ...], n_in: int, n_out: int
    ) -> Array:
        """Return the Q of a Gaussian matrix, its signs fixed so that it is uniform."""
        rows, columns = shape[0], int(np.prod(shape[1:]))
        tall = rng.standard_normal((max(rows, columns), min(rows, columns)))
        Q, R = np.linalg.qr(tall)
        Q *= np.sign(np.diag(R))
        return (Q if rows >= columns else Q.T).reshape(shape)


class Zeros(Initialiser):
    """All zero: symmetric, so the units of a layer stay equal for ever; for demonstrations."""

    def draw(
        self, rng: np.random.Generator, shape: tuple[int, ...], n_in: int, n_out: int
    ) -> Array:
        """Return zeros."""
        return np.zeros(shape)


_NAMES = {
    "glorot": Glorot(),
    "he": He(),
    "normal": Normal(),
    "orthogonal": Orthogonal(),
    "zeros": Zeros(),
}


def initialiser(name: str | Initialiser) -> Initialiser:
    """Return an initialiser by name.

    Raises
    ------
    ValueError
        For an unknown name; the message gives the known ones.
    """
    if isinstance(name, Initialiser):
        return name
    if name not in _NAMES:
        raise ValueError(f"init={name!r}: give one of {', '.join(sorted(_NAMES))}")
    return _NAMES[name]
