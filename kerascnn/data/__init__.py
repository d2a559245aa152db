"""Data sets by name or folder, as `tf.data` pipelines for `model.fit`."""

from kerascnn.data.augmentation import Augmentation
from kerascnn.data.bicubic import enlarged, reduced
from kerascnn.data.embedded import EmbeddedSetWarning
from kerascnn.data.images import SUFFIXES, UnreadableImageError, files_of, image_files, read_image
from kerascnn.data.load import EMBEDDED, EMBEDDED_WITH_MASKS, find, find_masks, load
from kerascnn.data.mask_folder import HeldOutWarning, read_mask
from kerascnn.data.mask_source import MaskSource
from kerascnn.data.patches import patches, whole_pictures
from kerascnn.data.photos import EMBEDDED_PHOTOS, Photo, Photos, find_photos
from kerascnn.data.pixels import prepare
from kerascnn.data.readable import SkippedImageWarning
from kerascnn.data.source import SPLITS, DataInfo, Source
from kerascnn.ops.ignored import IGNORED

__all__ = [
    "EMBEDDED",
    "EMBEDDED_PHOTOS",
    "EMBEDDED_WITH_MASKS",
    "IGNORED",
    "SPLITS",
    "SUFFIXES",
    "Augmentation",
    "DataInfo",
    "EmbeddedSetWarning",
    "HeldOutWarning",
    "MaskSource",
    "Photo",
    "Photos",
    "SkippedImageWarning",
    "Source",
    "UnreadableImageError",
    "enlarged",
    "files_of",
    "find",
    "find_masks",
    "find_photos",
    "image_files",
    "load",
    "patches",
    "prepare",
    "read_image",
    "read_mask",
    "reduced",
    "whole_pictures",
]
