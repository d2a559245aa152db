"""Inputs of image models: checks, padding and normalization."""

import numbers

import keras
import numpy as np
from keras import layers

from kerascnn.arguments import UsageError, at_least_one, one_of
from kerascnn.layers.pad_to_multiple import PadToMultiple2D
from kerascnn.ops.shapes import image_shape, standardize_data_format

# Mean and standard deviation of the pixels, for values in [0, 1], by mode of
# `keras.applications.imagenet_utils.preprocess_input`. Keras's "caffe" also swaps red and blue;
# `weights="imagenet"` swaps the kernels of the first layer instead.
PREPROCESSING = {
    "caffe": ((123.68 / 255, 116.779 / 255, 103.939 / 255), (1 / 255, 1 / 255, 1 / 255)),
    "tf": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
    "torch": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
}


def channel_axis():
    """Returns the channel axis of images in Keras's data format."""
    return 1 if standardize_data_format(None) == "channels_first" else -1


def known_size(x):
    """Returns the height and width of images or feature maps, which must be known."""
    size = tuple(size for axis, size in enumerate(x.shape) if axis not in (0, channel_axis() % 4))
    if None in size:
        raise UsageError(
            "`input_shape` must have a known height and width; "
            f"got a tensor of shape {tuple(x.shape[1:])}."
        )
    return size


def image_input(input_shape, smallest=1, preprocessing=None, pad_to=1):
    """Checks the shape of the images, and creates the input of a model.

    Args:
        input_shape: `(height, width, channels)` in Keras's image data format.
        smallest: int, the smallest height and width of the model.
        preprocessing: `None`, or one of `"caffe"`, `"tf"`, `"torch"`: normalization of images in
            [0, 1], as in Keras's ImageNet models.
        pad_to: int; images are padded by reflection at the bottom and right to multiples of it.

    Returns:
        `(inputs, x)`: the `keras.Input`, and the padded and normalized images.

    Raises:
        ValueError: if the model does not support the shape.
    """
    data_format = keras.config.image_data_format()
    if not isinstance(input_shape, (tuple, list)) or not _are_sizes(input_shape):
        raise UsageError(
            "`input_shape` must be a tuple of height, width and channels, each an int of at least "
            f"1 or None; got {input_shape!r}."
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


def _are_sizes(shape):
    return len(shape) == 3 and all(
        size is None or (isinstance(size, numbers.Integral) and size >= 1) for size in shape
    )


def preprocessing_of(model):
    """Returns the `preprocessing` of a model that normalizes its images itself, or `None`."""
    for layer in model.layers:
        if layer.name == "preprocessing":
            for mode, (_, stddev) in PREPROCESSING.items():
                if np.allclose(np.ravel(layer.scale) * stddev, 1):
                    return mode
    return None


def rescaling(scale, offset, **options):
    """Returns a layer that computes `x * scale + offset` with values for each channel.

    `keras.layers.Normalization` computes the same, but its constants become ONNX inputs.
    """
    # With axes for height and width, the values match the channels in both data formats.
    shape = (-1, 1, 1) if channel_axis() == 1 else (1, 1, -1)
    scale, offset = (np.reshape(values, shape).tolist() for values in (scale, offset))
    return layers.Rescaling(scale, offset, **options)  # pyright: ignore[reportArgumentType]
