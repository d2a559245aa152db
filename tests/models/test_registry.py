import keras
import numpy as np
import pytest

from kerascnn.arguments import UsageError
from kerascnn.models import create_model, list_models, model_info, rows
from kerascnn.models.family import TASKS, Family, joined
from kerascnn.models.lenet import FAMILIES
from kerascnn.models.registry import rows as all_rows
from kerascnn.models.rows import ResNetConfig, ShuffleNetV1Config
from tests.models.check_model import answers, channels_first


def test_list_models():
    assert "lenet5" in list_models()
    assert list_models("lenet*") == ["lenet1", "lenet5", "lenet5_1998"]
    assert list_models("no such model") == []
    with pytest.raises(ValueError, match="one of None, 'classification', .*; got task='painting'"):
        list_models(task="painting")


def test_every_model_has_a_task():
    names = {name for task in TASKS for name in list_models(task=task)}
    assert names == set(list_models())
    assert all(model_info(name).task in TASKS for name in names)
    with pytest.raises(ValueError, match="`task` must be one of 'classification'"):
        Family(builder=None, options=None, variants={}, input_shape=(1, 1, 1), task="painting")


def test_model_info():
    info = model_info("resnet50")
    assert (info.name, info.task) == ("resnet50", "classification")
    assert (info.input_shape, info.num_classes) == ((224, 224, 3), 1000)
    assert info.options["stride_in"] == "3x3"
    assert (info.factor, info.encoder, info.pretrained) == (None, None, "ResNet50")
    assert model_info("googlenet").training_options == {"auxiliary_heads": True}
    assert model_info("espcn_x3").factor == 3
    unet = model_info("unet_resnet18")
    assert (unet.encoder, unet.pretrained) == ("resnet18", None)
    assert model_info("fcn8s").pretrained == "VGG16"
    with channels_first():
        assert model_info("espcn_x3").input_shape == (1, None, None)
        assert model_info("lenet5").input_shape == create_model("lenet5").input_shape[1:]


@pytest.mark.parametrize("name", ["lenet5", "resnet20", "unet_resnet18", "espcn_x2", "autoencoder"])
def test_model_info_has_the_defaults_of_create_model(name, without_weights):
    info = model_info(name)
    model = create_model(name, info.input_shape, info.num_classes, **info.options)
    assert model.name == name
    assert model.input_shape == (None, *info.input_shape)
    assert model.count_params() == create_model(name).count_params()


@pytest.mark.parametrize("function", [create_model, model_info])
def test_unknown_name_lists_the_known(function):
    with pytest.raises(UsageError, match=r"one of .*'lenet5'.*got name='lenet_5'.*Did you mean"):
        function("lenet_5")
    for wrong in (5, ["lenet5"]):
        with pytest.raises(UsageError, match="one of .*; got name="):
            function(wrong)


def test_a_row_of_ones_own():
    config = ResNetConfig((1, 1), (4, 8), "basic", stem="cifar")
    model = create_model(config, (32, 32, 3), 2)
    assert model.name == "resnet"
    assert {layer.name.partition("_")[0] for layer in model.layers if layer.weights} == {
        *("stem", "stage1", "stage2", "logits")
    }
    assert model.output_shape == (None, 2)


ROW = rows.InceptionRow(8, 4, 8, 4, 8, 8)


