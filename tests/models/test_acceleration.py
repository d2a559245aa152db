import keras
import numpy as np
import pytest

import kerascnn
from kerascnn.arguments import UsageError
from kerascnn.models import accelerate
from tests.models.surgery import (
    APPLICATIONS,
    application,
    assert_same_outputs,
    images,
    layers_of,
    randomized,
    resnext,
)

BACKEND = keras.backend.backend()
on_tensorflow = pytest.mark.skipif(
    BACKEND != "tensorflow", reason="exported from the TensorFlow backend"
)


def without_dropout(model):
    """Masks are drawn in another way, so that a step can be the same only without."""

    def clone(layer):
        config = layer.get_config()
        return type(layer).from_config({**config, "rate": 0.0} if "rate" in config else config)

    clone = keras.models.clone_model(model, clone_function=clone, recursive=True)
    clone.set_weights(model.get_weights())
    return clone


def build(name):
    return resnext() if name == "resnext" else application(name)


def every_night(*names):
    return [pytest.param(name, marks=pytest.mark.nightly) for name in names]


# In float32, gradients of Keras's own ResNet-50 are about 1 % off, compared with float64, so that
# only steps that change the outputs by a few percent agree to the last digits.
LEARNING_RATES = {
    "ResNet50": 3e-5,
    "DenseNet121": 3e-4,
    "MobileNetV2": 1e-3,
    "EfficientNetB0": 1e-3,
}


@pytest.mark.parametrize(
    "name",
    ["resnext", "MobileNetV2", *every_night("ResNet50", "DenseNet121", "EfficientNetB0")],
)
def test_same_outputs_before_and_after_a_training_step(name):
    model = without_dropout(build(name))
    accelerated = accelerate(model)
    assert not any(
        type(layer) is keras.layers.BatchNormalization for layer in layers_of(accelerated)
    )
    assert_same_outputs(model, accelerated)
    x = images(model, 4)
    before = keras.ops.convert_to_numpy(model(x))
    for trained in (model, accelerated):
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        optimizer = keras.optimizers.SGD(LEARNING_RATES.get(name, 0.01))
        trained.compile(optimizer, loss, run_eagerly=True)
        trained.train_on_batch(x, np.arange(4))
    assert np.abs(keras.ops.convert_to_numpy(model(x)) - before).max() > 1e-3 * np.abs(before).max()
    assert_same_outputs(model, accelerated, tolerance=1e-4)


def in_onnx_runtime(model, x, path):
    import onnxruntime

    model.export(str(path), format="onnx", verbose=False)
    session = onnxruntime.InferenceSession(path)
    (found,) = session.run(None, {session.get_inputs()[0].name: x})
    return found


@on_tensorflow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.extra("export")
@pytest.mark.parametrize("name", ["resnext", *every_night(*APPLICATIONS)])
def test_exports_to_onnx(name, tmp_path):
    accelerated = accelerate(build(name))
    x = images(accelerated)
    expected = accelerated.predict(x, verbose=0)
    found = in_onnx_runtime(accelerated, x, tmp_path / "model.onnx")
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4 * np.abs(expected).max())


@on_tensorflow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.extra("export")
def test_grouped_convolutions_of_keras_do_not_export_to_onnx(tmp_path):
    """Or `accelerate` would have one reason less."""
    model = resnext()
    x = images(model)
    model.predict(x, verbose=0)
    with pytest.raises(Exception, match=r"XlaLaunch|StatefulPartitionedCall|INVALID_GRAPH"):
        in_onnx_runtime(model, x, tmp_path / "model.onnx")


