import functools

import pytest

from kerascnn.models import create_model
from kerascnn.models.rows import ShuffleNetV2Config
from tests.models.check_model import check_model, strides

SMALL = ShuffleNetV2Config((16, 24), (2, 2), stem_width=8, head_width=32)


def test_contract():
    check_model(functools.partial(create_model, SMALL))


def test_features_are_the_last_of_each_resolution():
    model = create_model("shufflenet_v2_x1_0", features_only=True)
    assert strides(model) == {2: 24, 4: 24, 8: 116, 16: 232, 32: 1024}


def test_small_images_keep_their_resolution_longer():
    model = create_model("shufflenet_v2_x1_0", (32, 32, 3), stem_strides=1, features_only=True)
    assert strides(model) == {1: 24, 2: 24, 4: 116, 8: 232, 16: 1024}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": ShuffleNetV2Config((15,), (2,))}, "`widths` must be even; got"),
        ({"name": SMALL, "stem_strides": 0}, "got stem_strides=0"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        create_model(**arguments)
