"""Random images and kernels, and a look at images in either data format."""

import numpy as np


def random_arrays(*shapes, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape).astype("float32") for shape in shapes]


def in_data_format(data_format):
    """Function from an image with channels last to the same in `data_format`."""
    if data_format == "channels_last":
        return np.asarray
    return lambda image: np.moveaxis(image, -1, 1)


def shape_in(data_format, shape):
    """A shape with channels last as a shape in `data_format`."""
    return shape if data_format == "channels_last" else (shape[0], shape[-1], *shape[1:-1])
