"""Training of any `keras.Model` by a recipe into a run folder."""

from kerascnn.storage.checkpoints import last_checkpoint
from kerascnn.storage.run_folder import RunFolder
from kerascnn.storage.run_lock import RunInUseError
from kerascnn.training.callbacks import best_epoch, inference_model
from kerascnn.training.fitting import fit
from kerascnn.training.recipe import PRECISIONS, Recipe, precision_scope

__all__ = [
    "PRECISIONS",
    "Recipe",
    "RunFolder",
    "RunInUseError",
    "best_epoch",
    "fit",
    "inference_model",
    "last_checkpoint",
    "precision_scope",
]


def __dir__():
    return __all__
