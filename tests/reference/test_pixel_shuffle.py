import numpy as np
import pytest

from kerascnn import reference
from tests.reference.finite_differences import check_backward


@pytest.mark.parametrize("mode", ["DCR", "CRD"])
def test_each_is_the_backward_of_the_other(mode):
    rng = np.random.default_rng(0)
    shuffle, unshuffle = (
        lambda x, move=move: move(x, 2, 3, mode)
        for move in (reference.pixel_shuffle, reference.pixel_unshuffle)
    )
    check_backward(shuffle, lambda dy, _: unshuffle(dy), rng.normal(size=(2, 2, 1, 12)))
    check_backward(unshuffle, lambda dy, _: shuffle(dy), rng.normal(size=(2, 4, 3, 2)))


@pytest.mark.extra("torch")
def test_equals_pytorch():
    import torch

    x = np.random.default_rng(0).normal(size=(2, 3, 4, 8))
    y = torch.nn.functional.pixel_shuffle(torch.from_numpy(x).permute(0, 3, 1, 2), 2)
    np.testing.assert_array_equal(
        reference.pixel_shuffle(x, 2, 2, "CRD"), y.permute(0, 2, 3, 1).numpy()
    )


def test_by_hand():
    x = np.arange(4).reshape(1, 1, 1, 4)
    y = reference.pixel_shuffle(x, 2, 2)
    np.testing.assert_array_equal(y[0, :, :, 0], [[0, 1], [2, 3]])
    np.testing.assert_array_equal(reference.pixel_unshuffle(y, 2, 2), x)
