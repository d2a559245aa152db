import keras
import numpy as np
import pytest

from kerascnn import reference
from tests.reference.finite_differences import check_backward

OPTIONS = {
    "valid": {"strides": (2, 1)},
    "valid_gaps": {"strides": (4, 5)},
    "valid_longer": {"strides": (2, 2), "output_padding": (1, 0)},
    "same": {"padding": "same", "strides": (2, 3)},
    "same_longer": {"padding": "same", "strides": (2, 2), "output_padding": 1},
    "cropped": {"padding": (2, 1), "strides": (3, 2), "output_padding": (2, 1)},
    "each_side": {"padding": ((2, 0), (1, 1)), "dilation": (2, 1)},
}


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_gradients_are_the_numeric_ones(options, groups):
    rng = np.random.default_rng(0)
    x, kernel = rng.normal(size=(2, 3, 2, 4)), rng.normal(size=(3, 2, 2, 4))
    options = {**options, "groups": groups}
    check_backward(
        lambda x, kernel: reference.conv_transpose2d(x, kernel, **options),
        lambda dy, x, kernel: reference.conv_transpose2d_backward(dy, x, kernel, **options),
        x,
        kernel,
    )


@pytest.mark.parametrize("kernel_size", [(3, 3), (2, 4), (1, 2)])
@pytest.mark.parametrize("strides", [(1, 1), (2, 2), (3, 3), (1, 3)])
@pytest.mark.parametrize("padding", ["same", "valid"])
def test_equals_keras(padding, strides, kernel_size):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 4, 3, 5)).astype("float32")
    layer = keras.layers.Conv2DTranspose(6, kernel_size, strides, padding, use_bias=False)
    expected = keras.ops.convert_to_numpy(layer(x))
    y = reference.conv_transpose2d(x, layer.get_weights()[0], strides, padding)
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("output_padding", [0, 1, (2, 1)])
@pytest.mark.parametrize("kernel_size", [(3, 3), (5, 3)])
@pytest.mark.parametrize("padding", ["same", "valid"])
def test_output_padding_equals_keras(padding, kernel_size, output_padding):
    x = np.random.default_rng(0).normal(size=(2, 4, 3, 2)).astype("float32")
    layer = keras.layers.Conv2DTranspose(
        3, kernel_size, 3, padding, output_padding=output_padding, use_bias=False
    )
    expected = keras.ops.convert_to_numpy(layer(x))
    y = reference.conv_transpose2d(x, layer.get_weights()[0], 3, padding, output_padding)
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.extra("torch")
@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize(
    ("strides", "padding", "output_padding", "dilation"),
    [
        ((1, 1), 0, None, (1, 1)),
        ((2, 3), (1, 2), (0, 2), (1, 1)),
        ((2, 1), 1, (1, 0), (1, 2)),
        ((3, 2), (4, 0), (2, 1), (2, 3)),
        ((1, 2), "valid", 0, (2, 2)),
    ],
)
def test_equals_pytorch(strides, padding, output_padding, dilation, groups):
    import torch

    rng = np.random.default_rng(0)
    x, kernel = rng.normal(size=(2, 5, 4, 4)), rng.normal(size=(3, 2, 3, 4))
    y = torch.nn.functional.conv_transpose2d(
        torch.from_numpy(x).permute(0, 3, 1, 2),
        torch.from_numpy(kernel).permute(3, 2, 0, 1),
        stride=strides,
        padding=0 if padding == "valid" else padding,
        output_padding=output_padding or 0,
        dilation=dilation,
        groups=groups,
    )
    np.testing.assert_allclose(
        reference.conv_transpose2d(x, kernel, strides, padding, output_padding, dilation, groups),
        y.permute(0, 2, 3, 1).numpy(),
        rtol=1e-10,
        atol=1e-10,
    )


def test_padding_of_each_side_crops_it():
    rng = np.random.default_rng(0)
    x, kernel = rng.normal(size=(1, 3, 2, 2)), rng.normal(size=(3, 3, 4, 2))
    whole = reference.conv_transpose2d(x, kernel, (2, 2))
    assert whole.shape == (1, 7, 5, 4)
    cropped = reference.conv_transpose2d(x, kernel, (2, 2), padding=((2, 1), (0, 3)))
    np.testing.assert_array_equal(cropped, whole[:, 2:6, 0:2])


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("padding", ["same", "valid", 1])
def test_is_the_gradient_of_a_convolution(padding, groups):
    rng = np.random.default_rng(0)
    images, kernel = rng.normal(size=(2, 7, 9, 6)), rng.normal(size=(3, 3, 6 // groups, 4))
    dy = rng.normal(size=reference.group_conv2d(images, kernel, (2, 2), padding).shape)
    dx, _ = reference.group_conv2d_backward(dy, images, kernel, (2, 2), padding)
    spread = reference.conv_transpose2d(dy, kernel, (2, 2), padding, 0, groups=groups)
    np.testing.assert_allclose(spread, dx, rtol=1e-10, atol=1e-10)


def test_by_hand():
    x = np.array([[1, 10], [100, 1000]]).reshape(1, 2, 2, 1)
    kernel = np.array([[1, 2], [3, 4]]).reshape(2, 2, 1, 1)
    y = reference.conv_transpose2d(x, kernel)[0, :, :, 0]
    np.testing.assert_array_equal(y, [[1, 12, 20], [103, 1234, 2040], [300, 3400, 4000]])
    y = reference.conv_transpose2d(x, kernel, strides=(2, 2))[0, :, :, 0]
    np.testing.assert_array_equal(
        y, [[1, 2, 10, 20], [3, 4, 30, 40], [100, 200, 1000, 2000], [300, 400, 3000, 4000]]
    )
