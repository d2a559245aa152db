"""Training by recipe into a run folder, and evaluation, for any `keras.Model`."""

from kerascnn.training.callbacks import best_epoch, last_checkpoint
from kerascnn.training.classification import Classification, classify
from kerascnn.training.fit import fit
from kerascnn.training.recipe import Recipe
from kerascnn.training.run_folder import RunFolder, written_whole

__all__ = [
    "Classification",
    "Recipe",
    "RunFolder",
    "best_epoch",
    "classify",
    "fit",
    "last_checkpoint",
    "written_whole",
]
