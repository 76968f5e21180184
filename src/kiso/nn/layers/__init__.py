"""Layers: one file each, the mathematics of its forward and backward pass."""
