import functools

import keras
import numpy as np
import pytest

from kerascnn.models import create_model
from kerascnn.models.rows import GoogLeNetConfig, InceptionRow
from tests.models.check_model import EAGERLY, channels_first, check_model, strides

ROW = InceptionRow(4, 2, 4, 2, 4, 4)
SMALL = GoogLeNetConfig(((ROW,), (ROW, ROW)), (3, 2), (4, 4, 8), auxiliary=("4a", "4b"))


def trainable(model):
    return sum(np.prod(weight.shape) for weight in model.trainable_weights)


def test_contract():
    check_model(functools.partial(create_model, SMALL))


@pytest.mark.usefixtures("without_weights")
def test_features_are_the_last_of_each_resolution():
    model = create_model("googlenet", features_only=True)
    assert strides(model) == {2: 64, 4: 192, 8: 480, 16: 832, 32: 1024}


# What torchvision counts with `aux_logits=True`.
@pytest.mark.usefixtures("without_weights")
def test_auxiliary_heads_count_as_torchvision():
    model = create_model("googlenet", auxiliary_heads=True)
    assert trainable(model) == 13_004_888
    assert [output.shape for output in model.outputs] == [(None, 1000)] * 3
    with channels_first():
        assert trainable(create_model("googlenet", auxiliary_heads=True)) == 13_004_888
    for name in ("auxiliary1", "auxiliary2", "auxiliary1_dense", "auxiliary2_conv"):
        model.get_layer(name)


def test_auxiliary_heads_learn():
    rng = np.random.default_rng(0)
    x = rng.uniform(size=(4, 64, 64, 3)).astype("float32")
    y = np.arange(4) % 2
    model = create_model(SMALL, (64, 64, 3), num_classes=2, auxiliary_heads=True)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", [loss] * 3, loss_weights=[1.0, 0.3, 0.3], run_eagerly=EAGERLY)
    kernels = [model.get_layer(f"auxiliary{i}").kernel for i in (1, 2)]
    before = [keras.ops.convert_to_numpy(kernel).copy() for kernel in kernels]
    model.fit(x, [y] * 3, verbose=0)
    for kernel, old in zip(kernels, before, strict=True):
        assert (keras.ops.convert_to_numpy(kernel) != old).any()


def test_pooling_rounds_up_from_the_upper_left():
    # Windows at 0, 2 and 4 on a side of 6 and of 7: nothing is padded where they end by themselves.
    x = np.arange(1.0, 8.0).reshape(1, 7, 1, 1) * np.ones((1, 1, 7, 1))
    model = create_model("googlenet", (16, 16, 3), num_classes=2)
    pad, pool = model.get_layer("stem_pad"), model.get_layer("stem_pool")
    for size, maxima in ((6, [3, 5, 6]), (7, [3, 5, 7])):
        y = keras.ops.convert_to_numpy(pool(pad(x[:, :size, :size])))
        assert y.shape == (1, 3, 3, 1)
        assert y[0, :, 0, 0].tolist() == maxima


def test_auxiliary_pooling_averages_overlapping_windows():
    # From 14 to 4: the windows begin at floor(i * 14 / 4) and end at ceil((i + 1) * 14 / 4).
    x = np.random.default_rng(0).normal(size=(1, 14, 14, 2)).astype("float32")
    expected = np.empty((1, 4, 4, 2))
    windows = [(0, 4), (3, 7), (7, 11), (10, 14)]
    for i, (top, bottom) in enumerate(windows):
        for j, (left, right) in enumerate(windows):
            expected[:, i, j] = x[:, top:bottom, left:right].mean((1, 2))
    model = create_model(SMALL, (64, 64, 3), num_classes=2, auxiliary_heads=True)
    np.testing.assert_allclose(model.get_layer("auxiliary1_pool")(x), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"input_shape": (14, 64, 3)}, "at least 15 pixels"),
        ({"input_shape": (None, None, 3), "auxiliary_heads": True}, "known height and width"),
        ({"include_top": False, "auxiliary_heads": True}, "got auxiliary_heads=True with"),
        ({"features_only": True, "auxiliary_heads": True}, "got auxiliary_heads=True with"),
    ],
)
def test_errors(options, message):
    with pytest.raises(ValueError, match=message):
        create_model("googlenet", **options)
