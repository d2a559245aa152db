import functools

import keras
import numpy as np
import pytest

from kerascnn.models import create_model
from kerascnn.models.rows import ResNetConfig
from tests.models.check_model import check_model, strides

CONFIGS = {
    "basic": ResNetConfig((1, 2), (8, 16), block="basic", stem="cifar", shortcut="zeros"),
    "bottleneck": ResNetConfig((2, 1), (8, 16), groups=4, width_per_group=32, squeeze_excite=True),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_contract(name):
    check_model(functools.partial(create_model, CONFIGS[name]))


def test_features_by_stride():
    assert strides(create_model("resnet50", (64, 64, 3), features_only=True)) == {
        2: 64,
        4: 256,
        8: 512,
        16: 1024,
        32: 2048,
    }
    assert strides(create_model("resnet20", features_only=True)) == {1: 16, 2: 32, 4: 64}


def test_a_shortcut_without_parameters_takes_every_second_pixel_and_adds_zeros():
    """He et al., 2016, section 4.1: option A."""
    model = create_model(CONFIGS["basic"], (8, 8, 3), features_only=True)
    for layer in model.layers:
        if layer.name.startswith("stage2_block1_bn2"):  # nothing is left of the branch
            layer.gamma.assign(np.zeros(16))
    before = model.get_layer("stage1_block1_relu").output
    after = model.get_layer("stage2_block1_relu").output
    x = np.random.default_rng(0).uniform(size=(2, 8, 8, 3)).astype("float32")
    finer, coarser = map(
        keras.ops.convert_to_numpy, keras.Model(model.input, [before, after])(x, training=False)
    )
    assert np.abs(finer).max() > 0
    np.testing.assert_array_equal(coarser[..., :8], finer[:, ::2, ::2])
    np.testing.assert_array_equal(coarser[..., 8:], 0)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"block": "wide"}, "`block` must be one of 'basic', 'bottleneck'; got block='wide'"),
        ({"stem": "patch"}, "`stem` must be one of 'imagenet', 'cifar'; got stem='patch'"),
        ({"shortcut": "crop"}, "`shortcut` must be one of 'projection', 'zeros'; got .*'crop'"),
    ],
)
def test_wrong_rows(change, sentence):
    with pytest.raises(ValueError, match=sentence):
        create_model(ResNetConfig((1,), (8,), **change), (32, 32, 3))


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ({"stride_in": "2x2"}, "`stride_in` must be one of '1x1', '3x3'; got stride_in='2x2'"),
        ({"output_stride": 4}, "`output_stride` must be one of 8, 16, 32; got output_stride=4"),
    ],
)
def test_wrong_options(option, sentence):
    with pytest.raises(ValueError, match=sentence):
        create_model("resnet50", **option)
