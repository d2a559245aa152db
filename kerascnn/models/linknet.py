"""LinkNet: a decoder that adds the encoder's features."""

from dataclasses import dataclass

from kerascnn import layers
from kerascnn.models.conv_norm import ConvNorm
from kerascnn.models.encoder import EncoderOptions, build_encoder
from kerascnn.models.family import Family
from kerascnn.models.inputs import channel_axis
from kerascnn.models.outputs import answer_dtype, image_model
from kerascnn.models.upsample import upsample

INPUT_SHAPE = (360, 480, 3)


@dataclass(frozen=True)
class LinkNetConfig:
    """Configuration of a LinkNet for images of any size.

    Args:
        encoder: str, the name of a classifier that can be an encoder and has features at a stride
            of 4.

    Reference:
        [Chaurasia and Culurciello, 2017](https://arxiv.org/abs/1707.03718)

    Example:
        >>> import kerascnn
        >>> config = kerascnn.models.rows.LinkNetConfig(encoder="resnet20")
        >>> kerascnn.models.create_model(config, (50, 71, 3), num_classes=5).output_shape
        (None, 50, 71, 5)
    """

    encoder: str = "resnet18"


VARIANTS = {
    # Chaurasia and Culurciello, 2017, table 1
    "linknet": LinkNetConfig(),
}


@dataclass(frozen=True)
class LinkNetOptions(EncoderOptions):
    """Options of a LinkNet, in addition to `EncoderOptions`.

    Args:
        width: int, filters of the last convolutions.
        upsampling: `"transposed"`, the paper's "full-convolution", `"pixel_shuffle"` or
            `"bilinear"`.
    """

    width: int = 32
    upsampling: str = "transposed"


def _linknet(config, input_shape, num_classes, options, name):
    trunk = build_encoder(config, options, input_shape, (4,), pad_to=32)
    width, upsampling = options.width, options.upsampling
    conv_norm = ConvNorm()
    features = {stride: x for stride, x in trunk.output.items() if stride >= 4}
    x = features[max(features)]
    for stride in sorted(features, reverse=True):
        finer = max((other for other in features if other < stride), default=None)
        target = x if finer is None else features[finer]
        x = _block(
            x,
            target.shape[channel_axis()],
            1 if finer is None else stride // finer,
            upsampling,
            conv_norm,
            f"decoder_stride{stride}",
        )
        if finer is not None:
            x = layers.residual_connection(target, lambda _, branch=x: branch)

    def larger(x, filters, factor, kernel_size, name, **more):
        kernel_size = max(kernel_size, factor)
        return upsample(x, upsampling, filters, factor, kernel_size, name=name, **more)

    factor = min(features) // 2
    x = conv_norm.norm(larger(x, width, factor, 3, "head_{}1", use_bias=False), name="head_{}1")
    x = conv_norm(x, width, 3, name="head_{}2")
    logits = larger(x, num_classes, 2, 2, "logits_{}", dtype=answer_dtype())
    return image_model(trunk.inputs[0], logits, name)


def _block(x, filters, factor, upsampling, conv_norm, prefix):
    """A decoder block: reduces the channels, upsamples, and expands to the output channels."""
    inner = x.shape[channel_axis()] // 4
    x = conv_norm(x, inner, 1, name=f"{prefix}_{{}}1")
    if factor == 1 and upsampling != "transposed":
        x = conv_norm.conv(x, inner, 3, name=f"{prefix}_{{}}2")
    else:
        options = {"kernel_size": max(3, factor), "use_bias": False}
        x = upsample(x, upsampling, factor=factor, name=f"{prefix}_{{}}2", **options)
    x = conv_norm.norm(x, name=f"{prefix}_{{}}2")
    return conv_norm(x, filters, 1, name=f"{prefix}_{{}}3")


FAMILIES = (
    Family(
        builder=_linknet,
        options=LinkNetOptions,
        variants=VARIANTS,
        input_shape=INPUT_SHAPE,
        num_classes=11,
        task="segmentation",
    ),
)
