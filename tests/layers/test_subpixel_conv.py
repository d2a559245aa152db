import keras
import numpy as np
import pytest

from kerascnn import ops, reference
from kerascnn.initializers import ICNR
from kerascnn.layers import GroupConv2D, PixelShuffle, SubpixelConv2D
from tests.gradients import value_and_gradients
from tests.layers.check_layer import check_layer
from tests.layers.images import in_data_format, random_arrays, shape_in


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("mode", ["DCR", "CRD"])
def test_contract(mode, data_format):
    check_layer(
        SubpixelConv2D,
        {
            "filters": 4,
            "kernel_size": 3,
            "block_size": (2, 3),
            "mode": mode,
            "data_format": data_format,
            "activation": "tanh",
            "groups": 2 if mode == "CRD" else 1,
        },
        input_shape=shape_in(data_format, (2, 4, 3, 6)),
        output_shape=shape_in(data_format, (2, 8, 9, 4)),
    )


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("mode", ["DCR", "CRD"])
def test_values_and_gradients_follow_the_formula(mode, data_format):
    view = in_data_format(data_format)
    x, kernel, bias, dy = random_arrays((2, 4, 5, 3), (3, 3, 3, 12), (12,), (2, 8, 15, 2))
    y, gradients = value_and_gradients(
        lambda *tensors: ops.subpixel_conv2d(
            *tensors, block_size=(2, 3), data_format=data_format, mode=mode
        ),
        [view(x), kernel, bias],
        upstream=view(dy),
    )
    expected = reference.subpixel_conv2d(x, kernel, bias, 2, 3, mode=mode)
    np.testing.assert_allclose(y, view(expected), rtol=1e-4, atol=1e-4)
    dx, *dweights = reference.subpixel_conv2d_backward(dy, x, kernel, 2, 3, mode=mode)
    for ours, loop in zip(gradients, [view(dx), *dweights], strict=True):
        np.testing.assert_allclose(ours, loop, rtol=1e-4, atol=1e-4)


def test_is_a_convolution_and_a_pixel_shuffle():
    (x,) = random_arrays((2, 4, 5, 6))
    ours = SubpixelConv2D(3, 3, block_size=2, bias_initializer="random_normal")
    conv = GroupConv2D(12, 3, padding="same")
    y = ours(x)
    conv.build(x.shape)
    conv.set_weights(ours.get_weights())
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(y), keras.ops.convert_to_numpy(PixelShuffle(2)(conv(x)))
    )


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize(("mode", "groups"), [("DCR", 1), ("CRD", 1), ("CRD", 2)])
def test_icnr_starts_without_a_checkerboard(mode, groups, data_format):
    (x,) = random_arrays((1, 6, 6, 4))
    x = in_data_format(data_format)(x)
    arguments = {
        "block_size": (2, 3),
        "mode": mode,
        "groups": groups,
        "data_format": data_format,
    }
    y = SubpixelConv2D(4, 3, **arguments)(x)
    # Every block has one color: that of its first pixel.
    rows, columns = (2, 3) if data_format == "channels_first" else (1, 2)
    y = keras.ops.convert_to_numpy(y)
    first = y.take(range(0, 12, 2), rows).take(range(0, 18, 3), columns)
    # oneDNN and Eigen do not add up every filter in the same order.
    blocks = first.repeat(2, rows).repeat(3, columns)
    np.testing.assert_allclose(y, blocks, rtol=1e-5, atol=1e-6)
    assert first.std() > 0.1
    # With an ordinary initializer it has not.
    y = SubpixelConv2D(4, 3, kernel_initializer="glorot_uniform", **arguments)(x)
    y = keras.ops.convert_to_numpy(y)
    assert np.abs(y.take([0], columns) - y.take([1], columns)).max() > 0.1


def test_icnr_keeps_the_initializer_it_is_given():
    initializer = ICNR(2, keras.initializers.HeNormal(seed=0), mode="CRD")
    kernel = keras.ops.convert_to_numpy(initializer((3, 3, 8, 16)))
    he = keras.ops.convert_to_numpy(keras.initializers.HeNormal(seed=0)((3, 3, 8, 4)))
    np.testing.assert_array_equal(kernel[..., ::4], he)
    again = keras.initializers.deserialize(keras.initializers.serialize(initializer))
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(again((3, 3, 8, 16))), kernel)


def test_wrong_arguments_fail_alike_eagerly_and_symbolically():
    with pytest.raises(ValueError, match="got groups=3 with filters=4"):
        SubpixelConv2D(4, 3, groups=3, mode="CRD")
    with pytest.raises(ValueError, match="got mode='DCR' with groups=2"):
        SubpixelConv2D(4, 3, groups=2)
    with pytest.raises(ValueError, match="got filters=0"):
        SubpixelConv2D(0, 3)
    with pytest.raises(ValueError, match=r"got block_size=\(2, 2\) with 6 filters"):
        ICNR(2)((3, 3, 4, 6))
    for x, kernel, bias in (
        (np.zeros((1, 5, 5, 6)), np.zeros((3, 3, 6, 8)), np.zeros(2)),
        [keras.Input(batch_shape=shape) for shape in ((1, 5, 5, 6), (3, 3, 6, 8), (2,))],
    ):
        with pytest.raises(ValueError, match=r"got bias shape \(2,\)"):
            ops.subpixel_conv2d(x, kernel, bias, 2)
        with pytest.raises(ValueError, match="got block_size=3 with 8 channels"):
            ops.subpixel_conv2d(x, kernel, None, 3)
