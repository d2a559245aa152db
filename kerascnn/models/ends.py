"""Where every image model begins and ends: its input, and its logits."""

import keras
import numpy as np
from keras import layers

from kerascnn.arguments import UsageError, at_least_one, one_of
from kerascnn.layers.crop_like import CropLike2D
from kerascnn.layers.group_conv import GroupConv2D
from kerascnn.layers.pad_to_multiple import PadToMultiple2D
from kerascnn.layers.pointwise_conv import PointwiseConv2D
from kerascnn.ops.shapes import image_shape, standardize_data_format

# Mean and standard deviation of the pixels, for values from 0 to 1, in the words of
# `keras.applications.imagenet_utils.preprocess_input(mode=...)`. What Keras calls "caffe" has blue
# first as well: `weights="imagenet"` turns the kernels of the first layer round instead.
PREPROCESSING = {
    "caffe": ((123.68 / 255, 116.779 / 255, 103.939 / 255), (1 / 255, 1 / 255, 1 / 255)),
    "tf": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
    "torch": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
}


def channel_axis():
    """The channel axis of images in Keras's own data format."""
    return 1 if standardize_data_format(None) == "channels_first" else -1


def known_size(x):
    """Height and width of images or feature maps that a layer must know when it is built."""
    size = tuple(size for axis, size in enumerate(x.shape) if axis not in (0, channel_axis() % 4))
    if None in size:
        raise UsageError(
            "`input_shape` must have a known height and width; "
            f"got a tensor of shape {tuple(x.shape[1:])}."
        )
    return size


def image_input(input_shape, smallest=1, preprocessing=None, pad_to=1):
    """Checks the shape of the images and begins a model: `(inputs, x)`.

    Args:
        input_shape: `(height, width, channels)` in Keras's image data format.
        smallest: int, the least height and width that the network takes.
        preprocessing: `None`, or one of `"caffe"`, `"tf"`, `"torch"`: the images, with values from
            0 to 1, are normalized as Keras's models of ImageNet want them.
        pad_to: int, of which height and width are made multiples: the images are mirrored at the
            lower right.

    Returns:
        the `keras.Input`, and the images, padded and normalized.

    Raises:
        ValueError: if the model does not take the shape.
    """
    data_format = keras.config.image_data_format()
    if not isinstance(input_shape, (tuple, list)):
        raise UsageError(
            f"`input_shape` must be a tuple of height, width and channels; got {input_shape!r}."
        )
    shape = tuple(input_shape)
    _, *sizes, channels = image_shape((None, *shape), data_format, "input_shape")
    at_least_one(pad_to, "pad_to")
    if any(-(-size // pad_to) * pad_to < smallest for size in sizes if size is not None):
        raise UsageError(
            f"`input_shape` must have a height and width of at least {smallest} pixels; "
            f"got input_shape={shape}."
        )
    if channels is None:
        raise UsageError(f"`input_shape` must have a known number of channels; got {shape}.")
    inputs = keras.Input(shape, name="images")
    x = inputs if pad_to == 1 else PadToMultiple2D(pad_to, name="image_pad")(inputs)
    if preprocessing is None:
        return inputs, x
    one_of(preprocessing, tuple(PREPROCESSING), "preprocessing")
    if channels != 3:
        raise UsageError(
            f"`preprocessing` is for images of 3 channels; got preprocessing={preprocessing!r} "
            f"with input_shape={shape}."
        )
    mean, stddev = PREPROCESSING[preprocessing]
    scale = [1 / value for value in stddev]
    offset = [-value / by for value, by in zip(mean, stddev, strict=True)]
    return inputs, rescaling(scale, offset, name="preprocessing")(x)


def preprocessing_of(model):
    """The preprocessing of a model that normalizes its images itself, in our words; or `None`."""
    for layer in model.layers:
        if layer.name == "preprocessing":
            for mode, (_, stddev) in PREPROCESSING.items():
                if np.allclose(np.ravel(layer.scale) * stddev, 1):
                    return mode
    return None


def rescaling(scale, offset, **options):
    """Returns a layer that computes `x * scale + offset` with a number for each channel.

    `keras.layers.Normalization` does the same, but its constants become inputs of an ONNX model.
    """
    # With axes for height and width, the numbers meet the channels in either data format.
    shape = (-1, 1, 1) if channel_axis() == 1 else (1, 1, -1)
    scale, offset = (np.reshape(values, shape).tolist() for values in (scale, offset))
    return layers.Rescaling(scale, offset, **options)


def stem_pool(x):
    """The 3x3 max pooling with strides of 2 and explicit zeros after the first ReLU."""
    # Zeros are as good as nothing under the maximum: the ReLU leaves nothing below them.
    x = layers.ZeroPadding2D(1, name="stem_pad")(x)
    return layers.MaxPooling2D(3, strides=2, name="stem_pool")(x)


def logits_layer(num_classes, name="logits"):
    """The last layer; under mixed precision its answers are float32 all the same."""
    return layers.Dense(num_classes, dtype=answer_dtype(), name=name)


def pixel_logits(num_classes, kernel_size=1):
    """Returns the layer of logits for every pixel, also in float32."""
    common = {"dtype": answer_dtype(), "name": "logits"}
    if kernel_size == 1:
        return PointwiseConv2D(num_classes, **common)
    return GroupConv2D(num_classes, kernel_size, padding="same", **common)


def image_model(inputs, x, name):
    """Builds a model that returns an image: `x`, cropped to the size of the inputs."""
    crop = CropLike2D(dtype=answer_dtype(), name="head_crop")
    return keras.Model(inputs, crop([x, inputs]), name=name)


def answer_dtype():
    """What models answer in: float32 under mixed precision."""
    return keras.config.dtype_policy().variable_dtype
