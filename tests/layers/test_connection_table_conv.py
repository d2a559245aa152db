import keras
import numpy as np
import pytest

from kerascnn import ops, reference
from kerascnn.layers import ConnectionTableConv2D, GroupConv2D
from tests.gradients import value_and_gradients
from tests.layers.check_layer import check_layer
from tests.layers.images import in_data_format, random_arrays, shape_in
from tests.reference.finite_differences import check_backward

TABLE = [[2], [0, 1], [3, 0, 2], [1, 3]]  # 8 connections


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize(
    ("arguments", "size"),
    [
        ({}, (3, 4)),
        ({"kernel_size": (3, 2), "padding": "same", "use_bias": False}, (5, 6)),
        ({"padding": (1, 0), "strides": (2, 1), "activation": ops.scaled_tanh}, (3, 4)),
        (
            {
                "padding": ((0, 1), (2, 0)),
                "kernel_initializer": "he_normal",
                "bias_initializer": "ones",
                "kernel_regularizer": "l2",
                "bias_regularizer": "l1",
                "kernel_constraint": "max_norm",
                "bias_constraint": "non_neg",
            },
            (4, 6),
        ),
    ],
)
def test_contract(arguments, size, data_format):
    check_layer(
        ConnectionTableConv2D,
        {"table": TABLE, "kernel_size": 3, **arguments, "data_format": data_format},
        input_shape=shape_in(data_format, (2, 5, 6, 4)),
        output_shape=shape_in(data_format, (2, *size, 4)),
    )


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize(
    ("strides", "padding"),
    [(1, "valid"), (1, "same"), ((2, 1), "same"), (2, 1), (1, ((0, 2), (1, 0)))],
)
def test_values_and_gradients_follow_the_formula(strides, padding, data_format):
    view = in_data_format(data_format)
    x, kernel, bias = random_arrays((2, 7, 6, 5), (3, 2, 8), (4,))
    expected = reference.connection_table_conv2d(x, kernel, bias, TABLE, strides, padding)
    (dy,) = random_arrays(expected.shape, seed=1)
    y, gradients = value_and_gradients(
        lambda *tensors: ops.connection_table_conv2d(
            *tensors, TABLE, strides, padding, data_format
        ),
        [view(x), kernel, bias],
        upstream=view(dy),
    )
    np.testing.assert_allclose(y, view(expected), rtol=1e-4, atol=1e-4)
    dx, *dweights = reference.connection_table_conv2d_backward(
        dy, x, kernel, TABLE, strides, padding
    )
    assert not dx[..., 4].any()  # a channel that nothing is connected to
    for ours, loop in zip(gradients, [view(dx), *dweights], strict=True):
        np.testing.assert_allclose(ours, loop, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("options", [{}, {"padding": "same", "strides": (2, 1)}])
def test_reference_gradient_is_the_numeric_one(options):
    rng = np.random.default_rng(0)
    check_backward(
        lambda *arrays: reference.connection_table_conv2d(*arrays, TABLE, **options),
        lambda dy, x, kernel, _: reference.connection_table_conv2d_backward(
            dy, x, kernel, TABLE, **options
        ),
        rng.normal(size=(2, 4, 5, 4)),
        rng.normal(size=(3, 2, 8)),
        rng.normal(size=4),
    )


def test_by_hand():
    x = np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]], "float32").reshape(1, 1, 3, 2)
    kernel = np.array([[1, 0, 5], [2, 1, 0]], "float32").reshape(1, 2, 3)
    y = ops.connection_table_conv2d(x, kernel, np.array([0.5, 0.0], "float32"), [[0], [1, 0]])
    # 1 * 1 + 2 * 2 + 0.5 and 0 * 10 + 1 * 20 + 5 * 1 + 0 * 2; then one pixel to the right
    assert keras.ops.convert_to_numpy(y)[0, 0].tolist() == [[5.5, 25.0], [8.5, 40.0]]


