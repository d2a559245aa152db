"""VGG: deep networks of 3x3 convolutions."""

from dataclasses import dataclass

from keras import layers as keras_layers

from kerascnn import layers
from kerascnn.models.classifier import ClassifierOptions, classifier
from kerascnn.models.family import Family, Pretrained
from kerascnn.models.heads import dense_head
from kerascnn.models.lengths import one_for_each

INPUT_SHAPE = (224, 224, 3)


@dataclass(frozen=True)
class VGGConfig:
    """Configuration of a VGG network.

    `features_only` returns the outputs of the last convolution of each stage and of the last
    pooling.

    Args:
        depths: 3x3 convolutions in each stage, which ends in 2x2 max pooling.
        widths: filters of the convolutions in each stage.
        units: units of the fully connected layers before the logits.

    Reference:
        [Simonyan and Zisserman, 2015](https://arxiv.org/abs/1409.1556)

    Example:
        >>> import kerascnn
        >>> config = kerascnn.models.rows.VGGConfig(depths=(1, 2), widths=(8, 16), units=(32,))
        >>> model = kerascnn.models.create_model(config, (32, 32, 3), features_only=True)
        >>> {stride: maps.shape[-1] for stride, maps in model.output.items()}
        {1: 8, 2: 16, 4: 16}
    """

    depths: tuple[int, ...]
    widths: tuple[int, ...] = (64, 128, 256, 512, 512)
    units: tuple[int, ...] = (4096, 4096)

    def __post_init__(self):
        one_for_each(self, "depths", "widths")


VARIANTS = {
    # Simonyan and Zisserman, 2015, table 1: columns A, B, D and E
    "vgg11": VGGConfig(depths=(1, 1, 2, 2, 2)),
    "vgg13": VGGConfig(depths=(2, 2, 2, 2, 2)),
    "vgg16": VGGConfig(depths=(2, 2, 3, 3, 3)),
    "vgg19": VGGConfig(depths=(2, 2, 4, 4, 4)),
}


@dataclass(frozen=True)
class VGGOptions(ClassifierOptions):
    """Options of a VGG network, in addition to `ClassifierOptions`.

    Args:
        dropout: float, dropout rate after each fully connected layer before the logits.
    """

    dropout: float = 0.5


def _smallest(config):
    return 2 ** len(config.depths)


def _trunk(x, config, options):
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
    return features


def _keras_names(config):
    return {
        r"stage(\d)_conv(\d)": lambda stage, i: f"block{stage}_conv{i}",
        r"head_dense(\d)": lambda i: f"fc{i}",
        "logits": "predictions",
    }


def _torchvision_names(config):
    """Torchvision numbers convolutions, ReLUs and poolings consecutively."""
    names, module = {}, 0
    for stage, depth in enumerate(config.depths, 1):
        for i in range(1, depth + 1):
            names[f"stage{stage}_conv{i}"] = f"features.{module}"
            module += 2
        module += 1
    head = {"head_dense1": "classifier.0", "head_dense2": "classifier.3", "logits": "classifier.6"}
    return {**names, **head}


FAMILIES = (
    Family(
        builder=classifier(_trunk, dense_head, smallest=_smallest),
        options=VGGOptions,
        variants=VARIANTS,
        input_shape=INPUT_SHAPE,
        encoder=True,
        pretrained={name: Pretrained(name.upper(), "caffe") for name in ("vgg16", "vgg19")},
        keras_names=_keras_names,
        torchvision_names=_torchvision_names,
    ),
)
