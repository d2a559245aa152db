"""Metrics. `import kerascnn` registers them with Keras, as it does losses.

Their public names are in `kerascnn.training`.
"""

from kerascnn.metrics.accuracy import accuracy
from kerascnn.metrics.mean_iou import MeanIoU
from kerascnn.metrics.psnr import psnr

__all__ = ["MeanIoU", "accuracy", "psnr"]
