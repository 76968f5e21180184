"""Fitted pipelines in one file that holds no code; fitting them, predicting with them."""

from ._file import ModelFileError, load_model, save_model
from ._model import FittedModel
from ._onnx import export_onnx, onnx_inputs, to_onnx
from ._predict import Conformed, conform, predict_table
from ._replace import replace_file
from ._train import parse_params, train_model
from ._train_parts import train_on_files

__all__ = [
    "Conformed",
    "FittedModel",
    "ModelFileError",
    "conform",
    "export_onnx",
    "load_model",
    "onnx_inputs",
    "parse_params",
    "predict_table",
    "replace_file",
    "save_model",
    "to_onnx",
    "train_model",
    "train_on_files",
]
