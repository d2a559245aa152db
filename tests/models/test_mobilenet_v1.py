import functools

import numpy as np
import pytest

from kerascnn.models import create_model
from kerascnn.models.rows import MobileNetV1Config
from tests.models.check_model import check_model, strides

SMALL = MobileNetV1Config((1, 2), (16, 24), stem_width=8)


def test_contract():
    check_model(functools.partial(create_model, SMALL))


def test_padding_moves_the_windows_of_strides():
    # On even sizes TensorFlow has its zeros at the lower right, PyTorch at the upper left.
    x = np.zeros((1, 8, 8, 3), "float32")
    x[0, 0, 0] = 1.0
    kernel = np.zeros((3, 3, 3, 8), "float32")
    kernel[0, 0] = 1.0
    for padding, value in (("same", 3.0), ("symmetric", 0.0)):
        stem = create_model(SMALL, (8, 8, 3), padding=padding).get_layer("stem_conv")
        stem.set_weights([kernel])
        assert float(stem(x)[0, 0, 0, 0]) == value


def test_features_are_the_last_of_each_resolution():
    model = create_model("mobilenet_v1", features_only=True)
    assert strides(model) == {2: 64, 4: 128, 8: 256, 16: 512, 32: 1024}


def test_small_images_keep_their_resolution_longer():
    model = create_model("mobilenet_v1", (32, 32, 3), stem_strides=1, features_only=True)
    assert strides(model) == {1: 64, 2: 128, 4: 256, 8: 512, 16: 1024}


def test_alpha_thins_every_layer():
    model = create_model("mobilenet_v1", alpha=0.25, features_only=True)
    assert strides(model) == {2: 16, 4: 32, 8: 64, 16: 128, 32: 256}
    assert model.get_layer("stem_conv").filters == 8


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"padding": "valid"}, "`padding` must be one of 'same', 'symmetric'; got"),
        ({"alpha": 0.01}, "`alpha` must leave filters in every layer; got alpha=0.01"),
        ({"stem_strides": 0}, "got stem_strides=0"),
    ],
)
def test_errors(options, message):
    with pytest.raises(ValueError, match=message):
        create_model("mobilenet_v1", **options)
