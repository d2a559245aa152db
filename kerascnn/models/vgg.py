"""VGG: nothing but 3x3 convolutions, and as deep as they got without shortcuts."""

from dataclasses import dataclass

from keras import layers as keras_layers

from kerascnn import layers
from kerascnn.models.ends import dense_head, image_input, model_of
from kerascnn.models.family import Family, Pretrained

INPUT_SHAPE = (224, 224, 3)


@dataclass(frozen=True)
class VGGConfig:
    """One row of the table of variants.

    Args:
        depths: 3x3 convolutions in each stage, which ends in 2x2 max pooling.
        widths: filters of the convolutions in each stage.
        units: units of the fully connected layers before the logits.
    """

    depths: tuple[int, ...]
    widths: tuple[int, ...] = (64, 128, 256, 512, 512)
    units: tuple[int, ...] = (4096, 4096)


VARIANTS = {
    # Simonyan and Zisserman, 2015, table 1: columns A, B, D and E
    "vgg11": VGGConfig(depths=(1, 1, 2, 2, 2)),
    "vgg13": VGGConfig(depths=(2, 2, 2, 2, 2)),
    "vgg16": VGGConfig(depths=(2, 2, 3, 3, 3)),
    "vgg19": VGGConfig(depths=(2, 2, 4, 4, 4)),
}


def vgg(
    config,
    input_shape=INPUT_SHAPE,
    num_classes=1000,
    include_top=True,
    pooling=None,
    features_only=False,
    preprocessing=None,
    dropout=0.5,
    pad_to=1,
    name="vgg",
):
    """Builds a VGG network that answers with logits.

    Args:
        config: `VGGConfig`.
        input_shape: `(height, width, channels)` in Keras's image data format; without the fully
            connected layers, height and width may be `None`.
        num_classes: int, the number of logits.
        include_top: bool; without it the model answers with its last feature maps.
        pooling: `"avg"` or `"max"`, to get a vector instead of those; or `None`.
        features_only: bool, whether to answer with `{stride: features}` for a decoder: the last
            convolution of each stage, and the last pooling.
        preprocessing: `None`, `"caffe"`, `"tf"` or `"torch"`: how Keras's and torchvision's models
            of ImageNet want their images normalized.
        dropout: float, the rate after each fully connected layer before the logits.
        pad_to: int: images are mirrored at the lower right until height and width are multiples
            of it, for decoders; 32 fits every encoder.
        name: str, the model's name.

    Returns:
        `keras.Model` from images of shape `(batch, *input_shape)` with values from 0 to 1 to
        logits of shape `(batch, num_classes)`.

    Raises:
        ValueError: if the images are too small, or an argument is none of the above.

    Reference:
        [Simonyan and Zisserman, 2015](https://arxiv.org/abs/1409.1556)

    Example:
        >>> import kerascnn
        >>> config = kerascnn.models.VGGConfig(depths=(1, 2), widths=(8, 16), units=(32,))
        >>> model = kerascnn.models.vgg(config, (32, 32, 3), features_only=True)
        >>> {stride: maps.shape[-1] for stride, maps in model.output.items()}
        {1: 8, 2: 16, 4: 16}
    """
    inputs, x = image_input(
        input_shape,
        smallest=2 ** len(config.depths),
        fixed=include_top and not features_only,
        preprocessing=preprocessing,
        pad_to=pad_to,
    )
    features, stride = {}, 1
    for stage, (depth, width) in enumerate(zip(config.depths, config.widths, strict=True), 1):
        for i in range(1, depth + 1):
            x = layers.GroupConv2D(
                width,
                3,
                padding=1,
                activation="relu",
                kernel_initializer="he_normal",
                name=f"stage{stage}_conv{i}",
            )(x)
        features[stride] = x
        stride *= 2
        x = features[stride] = keras_layers.MaxPooling2D(2, name=f"stage{stage}_pool")(x)
    return model_of(
        inputs,
        features,
        num_classes,
        include_top,
        pooling,
        features_only,
        head=dense_head(config.units, dropout),
        name=name,
    )


def _torchvision_names(config):
    """Torchvision numbers convolutions, ReLUs and poolings through, hence by the depths."""
    names, module = {}, 0
    for stage, depth in enumerate(config.depths, 1):
        for i in range(1, depth + 1):
            names[f"stage{stage}_conv{i}"] = f"features.{module}"
            module += 2
        module += 1
    head = {"head_dense1": "classifier.0", "head_dense2": "classifier.3", "logits": "classifier.6"}
    return {**names, **head}


_PRETRAINED = {name: Pretrained(name.upper(), "caffe") for name in ("vgg16", "vgg19")}
# From the shallowest on, since the layers of each are among those of the next.
FAMILIES = tuple(
    Family(
        builder=vgg,
        variants={name: config},
        input_shape=INPUT_SHAPE,
        pretrained={name: _PRETRAINED[name]} if name in _PRETRAINED else {},
        keras_names={
            r"stage(\d)_conv(\d)": lambda stage, i: f"block{stage}_conv{i}",
            r"head_dense(\d)": lambda i: f"fc{i}",
            "logits": "predictions",
        },
        torchvision_names=_torchvision_names(config),
    )
    for name, config in VARIANTS.items()
)
