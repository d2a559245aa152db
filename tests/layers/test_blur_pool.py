import keras
import numpy as np
import pytest

from kerascnn import ops, reference
from kerascnn.layers import BlurPool2D
from tests.gradients import value_and_gradients
from tests.layers.check_layer import check_layer

PADDINGS = ["reflect", "same", "valid"]


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize(
    ("padding", "size"), [("reflect", (3, 4)), ("same", (3, 4)), ("valid", (2, 3))]
)
def test_contract(padding, size, data_format):
    last = data_format == "channels_last"
    check_layer(
        BlurPool2D,
        {"padding": padding, "data_format": data_format},
        input_shape=(2, 5, 7, 3) if last else (2, 3, 5, 7),
        output_shape=(2, *size, 3) if last else (2, 3, *size),
    )


@pytest.mark.parametrize("strides", [1, 2, 3, (2, 1)])
@pytest.mark.parametrize("kernel_size", [1, 2, 3, 4, 5, (2, 5), (1, 3), (3, 1)])
@pytest.mark.parametrize("padding", PADDINGS)
def test_values_and_gradients_follow_the_formula(padding, kernel_size, strides):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 8, 7, 3))
    expected = reference.blur_pool2d(x, kernel_size, strides, padding)
    dy = rng.normal(size=expected.shape)
    dx = reference.blur_pool2d_backward(dy, x, kernel_size, strides, padding)
    for data_format in ("channels_last", "channels_first"):
        to = 1 if data_format == "channels_first" else -1
        layer = BlurPool2D(kernel_size, strides, padding, data_format)
        y, (gradient,) = value_and_gradients(
            layer, [np.moveaxis(x, -1, to).astype("float32")], upstream=np.moveaxis(dy, -1, to)
        )
        np.testing.assert_allclose(y, np.moveaxis(expected, -1, to), rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(gradient, np.moveaxis(dx, -1, to), rtol=1e-4, atol=1e-5)


@pytest.mark.extra("torch")
@pytest.mark.parametrize("kernel_size", [2, 3, 5, 6])
@pytest.mark.parametrize("size", [(8, 9), (16, 7)])
def test_equals_the_paper_in_pytorch(size, kernel_size):
    # `antialiased_cnns.BlurPool`, the authors' code, in the calls it consists of.
    import torch

    rows = {
        2: [1.0, 1.0],
        3: [1.0, 2.0, 1.0],
        5: [1.0, 4.0, 6.0, 4.0, 1.0],
        6: [1.0, 5.0, 10.0, 10.0, 5.0, 1.0],
    }
    row = torch.tensor(rows[kernel_size])
    kernel = (row[:, None] * row[None, :]) / row.sum() ** 2
    x = np.random.default_rng(0).normal(size=(2, 4, *size)).astype("float32")
    before, after = (kernel_size - 1) // 2, -(-(kernel_size - 1) // 2)
    padded = torch.nn.ReflectionPad2d((before, after, before, after))(torch.from_numpy(x))
    expected = torch.nn.functional.conv2d(padded, kernel.repeat(4, 1, 1, 1), stride=2, groups=4)
    y = BlurPool2D(kernel_size, data_format="channels_first")(x)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(y), expected.numpy(), rtol=1e-4, atol=1e-5
    )


def test_a_constant_stays_and_a_shift_by_the_stride_is_a_shift():
    y = BlurPool2D(5)(np.full((1, 9, 9, 2), 3.0, "float32"))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(y), np.full((1, 5, 5, 2), 3.0), rtol=1e-6)
    x = np.random.default_rng(0).normal(size=(1, 20, 20, 1)).astype("float32")
    y, shifted = (keras.ops.convert_to_numpy(BlurPool2D()(x[:, i : i + 16])) for i in (0, 2))
    np.testing.assert_allclose(y[:, 2:-1], shifted[:, 1:-2], rtol=1e-4, atol=1e-6)


def test_integers_become_floats():
    x = np.arange(16, dtype="uint8").reshape(1, 4, 4, 1)
    y = keras.ops.convert_to_numpy(ops.blur_pool2d(x))
    np.testing.assert_allclose(y, reference.blur_pool2d(x), rtol=1e-5)
    assert ops.blur_pool2d(keras.Input((4, 4, 1), dtype="uint8")).dtype == "float32"


@pytest.mark.parametrize("padding", PADDINGS)
def test_op_is_a_node_of_a_functional_model(padding, tmp_path):
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, ops.blur_pool2d(inputs, padding=padding))
    assert model.output_shape == (None, None, None, 3)
    x = np.random.default_rng(0).normal(size=(2, 8, 7, 3)).astype("float32")
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    expected = reference.blur_pool2d(x, padding=padding)
    np.testing.assert_allclose(again.predict(x, verbose=0), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "shape", "sentence"),
    [
        (
            {"kernel_size": 5},
            (1, 2, 8, 3),
            r"'reflect' needs more than `kernel_size // 2` pixels along each axis; "
            r"got kernel_size=\(5, 5\) on input shape \(1, 2, 8, 3\)",
        ),
        ({"padding": "valid"}, (1, 2, 8, 3), r"kernel must fit into .*; got kernel size \(3, 3\)"),
        ({}, (4, 8, 3), "`inputs` must have rank 4; got rank 3"),
    ],
)
def test_wrong_shapes_fail_alike_eagerly_and_symbolically(arguments, shape, sentence):
    layer = BlurPool2D(**arguments)
    for call in (layer, lambda x: ops.blur_pool2d(x, **arguments)):
        for x in (np.zeros(shape, "float32"), keras.Input(batch_shape=shape)):
            with pytest.raises(ValueError, match=sentence):
                call(x)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"kernel_size": 0}, "`kernel_size` must be an int or a pair of ints"),
        ({"strides": (1, 2, 3)}, "`strides` must be an int or a pair of ints"),
        ({"padding": "zeros"}, "one of 'reflect', 'same', 'valid'; got padding='zeros'"),
        ({"data_format": "NHWC"}, "`data_format` must be one of"),
    ],
)
def test_wrong_arguments(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        BlurPool2D(**arguments)
    with pytest.raises(ValueError, match=sentence):
        ops.blur_pool2d(np.zeros((1, 8, 8, 3), "float32"), **arguments)
