"""How much the classes weigh in a loss."""

from typing import Any

import numpy as np

from kerascnn.arguments import UsageError


def median_frequency_weights(pixels: Any, pixels_of_images: Any) -> np.ndarray:
    """Class weights by which a rare class counts more: median frequency balancing.

    The frequency of a class is the share of its pixels in the images in which it occurs; its weight
    is the median of all frequencies divided by its own. A class that never occurs has no frequency
    and a weight of 0.

    Args:
        pixels: int array of shape `(classes,)`, the pixels of each class.
        pixels_of_images: int array of shape `(classes,)`, all pixels that count of the images in
            which the class occurs.

    Returns:
        float array of shape `(classes,)`, for `class_weights`.

    Raises:
        ValueError: if no class occurs, or if a class has more pixels than its images.

    Reference:
        [Eigen and Fergus, 2015](https://arxiv.org/abs/1411.4734)

    Example:
        >>> import kerascnn
        >>> weights = kerascnn.losses.median_frequency_weights([80, 10, 20], [100, 100, 50])
        >>> weights.tolist()  # frequencies 0.8, 0.1, 0.4
        [0.5, 4.0, 1.0]
    """
    pixels, pixels_of_images = np.asarray(pixels), np.asarray(pixels_of_images)
    if pixels.shape != pixels_of_images.shape or (pixels > pixels_of_images).any():
        raise UsageError(
            "`pixels_of_images` must be at least `pixels`, class by class; "
            f"got pixels={pixels.tolist()}, pixels_of_images={pixels_of_images.tolist()}."
        )
    occurs = pixels > 0
    if not occurs.any():
        raise UsageError(f"`pixels` must hold a class that occurs; got pixels={pixels.tolist()}.")
    frequency = pixels[occurs] / pixels_of_images[occurs]
    weights = np.zeros(pixels.shape)
    weights[occurs] = np.median(frequency) / frequency
    return weights