@pytest.mark.parametrize(
    ("config", "lists", "sentence"),
    [
        ("ResNetConfig", {"depths": (1, 1, 1)}, "`widths` .* each of `depths`; got 4 and 3"),
        ("VGGConfig", {"depths": (1, 1)}, "`widths` .* each of `depths`; got 5 and 2"),
        ("GoogLeNetConfig", {"stages": ((ROW,),)}, "`pool_sizes` .* of `stages`; got 3 and 1"),
        (
            "GoogLeNetConfig",
            {"stages": ((ROW,),) * 3, "widths": (8, 8)},
            r"`widths` must have 3 entries; got widths=\(8, 8\)",
        ),
        ("SegNetConfig", {"depths": (1,), "growth": (1, 2)}, "`growth` .*; got 2 and 1"),
        ("MobileNetV1Config", {"depths": (1,), "widths": ()}, "`widths` .*; got 0 and 1"),
        (
            "MobileNetV2Config",
            {"expansions": (1, 6), "widths": (8, 8), "depths": (1, 1), "strides": (1,)},
            "`strides` .* each of `depths`; got 1 and 2",
        ),
        ("ShuffleNetV1Config", {"groups": 1, "widths": (8,)}, "`widths` .*; got 1 and 3"),
        ("ShuffleNetV2Config", {"widths": (8,)}, "`widths` .*; got 1 and 3"),
        ("LeNetConfig", {"filters": (6,), "units": ()}, "`filters` must have 2 entries"),
        (
            "OriginalLeNetConfig",
            {"filters": 1, "table": ((0,),), "pixels": (1,)},
            "`pixels` must have 2 entries",
        ),
        (
            "ESPCNConfig",
            {"factor": 2, "kernel_sizes": (3, 3)},
            "`kernel_sizes` must have 3 entries",
        ),
        ("AlexNetConfig", {"filters": (8,) * 6}, "`groups` .* of `filters`; got 5 and 6"),
        ("AlexNetConfig", {"filters": (8,), "groups": (1,)}, "`filters` must have at least 2"),
        ("AlexNetConfig", {"filters": (8,) * 5, "zeros": (1,)}, "`zeros` must have 2 entries"),
        ("AlexNetConfig", {"filters": 8}, "`filters` must be a tuple; got filters=8"),
        ("NeocognitronConfig", {"strides": (2,)}, "`strides` must have 2 entries"),
        ("ShuntingNeocognitronConfig", {"spacing": (1.0,)}, "`spacing` must have 3 entries"),
    ],
)
def test_lists_of_a_row_fit_each_other(config, lists, sentence):
    with pytest.raises(UsageError, match=sentence):
        getattr(rows, config)(**lists)


def test_what_a_layer_refuses_is_an_error_of_the_caller():
    with pytest.raises(UsageError, match="groups"):
        create_model(ShuffleNetV1Config(3, (40,), (2,)), (32, 32, 3))
    with pytest.raises(UsageError, match="`input_shape` must be a tuple .*; got 64"):
        create_model("resnet20", 64)


@pytest.mark.usefixtures("without_weights")
def test_num_classes():
    for wrong in (0, 2.5, "3"):
        with pytest.raises(UsageError, match=f"int of at least 1; got num_classes={wrong!r}"):
            create_model("lenet5", num_classes=wrong)
    assert create_model("resnet20").output_shape == (None, 10)
    assert create_model("resnet18").output_shape == (None, 1000)


def test_unknown_options_list_the_known():
    with pytest.raises(UsageError, match=r"options of 'resnet20' are include_top.*got depth=3"):
        create_model("resnet20", depth=3)
    with pytest.raises(UsageError, match=r"options of 'lenet5' are .*; got dropout=0.5"):
        create_model("lenet5", dropout=0.5)


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        ("unet_resnet18", {"encoder_options": None}, "must be a dict; got encoder_options=None"),
        ("mobilenet_v1", {"alpha": "1"}, "must be a float; got alpha='1'"),
        ("mobilenet_v2", {"alpha": None}, "must be a float; got alpha=None"),
        ("unet", {"width": "8"}, "must be an int; got width='8'"),
        ("unet", {"dropout": None}, "must be a float; got dropout=None"),
        ("edsr_baseline_x2", {"width": "8"}, "must be an int or None; got width='8'"),
        ("vgg11", {"dropout": "0.5"}, "must be a float; got dropout='0.5'"),
        ("resnet20", {"include_top": "false"}, "must be a bool; got include_top='false'"),
        ("resnet20", {"preprocessing": 1}, "must be a str or None; got preprocessing=1"),
        (
            "unet_resnet18",
            {"encoder": "mobilenet_v1", "encoder_options": {"alpha": "1"}},
            "must be a float; got alpha='1'",
        ),
    ],
)
def test_options_have_types(name, options, sentence):
    with pytest.raises(UsageError, match=sentence):
        create_model(name, **options)


def test_numbers_of_numpy_are_options(without_weights):
    options = {"alpha": np.float32(0.5), "dropout": np.int64(0), "include_top": np.bool_(False)}
    assert create_model("mobilenet_v1", **options).output_shape == (None, 7, 7, 512)
    model = create_model("mobilenet_v1", alpha=1, stem_strides=np.int64(1))
    assert model.output_shape == (None, 1000)


def test_a_name_stands_in_one_table_only():
    with pytest.raises(ValueError, match="Two models are named 'lenet5'"):
        joined(*FAMILIES, *FAMILIES)


def encoders():
    """The first of each family whose features a decoder can read, and one for small images."""
    return [
        "resnet20",
        *{id(family): name for name, family, _ in reversed(all_rows()) if family.encoder}.values(),
    ]


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


