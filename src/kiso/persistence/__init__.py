"""Fitted pipelines in one file that holds no code."""

from ._file import ModelFileError, load_model, save_model
from ._model import FittedModel

__all__ = ["FittedModel", "ModelFileError", "load_model", "save_model"]
