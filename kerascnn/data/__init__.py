"""Datasets by name or folder, as `tf.data` pipelines for `model.fit`."""

from kerascnn.data.augmentation import Augmentation
from kerascnn.data.bicubic import downscale_bicubic, upscale_bicubic
from kerascnn.data.classification import ClassificationData, load_classification
from kerascnn.data.file_tree import image_files
from kerascnn.data.images import UnreadableImageError, read_image
from kerascnn.data.mask_folder import HeldOutWarning
from kerascnn.data.mask_reading import read_mask
from kerascnn.data.names import EMBEDDED, EmbeddedSetWarning
from kerascnn.data.order import by_epoch, current_epoch
from kerascnn.data.pixels import prepare
from kerascnn.data.readable import SkippedImageWarning
from kerascnn.data.scan import FolderWarning
from kerascnn.data.segmentation import SegmentationData, load_segmentation
from kerascnn.data.splits import SPLITS
from kerascnn.data.upscaling import UpscalingData, load_upscaling
from kerascnn.ops.ignored import IGNORED

__all__ = [
    "EMBEDDED",
    "IGNORED",
    "SPLITS",
    "Augmentation",
    "ClassificationData",
    "EmbeddedSetWarning",
    "FolderWarning",
    "HeldOutWarning",
    "SegmentationData",
    "SkippedImageWarning",
    "UnreadableImageError",
    "UpscalingData",
    "by_epoch",
    "current_epoch",
    "downscale_bicubic",
    "image_files",
    "load_classification",
    "load_segmentation",
    "load_upscaling",
    "prepare",
    "read_image",
    "read_mask",
    "upscale_bicubic",
]


def __dir__():
    return __all__
