import dataclasses

import keras
import numpy as np
import pytest

from kerascnn.arguments import UsageError
from kerascnn.models import create_model, list_models, load_weights_from, registry
from kerascnn.models.rows import MobileNetV2Config
from tests.models.torchvision_models import torch_logits, torchvision_model
from tests.nightly import every_night

PRETRAINED = {
    name: form for _, family, _ in registry.rows() for name, form in family.pretrained.items()
}
# Ours, torchvision's, and the options that make ours the same.
TORCHVISION = {
    "alexnet_single_column": ("alexnet", {}),
    "vgg11": ("vgg11", {}),
    "googlenet": ("googlenet", {}),
    "resnet18": ("resnet18", {}),
    "resnet50": ("resnet50", {}),
    "resnext50_32x4d": ("resnext50_32x4d", {}),
    "densenet121": ("densenet121", {}),
    "mobilenet_v2": ("mobilenet_v2", {"padding": "symmetric", "epsilon": 1e-5}),
    "shufflenet_v2_x1_0": ("shufflenet_v2_x1_0", {}),
}
SHAPE = (96, 96, 3)


# Fully connected layers fix the size: torchvision's have that of ImageNet.
OF_IMAGENET = {"alexnet_single_column", "vgg11"}


def images(shape=SHAPE):
    return np.random.default_rng(0).uniform(size=(2, *shape)).astype("float32")


def random_statistics(model):
    """Moving averages that are not the identity, and biases that are not zero."""
    rng = np.random.default_rng(1)
    for layer in model.layers:
        arrays = layer.get_weights()
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([rng.uniform(0.8, 1.2, array.shape) for array in arrays])
        elif len(arrays) == 2:
            layer.set_weights([arrays[0], rng.normal(0, 0.1, arrays[1].shape)])


def answers(model, x):
    """Without a graph, which takes longer than two images."""
    return keras.tree.map_structure(keras.ops.convert_to_numpy, model(x, training=False))


def assert_same_answers(ours, theirs):
    scale = np.abs(theirs).max()
    assert theirs.std(axis=-1).min() > 1e-3 * scale, "answers that do not differ show nothing"
    np.testing.assert_allclose(ours / scale, theirs / scale, atol=1e-4)


# Deeper models follow the rules of the shallowest.
@pytest.mark.parametrize(
    "name",
    every_night(sorted(PRETRAINED), {"mobilenet_v1", "mobilenet_v2"}),
)
def test_answers_as_keras_applications(name):
    form = PRETRAINED[name]
    application = getattr(keras.applications, form.application)
    source = application(weights=None, input_shape=SHAPE, classes=7, classifier_activation=None)
    random_statistics(source)
    model = create_model(name, SHAPE, num_classes=7, **form.options)
    load_weights_from(model, source)
    x = images()
    assert_same_answers(answers(model, x), answers(source, x))


@pytest.mark.extra("torchvision")
# The dense layers of VGG-11 are AlexNet's, its convolutions those of every network.
@pytest.mark.parametrize("name", every_night(TORCHVISION, set(TORCHVISION) - {"vgg11"}))
def test_answers_as_torchvision(name):
    theirs, options = TORCHVISION[name]
    source = torchvision_model(theirs, num_classes=7)
    shape = (224, 224, 3) if name in OF_IMAGENET else SHAPE
    model = create_model(name, shape, num_classes=7, **options)
    load_weights_from(model, source.state_dict())
    x = images(shape)
    assert_same_answers(answers(model, x), torch_logits(source, x))


@pytest.mark.extra("torchvision")
def test_auxiliary_heads_answer_as_torchvision():
    import torch

    source = torchvision_model("googlenet", num_classes=7, aux_logits=True)
    model = create_model("googlenet", SHAPE, num_classes=7, auxiliary_heads=True)
    load_weights_from(model, source.state_dict())
    x = images()
    with torch.no_grad():
        theirs = []
        for head, module in (("aux1", "inception4a"), ("aux2", "inception4d")):
            hook = getattr(source, module).register_forward_hook(
                lambda _, __, features, head=head: theirs.append(getattr(source, head)(features))
            )
            torch_logits(source, x)
            hook.remove()
    for ours, answer in zip(answers(model, x)[1:], theirs, strict=True):
        assert_same_answers(ours, answer.numpy())


@pytest.mark.extra("torchvision")
def test_old_files_of_densenet_are_known():
    source = torchvision_model("densenet121", num_classes=2).state_dict()
    old = {
        key.replace("norm1.", "norm.1.").replace("conv2.", "conv.2."): value
        for key, value in source.items()
    }
    models = [create_model("densenet121", (32, 32, 3), num_classes=2) for _ in range(2)]
    for model, state in zip(models, (source, old), strict=True):
        load_weights_from(model, state)
    for ours, other in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_array_equal(ours, other)


