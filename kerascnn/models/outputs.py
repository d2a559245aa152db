"""Outputs of image models: logits, and images of the input size."""

import keras
from keras import layers

from kerascnn.layers.crop_like import CropLike2D
from kerascnn.layers.group_conv import GroupConv2D
from kerascnn.layers.pointwise_conv import PointwiseConv2D


def answer_dtype():
    """Returns the output dtype of models: float32 with mixed precision."""
    return keras.config.dtype_policy().variable_dtype


def logits_layer(num_classes, name="logits"):
    """Returns the logits layer, whose outputs are float32 even with mixed precision."""
    return layers.Dense(num_classes, dtype=answer_dtype(), name=name)


def pixel_logits(num_classes, kernel_size=1):
    """Returns the logits layer for every pixel, also with float32 outputs."""
    common = {"dtype": answer_dtype(), "name": "logits"}
    if kernel_size == 1:
        return PointwiseConv2D(num_classes, **common)
    return GroupConv2D(num_classes, kernel_size, padding="same", **common)


def image_model(inputs, x, name):
    """Builds a model with the output `x`, cropped to the size of the inputs."""
    crop = CropLike2D(dtype=answer_dtype(), name="head_crop")
    return keras.Model(inputs, crop([x, inputs]), name=name)