def small_encoder():
    """Strides of 2 to 32, which have another order as strings."""
    config = ResNetConfig((1, 1, 1, 1), (2, 3, 4, 5), "basic")
    return create_model(config, (32, 32, 3), features_only=True)


def test_saved_features_keep_their_strides(tmp_path):
    encoder = small_encoder()
    inputs = keras.Input((32, 32, 3))
    maps = encoder(inputs)
    decoder = keras.Model(inputs, [maps[32], maps[2]])
    encoder.save(tmp_path / "encoder.keras")
    decoder.save(tmp_path / "decoder.keras")
    x = np.random.default_rng(0).uniform(size=(1, 32, 32, 3)).astype("float32")
    expected = answers(encoder, x)
    found = keras.saving.load_model(tmp_path / "encoder.keras")
    again = keras.saving.load_model(tmp_path / "decoder.keras")
    found.save(tmp_path / "encoder.h5")
    assert list(keras.saving.load_model(tmp_path / "encoder.h5").output) == [2, 4, 8, 16, 32]
    features = answers(found, x)
    for strides in (features, found.output, keras.models.clone_model(found).output):
        assert list(strides) == [2, 4, 8, 16, 32]
    for stride in features:
        np.testing.assert_array_equal(features[stride], expected[stride])
    for maps, stride in zip(answers(again, x), (32, 2), strict=True):
        np.testing.assert_array_equal(maps, expected[stride])


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="a SavedModel is TensorFlow's")
def test_features_are_exported_by_name(tmp_path):
    encoder = small_encoder()
    named = keras.Model(
        encoder.input, {f"stride{stride}": x for stride, x in encoder.output.items()}
    )
    named.export(tmp_path / "names", format="tf_saved_model", verbose=False)
    x = np.ones((1, 32, 32, 3), "float32")
    found = keras.layers.TFSMLayer(tmp_path / "names", call_endpoint="serve")(x)
    assert set(found) == {f"stride{stride}" for stride in encoder.output}
    np.testing.assert_allclose(found["stride8"], encoder(x)[8], rtol=1e-4, atol=1e-5)


# The last convolution of each resolution and the last pooling; LeNet's and AlexNet's convolutions
# have no padding, or little.
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("lenet1", {1: (24, 4), 2: (8, 12), 4: (4, 12)}),
        ("lenet5", {1: (28, 6), 2: (10, 16), 4: (5, 16)}),
        ("lenet5_1998", {1: (28, 6), 2: (10, 16), 4: (5, 16)}),
        ("alexnet", {4: (55, 96), 8: (27, 256), 16: (13, 256), 32: (6, 256)}),
        ("zfnet", {2: (110, 96), 4: (55, 96), 8: (26, 256), 16: (13, 256), 32: (6, 256)}),
    ],
)
def test_other_classifiers_give_features_too(name, expected, without_weights):
    features = create_model(name, features_only=True).output
    assert {stride: x.shape[2:] for stride, x in features.items()} == expected
    last = create_model(name, include_top=False)
    assert last.output_shape == features[max(features)].shape


def test_every_classifier_normalizes_and_pads_if_asked(without_weights):
    model = create_model("lenet5", (30, 29, 3), preprocessing="torch", pad_to=32)
    assert model.get_layer("image_pad").output.shape == (None, 32, 32, 3)
    assert model.get_layer("preprocessing").output.shape == (None, 32, 32, 3)


def test_wrong_ends():
    with pytest.raises(ValueError, match="`pooling` must be one of None, 'avg', 'max'"):
        create_model("resnet20", include_top=False, pooling="mean")
    with pytest.raises(ValueError, match="3 channels; got preprocessing='torch'"):
        create_model("resnet18", (64, 64, 1), preprocessing="torch")
    with pytest.raises(UsageError, match=r"height, width and channels, .*; got \(64, 64\)"):
        create_model("resnet20", (64, 64))


@pytest.mark.parametrize("shape", [(), [], (0, 32, 3), (32.5, 32, 3), np.array([32, 32, 3])])
@pytest.mark.parametrize("name", ["resnet20", "espcn_x2", "unet_resnet18"])
def test_shapes_that_are_none(name, shape):
    with pytest.raises(UsageError, match="`input_shape` must be a tuple of height, width and"):
        create_model(name, shape)


@pytest.mark.parametrize("options", [{}, {"features_only": True, "include_top": False}])
@pytest.mark.parametrize("pooling", ["avg", "max"])
def test_pooling_without_an_effect_is_refused(options, pooling):
    with pytest.raises(UsageError, match=f"requires include_top=False .*got pooling='{pooling}'"):
        create_model("resnet20", pooling=pooling, **options)


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
