import keras
import numpy as np
import pytest

from kerascnn.models import create_model, list_models, task_of
from kerascnn.models.family import TASKS, Family, joined
from kerascnn.models.lenet import FAMILIES
from kerascnn.models.registry import families


def test_list_models():
    assert "lenet5" in list_models()
    assert list_models("lenet*") == ["lenet1", "lenet5", "lenet5_1998"]
    assert list_models("no such model") == []
    with pytest.raises(ValueError, match="one of None, 'classification', .*; got task='painting'"):
        list_models(task="painting")


def test_every_model_has_a_task():
    names = {name for task in TASKS for name in list_models(task=task)}
    assert names == set(list_models())
    assert task_of("lenet5") == "classification"
    with pytest.raises(ValueError, match="`task` must be one of 'classification'"):
        Family(builder=None, variants={}, input_shape=(1, 1, 1), task="painting")


def test_unknown_name_lists_the_known():
    with pytest.raises(ValueError, match=r"one of .*'lenet5'.*got name='lenet_5'.*Did you mean"):
        create_model("lenet_5")


@pytest.mark.usefixtures("without_weights")
def test_num_classes():
    with pytest.raises(ValueError, match="got num_classes=0"):
        create_model("lenet5", num_classes=0)
    assert create_model("resnet20").output_shape == (None, 10)
    assert create_model("resnet18").output_shape == (None, 1000)


def test_unknown_options_list_the_known():
    with pytest.raises(ValueError, match=r"options of 'resnet20' are include_top.*got depth=3"):
        create_model("resnet20", depth=3)
    with pytest.raises(ValueError, match=r"options of 'lenet5' are .*got features_only=True"):
        create_model("lenet5", features_only=True)


def test_a_name_stands_in_one_table_only():
    with pytest.raises(ValueError, match="Two models are named 'lenet5'"):
        joined(*FAMILIES, *FAMILIES)


def encoders():
    classifiers = (family for family in families() if family.task == "classification")
    names = [next(iter(family.variants)) for family in classifiers]
    plain = ("mlp", "lenet", "alexnet", "zfnet")
    return ["resnet20", *(name for name in names if not name.startswith(plain))]


@pytest.mark.parametrize("name", encoders())
def test_encoders_give_features_by_stride(name, without_weights):
    features = create_model(name, (64, 96, 3), features_only=True).output
    assert len(features) >= 3
    for stride, tensor in features.items():
        assert tensor.shape[1:3] == (64 // stride, 96 // stride)
    last = create_model(name, (64, 96, 3), include_top=False)
    assert last.output_shape == features[max(features)].shape
    channels = last.output_shape[-1]
    for pooling in ("avg", "max"):
        pooled = create_model(name, (None, None, 3), include_top=False, pooling=pooling)
        assert pooled.output_shape == (None, channels)


def test_wrong_ends():
    with pytest.raises(ValueError, match="`pooling` must be one of None, 'avg', 'max'"):
        create_model("resnet20", include_top=False, pooling="mean")
    with pytest.raises(ValueError, match="3 channels; got preprocessing='torch'"):
        create_model("resnet18", (64, 64, 1), preprocessing="torch")
    with pytest.raises(ValueError, match="`input_shape` must have rank"):
        create_model("resnet20", (64, 64))


@pytest.mark.parametrize("mode", ["caffe", "tf", "torch"])
def test_preprocessing_is_kerass(mode):
    x = np.random.default_rng(0).uniform(size=(2, 32, 32, 3)).astype("float32")
    model = create_model("resnet18", (32, 32, 3), num_classes=2, preprocessing=mode)
    ours = keras.Model(model.input, model.get_layer("preprocessing").output).predict(x, verbose=0)
    theirs = keras.applications.imagenet_utils.preprocess_input(
        255 * x, data_format="channels_last", mode=mode
    )
    if mode == "caffe":  # where Keras turns to blue, green, red
        theirs = theirs[..., ::-1]
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-3)


def test_logits_are_float32_in_mixed_precision():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = create_model("resnet20")
    finally:
        keras.config.set_dtype_policy(before)
    assert model.output.dtype == "float32"
    assert model.get_layer("stem_conv").compute_dtype == "bfloat16"
