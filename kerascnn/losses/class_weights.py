"""Class weights for losses."""

from typing import Any

import numpy as np

from kerascnn.arguments import UsageError


def inverse_frequency_weights(counts: Any) -> np.ndarray:
    """Computes class weights for classification, which are larger for rarer classes.

    `weight[c] = examples / (classes * counts[c])`, over the classes that occur, so that all classes
    contribute equally to the loss, and the mean weight of the examples is 1. A class that never
    occurs has a weight of 0.

    Args:
        counts: int array of shape `(classes,)`, the number of examples of each class.

    Returns:
        float array of shape `(classes,)`, for `class_weights`.

    Raises:
        ValueError: if no class occurs.

    Reference:
        [King and Zeng, 2001](https://doi.org/10.1093/oxfordjournals.pan.a004868), as scikit-learn's
        `class_weight="balanced"`

    Example:
        >>> import kerascnn
        >>> kerascnn.losses.inverse_frequency_weights([90, 10]).round(3).tolist()
        [0.556, 5.0]
    """
    counts = np.asarray(counts, float)
    occurs = counts > 0
    if not occurs.any():
        raise UsageError(f"`counts` must have a value above 0; got counts={counts.tolist()}.")
    weights = np.zeros(counts.shape)
    weights[occurs] = counts.sum() / (occurs.sum() * counts[occurs])
    return weights


def median_frequency_weights(pixels: Any, pixels_of_images: Any) -> np.ndarray:
    """Computes class weights for segmentation by median frequency balancing.

    The frequency of a class is the fraction of its pixels in the images in which it occurs; its
    weight is the median of all frequencies divided by its own, so that rare classes have larger
    weights. A class that never occurs has no frequency and a weight of 0.

    Args:
        pixels: int array of shape `(classes,)`, the number of pixels of each class.
        pixels_of_images: int array of shape `(classes,)`, the number of all pixels that are not
            ignored in the images in which the class occurs.

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
        raise UsageError(f"`pixels` must have a value above 0; got pixels={pixels.tolist()}.")
    frequency = pixels[occurs] / pixels_of_images[occurs]
    weights = np.zeros(pixels.shape)
    weights[occurs] = np.median(frequency) / frequency
    return weights
