"""Data sets by name or folder, as `tf.data` pipelines for `model.fit`."""

from kerascnn.data.augmentation import Augmentation
from kerascnn.data.folder import SkippedImageWarning
from kerascnn.data.images import SUFFIXES, UnreadableImageError, image_files, read_image
from kerascnn.data.load import EMBEDDED, find, load
from kerascnn.data.pixels import prepare
from kerascnn.data.source import SPLITS, DataInfo, Source

__all__ = [
    "EMBEDDED",
    "SPLITS",
    "SUFFIXES",
    "Augmentation",
    "DataInfo",
    "SkippedImageWarning",
    "Source",
    "UnreadableImageError",
    "find",
    "image_files",
    "load",
    "prepare",
    "read_image",
]
