"""Upsampling in decoders."""

from kerascnn import layers
from kerascnn.arguments import one_of
from kerascnn.models.inputs import channel_axis

UPSAMPLINGS = ("transposed", "pixel_shuffle", "bilinear")


def upsample(
    x,
    upsampling,
    filters=None,
    factor=2,
    kernel_size=None,
    use_bias=True,
    kernel_initializer="he_normal",
    dtype=None,
    name="{}",
):
    """Upsamples feature maps by a factor.

    Args:
        x: `keras.KerasTensor` of rank 4.
        upsampling: `"transposed"`, a transposed convolution; `"pixel_shuffle"`, a 3x3 sub-pixel
            convolution; or `"bilinear"`, interpolation after a pointwise convolution that changes
            the number of channels if necessary. This order gives the same result as the reverse
            one, and is `factor**2` times cheaper.
        filters: optional int, the number of output channels; by default as in the input.
        factor: int.
        kernel_size: optional int, of the transposed convolution; by default `factor`.
        use_bias: bool, whether the convolution has a bias.
        kernel_initializer: initializer of the transposed convolution.
        dtype: optional dtype or policy of the layers.
        name: str with a placeholder for the kind of layer, as in `"decoder_stage1_{}"`.

    Returns:
        `keras.KerasTensor`.

    Raises:
        ValueError: if `upsampling` is invalid.
    """
    one_of(upsampling, UPSAMPLINGS, "upsampling")
    channels = x.shape[channel_axis()]
    filters = filters or channels
    label = name.format("upsample")
    if upsampling == "transposed":
        layer = layers.Conv2DTranspose(
            filters,
            kernel_size or factor,
            strides=factor,
            padding="same",
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            dtype=dtype,
            name=label,
        )
        return layer(x)
    common = {"use_bias": use_bias, "dtype": dtype}
    if upsampling == "pixel_shuffle":
        return layers.SubpixelConv2D(filters, 3, factor, name=label, **common)(x)
    if filters != channels:
        x = layers.PointwiseConv2D(filters, name=name.format("conv"), **common)(x)
    return layers.BilinearUpsampling2D(factor, dtype=dtype, name=label)(x)
