"""Models of the user, exported with their own inputs and outputs."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerascnn import load_exported
from kerascnn.export import export
from kerascnn.export.arrays import ArrayServing
from tests.fresh_process import output


def outputs_of(model, path, *inputs):
    """The outputs of the export, and of the model."""
    arrays = dict(zip((x.name for x in model.inputs), inputs, strict=True))
    expected = model(inputs[0] if len(inputs) == 1 else list(inputs), training=False)
    return load_exported(path)(arrays), keras.ops.convert_to_numpy(expected)


@pytest.mark.parametrize("last", [keras.layers.BatchNormalization, keras.layers.Dropout])
def test_outputs_keep_the_name_of_a_layer_that_is_folded_away(last, tmp_path):
    arguments = {"rate": 0.5} if last is keras.layers.Dropout else {}
    inputs = keras.Input((8,), name="x")
    model = keras.Model(inputs, last(name="end", **arguments)(keras.layers.Dense(4)(inputs)))
    model.layers[-1].set_weights([weight + 0.5 for weight in model.layers[-1].get_weights()])
    path = export(model, tmp_path / "export").path
    x = np.random.default_rng(0).normal(size=(3, 8)).astype("float32")
    found, expected = outputs_of(model, path, x)
    assert list(found) == ["end"]
    np.testing.assert_allclose(found["end"], expected, atol=1e-5)


@pytest.mark.parametrize("shape", [(32, None, 1), (None, 32, 3)])
def test_one_side_of_an_image_may_be_fixed(shape, tmp_path):
    inputs = keras.Input(shape, name="x")
    x = keras.layers.Conv2D(4, 3, padding="same")(inputs)
    x = keras.layers.AveragePooling2D((32, 1) if shape[0] else (1, 32))(x)
    model = keras.Model(inputs, keras.layers.GlobalMaxPooling2D(name="end")(x))
    path = export(model, tmp_path / "export").path
    images = np.random.default_rng(0).random([2, *(side or 45 for side in shape)], np.float32)
    found, expected = outputs_of(model, path, images)
    np.testing.assert_allclose(found["end"], expected, atol=1e-5)


def small_unet():
    """Takes even sizes only, as Keras's layers do without padding of our own."""
    inputs = keras.Input((None, None, 3), name="x")
    x = keras.layers.Conv2D(4, 3, padding="same")(inputs)
    y = keras.layers.UpSampling2D()(keras.layers.MaxPooling2D()(x))
    return keras.Model(inputs, keras.layers.Concatenate(name="end")([x, y]))


def test_a_model_that_takes_some_sizes_only(tmp_path):
    model = small_unet()
    with pytest.raises(tf.errors.InvalidArgumentError, match="Concat"):
        model(np.zeros((1, 9, 8, 3), "float32"))
    path = export(model, tmp_path / "export").path
    images = np.random.default_rng(0).random((2, 14, 10, 3), np.float32)
    found, expected = outputs_of(model, path, images)
    np.testing.assert_allclose(found["end"], expected, atol=1e-5)


def test_images_for_the_check_keep_their_sizes_where_the_model_takes_them():
    images = [np.zeros((301, 241, 3), np.uint8), np.zeros((8, 64, 3), np.uint8)]
    any_size = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(1, 1)])
    for model, sizes in ((any_size, [(301, 241), (8, 64)]), (small_unet(), [(288, 224), (8, 64)])):
        found = ArrayServing(model).examples(images)
        assert [example[0].shape[1:3] for example in found] == sizes


def test_outputs_in_bfloat16(tmp_path):
    policy = keras.DTypePolicy("mixed_bfloat16")
    inputs = keras.Input((8, 8, 3), name="x")
    x = keras.layers.Conv2D(4, 3, dtype=policy)(inputs)
    model = keras.Model(inputs, keras.layers.GlobalAveragePooling2D(name="end", dtype=policy)(x))
    path = export(model, tmp_path / "export").path
    images = np.random.default_rng(0).random((2, 8, 8, 3), np.float32)
    found, expected = outputs_of(model, path, images)
    assert str(found["end"].dtype) == "bfloat16"
    np.testing.assert_allclose(
        found["end"].astype("float32"), expected.astype("float32"), atol=0.02
    )


ON_ANOTHER_DEVICE = """
import keras
import sys
import tensorflow as tf
from kerascnn.export import export

processor = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(processor, [tf.config.LogicalDeviceConfiguration()] * 2)

class Where(keras.layers.Layer):
    def call(self, x):
        x = 2.0 * x
        if tf.executing_eagerly():
            print(x.device[-5:])
        return x

with tf.device("/CPU:1"):  # as if it were a GPU
    x = keras.Input((8,))
    export(keras.Model(x, Where()(keras.layers.Dense(4)(x))), sys.argv[1])
"""


@pytest.mark.nightly
def test_both_sides_of_the_check_compute_on_the_processor(tmp_path):
    """A process of its own runs the file, without a GPU; a GPU could compute with fewer digits."""
    assert set(output(ON_ANOTHER_DEVICE, tmp_path / "export").split()) == {"CPU:0"}
