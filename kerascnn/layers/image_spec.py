"""What a built layer takes."""

import keras

from kerascnn.ops.shapes import known_channels


def image_spec(input_shape, data_format):
    """Returns the `keras.layers.InputSpec` of images with as many channels as in a shape.

    Without it, an op may take other images than the layer was built for: it broadcasts, or takes
    twice as many channels as two groups.
    """
    axis = 1 if data_format == "channels_first" else -1
    channels = known_channels(input_shape, data_format)
    return keras.layers.InputSpec(ndim=4, axes={axis: channels})
