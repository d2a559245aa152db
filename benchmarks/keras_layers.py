"""Networks of Keras's layers that are otherwise the same as ours."""

import keras
import numpy as np

from kerascnn.layers.keras_conv import KerasConv

NAMESAKES = {
    "BatchNormalization": keras.layers.BatchNormalization,
    "Conv2DTranspose": keras.layers.Conv2DTranspose,
    "DepthwiseConv2D": keras.layers.DepthwiseConv2D,
    "Dropout": keras.layers.Dropout,
    "GroupConv2D": keras.layers.Conv2D,
    "PointwiseConv2D": keras.layers.Conv2D,
}

# What Keras has no layer for; with these shapes they have nothing to do.
UNMATCHED = ("PadToMultiple2D", "CropLike2D")


def rebuilt(model, of_keras):
    """The same network with "same" padding for explicit zeros, of Keras's layers or ours.

    Keras knows no explicit zeros. With strides of 2, "same" puts them elsewhere, for the same work.
    """

    def clone(operation):
        if not isinstance(operation, keras.Layer):
            return operation
        cls, config = type(operation), operation.get_config()
        if isinstance(operation, KerasConv):
            config["padding"] = as_same(config)
        if of_keras and cls.__module__.startswith("kerascnn") and cls.__name__ not in UNMATCHED:
            cls = NAMESAKES[cls.__name__]
            # What Keras's layers have no argument for: its dropout has one mode only, and its
            # transposed convolution one group.
            assert config.pop("mode", "inverted") == "inverted"
            if cls is keras.layers.Conv2DTranspose:
                assert config.pop("groups") == 1
        return cls.from_config(config)

    return keras.models.clone_model(model, clone_function=clone)


def as_same(config):
    """The padding of a convolution in Keras's words."""
    padding = config["padding"]
    if isinstance(padding, str):
        return padding
    assert all(
        zeros == (size // 2, size // 2)
        for zeros, size in zip(padding, config["kernel_size"], strict=True)
    ), f"{config['name']} has zeros {padding}, which are no 'same' padding"
    return "same"


def of_keras_layers(model, shape):
    """Keras's side, which has our parameters and gives our numbers."""
    ours, theirs = rebuilt(model, of_keras=False), rebuilt(model, of_keras=True)
    assert trainable(theirs) == trainable(model)
    ours.set_weights(model.get_weights())
    theirs.set_weights(ours.get_weights())
    check_same_outputs(ours, theirs, shape)
    return theirs


def check_same_outputs(model, other, shape):
    """Raises an error if two models do not compute the same."""
    images = np.random.default_rng(1).random((2, *shape), np.float32)
    expected, found = model(images).numpy(), other(images).numpy()
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4 * np.abs(expected).max())


def trainable(model):
    """The number of trainable parameters."""
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
