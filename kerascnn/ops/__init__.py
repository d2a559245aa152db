"""The operations of the layers as functions on tensors, for every Keras backend."""

from kerascnn.ops.batch_normalization import batch_normalization, moments, normalize
from kerascnn.ops.dropout import dropout
from kerascnn.ops.group_conv import group_conv2d
from kerascnn.ops.pixel_shuffle import pixel_shuffle, pixel_unshuffle

__all__ = [
    "batch_normalization",
    "dropout",
    "group_conv2d",
    "moments",
    "normalize",
    "pixel_shuffle",
    "pixel_unshuffle",
]
