"""Losses. `import kerascnn` registers them with Keras, so that compiled models can be loaded."""

from kerascnn.losses.class_weights import inverse_frequency_weights, median_frequency_weights
from kerascnn.losses.classification import CrossEntropy, RBFLoss, loss_for
from kerascnn.losses.segmentation import (
    DiceLoss,
    FocalLoss,
    LossSum,
    LovaszSoftmax,
    PixelCrossEntropy,
    dense_loss,
)

__all__ = [
    "CrossEntropy",
    "DiceLoss",
    "FocalLoss",
    "LossSum",
    "LovaszSoftmax",
    "PixelCrossEntropy",
    "RBFLoss",
    "dense_loss",
    "inverse_frequency_weights",
    "loss_for",
    "median_frequency_weights",
]


def __dir__():
    return __all__
