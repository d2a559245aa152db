"""Inference on images of any size, and evaluation of the results."""

from kerascnn.inference.classification import Classification, classify
from kerascnn.inference.segmentation import TILE, segment
from kerascnn.inference.segmentation_scores import SegmentationScores, image_iou
from kerascnn.inference.upscaling import Upscaling, compare_with_bicubic, factor_of, upscale

__all__ = [
    "TILE",
    "Classification",
    "SegmentationScores",
    "Upscaling",
    "classify",
    "compare_with_bicubic",
    "factor_of",
    "image_iou",
    "segment",
    "upscale",
]


def __dir__():
    return __all__
