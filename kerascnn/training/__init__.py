"""Training by recipe into a run folder, and evaluation, for any `keras.Model`."""

from kerascnn.training.callbacks import answering, best_epoch, last_checkpoint
from kerascnn.training.classification import Classification, classify
from kerascnn.training.fit import fit
from kerascnn.training.losses import CrossEntropy, RBFLoss, accuracy, loss_for
from kerascnn.training.recipe import PRECISIONS, Recipe, built_in
from kerascnn.training.run_folder import RunFolder, written_whole

__all__ = [
    "PRECISIONS",
    "Classification",
    "CrossEntropy",
    "RBFLoss",
    "Recipe",
    "RunFolder",
    "accuracy",
    "answering",
    "best_epoch",
    "built_in",
    "classify",
    "fit",
    "last_checkpoint",
    "loss_for",
    "written_whole",
]
