"""Every layer on batches without images, in a process of its own: TensorFlow starts once.

python -m tests.layers.empty_batches eager|replica [channels_first]
"""

import sys

import keras
import numpy as np
import tensorflow as tf

from tests.layers.every_layer import EVERY_LAYER

# Layers that stand on the ops that cannot take an empty batch without help, and one that can.
IN_REPLICAS = (
    "BlurPool2D",
    "BlurPool2D_same",
    "Conv2DTranspose_groups",
    "DepthwiseConv2D_dilation",
    "GroupConv2D",
    "GroupConv2D_strides",
    "MaxPoolWithArgmax2D",
    "Maxout",
    "PixelShuffle",
    "SeparableConv2D",
    "SubpixelConv2D",
)


def step_of(model, training):
    def step(images):
        with tf.GradientTape() as tape:
            tape.watch(images)
            y = model(images, training=training)
            loss = tf.reduce_sum(y * tf.cos(y))
        return y, tape.gradient(loss, [images, *model.trainable_weights])

    return step


def check(y, gradients, shape, like):
    assert y.shape == (0, *shape[1:]), (y.shape, shape)
    for gradient, value in zip(gradients, like, strict=True):
        assert gradient.shape == value.shape, (gradient.shape, value.shape)
        assert not np.any(gradient), np.abs(gradient).max()


def eager():
    """Eager and as a graph, at inference and in training."""
    # Where channels come first, no axis but theirs has 16 of them.
    channels_first = keras.config.image_data_format() == "channels_first"
    shape = (16, 8, 6) if channels_first else (8, 6, 16)
    for name, layer in EVERY_LAYER.items():
        if channels_first and name == "Maxout":  # its axis is the last one
            continue
        inputs = keras.Input(shape)
        model = keras.Model(inputs, layer(inputs))
        for training in (False, True):
            for wrapped in (lambda step: step, tf.function):
                images = tf.zeros((0, *shape))
                y, gradients = wrapped(step_of(model, training))(images)
                gradients = [gradient.numpy() for gradient in gradients]
                like = [images, *model.trainable_weights]
                try:
                    check(y.numpy(), gradients, model.output_shape, like)
                except AssertionError as error:
                    raise AssertionError(f"{name}, training={training}") from error


def replica():
    """Two replicas in training, of which one is left without images."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    images = np.random.default_rng(0).normal(size=(1, 8, 6, 16)).astype("float32")
    for name in IN_REPLICAS:
        with strategy.scope():
            inputs = keras.Input((8, 6, 16))
            model = keras.Model(inputs, EVERY_LAYER[name](inputs))
        batches = iter(
            strategy.experimental_distribute_dataset(
                tf.data.Dataset.from_tensor_slices(images).batch(2)
            )
        )
        step = step_of(model, training=True)
        once = tf.function(lambda batches, step=step: strategy.run(step, (next(batches),)))
        y, gradients = once(batches)
        y = [part.numpy() for part in strategy.experimental_local_results(y)]
        gradients = [
            [part.numpy() for part in strategy.experimental_local_results(gradient)]
            for gradient in gradients
        ]
        expected, expected_gradients = step(tf.constant(images))
        np.testing.assert_allclose(y[0], expected, rtol=1e-4, atol=1e-5, err_msg=name)
        for (first, _), gradient in zip(gradients, expected_gradients, strict=True):
            np.testing.assert_allclose(first, gradient, rtol=1e-4, atol=1e-4, err_msg=name)
        like = [images[:0], *model.trainable_weights]
        check(y[1], [second for _, second in gradients], model.output_shape, like)


def main(kind, data_format="channels_last"):
    """Checks every layer in one of the two ways."""
    keras.config.set_image_data_format(data_format)
    {"eager": eager, "replica": replica}[kind]()


if __name__ == "__main__":
    main(*sys.argv[1:])