def every_kind():
    """A model with each layer that is replaced, plain and nested, and with others."""
    inputs = keras.Input((12, 12, 4))
    x = keras.layers.Rescaling(2.0)(inputs)
    x = keras.layers.Conv2D(8, 3, padding="same", name="first conv")(x)
    x = keras.layers.Conv2D(8, 3, groups=2, name="grouped")(x)
    x = keras.layers.DepthwiseConv2D(3, depth_multiplier=2, name="depthwise")(x)
    x = keras.layers.BatchNormalization(name="norm")(x)
    x = keras.layers.SeparableConv2D(8, 3, name="separable")(x)
    x = keras.layers.Conv2DTranspose(8, 3, strides=2, name="transposed")(x)
    x = keras.layers.Dropout(0.5, seed=1, name="dropout")(x)
    x = keras.layers.UpSampling2D(2, interpolation="bilinear", name="up")(x)
    x = keras.layers.UpSampling2D(2, name="nearest")(x)
    x = keras.Sequential(
        [
            keras.layers.Conv2D(4, 3, groups=4),
            keras.layers.Conv2D(4, 1),
            keras.layers.BatchNormalization(),
        ],
        name="inner",
    )(x)
    return randomized(keras.Model(inputs, keras.ops.mean(x, axis=(1, 2)) + 1.0, name="all"))


def test_each_namesake_is_replaced():
    model = every_kind()
    accelerated = accelerate(model)
    replaced = {
        layer.name
        for layer in layers_of(accelerated)
        if type(layer).__module__.startswith("kerascnn.")
    }
    inner = {layer.name for layer in accelerated.get_layer("inner").layers}
    outer = {
        "first conv",
        "grouped",
        "depthwise",
        "norm",
        "separable",
        "transposed",
        "dropout",
        "up",
    }
    assert replaced == outer | inner
    assert type(accelerated.get_layer("inner")) is keras.Sequential
    assert_same_outputs(model, accelerated)


@pytest.mark.parametrize("suffix", [".keras", ".weights.h5"])
def test_weights_are_exchanged_by_files(suffix, tmp_path):
    model, accelerated = every_kind(), accelerate(every_kind())
    for source, target in ((model, accelerated), (accelerated, model)):
        source.set_weights([weight + 0.01 for weight in source.get_weights()])
        path = tmp_path / f"model{suffix}"
        source.save(path) if suffix == ".keras" else source.save_weights(path)
        target.load_weights(path)
        for expected, found in zip(source.get_weights(), target.get_weights(), strict=True):
            np.testing.assert_array_equal(found, expected)


def test_saves_and_reloads(tmp_path):
    accelerated = accelerate(every_kind())
    accelerated.save(tmp_path / "model.keras")
    assert_same_outputs(accelerated, keras.saving.load_model(tmp_path / "model.keras"))


def test_keeps_names_flags_and_regularizers_and_leaves_the_model_as_it_was():
    model = resnext()
    model.get_layer("stem").trainable = False
    model.get_layer("nested").trainable = False
    model.get_layer("nested").layers[0].trainable = True
    model.compile("adam", "mse")
    config, nodes = model.get_config(), [len(layer._inbound_nodes) for layer in layers_of(model)]
    weights = model.get_weights()
    accelerated = accelerate(model)
    assert model.get_config() == config
    assert [len(layer._inbound_nodes) for layer in layers_of(model)] == nodes
    for before, after in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(after, before)
    assert model.compiled
    assert not accelerated.compiled
    assert accelerated.name == "resnext"
    assert accelerated.input.name == "images"
    for ours, theirs in zip(layers_of(accelerated), layers_of(model), strict=True):
        assert ours is not theirs
        assert (ours.name, ours.trainable) == (theirs.name, theirs.trainable)
    paths = [weight.path for weight in model.trainable_weights]
    assert [weight.path for weight in accelerated.trainable_weights] == paths
    assert len(accelerated.losses) == len(model.losses) == 1
    losses = [keras.ops.convert_to_numpy(each.losses[0]) for each in (accelerated, model)]
    np.testing.assert_allclose(*losses, rtol=1e-6)
    assert len(accelerated.layers) == len(model.layers)  # the shared block is one layer still


