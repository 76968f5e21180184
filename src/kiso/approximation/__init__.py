"""Networks that are constructed, not trained; polynomial interpolation beside them."""

from ._build import tanh_function, tanh_notes, tanh_polynomial, tanh_powers
from ._interpolation import interpolate
from ._network import TanhNetwork
from ._relu import relu_interpolant

__all__ = [
    "TanhNetwork",
    "interpolate",
    "relu_interpolant",
    "tanh_function",
    "tanh_notes",
    "tanh_polynomial",
    "tanh_powers",
]
