"""Ensembles of trees against their peers."""
