"""Scattering: fixed features of pictures from wavelets and moduli, stable to deformation."""

from ._filters import FilterBank, morlet_filters
from ._transform import ScatteringTransform

__all__ = ["FilterBank", "ScatteringTransform", "morlet_filters"]
