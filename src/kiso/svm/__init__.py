"""Support vector machines: kernels, the dual by SMO, the primal for linear machines."""

__all__: list[str] = []
