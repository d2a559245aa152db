import keras
import numpy as np
import pytest

from kerascnn import ops, reference
from kerascnn.layers import SeparableConv2D
from tests.gradients import value_and_gradients
from tests.layers.check_layer import check_layer
from tests.layers.images import in_data_format, random_arrays, shape_in

CASES = {
    "valid": {},
    "strides": {"padding": "same", "strides": (2, 2)},
    "dilation": {"padding": "same", "dilation_rate": (2, 2)},
    "zeros": {"padding": (1, 0), "strides": (1, 2)},
}


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_contract(data_format):
    check_layer(
        SeparableConv2D,
        {"filters": 6, "kernel_size": 3, "depth_multiplier": 2, "data_format": data_format},
        input_shape=shape_in(data_format, (2, 5, 6, 4)),
        output_shape=shape_in(data_format, (2, 3, 4, 6)),
    )


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("case", CASES)
def test_values_and_gradients_follow_the_formula(case, data_format):
    options, view = dict(CASES[case]), in_data_format(data_format)
    arrays = random_arrays((2, 7, 8, 4), (3, 2, 4, 2), (1, 1, 8, 5))
    loops = {"dilation" if k == "dilation_rate" else k: value for k, value in options.items()}
    expected = reference.separable_conv2d(*arrays, **loops)
    (dy,) = random_arrays(expected.shape, seed=1)
    dx, *dkernels = reference.separable_conv2d_backward(dy, *arrays, **loops)
    y, gradients = value_and_gradients(
        lambda *tensors: ops.separable_conv2d(*tensors, data_format=data_format, **options),
        [view(arrays[0]), *arrays[1:]],
        upstream=view(dy),
    )
    np.testing.assert_allclose(y, view(expected), rtol=1e-3, atol=1e-3)
    for ours, loop in zip(gradients, [view(dx), *dkernels], strict=True):
        np.testing.assert_allclose(ours, loop, rtol=1e-3, atol=1e-3)


def test_takes_the_weights_of_keras():
    arguments = {"filters": 6, "kernel_size": 3, "strides": 2, "bias_initializer": "random_normal"}
    theirs, ours = keras.layers.SeparableConv2D(**arguments), SeparableConv2D(**arguments)
    (x,) = random_arrays((2, 7, 6, 4))
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


@pytest.mark.parametrize(
    ("shapes", "sentence"),
    [
        (((3, 3, 4, 1), (1, 1, 6, 2)), r"got kernel shape \(3, 3, 4, 1\) with 6 channels"),
        (((3, 3, 6, 2), (1, 1, 6, 2)), r"got kernel shape \(1, 1, 6, 2\) after"),
        (((3, 3, 6, 2), (3, 1, 12, 2)), r"got kernel shape \(3, 1, 12, 2\) after"),
    ],
)
def test_wrong_arguments_fail_alike_eagerly_and_symbolically(shapes, sentence):
    with pytest.raises(ValueError, match=sentence):
        ops.separable_conv2d(np.zeros((1, 5, 5, 6)), *map(np.zeros, shapes))
    with pytest.raises(ValueError, match=sentence):
        ops.separable_conv2d(
            keras.Input(batch_shape=(1, 5, 5, 6)), *(keras.Input(batch_shape=s) for s in shapes)
        )
