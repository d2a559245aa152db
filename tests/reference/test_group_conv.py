import numpy as np
import pytest

from kerascnn import reference
from tests.reference.finite_differences import check_backward

OPTIONS = {
    "valid": {},
    "same_strides": {"padding": "same", "strides": (2, 3)},
    "one_int": {"padding": 2, "dilation": (2, 1)},
    "pair": {"padding": (0, 1), "strides": (2, 1)},
    "each_side": {"padding": ((2, 0), (1, 3)), "strides": (1, 2)},
}


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_gradients_are_the_numeric_ones(options, groups):
    rng = np.random.default_rng(0)
    x, kernel = rng.normal(size=(2, 5, 4, 4)), rng.normal(size=(3, 2, 4 // groups, 2))
    check_backward(
        lambda x, kernel: reference.group_conv2d(x, kernel, **options),
        lambda dy, x, kernel: reference.group_conv2d_backward(dy, x, kernel, **options),
        x,
        kernel,
    )


@pytest.mark.extra("torch")
@pytest.mark.parametrize(
    ("padding", "zeros"),
    [
        (0, (0, 0, 0, 0)),
        (1, (1, 1, 1, 1)),
        ((2, 1), (1, 1, 2, 2)),
        (((0, 2), (1, 3)), (1, 3, 0, 2)),
        (((1, 1), 2), (2, 2, 1, 1)),
    ],
)
def test_explicit_padding_equals_pytorch(padding, zeros):
    import torch

    rng = np.random.default_rng(0)
    x, kernel = rng.normal(size=(2, 6, 5, 4)), rng.normal(size=(3, 2, 2, 6))
    images = torch.nn.functional.pad(torch.from_numpy(x).permute(0, 3, 1, 2), zeros)
    weight = torch.from_numpy(kernel).permute(3, 2, 0, 1)
    y = torch.nn.functional.conv2d(images, weight, stride=(2, 1), dilation=(1, 2), groups=2)
    np.testing.assert_allclose(
        reference.group_conv2d(x, kernel, (2, 1), padding, (1, 2)),
        y.permute(0, 2, 3, 1).numpy(),
        rtol=1e-10,
        atol=1e-10,
    )


def test_by_hand():
    x = np.array([[1, 2, 3]]).reshape(1, 1, 3, 1)
    kernel = np.array([0.5, 1.0]).reshape(1, 2, 1, 1)
    y = reference.group_conv2d(x, kernel, padding=((0, 0), (0, 1)))
    np.testing.assert_array_equal(y[0, 0, :, 0], [2.5, 4.0, 1.5])
    dx, dkernel = reference.group_conv2d_backward(
        np.ones_like(y), x, kernel, padding=((0, 0), (0, 1))
    )
    np.testing.assert_array_equal(dx[0, 0, :, 0], [0.5, 1.5, 1.5])
    np.testing.assert_array_equal(dkernel[0, :, 0, 0], [6.0, 5.0])
