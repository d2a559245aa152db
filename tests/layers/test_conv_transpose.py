import itertools

import keras
import numpy as np
import pytest

from kerascnn import ops, reference
from kerascnn.layers import Conv2DTranspose
from tests.gradients import value_and_gradients
from tests.layers.check_layer import check_layer
from tests.layers.images import in_data_format, random_arrays, shape_in

# kernel size, options: every way in which the output is longer or shorter than the stamps.
CASES = {
    "valid": (3, {"strides": (2, 2)}),
    "valid_short_kernel": (2, {"strides": (3, 3)}),
    "same": (3, {"strides": (2, 2), "padding": "same"}),
    "same_even_kernel": (4, {"strides": (2, 1), "padding": "same"}),
    "same_one_stride": (2, {"padding": "same"}),
    "valid_output_padding": (3, {"strides": (2, 3), "output_padding": (1, 2)}),
    "same_output_padding": (4, {"strides": (3, 3), "padding": "same", "output_padding": (0, 2)}),
    "dilation": (3, {"dilation_rate": (2, 1)}),
    "dilation_same": (2, {"dilation_rate": (2, 3), "padding": "same"}),
    "zeros": (4, {"strides": (2, 2), "padding": 1}),
    "zeros_uneven": (3, {"strides": (2, 2), "padding": ((0, 2), (1, 0)), "output_padding": (1, 1)}),
    "zeros_many": (2, {"strides": (2, 2), "padding": ((3, 1), (0, 3))}),
}


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("groups", [1, 2])
def test_contract(groups, data_format):
    check_layer(
        Conv2DTranspose,
        {
            "filters": 6,
            "kernel_size": 3,
            "strides": 2,
            "padding": "same",
            "groups": groups,
            "data_format": data_format,
        },
        input_shape=shape_in(data_format, (2, 3, 4, 4)),
        output_shape=shape_in(data_format, (2, 6, 8, 6)),
    )


# Only TensorFlow has a form that is not portable.
@pytest.mark.parametrize(
    "portable", [True, False] if keras.backend.backend() == "tensorflow" else [True]
)
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("case", CASES)
def test_values_and_gradients_follow_the_formula(case, groups, data_format, portable):
    size, options = CASES[case]
    view = in_data_format(data_format)
    x, kernel = random_arrays((2, 4, 5, 8), (size, size, 12 // groups, 8))
    loops = {"dilation" if k == "dilation_rate" else k: value for k, value in options.items()}
    expected = reference.conv_transpose2d(x, kernel, groups=groups, **loops)
    (dy,) = random_arrays(expected.shape, seed=1)
    dx, dkernel = reference.conv_transpose2d_backward(dy, x, kernel, groups=groups, **loops)
    y, gradients = value_and_gradients(
        lambda x, kernel: ops.conv_transpose2d(
            x, kernel, data_format=data_format, groups=groups, portable=portable, **options
        ),
        [view(x), kernel],
        upstream=view(dy),
    )
    np.testing.assert_allclose(y, view(expected), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(gradients[0], view(dx), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(gradients[1], dkernel, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("padding", "strides", "output_padding"),
    [
        (padding, strides, output_padding)
        for padding, strides, output_padding in itertools.product(
            ("same", "valid"), (1, 2, 3), (None, 0, 1)
        )
        # The rest Keras refuses, or computes otherwise on PyTorch than on TensorFlow.
        if output_padding is None or (padding == "valid" and output_padding < strides)
    ],
)
def test_equals_keras(padding, strides, output_padding):
    arguments = {
        "filters": 6,
        "kernel_size": 3,
        "strides": strides,
        "padding": padding,
        "output_padding": output_padding,
        "bias_initializer": "random_normal",
    }
    theirs, ours = keras.layers.Conv2DTranspose(**arguments), Conv2DTranspose(**arguments)
    (x,) = random_arrays((2, 4, 5, 8))
    expected = theirs(x)
    ours.build(x.shape)
    assert [weight.name for weight in ours.weights] == [weight.name for weight in theirs.weights]
    ours.set_weights(theirs.get_weights())
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(ours(x)),
        keras.ops.convert_to_numpy(expected),
        rtol=1e-4,
        atol=1e-5,
    )


@pytest.mark.extra("torch")
@pytest.mark.parametrize("groups", [1, 4])
@pytest.mark.parametrize("training", [True, False])
def test_equals_pytorch(groups, training):
    import torch

    x, kernel = random_arrays((2, 4, 5, 8), (4, 4, 12 // groups, 8))
    theirs = torch.nn.ConvTranspose2d(8, 12, 4, 2, 1, output_padding=1, groups=groups, bias=False)
    theirs.weight.data = torch.from_numpy(kernel).permute(3, 2, 0, 1)
    ours = Conv2DTranspose(12, 4, 2, padding=1, output_padding=1, groups=groups, use_bias=False)
    ours.build(x.shape)
    ours.set_weights([kernel])
    expected = theirs(torch.from_numpy(x).permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(ours(x, training=training)),
        expected.detach().numpy(),
        rtol=1e-4,
        atol=1e-4,
    )


def test_takes_over_a_config_of_keras():
    theirs = keras.layers.Conv2DTranspose(8, (3, 2), strides=2, padding="same", use_bias=False)
    ours = Conv2DTranspose.from_config(theirs.get_config())
    assert ours.get_config() == {**theirs.get_config(), "groups": 1}


@pytest.mark.parametrize(
    ("kernel_shape", "options", "sentence"),
    [
        ((3, 3, 4, 5), {}, r"got kernel shape \(3, 3, 4, 5\) with 6 channels"),
        ((3, 3, 4, 6), {"groups": 4}, "got groups=4 with 6 channels"),
        ((3, 3, 4, 6), {"strides": 2, "dilation_rate": 2}, r"got strides=\(2, 2\)"),
        ((3, 3, 4, 6), {"strides": 2, "output_padding": 2}, "got output_padding=2"),
        ((3, 3, 4, 6), {"padding": 9}, r"got padding=\(\(9, 9\), \(9, 9\)\)"),
        ((3, 3, 4, 6), {"padding": "sane"}, "got padding='sane'"),
    ],
)
def test_wrong_arguments_fail_alike_eagerly_and_symbolically(kernel_shape, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        ops.conv_transpose2d(np.zeros((1, 5, 5, 6)), np.zeros(kernel_shape), **options)
    with pytest.raises(ValueError, match=sentence):
        ops.conv_transpose2d(
            keras.Input(batch_shape=(1, 5, 5, 6)), keras.Input(batch_shape=kernel_shape), **options
        )


def test_groups_must_divide_the_filters():
    with pytest.raises(ValueError, match="got groups=4 with filters=6"):
        Conv2DTranspose(6, 3, groups=4)


def test_takes_plain_arrays():
    x, kernel = random_arrays((2, 4, 5, 8), (3, 3, 6, 8))
    for data_format in ("channels_last", "channels_first"):
        view = in_data_format(data_format)
        y = ops.conv_transpose2d(view(x), kernel, np.int64(2), 1, np.int64(1), data_format)
        expected = reference.conv_transpose2d(x, kernel, (2, 2), 1, (1, 1))
        np.testing.assert_allclose(
            keras.ops.convert_to_numpy(y), view(expected), rtol=1e-4, atol=1e-4
        )
