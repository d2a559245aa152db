import functools

import numpy as np
import pytest

from kerascnn.models import create_model
from kerascnn.models.rows import MobileNetV2Config
from tests.models.check_model import check_model, strides

SMALL = MobileNetV2Config((1, 6), (8, 16), (1, 2), (1, 2), stem_width=8, head_width=32)


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


@pytest.mark.usefixtures("without_weights")
def test_features_are_the_last_of_each_resolution():
    model = create_model("mobilenet_v2", features_only=True)
    assert strides(model) == {2: 16, 4: 24, 8: 32, 16: 96, 32: 1280}


def test_small_images_keep_their_resolution_longer():
    model = create_model("mobilenet_v2", (32, 32, 3), stem_strides=1, features_only=True)
    assert strides(model) == {1: 16, 2: 24, 4: 32, 8: 96, 16: 1280}


@pytest.mark.usefixtures("without_weights")
def test_alpha_makes_multiples_of_8():
    # 0.35 times 16, 24, 32, 96; the last convolution does not shrink.
    model = create_model("mobilenet_v2", alpha=0.35, features_only=True)
    assert strides(model) == {2: 8, 4: 8, 8: 16, 16: 32, 32: 1280}
    wide = create_model("mobilenet_v2", alpha=1.4, include_top=False)
    assert wide.output_shape[-1] == 1792


def test_a_block_is_residual_where_its_shape_allows():
    model = create_model(SMALL, (32, 32, 3), num_classes=2)
    # Of three blocks the first keeps 8 channels, the second halves the resolution.
    assert sum("residual" in type(layer).__name__.lower() for layer in model.operations) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"padding": "valid"}, "`padding` must be one of 'same', 'symmetric'; got"),
        ({"alpha": 0}, "`alpha` must be above 0; got alpha=0"),
        ({"stem_strides": 0}, "got stem_strides=0"),
    ],
)
def test_errors(options, message):
    with pytest.raises(ValueError, match=message):
        create_model("mobilenet_v2", **options)
