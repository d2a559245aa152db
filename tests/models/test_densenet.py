import functools

import pytest

from kerascnn import layers
from kerascnn.models import create_model
from kerascnn.models.rows import DenseNetConfig
from tests.models.check_model import check_model, strides

SMALL = DenseNetConfig((2, 1), growth_rate=4, stem_width=8)


def test_contract():
    check_model(functools.partial(create_model, SMALL))


@pytest.mark.usefixtures("without_weights")
def test_features_are_those_of_whole_stages():
    # The channels grow by 32 a block, and transitions halve them.
    model = create_model("densenet121", features_only=True)
    assert strides(model) == {2: 64, 4: 256, 8: 512, 16: 1024, 32: 1024}


def test_dropout_follows_every_block_where_it_is_wanted():
    def dropouts(model):
        return [layer.name for layer in model.layers if isinstance(layer, layers.Dropout)]

    assert dropouts(create_model(SMALL, (32, 32, 3))) == []
    assert dropouts(create_model(SMALL, (32, 32, 3), dropout=0.2)) == [
        "stage1_block1_dropout",
        "stage1_block2_dropout",
        "stage2_block1_dropout",
    ]


def test_the_smallest_images():
    create_model("densenet121", (29, 29, 3))
    with pytest.raises(ValueError, match="at least 29 pixels; got input_shape=\\(28, 64, 3\\)"):
        create_model("densenet121", (28, 64, 3))
