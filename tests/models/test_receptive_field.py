import math
from fractions import Fraction

import keras
import numpy as np
import pytest
from keras import layers

import kerascnn
from kerascnn import summary
from tests.models.summaries import branched, last, rows_by_name, sequential


@pytest.mark.parametrize(
    ("parts", "field", "stride"),
    [
        ([layers.Conv2D(4, 3), layers.Conv2D(4, 3)], (5, 5), (1, 1)),
        ([layers.Conv2D(4, (3, 1), strides=(2, 1)), layers.Conv2D(4, (3, 5))], (7, 5), (2, 1)),
        # k = 3 dilated by 1, 2 and 4: 1 + 2 + 4 + 8
        ([layers.Conv2D(4, 3, dilation_rate=d) for d in (1, 2, 4)], (15, 15), (1, 1)),
        ([layers.AveragePooling2D(3, 2), layers.MaxPooling2D(2)], (5, 5), (4, 4)),
        ([layers.SeparableConv2D(4, 3), layers.DepthwiseConv2D(5)], (7, 7), (1, 1)),
        ([layers.ZeroPadding2D(), layers.Cropping2D(), layers.ReLU()], (1, 1), (1, 1)),
        ([layers.Dense(4), layers.Softmax()], (1, 1), (1, 1)),
        ([layers.Conv2DTranspose(4, 4, 2)], (2, 2), (Fraction(1, 2),) * 2),
        ([layers.Conv2DTranspose(4, 2, 2), layers.Conv2D(4, 3)], (2, 2), (Fraction(1, 2),) * 2),
        ([layers.UpSampling2D(3), layers.Conv2D(4, 3)], (2, 2), (Fraction(1, 3),) * 2),
        ([layers.UpSampling2D(2, interpolation="bilinear")], (2, 2), (Fraction(1, 2),) * 2),
        ([layers.UpSampling2D(3), layers.MaxPooling2D(3)], (2, 2), (1, 1)),
        ([kerascnn.layers.BilinearUpsampling2D((2, 1))], (2, 1), (Fraction(1, 2), 1)),
        ([layers.MaxPooling2D(4), layers.Conv2DTranspose(4, 3, 2)], (8, 8), (2, 2)),
        ([layers.Conv2D(4, 3), kerascnn.layers.PixelShuffle(2)], (3, 3), (Fraction(1, 2),) * 2),
        ([kerascnn.layers.PixelUnshuffle((2, 4)), layers.Conv2D(4, 3)], (6, 12), (2, 4)),
        ([kerascnn.layers.SubpixelConv2D(4, 5, (2, 1))], (5, 5), (Fraction(1, 2), 1)),
        ([kerascnn.layers.BlurPool2D(5, 2), kerascnn.layers.Subsampling2D(2)], (7, 7), (4, 4)),
        ([kerascnn.layers.FixedFilter2D("gaussian_blur_5x5")], (5, 5), (1, 1)),
        ([kerascnn.layers.MaxPoolWithArgmax2D(3, 2)], (3, 3), (2, 2)),
        ([layers.MaxPooling2D(), kerascnn.layers.SqueezeExcite(3)], (math.inf,) * 2, (2, 2)),
        ([kerascnn.layers.Maxout(1), kerascnn.layers.ChannelShuffle(1)], (1, 1), (1, 1)),
        ([kerascnn.layers.ScaledTanh(), kerascnn.layers.StochasticDepth(0.1)], (1, 1), (1, 1)),
        ([layers.GroupNormalization(1), layers.LayerNormalization()], (1, 1), (1, 1)),
        ([layers.Reshape((16, 64, 3))], None, None),
        ([layers.Conv2D(4, 3), layers.GlobalAveragePooling2D()], None, None),
        ([layers.GlobalMaxPooling2D(keepdims=True)], (math.inf, math.inf), None),
    ],
)
def test_receptive_field_and_stride(parts, field, stride):
    row = last(*parts)
    assert (row.receptive_field, row.stride) == (field, stride)


# The empirical check: with kernels of ones, and images of a single white pixel, the output's pixels
# in the middle are above zero exactly where they see the white one.
@pytest.mark.parametrize(
    "parts",
    [
        [layers.Conv2D(2, 3, strides=2), layers.Conv2D(2, (3, 2)), layers.AveragePooling2D(2)],
        [layers.Conv2D(2, 2, dilation_rate=3), layers.MaxPooling2D(3, 1), layers.Conv2D(1, 1)],
        [layers.SeparableConv2D(2, 3), layers.MaxPooling2D(2), layers.Conv2DTranspose(1, 5, 2)],
        [layers.Conv2D(2, 3, 2), layers.UpSampling2D(2), layers.Conv2D(1, 3)],
        [layers.UpSampling2D(2, interpolation="bilinear"), layers.Conv2D(1, 3)],
        [kerascnn.layers.BilinearUpsampling2D(2), layers.Conv2D(1, 3)],
        [layers.Conv2D(4, 3, 2), kerascnn.layers.PixelShuffle(2), layers.Conv2D(1, 3)],
    ],
)
def test_receptive_field_is_what_a_pixel_sees(parts):
    size = 17
    model = sequential(*parts, input_shape=(size, size, 1))
    model.set_weights([np.full(w.shape, float(len(w.shape) > 1)) for w in model.weights])
    images = np.eye(size**2).reshape(-1, size, size, 1)
    y = keras.ops.convert_to_numpy(model(images))
    row, column = y.shape[1] // 2, y.shape[2] // 2
    extents = []
    for i, j in np.ndindex(2, 2):  # after upsampling the extent differs from pixel to pixel
        seen = y[:, row + i, column + j].max(axis=-1).reshape(size, size) > 0
        extents.append([np.ptp(indices) + 1 for indices in np.nonzero(seen)])
    assert summary(model).rows[-1].receptive_field == tuple(np.max(extents, axis=0))


