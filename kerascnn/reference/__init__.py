"""The operations in NumPy loops, forward and backward, written to be read.

They are slow and have no options beyond the mathematics; the tests compare the layers with them.
Images are channels last. Each `..._backward` takes the gradient `dy` of a loss by the output and
returns its gradients by the inputs, derived by hand.
"""

from kerascnn.reference.batch_normalization import batch_normalization, batch_normalization_backward
from kerascnn.reference.dropout import dropout, dropout_backward
from kerascnn.reference.group_conv import group_conv2d, group_conv2d_backward
from kerascnn.reference.pixel_shuffle import pixel_shuffle, pixel_unshuffle

__all__ = [
    "batch_normalization",
    "batch_normalization_backward",
    "dropout",
    "dropout_backward",
    "group_conv2d",
    "group_conv2d_backward",
    "pixel_shuffle",
    "pixel_unshuffle",
]
