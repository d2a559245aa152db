"""ZFNet: AlexNet with finer first layers, after visualizations of its features."""

from kerascnn.models.alexnet import AlexNetConfig, AlexNetOptions, alexnet
from kerascnn.models.family import Family

INPUT_SHAPE = (224, 224, 3)

VARIANTS = {
    # Zeiler and Fergus, 2013, figure 3: 224 -> 110 -> 55 -> 26 -> 13 -> 13 -> 6 pixels. The paper
    # has no formula for its "contrast normalization across feature maps"; this uses local response
    # normalization with AlexNet's constants, after the pooling as in the paper.
    "zfnet": AlexNetConfig(
        filters=(96, 256, 384, 384, 256),
        kernel_sizes=(7, 5),
        strides=(2, 2),
        zeros=(1, 0),
        pooling=("same", "same", "valid"),
        normalization="after_pooling",
    ),
}

FAMILIES = (
    Family(builder=alexnet, options=AlexNetOptions, variants=VARIANTS, input_shape=INPUT_SHAPE),
)
