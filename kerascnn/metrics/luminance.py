"""Metrics of luminance, as reported in papers on super-resolution."""

import numpy as np

from kerascnn.arguments import UsageError
from kerascnn.metrics.psnr import LEAST_ERROR

# Wang et al., 2004, section III C
_WINDOW = np.exp(-((np.arange(11) - 5) ** 2) / (2 * 1.5**2))
_WINDOW /= _WINDOW.sum()


def luminance_psnr(truth: np.ndarray, image: np.ndarray, border: int = 0) -> float:
    """Computes the peak signal-to-noise ratio of luminance, in decibels.

    This is `10 * log10(255**2 / mse)` over `Y = 16 + (65.481 R + 128.553 G + 24.966 B) / 255`, with
    values in [16, 235] (MATLAB's `rgb2ycbcr` without rounding), as in papers on super-resolution.
    For luminance in [0, 255], the result of every image would be 1.32 lower.

    Args:
        truth: uint8 array of shape `(height, width, channels)` with 1 or 3 channels.
        image: uint8 array of the same shape.
        border: int, number of pixels to leave out on each side; papers use the upscaling factor.

    Returns:
        float, at most 100, for equal images.

    Raises:
        ValueError: if the shapes differ, or nothing is left inside the border.

    Example:
        >>> import numpy as np
        >>> import kerascnn
        >>> black = np.zeros((8, 8, 3), "uint8")
        >>> round(kerascnn.metrics.luminance_psnr(black, black + np.uint8(255)), 3)  # of 219
        1.322
    """
    truth, image = _inside(truth, image, border, smallest=1)
    error = np.mean((truth - image) ** 2) / 255**2
    return float(-10 * np.log10(max(error, LEAST_ERROR)))


def luminance_ssim(truth: np.ndarray, image: np.ndarray, border: int = 0) -> float:
    """Computes the structural similarity of luminance, as papers on super-resolution report it.

    The mean of `(2 m n + c1) (2 s + c2) / ((m**2 + n**2 + c1) (v + w + c2))` over all positions of
    a Gaussian window of 11x11 pixels with a standard deviation of 1.5 inside the image. The window
    weights the means `m` and `n`, variances `v` and `w` and covariance `s` of the two images; the
    constants are `c1 = (0.01 * 255)**2` and `c2 = (0.03 * 255)**2`. Luminance is defined as in
    `luminance_psnr`.

    Args:
        truth: uint8 array of shape `(height, width, channels)` with 1 or 3 channels.
        image: uint8 array of the same shape.
        border: int, number of pixels to leave out on each side; papers use the upscaling factor.

    Returns:
        float, at most 1, for equal images.

    Raises:
        ValueError: if the shapes differ, or the window does not fit inside the border.

    Reference:
        [Wang et al., 2004](https://doi.org/10.1109/TIP.2003.819861)

    Example:
        >>> import numpy as np
        >>> import kerascnn
        >>> image = np.arange(256, dtype="uint8").reshape(16, 16, 1)
        >>> kerascnn.metrics.luminance_ssim(image, image)
        1.0
    """
    x, y = _inside(truth, image, border, smallest=len(_WINDOW))
    mean_x, mean_y = _blurred(x), _blurred(y)
    variance_x = _blurred(x * x) - mean_x**2
    variance_y = _blurred(y * y) - mean_y**2
    covariance = _blurred(x * y) - mean_x * mean_y
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    similar = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    return float(np.mean(similar / ((mean_x**2 + mean_y**2 + c1) * (variance_x + variance_y + c2))))


def _inside(truth, image, border, smallest):
    """Returns the luminances of two images without the border."""
    if truth.shape != image.shape:
        raise UsageError(
            f"`image` must have the shape of `truth`, {truth.shape}; got {image.shape}."
        )
    if border < 0 or min(truth.shape[:2]) - 2 * border < smallest:
        raise UsageError(
            f"`border` must be at least 0 and leave {smallest}x{smallest} pixels; "
            f"got border={border} with shape {truth.shape}."
        )
    weights = np.array([65.481, 128.553, 24.966])
    inside = slice(border, -border or None)

    def of(image):
        color = np.broadcast_to(image[inside, inside], (*image[inside, inside].shape[:2], 3))
        return 16 + color @ weights / 255

    return of(truth), of(image)


def _blurred(image):
    for _ in range(2):  # rows, then columns
        places = len(image) - len(_WINDOW) + 1
        image = np.asarray(sum(w * image[i : i + places] for i, w in enumerate(_WINDOW))).T
    return image
