"""Compares output images of an exported model with the model."""

import numpy as np

from kerascnn.export.serving import ExportError, tolerance_of


def check_gray_levels(model, image, expected, tolerance=None):
    """Returns the largest difference in gray levels from the model's image.

    Args:
        model: `keras.Model`, whose precision determines the tolerance.
        image: uint8 array, the output of the exported model.
        expected: uint8 array of the same shape, the output of the model.
        tolerance: optional float, for values in [0, 1]; by default from the precision.

    Raises:
        ExportError: if the difference exceeds the tolerance.
    """
    difference = np.abs(expected.astype(int) - image)
    # Values halfway between two gray levels may be rounded to either.
    tolerance = tolerance_of(model) if tolerance is None else tolerance
    allowed = 1 + 255 * tolerance
    rounded_otherwise = np.mean(difference > 0)
    if not (difference.max() <= allowed and rounded_otherwise <= 1e-2 * allowed):
        raise ExportError(
            f"The exported model must match the model within {allowed:.1f} gray levels "
            f"and be equal almost everywhere; got differences of up to {difference.max()}, and "
            f"some in {rounded_otherwise:.2%} of the values."
        )
    return float(difference.max())
