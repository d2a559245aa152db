"""Peak signal-to-noise ratio, for training."""

from typing import Any

import keras
from keras import ops

# An infinite value could not be averaged or written as JSON.
LEAST_ERROR = 1e-10


@keras.saving.register_keras_serializable(package="kerascnn")
def psnr(y_true: Any, y_pred: Any) -> Any:
    """Computes the peak signal-to-noise ratio of images with values in [0, 1], in decibels.

    `-10 * log10(mse)` for each image, over all pixels and channels, with predictions clipped to [0,
    1]. Equal images have 100. Use it as the metric of `fit`; for results as in papers, use
    `luminance_psnr`.

    Args:
        y_true: float tensor of shape `(batch, height, width, channels)`.
        y_pred: float tensor of the same shape.

    Returns:
        float32 tensor of shape `(batch,)`.

    Example:
        >>> import keras
        >>> import kerascnn
        >>> images = keras.ops.zeros((1, 4, 4, 1))
        >>> round(float(kerascnn.metrics.psnr(images, images + 0.1)[0]), 3)
        20.0
    """
    answers = ops.clip(ops.cast(y_pred, "float32"), 0.0, 1.0)
    error = ops.mean(ops.square(ops.cast(y_true, "float32") - answers), axis=(1, 2, 3))
    return -10.0 * ops.log10(ops.maximum(error, LEAST_ERROR))
