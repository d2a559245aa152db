"""SegNet: a decoder that unpools features with the indices of the encoder's max pooling."""

from dataclasses import dataclass

from kerascnn import layers
from kerascnn.arguments import one_of
from kerascnn.models.conv_norm import ConvNorm
from kerascnn.models.family import Family
from kerascnn.models.inputs import image_input
from kerascnn.models.lengths import one_for_each
from kerascnn.models.outputs import image_model, pixel_logits
from kerascnn.models.upsample import UPSAMPLINGS, upsample

INPUT_SHAPE = (360, 480, 3)


@dataclass(frozen=True)
class SegNetConfig:
    """Configuration of a SegNet for images of any size.

    Args:
        depths: convolutions in each stage of the encoder, which ends in 2x2 max pooling; the
            decoder has the same number.
        growth: filters of the convolutions in each stage, in multiples of `width`.
        kernel_size: int, of all convolutions.
        basic: bool, whether the images are normalized locally, the decoder has no ReLU, and a
            pointwise convolution computes the logits, instead of the last convolution.

    Reference:
        [Badrinarayanan et al., 2017](https://arxiv.org/abs/1511.00561)

    Example:
        >>> import kerascnn
        >>> config = kerascnn.models.rows.SegNetConfig(depths=(1, 2), growth=(1, 2))
        >>> kerascnn.models.create_model(config, (31, 45, 3), 5, width=8).output_shape
        (None, 31, 45, 5)
    """

    depths: tuple[int, ...]
    growth: tuple[int, ...]
    kernel_size: int = 3
    basic: bool = False

    def __post_init__(self):
        one_for_each(self, "depths", "growth")


# Gray levels in a difference of 1 after `preprocessing`; "torch" divides by about 0.226.
_GRAY_LEVELS = {None: 255.0, "caffe": 1.0, "tf": 127.5, "torch": 255 * 0.226}

VARIANTS = {
    # Badrinarayanan et al., 2017, figure 2: VGG16 and its mirror image
    "segnet": SegNetConfig(depths=(2, 2, 3, 3, 3), growth=(1, 2, 4, 8, 8)),
    # section 3.1: "a smaller version of SegNet, termed SegNet-Basic"
    "segnet_basic": SegNetConfig((1, 1, 1, 1), (1, 1, 1, 1), kernel_size=7, basic=True),
}


@dataclass(frozen=True)
class SegNetOptions:
    """Options of a SegNet.

    Args:
        width: int, filters of the first convolution.
        upsampling: `"unpooling"`, or, without the indices of the maxima, `"transposed"`,
            `"pixel_shuffle"` or `"bilinear"`.
        preprocessing: `None`, `"caffe"`, `"tf"` or `"torch"`: normalization of the images, as in
            Keras's and torchvision's ImageNet models.
    """

    width: int = 64
    upsampling: str = "unpooling"
    preprocessing: str | None = None


def _segnet(config, input_shape, num_classes, options, name):
    upsampling = one_of(options.upsampling, ("unpooling", *UPSAMPLINGS), "upsampling")
    inputs, x = image_input(
        input_shape, preprocessing=options.preprocessing, pad_to=2 ** len(config.depths)
    )
    # As in the authors' Caffe, convolutions before batch normalization have a bias.
    conv_norm = ConvNorm(use_bias=True)
    if config.basic:
        # The authors' constants, with Caffe's k, are for pixel values in [0, 255].
        alpha = 1e-4 * _GRAY_LEVELS[options.preprocessing] ** 2
        x = layers.LocalResponseNormalization(
            5, alpha=alpha, beta=0.75, k=1.0, divide_alpha=True, name="stem_lrn"
        )(x)
    widths = [multiple * options.width for multiple in config.growth]
    places = []
    for stage, (depth, filters) in enumerate(zip(config.depths, widths, strict=True), 1):
        for i in range(1, depth + 1):
            x = conv_norm(x, filters, config.kernel_size, name=f"stage{stage}_{{}}{i}")
        x, indices = layers.MaxPoolWithArgmax2D(2, name=f"stage{stage}_pool")(x)
        places.append(indices)
    for stage in range(len(widths), 0, -1):
        prefix = f"decoder_stage{stage}"
        if upsampling == "unpooling":
            x = layers.MaxUnpool2D(2, name=f"{prefix}_unpool")([x, places[stage - 1]])
        else:
            x = upsample(x, upsampling, name=f"{prefix}_{{}}")
        depth = config.depths[stage - 1]
        # The last convolution of a stage has the channels of the next stage.
        filters = [widths[stage - 1]] * (depth - 1) + [widths[max(stage - 2, 0)]]
        if stage == 1 and not config.basic:
            filters.pop()
        for i, count in enumerate(filters, 1):
            activate = not config.basic
            x = conv_norm(x, count, config.kernel_size, activate=activate, name=f"{prefix}_{{}}{i}")
    logits = pixel_logits(num_classes, 1 if config.basic else config.kernel_size)
    return image_model(inputs, logits(x), name)


FAMILIES = (
    Family(
        builder=_segnet,
        options=SegNetOptions,
        variants=VARIANTS,
        input_shape=INPUT_SHAPE,
        num_classes=11,
        task="segmentation",
    ),
)
