"""The worked examples of the course."""

import keras
import numpy as np
import pytest

from kerascnn import reference
from kerascnn.layers import GroupConv2D

IMAGE = np.array(
    [
        [0, 2, 2, 0, 1, 0, 0],
        [1, 8, 7, 5, 2, 3, 6],
        [3, 6, 9, 7, 6, 1, 4],
        [1, 4, 5, 2, 4, 0, 1],
        [0, 2, 3, 1, 2, 1, 4],
    ]
)
KERNEL = np.array([[0.2, 0.0, 0.4], [0.1, 0.3, 0.2], [0.0, 0.1, 0.1]])


def run_reference(x, kernel):
    return reference.group_conv2d(x, kernel)


def run_layer(layer_class):
    def run(x, kernel):
        layer = layer_class(1, 3, use_bias=False)
        layer.build(x.shape)
        layer.set_weights([kernel])
        return keras.ops.convert_to_numpy(layer(x.astype("float32")))

    return run


@pytest.mark.parametrize(
    "convolve",
    [run_reference, run_layer(GroupConv2D), run_layer(keras.layers.Conv2D)],
    ids=["reference", "GroupConv2D", "keras_Conv2D"],
)
def test_convolution_of_an_image(convolve):
    y = convolve(IMAGE[None, :, :, None], KERNEL[:, :, None, None])
    assert y.shape == (1, 3, 5, 1)
    np.testing.assert_allclose(y[0, 0, :2, 0], [6.2, 5.9], rtol=1e-6)
    y_by_hand = [  # every output is the sum over a window of the image
        [(IMAGE[h : h + 3, w : w + 3] * KERNEL).sum() for w in range(5)] for h in range(3)
    ]
    np.testing.assert_allclose(y[0, :, :, 0], y_by_hand, rtol=1e-5)


@pytest.mark.parametrize("k", [1, 3, 5])
def test_parameters_of_a_convolution(k):
    def parameters(channels, **arguments):
        layer = GroupConv2D(4, k, use_bias=False, **arguments)
        layer.build((None, 8, 8, channels))
        return layer.count_params()

    assert parameters(3) == 4 * k * k * 3
    assert parameters(4) == 4 * k * k * 4
    assert parameters(4, groups=2) == 2 * 2 * k * k * 2
