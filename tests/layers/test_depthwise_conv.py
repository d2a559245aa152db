import keras
import numpy as np
import pytest

from kerascnn import ops, reference
from kerascnn.layers import DepthwiseConv2D
from tests.gradients import value_and_gradients
from tests.layers.check_layer import check_layer
from tests.layers.images import in_data_format, random_arrays, shape_in

CASES = {
    "valid": {},
    "strides": {"padding": "same", "strides": (2, 2)},
    "uneven_strides": {"strides": (2, 1)},
    "dilation": {"padding": "same", "dilation_rate": (1, 2)},
    "strides_and_dilation": {"padding": "same", "strides": (2, 2), "dilation_rate": (2, 1)},
    "zeros": {"padding": ((0, 1), (2, 0))},
}


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_contract(data_format):
    check_layer(
        DepthwiseConv2D,
        {"kernel_size": 3, "depth_multiplier": 2, "data_format": data_format},
        input_shape=shape_in(data_format, (2, 5, 6, 4)),
        output_shape=shape_in(data_format, (2, 3, 4, 8)),
    )


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("depth_multiplier", [1, 2])
@pytest.mark.parametrize("case", CASES)
def test_values_and_gradients_follow_the_formula(case, depth_multiplier, data_format):
    options, view = dict(CASES[case]), in_data_format(data_format)
    x, kernel = random_arrays((2, 7, 8, 4), (3, 2, 4, depth_multiplier))
    loops = {"dilation" if k == "dilation_rate" else k: value for k, value in options.items()}
    expected = reference.depthwise_conv2d(x, kernel, **loops)
    (dy,) = random_arrays(expected.shape, seed=1)
    dx, dkernel = reference.depthwise_conv2d_backward(dy, x, kernel, **loops)
    y, gradients = value_and_gradients(
        lambda x, kernel: ops.depthwise_conv2d(x, kernel, data_format=data_format, **options),
        [view(x), kernel],
        upstream=view(dy),
    )
    np.testing.assert_allclose(y, view(expected), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(gradients[0], view(dx), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(gradients[1], dkernel, rtol=1e-4, atol=1e-4)


def test_takes_the_weights_of_keras():
    arguments = {"kernel_size": 3, "depth_multiplier": 2, "padding": "same", "activation": "relu"}
    theirs = keras.layers.DepthwiseConv2D(**arguments, bias_initializer="random_normal")
    ours = DepthwiseConv2D(**arguments)
    (x,) = random_arrays((2, 5, 6, 4))
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


@pytest.mark.parametrize("k", [1, 3, 5])
def test_the_course_counts_its_parameters(k):
    layer = DepthwiseConv2D(k, use_bias=False)
    layer.build((None, 9, 9, 4))
    assert layer.count_params() == 4 * k * k * 1


@pytest.mark.parametrize(
    ("kernel_shape", "options", "sentence"),
    [
        ((3, 3, 4, 1), {}, r"got kernel shape \(3, 3, 4, 1\) with 6 channels"),
        ((3, 3, 6), {}, r"got kernel shape \(3, 3, 6\)"),
        ((9, 9, 6, 1), {}, r"got kernel size \(9, 9\)"),
        ((3, 3, 6, 1), {"padding": -1}, "got padding=-1"),
    ],
)
def test_wrong_arguments_fail_alike_eagerly_and_symbolically(kernel_shape, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        ops.depthwise_conv2d(np.zeros((1, 5, 5, 6)), np.zeros(kernel_shape), **options)
    with pytest.raises(ValueError, match=sentence):
        ops.depthwise_conv2d(
            keras.Input(batch_shape=(1, 5, 5, 6)), keras.Input(batch_shape=kernel_shape), **options
        )
