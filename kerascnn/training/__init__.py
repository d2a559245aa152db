"""Training by recipe into a run folder, and evaluation, for any `keras.Model`."""

from kerascnn.losses import (
    CrossEntropy,
    DiceLoss,
    FocalLoss,
    LossSum,
    LovaszSoftmax,
    PixelCrossEntropy,
    RBFLoss,
    dense_loss,
    loss_for,
)
from kerascnn.metrics import MeanIoU, accuracy, psnr
from kerascnn.storage.checkpoints import last_checkpoint
from kerascnn.storage.run_folder import RunFolder
from kerascnn.storage.run_lock import RunInUseError
from kerascnn.training.callbacks import answering, best_epoch
from kerascnn.training.class_weights import median_frequency_weights
from kerascnn.training.classification import Classification, classify
from kerascnn.training.fit import fit
from kerascnn.training.recipe import PRECISIONS, Recipe, built_in
from kerascnn.training.segment import TILE, segment
from kerascnn.training.segmentation_scores import SegmentationScores, image_iou
from kerascnn.training.upscaling import (
    Upscaling,
    factor_of,
    luminance_psnr,
    luminance_ssim,
    reconstruct,
    upscale,
)

__all__ = [
    "PRECISIONS",
    "TILE",
    "Classification",
    "CrossEntropy",
    "DiceLoss",
    "FocalLoss",
    "LossSum",
    "LovaszSoftmax",
    "MeanIoU",
    "PixelCrossEntropy",
    "RBFLoss",
    "Recipe",
    "RunFolder",
    "RunInUseError",
    "SegmentationScores",
    "Upscaling",
    "accuracy",
    "answering",
    "best_epoch",
    "built_in",
    "classify",
    "dense_loss",
    "factor_of",
    "fit",
    "image_iou",
    "last_checkpoint",
    "loss_for",
    "luminance_psnr",
    "luminance_ssim",
    "median_frequency_weights",
    "psnr",
    "reconstruct",
    "segment",
    "upscale",
]
