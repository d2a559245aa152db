"""Nothing of ours draws from Keras's global seed generator.

If it is made while TensorFlow traces a graph, it belongs to that graph, and every layer that uses
it later fails.
"""

import keras
import numpy as np
import pytest
from keras.src.backend.common import global_state
from keras.src.random.seed_generator import GLOBAL_SEED_GENERATOR

from kerascnn import initializers, layers, models, ops
from tests.layers.every_layer import EVERY_LAYER, ONE_FORM_BY_DAY

BACKEND = keras.backend.backend()
on_tensorflow = pytest.mark.skipif(BACKEND != "tensorflow", reason="graphs of TensorFlow")
MODELS = ["lenet5_1998", "espcn_x2"]
if BACKEND == "tensorflow":  # JAX compiles how weights of each shape are drawn
    MODELS += ["alexnet", "googlenet", "mobilenet_v2"]


@pytest.fixture(autouse=True)
def no_generator_before_or_after():
    global_state.set_global_attribute(GLOBAL_SEED_GENERATOR, None)
    yield
    assert global_state.get_global_attribute(GLOBAL_SEED_GENERATOR) is None


class Late(keras.Model):
    """Makes its layers when it is built, which is while `fit` traces the first step."""

    def __init__(self, make):
        super().__init__()
        self.make = make

    def build(self, input_shape):
        inputs = keras.Input(input_shape[1:])
        self.inner = keras.Model(inputs, self.make(inputs))

    def call(self, inputs, training=False):
        return self.inner(inputs, training=training)


def train(make, shape=(8, 6, 16)):
    model = Late(make)
    if BACKEND != "tensorflow":  # where a symbolic call draws what a step does
        model(keras.Input(shape), training=True)
        return
    model.compile("sgd", loss=lambda y_true, y_pred: keras.ops.mean(keras.ops.square(y_pred)))
    model.fit(np.ones((2, *shape), "float32"), np.zeros(2), batch_size=2, verbose=0)


@pytest.mark.parametrize("name", ONE_FORM_BY_DAY)
def test_layers(name):
    train(EVERY_LAYER[name])


@pytest.mark.parametrize("name", MODELS)
def test_models(name):
    model = models.create_model(name)
    assert model.name


def test_initializers():
    icnr, bilinear = initializers.ICNR(2, "he_normal"), initializers.Bilinear()
    train(lambda x: layers.SubpixelConv2D(4, 3, kernel_initializer=icnr)(x))
    train(lambda x: layers.Conv2DTranspose(4, 4, strides=2, kernel_initializer=bilinear)(x))


@on_tensorflow
@pytest.mark.parametrize(
    "draw",
    [
        lambda x: ops.dropout(x, 0.5),
        lambda x: ops.dropout(x, 0.001),
        lambda x: ops.drop_block2d(x, 0.5, block_size=2),
        lambda x: ops.stochastic_depth(x, 0.5),
    ],
)
def test_ops_without_a_seed_draw_anew_and_as_the_random_seed_says(draw):
    import tensorflow as tf

    x = tf.ones((64, 8, 6, 16))
    for function in (draw, tf.function(draw)):
        keras.utils.set_random_seed(1)
        assert (function(x) != function(x)).numpy().any()
    drawn = []
    for _ in range(2):
        keras.utils.set_random_seed(1)
        drawn.append(draw(x))
    np.testing.assert_array_equal(*drawn)


@on_tensorflow
def test_augmentation():
    from kerascnn import data

    augmentation = data.Augmentation(
        flip=True,
        crop=0.1,
        shift=0.1,
        zoom=0.1,
        rotate=10.0,
        color=0.1,
        rand_augment=2,
        cutout=0.2,
        mixup=0.2,
    )
    pipeline = data.load_classification("digits").pipeline("train", augment=augmentation)
    assert len(next(iter(pipeline))) == 2


@pytest.mark.parametrize("initializer", [None, "random_normal"])
def test_the_random_seed_decides_about_initializers_without_one(initializer):
    drawn = []
    for seed in (1, 1, 2):
        keras.utils.set_random_seed(seed)
        layer = layers.RBFOutput(10, prototypes_initializer=initializer)
        layer.build((None, 84))
        drawn.append(keras.ops.convert_to_numpy(layer.prototypes))
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert (drawn[0] != drawn[2]).any()


def test_default_prototypes_are_signs_in_about_equal_parts():
    layer = layers.RBFOutput(100)
    layer.build((None, 1000))
    prototypes = keras.ops.convert_to_numpy(layer.prototypes)
    np.testing.assert_array_equal(np.abs(prototypes), 1)
    assert abs(prototypes.mean()) < 0.02  # six standard deviations
