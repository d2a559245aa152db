"""How decoders raise the resolution."""

from keras import layers as keras_layers

from kerascnn import layers
from kerascnn.models.ends import channel_axis
from kerascnn.ops.shapes import one_of

UPSAMPLINGS = ("transposed", "pixel_shuffle", "bilinear")


def upsample(x, upsampling, filters=None, factor=2, kernel_size=None, name="{}", **options):
    """Makes feature maps `factor` times as high and wide.

    Args:
        x: `keras.KerasTensor` of rank 4.
        upsampling: `"transposed"`, a transposed convolution; `"pixel_shuffle"`, a 3x3 sub-pixel
            convolution; `"bilinear"`, interpolation, before which a pointwise convolution changes
            the number of channels if it has to. That is `factor**2` times cheaper than after, and
            the same.
        filters: optional int, the number of channels of the output; by default the input's.
        factor: int.
        kernel_size: optional int, that of the transposed convolution; by default `factor`.
        name: str with a place for the kind of layer, as in `"decoder_stage1_{}"`.
        **options: further arguments of the layers: `dtype`, and those of a convolution.

    Returns:
        `keras.KerasTensor`.

    Raises:
        ValueError: if `upsampling` is none of the above.
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
            name=label,
            **{"kernel_initializer": "he_normal", **options},
        )
        return layer(x)
    dtype = options.get("dtype")
    if upsampling == "pixel_shuffle":
        return layers.SubpixelConv2D(filters, 3, factor, dtype=dtype, name=label)(x)
    if filters != channels:
        x = layers.PointwiseConv2D(filters, dtype=dtype, name=name.format("conv"))(x)
    return keras_layers.UpSampling2D(factor, interpolation="bilinear", dtype=dtype, name=label)(x)
