"""Metrics. `import kerascnn` registers them with Keras, so that compiled models can be loaded."""

from kerascnn.metrics.accuracy import accuracy
from kerascnn.metrics.luminance import luminance_psnr, luminance_ssim
from kerascnn.metrics.mean_iou import MeanIoU
from kerascnn.metrics.psnr import psnr

__all__ = ["MeanIoU", "accuracy", "luminance_psnr", "luminance_ssim", "psnr"]


def __dir__():
    return __all__