@pytest.mark.extra("torchvision")
def test_images_of_another_size_are_refused(without_weights):
    source = torchvision_model("alexnet").state_dict()
    model = create_model("alexnet_single_column", (256, 256, 3))
    sentence = (
        "model's architecture and image size; got a dense layer 'head_dense1' with 9216 inputs inst"
    )
    with pytest.raises(UsageError, match=sentence):
        load_weights_from(model, source)


@pytest.mark.extra("torchvision")
def test_checkpoints_in_bfloat16():
    source = torchvision_model("resnet18", num_classes=3).state_dict()
    short = {key: value.bfloat16() for key, value in source.items()}
    models = [create_model("resnet18", (32, 32, 3), num_classes=3) for _ in range(2)]
    for model, state in zip(models, (source, short), strict=True):
        load_weights_from(model, state)
    for found, expected in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_allclose(found, expected, rtol=2**-8)


def test_our_own_models_are_sources_too():
    source, model = create_model("resnet20"), create_model("resnet20", num_classes=3)
    head = model.get_layer("logits").get_weights()
    load_weights_from(model, source, include_top=False)
    np.testing.assert_array_equal(model.get_weights()[0], source.get_weights()[0])
    np.testing.assert_array_equal(model.get_layer("logits").get_weights()[0], head[0])


def wrong_sources():
    small = {"classes": 3, "weights": None, "classifier_activation": None}
    yield "resnet20", lambda: [1, 2], "must be a `keras.Model` or a PyTorch state dict; got list"
    yield "resnet50", lambda: {"conv1.weight": np.zeros(1)}, "must have the entry .* are missing"
    yield "resnet50", lambda: keras.applications.MobileNet(**small), "must have the layer"
    yield (
        "resnet20",
        lambda: create_model("resnet20", num_classes=4),
        r"'logits' must have the shape \(64, 3\); got \(64, 4\)",
    )
    yield "resnet20", lambda: create_model("resnet32", num_classes=3), "not in the model"
    yield "lenet5", lambda: {"conv1.weight": np.zeros(1)}, "architecture that torchvision also has"


@pytest.mark.parametrize(("name", "source", "sentence"), list(wrong_sources()))
def test_another_architecture_is_refused_and_changes_nothing(name, source, sentence):
    model = create_model(name, num_classes=3)
    before = model.get_weights()
    with pytest.raises(ValueError, match=sentence):
        load_weights_from(model, source())
    for weight, value in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, value)


def test_another_form_names_what_differs():
    source = keras.applications.ResNet50(weights=None, classes=3, classifier_activation=None)
    with pytest.raises(ValueError, match="'stem_conv' must have 1 weights in the source; got 2"):
        load_weights_from(create_model("resnet50", num_classes=3), source)


# A MobileNetV2 with other stages, and the same numbers of blocks in all.
OTHER_DEPTHS = MobileNetV2Config(
    expansions=(1, 6, 6, 6), widths=(16, 24, 32, 64), depths=(1, 3, 2, 2), strides=(1, 2, 2, 2)
)


@pytest.mark.extra("torchvision")
def test_names_follow_the_row_of_a_model(monkeypatch):
    columns = (OTHER_DEPTHS.expansions, OTHER_DEPTHS.widths, OTHER_DEPTHS.depths)
    settings = [list(row) for row in zip(*columns, OTHER_DEPTHS.strides, strict=True)]
    source = torchvision_model("mobilenet_v2", num_classes=7, inverted_residual_setting=settings)
    unknown = create_model(OTHER_DEPTHS, SHAPE, 7)
    with pytest.raises(UsageError, match="must have an architecture that torchvision also has"):
        load_weights_from(unknown, source.state_dict())
    family, _, _ = registry.row_of("mobilenet_v2")
    rows = {**family.variants, "mobilenet_v2_short": OTHER_DEPTHS}
    family = dataclasses.replace(family, variants=rows)
    for name in rows:
        monkeypatch.setitem(registry._MODELS, name, family)
    x = images()
    for model in (create_model("mobilenet_v2_short", SHAPE, 7), unknown):
        load_weights_from(model, source.state_dict())
        assert_same_answers(answers(model, x), torch_logits(source, x))


def test_imagenet_weights_that_are_on_this_machine(keras_home):
    source = keras.applications.MobileNet(weights=None, classifier_activation=None)
    random_statistics(source)
    source.save(keras_home / "models" / "mobilenet_1_0_224_tf.h5")
    model = create_model("mobilenet_v1", weights="imagenet")
    x = np.random.default_rng(0).uniform(size=(2, 224, 224, 3)).astype("float32")
    prepared = keras.applications.mobilenet.preprocess_input(255 * x)
    assert_same_answers(model.predict(x, verbose=0), source.predict(prepared, verbose=0))


