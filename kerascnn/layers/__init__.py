"""Keras layers; those that share a name or purpose with one of Keras's are drop-in for it."""

from kerascnn.layers.batch_normalization import BatchNormalization
from kerascnn.layers.dropout import Dropout
from kerascnn.layers.group_conv import GroupConv2D
from kerascnn.layers.pixel_shuffle import PixelShuffle, PixelUnshuffle

__all__ = [
    "BatchNormalization",
    "Dropout",
    "GroupConv2D",
    "PixelShuffle",
    "PixelUnshuffle",
]
