"""How much an image that an export computes may differ from the model's."""

import numpy as np

from kerascnn.export.serving import ExportError, tolerance_of


def check_gray_levels(model, image, expected, tolerance=None):
    """Returns the largest difference in gray levels from an image of the model.

    Args:
        model: `keras.Model`, whose precision decides what is close.
        image: uint8 array that an export computed.
        expected: uint8 array of the same shape, that of the model.
        tolerance: optional float, of values in [0, 1], instead of what the precision explains.

    Raises:
        ExportError: if they differ by more.
    """
    difference = np.abs(expected.astype(int) - image)
    # What lies between two gray levels may be rounded to either of them.
    tolerance = tolerance_of(model) if tolerance is None else tolerance
    allowed = 1 + 255 * tolerance
    rounded_otherwise = np.mean(difference > 0)
    if not (difference.max() <= allowed and rounded_otherwise <= 1e-2 * allowed):
        raise ExportError(
            f"The export must compute what the model does, within {allowed:.1f} gray levels and "
            f"nearly everywhere the same; got differences of up to {difference.max()}, and some "
            f"in {rounded_otherwise:.2%} of the values."
        )
    return float(difference.max())