def test_red_and_blue_are_swapped_where_keras_swaps_them(keras_home, monkeypatch):
    source = keras.applications.VGG16(weights=None, include_top=False)
    random_statistics(source)
    monkeypatch.setattr(keras.applications, "VGG16", lambda **kwargs: source)
    model = create_model("vgg16", (64, 64, 3), include_top=False, weights="imagenet")
    x = np.random.default_rng(0).uniform(size=(2, 64, 64, 3)).astype("float32")
    prepared = keras.applications.vgg16.preprocess_input(255 * x)
    theirs = source.predict(prepared, verbose=0)
    assert theirs.std() > 0
    ours = model.predict(x, verbose=0)
    np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4 * np.abs(theirs).max())


def test_imagenet_weights_without_network(keras_home):
    with pytest.raises(ConnectionError, match=r"MobileNet .*connect to the network") as caught:
        create_model("mobilenet_v1", weights="imagenet")
    assert "\n" not in str(caught.value)


def test_imagenet_weights_that_do_not_exist():
    assert set(PRETRAINED) <= set(list_models())
    with pytest.raises(ValueError, match=r"available for densenet121.*got name='resnet20'"):
        create_model("resnet20", weights="imagenet")
    with pytest.raises(ValueError, match="`weights` must be None or 'imagenet'; got weights='r'"):
        create_model("resnet50", weights="r")


# Whose layers have the rules of the whole models
@pytest.mark.parametrize(
    "name",
    every_night(
        ["densenet121", "mobilenet_v1", "mobilenet_v2", "resnet50", "vgg16"], {"mobilenet_v1"}
    ),
)
def test_a_trunk_of_keras_applications(name):
    form = PRETRAINED[name]
    shape = (64, 64, 3)
    application = getattr(keras.applications, form.application)
    source = application(weights=None, include_top=False, input_shape=shape)
    random_statistics(source)
    model = create_model(name, shape, include_top=False, **form.options)
    load_weights_from(model, source, include_top=False)
    x = images(shape)
    theirs = answers(source, x)
    assert theirs.std() > 1e-3 * np.abs(theirs).max()
    scale = np.abs(theirs).max()
    np.testing.assert_allclose(answers(model, x) / scale, theirs / scale, atol=1e-4)


@pytest.mark.extra("torchvision")
@pytest.mark.parametrize(
    "name",
    every_night(
        ["densenet121", "googlenet", "mobilenet_v2", "shufflenet_v2_x1_0"], {"mobilenet_v2"}
    ),
)
def test_a_trunk_of_torchvision(name):
    theirs, options = TORCHVISION[name]
    state = torchvision_model(theirs, num_classes=7).state_dict()
    whole = create_model(name, (64, 64, 3), num_classes=7, **options)
    load_weights_from(whole, state)
    trunk = create_model(name, (64, 64, 3), include_top=False, **options)
    load_weights_from(trunk, state, include_top=False)
    assert_same_layers(trunk, whole, but_for=["logits"])


@pytest.mark.parametrize(
    "name",
    every_night(["densenet121", "mobilenet_v2", "resnet18", "shufflenet_v2_x1_0"], {"resnet18"}),
)
def test_an_encoder_takes_over_the_trunk_of_a_classifier(name):
    classifier = create_model(name, (64, 64, 3), num_classes=3)
    model = create_model("unet_resnet18", (64, 64, 3), num_classes=2, encoder=name, width=4)
    load_weights_from(model, classifier, include_top=False)
    decoder = [layer.name for layer in model.layers if layer.name.startswith("decoder_")]
    assert_same_layers(model, classifier, but_for=["logits", *decoder])


def assert_same_layers(model, other, but_for):
    """The layers with weights of both are the same ones with the same weights."""
    layers = [
        {layer.name: layer for layer in one.layers if layer.weights and layer.name not in but_for}
        for one in (model, other)
    ]
    assert layers[0].keys() == layers[1].keys()
    for name, layer in layers[0].items():
        for found, expected in zip(layer.weights, layers[1][name].weights, strict=True):
            np.testing.assert_array_equal(found, expected)


def test_options_of_another_form_than_the_weights(keras_home):
    sentence = "`stride_in` must be '1x1', as in Keras's ResNet50; got stride_in='3x3'"
    with pytest.raises(ValueError, match=sentence):
        create_model("resnet50", weights="imagenet", stride_in="3x3")


def test_a_full_disk_is_no_missing_network(monkeypatch):
    def full(**kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keras.applications, "MobileNet", full)
    with pytest.raises(OSError, match="No space left") as caught:
        create_model("mobilenet_v1", weights="imagenet")
    assert not isinstance(caught.value, ConnectionError)
