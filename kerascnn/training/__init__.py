"""Training of any `keras.Model` with a recipe and a run folder."""

from kerascnn.storage.checkpoints import BrokenCheckpointWarning, last_checkpoint
from kerascnn.storage.run_folder import RunFolder
from kerascnn.storage.run_lock import RunInUseError
from kerascnn.training.callbacks import best_epoch, inference_model
from kerascnn.training.errors import DivergedError, Interrupted, OutOfMemoryError
from kerascnn.training.fitting import fit
from kerascnn.training.learning import GradientDescent, SelfOrganizing
from kerascnn.training.recipe import PRECISIONS, Recipe, precision_scope
from kerascnn.training.resume import Resume
from kerascnn.training.self_organization import (
    SelfOrganization,
    SilentImageWarning,
    calibrate,
    self_organize,
)

__all__ = [
    "PRECISIONS",
    "BrokenCheckpointWarning",
    "DivergedError",
    "GradientDescent",
    "Interrupted",
    "OutOfMemoryError",
    "Recipe",
    "Resume",
    "RunFolder",
    "RunInUseError",
    "SelfOrganization",
    "SelfOrganizing",
    "SilentImageWarning",
    "best_epoch",
    "calibrate",
    "fit",
    "inference_model",
    "last_checkpoint",
    "precision_scope",
    "self_organize",
]


def __dir__():
    return __all__
