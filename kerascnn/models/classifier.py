"""Builds classifiers from a trunk and a head."""

from dataclasses import dataclass

import keras
from keras import layers

from kerascnn.arguments import UsageError, one_of
from kerascnn.models.features import FeatureModel
from kerascnn.models.heads import global_average
from kerascnn.models.inputs import image_input
from kerascnn.models.outputs import logits_layer

_POOLINGS = {None: None, "avg": layers.GlobalAveragePooling2D, "max": layers.GlobalMaxPooling2D}


@dataclass(frozen=True)
class ClassifierOptions:
    """Options of every classifier.

    Args:
        include_top: bool; if false, the model returns its last feature maps.
        pooling: `None`, or, with `include_top=False`, `"avg"` or `"max"` to return a vector
            instead.
        features_only: bool, whether the model returns `{stride: features}` for a decoder, with the
            last feature maps of each resolution. The strides are ints, also if the model is saved
            and loaded; Keras's `model.export` requires a model with names as keys instead.
        preprocessing: `None`, `"caffe"`, `"tf"` or `"torch"`: normalization of the images, as in
            Keras's and torchvision's ImageNet models.
        pad_to: int; images are padded by reflection at the bottom and right to multiples of it, for
            decoders. 32 works for every encoder.
    """

    include_top: bool = True
    pooling: str | None = None
    features_only: bool = False
    preprocessing: str | None = None
    pad_to: int = 1


def any_size(config):
    """Returns the smallest height and width of most models."""
    return 1


def plain_logits(x, num_classes, config):
    """Returns the logits of most models: a dense layer."""
    return logits_layer(num_classes)(x)


def classifier(trunk, head=global_average, logits=plain_logits, auxiliary=None, smallest=any_size):
    """Creates the builder of a family of classifiers.

    Args:
        trunk: function `(x, config, options)` that returns `{stride: features}` with the last
            feature maps of each resolution, or `{}` for a model without feature maps.
        head: function `(x, config, options)` from the last feature maps to the input of the logits.
        logits: function `(x, num_classes, config)` that returns the logits.
        auxiliary: optional function `(output_of, num_classes, config, options)` that returns a list
            of auxiliary logits for training; `output_of(name)` returns the output of a trunk layer.
        smallest: function of the config that returns the smallest height and width.

    Returns:
        function `(config, input_shape, num_classes, options, name)` that returns a `keras.Model`.
    """

    def build(config, input_shape, num_classes, options, name):
        _check_pooling(options)
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
            return FeatureModel(inputs, features, name=name)
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


def _check_pooling(options):
    one_of(options.pooling, tuple(_POOLINGS), "pooling")
    if options.pooling and (options.include_top or options.features_only):
        raise UsageError(
            "`pooling` requires include_top=False without features_only; got "
            f"pooling={options.pooling!r} with include_top={options.include_top} and "
            f"features_only={options.features_only}."
        )
