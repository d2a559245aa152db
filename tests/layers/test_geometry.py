"""The windows and multiply-adds that layers declare, beside what they do."""

import math

import keras
import numpy as np
import pytest

import kerascnn
from kerascnn import summary
from kerascnn.geometry import WHOLE_IMAGE, Window, WithoutProducts, product, refining, sliding
from tests.layers.every_layer import EVERY_LAYER, model_of
from tests.models.summaries import last, sequential

SIZE = 15
# In PixelUnshuffle's case, blocks lie inside a pixel that was shuffled before: the formula, which
# knows no such thing, gives 5/4. RBFOutput and InterpolatingVectors have no images, and cells of a
# given number are too few to look at seven of them.
CASES = [
    name
    for name in EVERY_LAYER
    if name not in ("PixelUnshuffle", "RBFOutput", "InterpolatingVectors")
    and not name.endswith("_output_size")
]


def seen_pixels(model):
    """For each pixel of the output, the rows and columns of the image that change it."""
    image = np.random.default_rng(0).normal(size=(1, SIZE, SIZE, 16)).astype("float32")
    changed = np.repeat(image, SIZE**2, axis=0)
    pixels = np.arange(SIZE**2)
    changed[pixels, pixels // SIZE, pixels % SIZE] += 100
    before, after = (keras.ops.convert_to_numpy(model(x)) for x in (image, changed))
    differs = np.abs(after - before).max(axis=-1) > 1e-3
    return differs.reshape(SIZE, SIZE, *differs.shape[1:])


@pytest.mark.parametrize("name", CASES)
def test_a_pixel_depends_on_the_window_that_the_layer_declares(name):
    model = model_of(name, (SIZE, SIZE, 16))
    row = summary(model).rows[-1]
    seen = seen_pixels(model)
    for axis in (0, 1):
        lines = seen.any(axis=1 - axis).any(axis=2 - axis)  # of the image, of the output
        middle = lines.shape[1] // 2
        found = [np.nonzero(line)[0] for line in lines[:, middle - 3 : middle + 4].T]
        # After upsampling the extent differs from pixel to pixel.
        extent = max(np.ptp(pixels) + 1 for pixels in found[2:5])
        assert extent == min(row.receptive_field[axis], SIZE)
        if row.receptive_field[axis] < math.inf:
            assert found[6][0] - found[0][0] == 6 * row.stride[axis]


@pytest.mark.parametrize("name", EVERY_LAYER)
def test_every_layer_declares_its_multiply_adds(name):
    assert all(row.multiply_adds is not None for row in summary(model_of(name, (8, 8, 16))).rows)


def test_windows():
    assert sliding(3, 2, dilation_rate=(1, 4)) == Window((3, 9), (2, 2))
    assert refining((2, 4), 5) == Window((3, 2), (1 / 2, 1 / 4))
    assert sliding(3, 2).then(sliding(3, 2)) == Window((7, 7), (4, 4))
    assert sliding(4, 4).then(refining(2, 2)) == Window((4, 4), (2, 2))
    assert WHOLE_IMAGE.then(sliding(3, 2)) == Window((math.inf, math.inf), (2, 2))
    assert product(2, 3, 4) == 24
    assert product(2, None) is None


class Pool(keras.layers.Layer):
    """A layer of another package, which declares itself without kerascnn."""

    def call(self, x):
        return keras.ops.conv(x, keras.ops.ones((2, 3, x.shape[-1], 1)), (2, 3))

    def compute_window(self):
        return (2, 3), (2, 3)

    def compute_multiply_adds(self, input_shape, output_shape):
        return product(*output_shape[1:], 6, input_shape[-1])


def test_layers_of_others_declare_themselves():
    row = last(kerascnn.layers.GroupConv2D(4, 3), Pool(), input_shape=(14, 14, 3))
    assert row.output_shape == (None, 6, 4, 1)
    assert (row.receptive_field, row.stride) == ((4, 5), (2, 3))
    assert row.multiply_adds == 6 * 4 * 6 * 4
    assert last(Pool(), input_shape=(None, None, 3)).multiply_adds is None


class Blend(keras.layers.Layer):
    """Takes two tensors, and is looked into for its window."""

    def call(self, x, y):
        return keras.ops.average_pool(x, 3, 1, "same") + y

    def compute_multiply_adds(self, input_shape, output_shape):
        return 7 * len(input_shape)


class Mirrored(WithoutProducts, keras.layers.Layer):
    """Declares that nothing is known about its window."""

    def call(self, x):
        return keras.ops.flip(x, axis=1)

    def compute_window(self):
        return None


class Rows(keras.layers.Layer):
    """Declares its window, and is looked into for its multiply-adds."""

    def call(self, x):
        return x - keras.ops.roll(x, 1, axis=1)

    def compute_window(self):
        return (2, 1), (1, 1)


def test_what_is_not_declared_is_found_in_the_call():
    inputs = keras.Input((8, 8, 3))
    row = summary(keras.Model(inputs, Blend()(inputs, inputs))).rows[-1]
    assert (row.multiply_adds, row.receptive_field) == (14, (3, 3))
    row = last(Mirrored())
    assert (row.multiply_adds, row.receptive_field) == (0, None)
    row = last(Rows())
    assert (row.multiply_adds, row.receptive_field) == (0, (2, 1))


def test_a_declaration_comes_before_the_rule_of_a_keras_class():
    class Thrifty(keras.layers.Conv2D):
        def compute_multiply_adds(self, input_shape, output_shape):
            return 1

    row = last(Thrifty(4, 3))
    assert (row.multiply_adds, row.receptive_field) == (1, (3, 3))


class Listed(keras.Model):
    def __init__(self):
        super().__init__()
        self.norm = kerascnn.layers.BatchNormalization(name="norm")
        self.blur = kerascnn.layers.BlurPool2D(name="blur")
        self.relu = keras.layers.ReLU(name="relu")

    def call(self, x):
        return self.relu(self.blur(self.norm(x)))


def test_layers_without_products_cost_nothing_where_shapes_are_not_known():
    model = Listed()
    model(np.zeros((1, 8, 8, 3), "float32"))
    assert [row.multiply_adds for row in summary(model).rows] == [0, None, 0]


def test_operations_declare_the_window_of_their_layer():
    for op, layer in (
        (lambda x: kerascnn.ops.pixel_unshuffle(x, 2), kerascnn.layers.PixelUnshuffle(2)),
        (lambda x: kerascnn.ops.pixel_shuffle(x, (1, 3)), kerascnn.layers.PixelShuffle((1, 3))),
        (
            lambda x: kerascnn.ops.max_pool_with_argmax2d(x, 3, 2)[0],
            kerascnn.layers.MaxPoolWithArgmax2D(3, 2),
        ),
    ):
        inputs = keras.Input((8, 8, 3))
        ours = summary(keras.Model(inputs, op(inputs))).rows[-1]
        theirs = summary(sequential(layer, input_shape=(8, 8, 3))).rows[-1]
        assert ours.receptive_field is not None
        assert ours.receptive_field == theirs.receptive_field
        assert ours.stride == theirs.stride
        assert ours.multiply_adds == 0
