import functools

import numpy as np
import pytest

from kerascnn.models import create_model
from kerascnn.models.rows import ShuffleNetV1Config
from tests.models.check_model import check_model, strides

SMALL = ShuffleNetV1Config(2, (24, 48), (2, 2), stem_width=8)


def test_contract():
    check_model(functools.partial(create_model, SMALL))


# Zhang et al., 2018, table 1: {g: output channels of stages 2, 3 and 4}. Each stage has one unit
# with strides of 2, then 3, 7 and 3 more.
TABLE = {
    1: (144, 288, 576),
    2: (200, 400, 800),
    3: (240, 480, 960),
    4: (272, 544, 1088),
    8: (384, 768, 1536),
}


def unit(inputs, outputs, width, first_groups, groups):
    """Weights of one unit: two scales for every channel that is normalized."""
    inner = width // 4
    first = inputs * inner // first_groups + 2 * inner
    depthwise = 9 * inner + 2 * inner
    return first + depthwise + inner * outputs // groups + 2 * outputs


def count_by_hand(groups):
    count, inputs = 3 * 3 * 3 * 24 + 2 * 24, 24
    for stage, (repeat, width) in enumerate(zip((3, 7, 3), TABLE[groups], strict=True), 2):
        # The first unit leaves its input, pooled, beside what it computes; the pointwise
        # convolution on the 24 channels of the stem is not grouped.
        count += unit(inputs, width - inputs, width, 1 if stage == 2 else groups, groups)
        count += repeat * unit(width, width, width, groups, groups)
        inputs = width
    return count + inputs * 1000 + 1000


@pytest.mark.parametrize("groups", TABLE)
@pytest.mark.usefixtures("without_weights")
def test_counts_follow_from_the_table(groups):
    model = create_model(f"shufflenet_v1_g{groups}")
    count = sum(np.prod(weight.shape) for weight in model.trainable_weights)
    assert count == count_by_hand(groups)
    if groups == 3:
        # 696 + (6,972 + 3 * 10,860) + (21,240 + 7 * 40,920) + (80,880 + 3 * 158,640) + 961,000
        assert count == 1_865_728


@pytest.mark.usefixtures("without_weights")
def test_features_are_the_last_of_each_resolution():
    model = create_model("shufflenet_v1_g3", features_only=True)
    assert strides(model) == {2: 24, 4: 24, 8: 240, 16: 480, 32: 960}


def test_small_images_keep_their_resolution_longer():
    model = create_model("shufflenet_v1_g3", (32, 32, 3), stem_strides=1, features_only=True)
    assert strides(model) == {1: 24, 2: 24, 4: 240, 8: 480, 16: 960}


def test_without_groups_there_is_nothing_to_shuffle():
    def shuffles(name):
        return sum("shuffle" in layer.name for layer in create_model(name, (32, 32, 3)).layers)

    assert shuffles("shufflenet_v1_g1") == 0
    assert shuffles("shufflenet_v1_g3") == 16


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": ShuffleNetV1Config(3, (40,), (2,))}, "groups"),
        ({"name": SMALL, "stem_strides": 0}, "got stem_strides=0"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        create_model(**arguments)
