import keras
import pytest
from keras import layers

import kerascnn
from kerascnn import summary
from tests.models.summaries import last


@pytest.mark.parametrize(
    ("layer", "multiply_adds"),
    [
        (layers.Conv2D(8, 3), 30 * 30 * 9 * 3 * 8),
        (layers.Conv2D(8, (3, 5), strides=2, padding="same"), 16 * 16 * 15 * 3 * 8),
        (layers.Conv2D(6, 3, groups=3), 30 * 30 * 9 * 6),
        (layers.Conv2D(8, 3, dilation_rate=2), 28 * 28 * 9 * 3 * 8),
        (layers.DepthwiseConv2D(3, depth_multiplier=2), 30 * 30 * 9 * 6),
        (layers.SeparableConv2D(8, 3, depth_multiplier=2), 30 * 30 * (9 * 6 + 6 * 8)),
        (layers.Conv2DTranspose(8, 4, strides=2, padding="same"), 32 * 32 * 16 * 3 * 8),
        (layers.Dense(8), 32 * 32 * 3 * 8),
        (layers.EinsumDense("bhwc,cd->bhwd", (32, 32, 8)), 32 * 32 * 3 * 8),
        (layers.EinsumDense("...c,cd->...d", 8), 32 * 32 * 3 * 8),
        (layers.BatchNormalization(), 0),
        (layers.PReLU(), 0),
        (layers.MaxPooling2D(), 0),
        (kerascnn.layers.GroupConv2D(6, 3, groups=3), 30 * 30 * 9 * 6),
        (kerascnn.layers.BatchNormalization(), 0),
        (kerascnn.layers.BilinearUpsampling2D(2), 0),
        (kerascnn.layers.Dropout(0.5), 0),
        (kerascnn.layers.PixelUnshuffle(2), 0),
        (kerascnn.layers.PointwiseConv2D(8), 32 * 32 * 3 * 8),
        (kerascnn.layers.DepthwiseConv2D(3), 30 * 30 * 9 * 3),
        (kerascnn.layers.SeparableConv2D(8, 3), 30 * 30 * (9 * 3 + 3 * 8)),
        (kerascnn.layers.Conv2DTranspose(8, 3, 2), 32 * 32 * 9 * 3 * 8),
        (kerascnn.layers.SubpixelConv2D(8, 3, 2), 32 * 32 * 9 * 3 * 8 * 4),
        (kerascnn.layers.FixedFilter2D("sharpen"), 32 * 32 * 3 * 9),
        (kerascnn.layers.BlurPool2D(), 16 * 16 * 3 * 9),
        (kerascnn.layers.SqueezeExcite(3), 3 * 1 + 1 * 3),
        (kerascnn.layers.RBFOutput(5), 32 * 32 * 3 * 5),
        (kerascnn.layers.Subsampling2D(), 0),
        (kerascnn.layers.MaxPoolWithArgmax2D(), 0),
        (layers.ConvLSTM1D(4, 3), None),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, keras.Layer) else None,
)
def test_multiply_adds(layer, multiply_adds):
    assert last(layer).multiply_adds == multiply_adds


@pytest.mark.parametrize(
    ("layer", "input_shape", "multiply_adds"),
    [
        (layers.Conv1D(8, 3), (32, 4), 30 * 3 * 4 * 8),
        (layers.DepthwiseConv1D(3), (32, 4), 30 * 3 * 4),
        (layers.Conv3D(8, 3), (8, 8, 8, 2), 6**3 * 27 * 2 * 8),
        (layers.Conv1DTranspose(8, 3), (32, 4), 32 * 3 * 4 * 8),
        (layers.Dense(8), (4,), 32),
        (layers.Embedding(10, 4), (7,), 0),
        (layers.LSTM(4), (7, 3), None),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, keras.Layer) else None,
)
def test_what_is_no_image_has_multiply_adds_and_no_receptive_field(
    layer, input_shape, multiply_adds
):
    row = last(layer, input_shape=input_shape)
    assert (row.multiply_adds, row.receptive_field, row.stride) == (multiply_adds, None, None)


def test_products_of_activations_are_not_counted():
    inputs = keras.Input((4, 8))
    x = layers.Dense(8, name="dense")(inputs)
    x = layers.Dot(axes=2)([x, x])
    found = summary(keras.Model(inputs, keras.ops.matmul(x, inputs)))
    assert [row.multiply_adds for row in found.rows] == [0, 4 * 8 * 8, None, None]
    assert found.multiply_adds == 4 * 8 * 8
    assert "at least 256 (unknown for 2 of 4 rows)" in str(found)