def test_several_inputs_and_outputs_keep_their_structure():
    inputs = {"a": keras.Input((6, 6, 2), name="a"), "b": keras.Input((6, 6, 2), name="b")}
    conv = keras.layers.Conv2D(2, 3, groups=2)
    a, b = conv(inputs["a"]), keras.layers.BatchNormalization()(conv(inputs["b"]))
    model = randomized(keras.Model(inputs, {"sum": a + b, "parts": [a, b]}))
    x = {name: np.random.default_rng(0).normal(size=(2, 6, 6, 2)) for name in inputs}
    accelerated = accelerate(model)
    keras.tree.assert_same_structure(accelerated(x), model(x))
    assert_same_outputs(model, accelerated, x)
    assert len(accelerated.weights) == len(model.weights)


def scaled_shifted(x):
    return 2.0 * x - 1.0


def test_functions_that_are_not_registered_and_adapted_state_are_kept():
    normalization = keras.layers.Normalization()
    normalization.adapt(np.random.default_rng(0).normal(3.0, 2.0, size=(50, 4)))
    inputs = keras.Input((4,))
    x = normalization(inputs)
    x = keras.layers.Lambda(lambda x: keras.ops.tanh(x))(x)
    x = keras.layers.Lambda(scaled_shifted)(x)
    model = keras.Model(inputs, keras.layers.Dense(3, activation=scaled_shifted)(x))
    assert_same_outputs(model, accelerate(model))


class Twice(keras.layers.Conv2D):
    def call(self, inputs):
        return 2 * super().call(inputs)


class WithStep(keras.Model):
    def train_step(self, data):
        return {"loss": 0.0}


def test_subclasses_of_layers_and_of_functional_models_stay():
    inputs = keras.Input((6, 6, 2))
    model = WithStep(inputs, Twice(2, 3)(keras.layers.Dropout(0.5)(inputs)))
    accelerated = accelerate(model)
    assert [type(layer) for layer in accelerated.layers[1:]] == [kerascnn.layers.Dropout, Twice]
    assert type(accelerated) is WithStep
    assert_same_outputs(model, accelerated)


def test_a_layer_of_ours_stays():
    model = kerascnn.models.create_model("lenet5")
    kinds = [type(layer) for layer in model.layers]
    assert [type(layer) for layer in accelerate(model).layers] == kinds


class OfItsOwn(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(1)

    def call(self, inputs):
        return self.dense(inputs)


class OtherCall(keras.Model):
    def call(self, inputs):
        return inputs


class Unconfigured(keras.layers.Layer):
    def __init__(self, value):
        super().__init__()
        self.value = value

    def call(self, inputs):
        return inputs


@pytest.mark.parametrize("surgery", [accelerate, kerascnn.models.fold_batch_normalization])
def test_what_has_no_graph_is_refused(surgery):
    inputs = keras.Input((4,))
    for model in (OfItsOwn(), OtherCall(inputs, keras.layers.Dense(2)(inputs))):
        with pytest.raises(UsageError, match=f"functional or sequential.*{type(model).__name__}"):
            surgery(model)
    with pytest.raises(UsageError, match="must have a known input shape"):
        surgery(keras.Sequential([keras.layers.Dense(2)]))
    layer = Unconfigured(object())
    with pytest.raises(UsageError, match=f"{layer.name!r} .Unconfigured. must have a `get_config`"):
        surgery(keras.Model(inputs, layer(inputs)))


def test_training_the_copy_does_not_touch_the_model():
    """JAX gives the memory of trained weights away."""
    model = resnext()
    expected = model.get_weights()
    accelerated = accelerate(model)
    accelerated.compile("sgd", "mse")
    accelerated.fit(images(model), np.ones((4, 5)), verbose=0)
    for before, after in zip(expected, model.get_weights(), strict=True):
        np.testing.assert_array_equal(after, before)
