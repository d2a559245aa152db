"""Builders that wire layers into a `keras.Model`, and all models by name."""

from kerascnn.models.lenet import LeNetConfig, lenet
from kerascnn.models.registry import create_model, default_input_shape, list_models

__all__ = ["LeNetConfig", "create_model", "default_input_shape", "lenet", "list_models"]