def test_branches_give_the_largest_field():
    rows = rows_by_name(branched())
    fields = {name: row.receptive_field[0] for name, row in rows.items()}
    assert fields == {
        "images": 1,
        "stem": 3,
        "conv1": 5,
        "conv2": 7,
        "add": 7,
        "shortcut": 7,
        "pool": 8,
        "join": 8,
    }
    assert rows["join"].stride == (2, 2)
    assert list(rows) == [layer.name for layer in branched().layers]


def test_unpooling_undoes_the_stride_of_pooling():
    inputs = keras.Input((None, None, 2))
    x = layers.Conv2D(2, 3, name="conv")(inputs)
    pooled, indices = kerascnn.layers.MaxPoolWithArgmax2D(2, name="pool")(x)
    pooled = layers.Conv2D(2, 3, padding="same", name="deep")(pooled)
    rows = rows_by_name(
        keras.Model(inputs, kerascnn.layers.MaxUnpool2D(2, name="unpool")([pooled, indices, x]))
    )
    shape = (None, None, None, 2)
    assert rows["pool"].output_shape == (shape, shape)
    assert [rows[name].receptive_field[0] for name in ("conv", "pool", "deep")] == [3, 4, 8]
    assert rows["unpool"].receptive_field == (8, 8)
    assert rows["unpool"].stride == (1, 1)


@pytest.mark.parametrize(
    ("operation", "field"),
    [
        (lambda x: keras.ops.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)]), (3, 3)),
        (lambda x: keras.ops.concatenate([x, x], axis=-1), (3, 3)),
        (lambda x: keras.ops.max(x, axis=-1, keepdims=True), (3, 3)),
        (lambda x: keras.ops.split(x, 2, axis=-1)[1], (3, 3)),
        (lambda x: keras.ops.max(x, axis=1, keepdims=True), None),
        (lambda x: keras.ops.softmax(x, axis=(1, 2)), (math.inf, math.inf)),
        (lambda x: keras.ops.max_pool(x, 2, 2), (4, 4)),
        (lambda x: kerascnn.ops.bilinear_upsampling2d(x, (2, 1)), (4, 3)),
        (lambda x: keras.ops.transpose(x, (0, 2, 1, 3))[:, ::2], None),
    ],
)
def test_fields_of_operations(operation, field):
    inputs = keras.Input((9, 9, 3))
    model = keras.Model(inputs, operation(layers.Conv2D(4, 3)(inputs)))
    assert summary(model).rows[-1].receptive_field == field


# On square images, whose shape they keep
@pytest.mark.parametrize(
    "operation",
    [
        lambda x: keras.ops.transpose(x, (0, 2, 1, 3)),
        lambda x: keras.ops.swapaxes(x, 1, 2),
        lambda x: keras.ops.moveaxis(x, 1, 2),
        lambda x: keras.ops.rot90(x, axes=(1, 2)),
        lambda x: keras.ops.flip(x, axis=(1, 2)),
        lambda x: keras.ops.flip(x),
        lambda x: keras.ops.roll(x, 1, axis=1),
        lambda x: x[:, ::-1],
        layers.Permute((2, 1, 3)),
        layers.RandomFlip(),
        layers.RandomRotation(0.1),
        layers.RandomTranslation(0.1, 0.1),
        layers.RandomZoom(0.1),
        layers.RandomShear(0.1, 0.1),
        layers.RandomContrast(0.1),
    ],
)
def test_moved_pixels_have_no_known_field(operation):
    inputs = keras.Input((9, 9, 3))
    y = operation(layers.Conv2D(4, 3)(inputs))
    assert y.shape == (None, 7, 7, 4)
    assert summary(keras.Model(inputs, y)).rows[-1].receptive_field is None


@pytest.mark.parametrize(
    "operation",
    [
        lambda x: keras.ops.flip(x, axis=-1),
        lambda x: keras.ops.roll(x, 1, axis=3),
        lambda x: x[..., ::-1],
        lambda x: x[:, :, :, ::-1],
        layers.RandomBrightness(0.1),
        layers.GaussianNoise(0.1),
    ],
)
def test_channels_and_values_can_change_where_they_are(operation):
    inputs = keras.Input((9, 9, 3))
    model = keras.Model(inputs, operation(layers.Conv2D(4, 3)(inputs)))
    assert summary(model).rows[-1].receptive_field == (3, 3)


class Window(keras.layers.Layer):
    """A pooling that only its attributes describe."""

    def __init__(self, factor, **kwargs):
        super().__init__(**kwargs)
        self.pool_size = self.strides = 2
        self.factor = factor

    def call(self, x):
        return x

    def compute_output_shape(self, shape):
        sizes = (size if size is None else int(size * self.factor) for size in shape[1:3])
        return shape[0], *sizes, shape[3]


@pytest.mark.parametrize(
    ("factor", "field", "stride"), [(0.5, (12, 12), (4, 4)), (2, (4, 4), (1, 1))]
)
def test_windows_are_known_by_their_attributes(factor, field, stride):
    parts = [layers.MaxPooling2D(), Window(factor), layers.Conv2D(1, 3)]
    row = last(*parts, input_shape=(32, 32, 1))
    assert (row.receptive_field, row.stride) == (field, stride)
    # Whether it goes up or down, nothing tells here.
    assert last(*parts, input_shape=(None, None, 1)).receptive_field is None
