"""Fitted pipelines in one file that holds no code."""
