"""The engine of every classifier: what a trunk and a head have around them."""

from dataclasses import dataclass

import keras
from keras import layers

from kerascnn.arguments import UsageError, one_of
from kerascnn.models.ends import image_input, logits_layer
from kerascnn.models.heads import global_average

_POOLINGS = {None: None, "avg": layers.GlobalAveragePooling2D, "max": layers.GlobalMaxPooling2D}


@dataclass(frozen=True)
class ClassifierOptions:
    """What every classifier takes.

    Args:
        include_top: bool; without it the model returns its last feature maps.
        pooling: `"avg"` or `"max"`, to get a vector instead of those; or `None`.
        features_only: bool, whether the model returns `{stride: features}`, for a decoder: the
            last feature maps of each resolution.
        preprocessing: `None`, `"caffe"`, `"tf"` or `"torch"`: how Keras's and torchvision's models
            of ImageNet want their images normalized.
        pad_to: int: images are mirrored at the lower right until height and width are multiples
            of it, for decoders; 32 fits every encoder.
    """

    include_top: bool = True
    pooling: str | None = None
    features_only: bool = False
    preprocessing: str | None = None
    pad_to: int = 1


def any_size(config):
    """The least height and width of most networks."""
    return 1


def plain_logits(x, num_classes, config):
    """The logits of most networks: weighted sums."""
    return logits_layer(num_classes)(x)


def classifier(trunk, head=global_average, logits=plain_logits, auxiliary=None, smallest=any_size):
    """Makes the builder of a family of classifiers from what is its own.

    Args:
        trunk: function `(x, config, options)` that returns `{stride: features}`, the last feature
            maps of each resolution; or `{}` for a network without feature maps.
        head: function `(x, config, options)` from the last of them to what the logits are computed
            from.
        logits: function `(x, num_classes, config)` that returns the logits.
        auxiliary: optional function `(output_of, num_classes, config, options)` that returns a
            list of further logits, for training; `output_of(name)` is the output of a layer of the
            trunk.
        smallest: function of the config that returns the least height and width.

    Returns:
        function `(config, input_shape, num_classes, options, name)` that returns a `keras.Model`.
    """

    def build(config, input_shape, num_classes, options, name):
        one_of(options.pooling, tuple(_POOLINGS), "pooling")
        inputs, x = image_input(
            input_shape, smallest(config), options.preprocessing, options.pad_to
        )
        features = trunk(x, config, options)
        if not features and (options.features_only or not options.include_top):
            raise UsageError(
                f"{name!r} has no feature maps; got include_top={options.include_top} and "
                f"features_only={options.features_only}."
            )
        if options.features_only:
            return keras.Model(inputs, features, name=name)
        x = features[max(features)] if features else x
        if not options.include_top:
            pool = _POOLINGS[options.pooling]
            return keras.Model(inputs, pool(name="head_pool")(x) if pool else x, name=name)
        output = logits(head(x, config, options), num_classes, config)
        if auxiliary is not None:
            layer = keras.Model(inputs, x).get_layer
            others = auxiliary(lambda name: layer(name).output, num_classes, config, options)
            output = [output, *others] if others else output
        return keras.Model(inputs, output, name=name)

    return build
