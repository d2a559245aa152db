"""Inputs and outputs of exported upscaling models."""

import keras

from kerascnn.data.pixels import to_channels
from kerascnn.data.upscaler_images import to_upscale, upscaled_image
from kerascnn.export.gray_levels import check_gray_levels
from kerascnn.export.serving import Serving
from kerascnn.inference.upscaling import factor_of, upscale


def upscaling_serving(model: keras.Model) -> Serving:
    """Returns the `serving` argument of `export` for an upscaling model.

    The exported model does the same operations as `kerascnn.inference.upscale`, but without tiles.
    Its output is `images`, uint8 of shape `(batch, height * factor, width * factor, 3)`;
    transparent images are blended with a white background.

    Args:
        model: `keras.Model` as for `kerascnn.inference.upscale`.

    Returns:
        `Serving`.

    Raises:
        ValueError: if the model does not upscale.

    Example:
        >>> import kerascnn
        >>> model = kerascnn.models.create_model("espcn_x2")
        >>> kerascnn.export.upscaling_serving(model).metadata["factor"]
        2
    """
    factor, channels = factor_of(model), model.input_shape[-1]

    def outputs(network, images):
        given = to_upscale(images, channels)
        return {"images": upscaled_image(network(given), images, factor)}

    def check(image, found, tolerance=None):
        color = to_channels(image, 3)
        return check_gray_levels(model, found["images"], upscale(model, color), tolerance)

    return Serving(
        3,
        outputs,
        check,
        metadata={"task": "upscaling", "image": "images", "factor": factor},
        unit="gray levels",
    )
