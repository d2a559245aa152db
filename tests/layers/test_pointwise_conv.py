import keras
import numpy as np
import pytest

from kerascnn import ops, reference
from kerascnn.layers import PointwiseConv2D
from tests.gradients import value_and_gradients
from tests.layers.check_layer import check_layer
from tests.layers.images import in_data_format, random_arrays, shape_in


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_contract(data_format):
    check_layer(
        PointwiseConv2D,
        {"filters": 6, "data_format": data_format, "activation": "relu"},
        input_shape=shape_in(data_format, (2, 3, 4, 5)),
        output_shape=shape_in(data_format, (2, 3, 4, 6)),
    )


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_values_and_gradients_follow_the_formula(data_format):
    view = in_data_format(data_format)
    x, kernel, dy = random_arrays((2, 3, 4, 5), (1, 1, 5, 6), (2, 3, 4, 6))
    dx, dkernel = reference.pointwise_conv2d_backward(dy, x, kernel)
    y, gradients = value_and_gradients(
        lambda x, kernel: ops.pointwise_conv2d(x, kernel, data_format=data_format),
        [view(x), kernel],
        upstream=view(dy),
    )
    np.testing.assert_allclose(y, view(reference.pointwise_conv2d(x, kernel)), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(gradients[0], view(dx), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(gradients[1], dkernel, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("options", [{"strides": 2}, {"padding": 1}, {"groups": 2}])
def test_equals_a_group_convolution_of_one_pixel(options):
    x, kernel = random_arrays((2, 5, 4, 6), (1, 1, 6 // options.get("groups", 1), 8))
    layer = PointwiseConv2D(8, use_bias=False, **options)
    layer.build(x.shape)
    layer.set_weights([kernel])
    strides = (options.get("strides", 1),) * 2
    loops = {"padding": options.get("padding", "valid"), "strides": strides}
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(layer(x)),
        reference.group_conv2d(x, kernel, **loops),
        rtol=1e-4,
        atol=1e-5,
    )


def test_takes_over_a_config_of_keras_conv2d():
    theirs = keras.layers.Conv2D(8, 1, strides=2, use_bias=False)
    assert PointwiseConv2D.from_config(theirs.get_config()).get_config() == theirs.get_config()


@pytest.mark.parametrize("k", [1])
def test_the_course_counts_its_parameters(k):
    layer = PointwiseConv2D(4, use_bias=False)
    layer.build((None, 9, 9, 4))
    assert layer.count_params() == 4 * k * k * 4


def test_wrong_arguments_fail_alike_eagerly_and_symbolically():
    with pytest.raises(ValueError, match=r"must be 1; got kernel_size=\(1, 3\)"):
        PointwiseConv2D(4, (1, 3))
    for x, kernel in (
        (np.zeros((1, 5, 5, 6)), np.zeros((1, 3, 6, 2))),
        (keras.Input(batch_shape=(1, 5, 5, 6)), keras.Input(batch_shape=(1, 3, 6, 2))),
    ):
        with pytest.raises(ValueError, match=r"got kernel shape \(1, 3, 6, 2\)"):
            ops.pointwise_conv2d(x, kernel)
