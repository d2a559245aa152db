"""Draws an image into Matplotlib axes."""

import numpy as np


def draw_image(axes, image):
    """Draws an image with sharp pixels.

    Args:
        axes: `matplotlib.axes.Axes`.
        image: array of shape `(height, width, channels)` with 1 or 3 channels: uint8, or floats in
            [0, 1]; other values are clipped.
    """
    image = np.asarray(image)
    largest = 255 if image.dtype == np.uint8 else 1
    gray = image.shape[-1] == 1
    axes.imshow(
        np.clip(image[..., 0] if gray else image, 0, largest),
        cmap="gray" if gray else None,
        vmin=0,
        vmax=largest,
        interpolation="nearest",
    )
