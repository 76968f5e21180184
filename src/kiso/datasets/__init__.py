"""Generators of data and loaders of real data sets."""
