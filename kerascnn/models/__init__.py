"""Model architectures as `keras.Model`s, by name."""

from kerascnn.models import rows
from kerascnn.models.acceleration import accelerate
from kerascnn.models.create import create_model
from kerascnn.models.folding import fold_batch_normalization
from kerascnn.models.new_head import head_names, with_new_head
from kerascnn.models.registry import ModelInfo, list_models, model_info
from kerascnn.models.weights import load_weights_from

__all__ = [
    "ModelInfo",
    "accelerate",
    "create_model",
    "fold_batch_normalization",
    "head_names",
    "list_models",
    "load_weights_from",
    "model_info",
    "rows",
    "with_new_head",
]


def __dir__():
    return __all__
