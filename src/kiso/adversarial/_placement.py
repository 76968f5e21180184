"""A patch laid on images at random places, scales and rotations: a linear map of the patch.

y = (1 − W m) ∘ x + W (m ∘ p), with x an image, p the patch, m its mask (1 inside, 0 outside)
and W one sparse matrix for all images: row (image i, pixel u) holds the bilinear weights of the
four patch pixels about R(−θ_i)(u − c_i)/s_i. So ∂C/∂p = m ∘ Wᵀ ∂C/∂y, with the very same W.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csr_matrix

from kiso._validation import Array

__all__ = ["Placement", "disc", "draw_placement"]

Range = tuple[float, float]


@dataclass(frozen=True)
class Placement:
    """Where the patch lies on each of n images.

    Attributes
    ----------
    centres : ndarray of shape (n, 2)
        c: row and column, in pixels of the image.
    scales, angles : ndarray of shape (n,)
        s, and θ in radians, clockwise.
    mask : ndarray of shape (height, width) of the patch
    image_size : (height, width)
    """

    centres: Array
    scales: Array
    angles: Array
    mask: Array
    image_size: tuple[int, int]

    @cached_property
    def W(self) -> csr_matrix:
        """Bilinear weights, (n · height · width of the images, pixels of the patch)."""
        height, width = self.mask.shape
        rows, columns = self._seen_at()
        top, left = np.floor(rows).astype(int), np.floor(columns).astype(int)
        down, right = rows - top, columns - left
        pixel = np.arange(rows.size).reshape(rows.shape)
        entries: list[tuple[Array, Array, Array]] = []
        for i, along in ((0, 1 - down), (1, down)):
            for j, across in ((0, 1 - right), (1, right)):
                weight, r, c = along * across, top + i, left + j
                on = (r >= 0) & (r < height) & (c >= 0) & (c < width) & (weight > 0)
                entries.append((weight[on], pixel[on], r[on] * width + c[on]))
        weights, at, of = (np.concatenate(part) for part in zip(*entries, strict=True))
        shape = rows.size, self.mask.size
        return csr_matrix((weights.astype(self.mask.dtype), (at, of)), shape=shape)

    def _seen_at(self) -> tuple[Array, Array]:
        """Row and column of the patch that each pixel of each image sees, (n, pixels)."""
        u = np.indices(self.image_size).reshape(2, -1)
        dr, dc = (u - self.centres[:, :, None]).transpose(1, 0, 2)
        cos, sin = (f(self.angles)[:, None] / self.scales[:, None] for f in (np.cos, np.sin))
        middle = (np.array(self.mask.shape) - 1) / 2
        return cos * dr - sin * dc + middle[0], sin * dr + cos * dc + middle[1]

    def laid(self, patch: Array) -> Array:
        """Return W (m ∘ p): the patch alone, as images (n, channels, height, width)."""
        flat = (patch * self.mask).reshape(len(patch), -1)
        return self._as_images(self.W @ flat.T)

    def adjoint(self, dy: Array) -> Array:
        """Return ∂C/∂p = m ∘ Wᵀ ∂C/∂y, summed over the images."""
        flat = dy.transpose(0, 2, 3, 1).reshape(-1, dy.shape[1])
        dp: Array = (self.W.T @ flat).T
        return dp.reshape(-1, *self.mask.shape) * self.mask

    def apply(self, images: Array, patch: Array) -> Array:
        """Return y, of the shape of the images."""
        cover = self._as_images(self.W @ self.mask.reshape(-1, 1))
        return (1 - cover) * images + self.laid(patch)

    def _as_images(self, pixels: Array) -> Array:
        """(n · height · width, channels) → (n, channels, height, width)."""
        images = pixels.reshape(len(self.centres), *self.image_size, -1)
        return images.transpose(0, 3, 1, 2)


def draw_placement(
    n: int,
    mask: Array,
    image_size: tuple[int, int],
    rng: np.random.Generator,
    *,
    scales: Range = (1, 1),
    rotations: Range = (0, 0),
) -> Placement:
    """Draw n places: scale and rotation (degrees) uniform, the centre uniform where all fits."""
    s, angles = rng.uniform(*scales, n), np.deg2rad(rng.uniform(*rotations, n))
    cos, sin = np.abs(np.cos(angles)), np.abs(np.sin(angles))
    height, width = ((m - 1) / 2 for m in mask.shape)  # from the middle to the last pixel
    reach = s * np.stack([cos * height + sin * width, sin * height + cos * width])
    last = np.array(image_size)[:, None] - 1.0
    reach = np.minimum(reach, last / 2)  # a patch larger than the image lies in its middle
    centres = reach + rng.random((2, n)) * (last - 2 * reach)
    return Placement(centres.T, s, angles, mask, image_size)


def disc(size: tuple[int, int]) -> Array:
    """1 within the ellipse that touches the sides, 0 outside."""
    r, c = (np.abs(2 * np.arange(m) + 1 - m) / m for m in size)
    return (r[:, None] ** 2 + c**2 <= 1).astype(np.float64)