def test_a_full_table_is_a_convolution_and_a_block_of_it_a_group():
    (x,) = random_arrays((2, 6, 5, 4))
    for groups in (1, 2):
        conv = GroupConv2D(6, 3, groups=groups, padding="same", bias_initializer="random_normal")
        expected = conv(x)
        width = 4 // groups
        table = [list(range(o // (6 // groups) * width, 4))[:width] for o in range(6)]
        ours = ConnectionTableConv2D(table, 3, padding="same")
        ours.build(x.shape)
        kernel, bias = conv.get_weights()
        ours.set_weights([kernel.transpose(0, 1, 3, 2).reshape(3, 3, -1), bias])
        np.testing.assert_allclose(
            keras.ops.convert_to_numpy(ours(x)),
            keras.ops.convert_to_numpy(expected),
            rtol=1e-4,
            atol=1e-5,
        )


@pytest.mark.extra("torch")
def test_equals_pytorch():
    import torch

    x, kernel, bias = random_arrays((2, 7, 6, 4), (3, 2, 8), (4,))
    images, filters = torch.from_numpy(x).permute(0, 3, 1, 2), iter(np.moveaxis(kernel, 2, 0))
    maps = [
        sum(
            torch.nn.functional.conv2d(
                images[:, channel : channel + 1], torch.from_numpy(next(filters))[None, None]
            )
            for channel in row
        )
        for row in TABLE
    ]
    expected = torch.cat(maps, 1).permute(0, 2, 3, 1).numpy() + bias
    y = ops.connection_table_conv2d(x, kernel, bias, TABLE)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(y), expected, rtol=1e-4, atol=1e-4)


def test_initializers_see_an_ordinary_kernel():
    rows = [[0], [0, 1, 2, 3]] * 50
    layer = ConnectionTableConv2D(rows, 5, kernel_initializer=keras.initializers.HeNormal(seed=0))
    layer.build((None, 9, 9, 4))
    kernel = keras.ops.convert_to_numpy(layer.kernel)
    np.testing.assert_allclose(kernel.std(), (2 / (5 * 5 * 4)) ** 0.5, rtol=0.05)
    dense = keras.ops.convert_to_numpy(keras.initializers.HeNormal(seed=0)((5, 5, 4, 100)))
    np.testing.assert_array_equal(kernel[..., 0], dense[:, :, 0, 0])
    np.testing.assert_array_equal(kernel[..., 1:5], dense[:, :, :, 1])


def test_op_is_a_node_of_a_functional_model(tmp_path):
    arrays = random_arrays((2, 5, 6, 4), (3, 3, 8), (4,))
    inputs = [keras.Input((None, None, 4)), *(keras.Input(batch_shape=a.shape) for a in arrays[1:])]
    model = keras.Model(inputs, ops.connection_table_conv2d(*inputs, TABLE, padding="same"))
    assert model.output_shape == (None, None, None, 4)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(again(arrays)),
        reference.connection_table_conv2d(*arrays, TABLE, padding="same"),
        rtol=1e-4,
        atol=1e-4,
    )


@pytest.mark.parametrize(
    ("shapes", "sentence"),
    [
        (((1, 8, 8, 3), (3, 3, 8), (4,)), r"got channel 3 with 3 channels \(input shape \(1, 8"),
        (((1, 8, 8, 4), (3, 3, 4, 4), (4,)), r"got kernel shape \(3, 3, 4, 4\) with 8 connections"),
        (((1, 8, 8, 4), (3, 3, 7), (4,)), r"got kernel shape \(3, 3, 7\) with 8 connections"),
        (((1, 8, 8, 4), (3, 3, 8), (8,)), r"got bias shape \(8,\) with 4 rows"),
        (((1, 2, 8, 4), (3, 3, 8), (4,)), r"the kernel must fit into the padded input; got"),
        (((1, 8, 4), (3, 3, 8), (4,)), "`inputs` must have rank 4; got rank 3"),
    ],
)
def test_wrong_shapes_fail_alike_eagerly_and_symbolically(shapes, sentence):
    with pytest.raises(ValueError, match=sentence):
        ops.connection_table_conv2d(*(np.zeros(shape, "float32") for shape in shapes), TABLE)
    with pytest.raises(ValueError, match=sentence):
        ops.connection_table_conv2d(*(keras.Input(batch_shape=shape) for shape in shapes), TABLE)


def test_wrong_inputs_of_the_layer_fail_alike_eagerly_and_symbolically():
    for x in (np.zeros((1, 8, 8, 3), "float32"), keras.Input(batch_shape=(1, 8, 8, 3))):
        with pytest.raises(ValueError, match="`table` must have indices of input channels"):
            ConnectionTableConv2D(TABLE, 3)(x)
    with pytest.raises(ValueError, match="channels must be known; got shape"):
        ConnectionTableConv2D(TABLE, 3)(keras.Input((4, 5, None)))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"table": []}, r"`table` must list .*; got table=\[\]"),
        ({"table": [[0], []]}, r"`table` must list .*; got table=\[\[0\], \[\]\]"),
        ({"table": [0, 1]}, "`table` must list"),
        ({"table": 3}, "`table` must list"),
        ({"table": [[0, -1]]}, "`table` must list"),
        ({"table": [[0, 1.5]]}, "`table` must list"),
        ({"table": [[1], [0, 0]]}, r"only once; got the row \(0, 0\) in table="),
        ({"strides": 0}, "`strides` must be an int or a pair of ints"),
        ({"padding": "sane"}, "`padding` must be 'valid', 'same'"),
        ({"data_format": "NHWC"}, "`data_format` must be one of"),
    ],
)
def test_wrong_arguments(arguments, sentence):
    arguments = {"table": [[0]], **arguments}
    with pytest.raises(ValueError, match=sentence):
        ConnectionTableConv2D(kernel_size=3, **arguments)
    with pytest.raises(ValueError, match=sentence):
        ops.connection_table_conv2d(
            np.zeros((1, 8, 8, 1), "float32"), np.zeros((3, 3, 1), "float32"), None, **arguments
        )


def test_wrong_kernel_size():
    with pytest.raises(ValueError, match="`kernel_size` must be an int or a pair"):
        ConnectionTableConv2D([[0]], 0)
