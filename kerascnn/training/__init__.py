"""Training of any `keras.Model` with a recipe and a run folder."""

from kerascnn.storage.checkpoints import last_checkpoint
from kerascnn.storage.run_folder import RunFolder
from kerascnn.training import errors, learning
from kerascnn.training.callbacks import best_epoch, inference_model
from kerascnn.training.fitting import fit
from kerascnn.training.recipe import Recipe, precision_scope
from kerascnn.training.resume import Resume
from kerascnn.training.self_organization import SelfOrganization, self_organize

__all__ = [
    "Recipe",
    "Resume",
    "RunFolder",
    "SelfOrganization",
    "best_epoch",
    "errors",
    "fit",
    "inference_model",
    "last_checkpoint",
    "learning",
    "precision_scope",
    "self_organize",
]


def __dir__():
    return __all__
