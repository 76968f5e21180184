"""Random affine changes of images while a network trains: turned, sheared, scaled, moved.

    y(p) = x(A⁻¹(p − m − t) + m),     A = R(θ) H(ρ_x, ρ_y) S(s_x, s_y)

m is the middle of the image, R turns by θ, H shears and S scales. Bilinear interpolation;
zeros come in from outside.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kiso._compute import costs
from kiso._compute.threads import map_rows
from kiso._validation import Array

from .layer import Backward, Layer, Shape
from .run import Run, empty
from .windows import check_images

__all__ = ["RandomAffine"]

_LOOPS = (np.float32, np.float64)  # what the compiled loops take


class RandomAffine(Layer):
    """Turn, shear, scale and move each image by random amounts; at inference it is as it is.

    y(p) = x(A⁻¹(p − m − t) + m) with m the middle of the image. Each of the four parts of the
    map is there with probability p and then uniform in its range; the defaults are those of
    Koch et al. (2015), section 3.3, but for `shift`, which they have for images of 105 × 105.

    Parameters
    ----------
    rotation : float, default=10.0
        Largest angle, in degrees, each way.
    shear : float, default=0.3
        Largest shear, each way: pixels sideways a pixel away from the middle.
    scale : (low, high), default=(0.8, 1.2)
        Factors of height and width, drawn independently.
    shift : float, default=2.0
        Largest shift in pixels, each way along each axis.
    p : float, default=0.5
        Of each part.

    Raises
    ------
    ValueError
        For a negative range, factors of scale that are not 0 < low <= high, shears of 1 and
        more, or p that is no probability.

    References
    ----------
    Koch, Zemel & Salakhutdinov (2015), Siamese neural networks for one-shot image recognition.

    Examples
    --------
    >>> from kiso.nn import Run
    >>> x = np.zeros((1, 1, 5, 5))
    >>> x[0, 0, 2] = 1
    >>> turned = RandomAffine(90, 0, (1, 1), 0, p=1).forward(x, train=Run(3))[0]
    >>> turned.shape, bool(abs(turned - x).max() > 0.1)
    ((1, 1, 5, 5), True)
    """

    takes_images = True

    def __init__(
        self,
        rotation: float = 10.0,
        shear: float = 0.3,
        scale: tuple[float, float] = (0.8, 1.2),
        shift: float = 2.0,
        *,
        p: float = 0.5,
    ):
        given = {"rotation": rotation, "shear": shear, "shift": shift}
        for name, value in given.items():
            if not 0 <= value < np.inf:
                raise ValueError(f"{name}={value!r}: give the largest, >= 0")
        if shear >= 1:
            raise ValueError(f"shear={shear!r}: give a number below 1, or an image may fall flat")
        low, high = scale
        if not 0 < low <= high < np.inf:
            raise ValueError(f"scale={scale!r}: give (low, high) with 0 < low <= high")
        if not 0 <= p <= 1:
            raise ValueError(f"p={p!r}: give a probability, 0 <= p <= 1")
        self.rotation, self.shear, self.shift, self.p = rotation, shear, shift, p
        self.scale = (low, high)

    def output_shape(self, shape: Shape) -> Shape:
        """Shape is kept."""
        return shape

    def forward(self, x: Array, *, train: Run | None = None) -> tuple[Array, Backward]:
        """x: (n, channels, height, width)."""
        check_images(self, x.shape)
        if train is None:
            return x, lambda dy: (dy, {})
        from ..compiled.warp_loops import spread_lane, warp_lane

        maps = self.maps(train.rng, len(x), x.shape[2:])
        x = _for_loops(x)
        y = empty(train, x.shape, x)
        map_rows(
            lambda s: warp_lane(x, maps, s.start, s.stop, y),
            len(x),
            min_rows=costs.AUGMENT_LANE_IMAGES,
        )

        def backward(dy: Array) -> tuple[Array, dict[str, Any]]:
            dy = _for_loops(dy)
            dx = np.zeros_like(dy)
            map_rows(
                lambda s: spread_lane(dy, maps, s.start, s.stop, dx),
                len(dy),
                min_rows=costs.AUGMENT_LANE_IMAGES,
            )
            return dx, {}

        return y, backward

    def maps(self, rng: np.random.Generator, n: int, size: tuple[int, ...]) -> Array:
        """Draw n maps from pixels of y to places in x: rows a₀₀ a₀₁ t₀ a₁₀ a₁₁ t₁."""
        there = rng.random((4, n)) < self.p
        angle = np.where(there[0], np.deg2rad(rng.uniform(-self.rotation, self.rotation, n)), 0.0)
        shear = np.where(there[1], rng.uniform(-self.shear, self.shear, (2, n)), 0.0)
        scale = np.where(there[2], rng.uniform(*self.scale, (2, n)), 1.0)
        shift = np.where(there[3], rng.uniform(-self.shift, self.shift, (2, n)), 0.0)
        cos, sin = np.cos(angle), np.sin(angle)
        turn = np.array([[cos, -sin], [sin, cos]])
        ones = np.ones(n)
        sheared = np.array([[ones, shear[0]], [shear[1], ones]])
        A = np.einsum("ijn,jkn,kn->nik", turn, sheared, scale)
        back = np.linalg.inv(A)
        middle = (np.array(size) - 1) / 2
        offset = middle - np.einsum("nij,nj->ni", back, middle + shift.T)
        return np.ascontiguousarray(
            np.concatenate([back, offset[:, :, None]], axis=2).reshape(n, 6)
        )

    def __repr__(self) -> str:
        return (
            f"RandomAffine({self.rotation:g}, {self.shear:g}, {self.scale}, {self.shift:g}, "
            f"p={self.p:g})"
        )


def _for_loops(x: Array) -> Array:
    return np.ascontiguousarray(x if x.dtype in _LOOPS else x.astype(np.float64))
