"""Models of every task in every format."""

import functools
import warnings
from pathlib import Path
from unittest import mock

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerascnn import layers, load_exported
from kerascnn.data.pixels import prepare
from kerascnn.export import (
    ExportError,
    MissingRuntimeError,
    UnfoldedExportWarning,
    classification_serving,
    export,
    exporting,
    formats,
    fresh_process,
    segmentation_serving,
    upscaling_serving,
)
from kerascnn.export.fresh_process import run_in_fresh_process
from kerascnn.inference import segment, upscale
from kerascnn.models import create_model
from tests.export.fresh import answers

pytestmark = pytest.mark.extra("export")

SUFFIXES = {"saved_model": "", "onnx": ".onnx", "litert": ".tflite", "openvino": ".xml"}


def small_resnext():
    """Grouped convolutions with batch normalization, as in ResNeXt."""
    inputs = keras.Input((32, 32, 3))
    x = layers.BatchNormalization()(layers.GroupConv2D(16, 3, padding="same")(inputs))
    y = layers.GroupConv2D(16, 3, padding="same", groups=4, use_bias=False)(x)
    x = keras.layers.Activation("relu")(x + layers.BatchNormalization()(y))
    return keras.Model(inputs, keras.layers.Dense(5)(keras.layers.GlobalAveragePooling2D()(x)))


def with_statistics(model):
    """Gives batch normalization statistics as after a training."""
    rng = np.random.default_rng(0)
    for layer in model.layers:
        if "BatchNormalization" in type(layer).__name__:
            layer.moving_mean.assign(rng.normal(size=layer.moving_mean.shape))
            layer.moving_variance.assign(rng.uniform(0.5, 2, layer.moving_variance.shape))
    return model


# The smallest of each of what docs/results.md lists in its full size
MODELS = {
    "lenet5": lambda: create_model("lenet5"),
    "resnet20": lambda: create_model("resnet20"),
    "resnext": small_resnext,
    "unet": lambda: create_model("unet", (None, None, 3), 4, width=4, depth=2),
    "espcn": lambda: create_model("espcn_x3"),
}


def serving_of(name, model):
    if name == "unet":
        return segmentation_serving(model, [0, 2, 3, 9], factor=0.5)
    if name == "espcn":
        return upscaling_serving(model)
    return classification_serving(model)


def run_here(runtime, path, examples, folder):
    """Takes the place of `run_in_fresh_process`, whose start takes seconds."""
    try:
        model = formats.get_format(runtime).runtime.Model(path)
        return [[model(**example)] for example in examples], 1.0
    except Exception as error:  # of another kind in each runtime
        raise ExportError(str(error)) from error


@pytest.fixture(scope="module", autouse=True)
def in_this_process():
    """Saves time: one process for all files is started by a test, and a model is folded once."""
    once = functools.cache(exporting.inference_form)
    with (
        mock.patch.object(exporting, "run_in_fresh_process", run_here),
        mock.patch.object(exporting, "inference_form", once),
    ):
        yield


@pytest.fixture(scope="module")
def models():
    keras.utils.set_random_seed(0)
    return {name: with_statistics(build()) for name, build in MODELS.items()}


@pytest.fixture(scope="module")
def exported(models, tmp_path_factory):
    """`{(format, name): Exported}`, in a folder whose name TensorFlow takes for a pattern."""
    folder, found = tmp_path_factory.mktemp("formats") / "a[1]*b", {}
    for name, model in models.items():
        serving = serving_of(name, model)
        for kind, suffix in SUFFIXES.items():
            path = folder / f"{name}{suffix}"
            found[kind, name] = export(model, path, format=kind, serving=serving)
    return found


def expected(name, model, images):
    """What the model computes for one image, without exports."""
    channels = model.input_shape[-1]
    if name == "unet":
        return "probabilities", np.concatenate(list(segment(model, images, 0.5)))
    if name == "espcn":
        return "images", upscale(model, images)
    output = model.predict(prepare(images[np.newaxis], model.input_shape[1:3]), verbose=0)[0]
    assert images.shape[-1] == channels
    exponentials = np.exp(output.astype("float64"))
    return "probabilities", exponentials / exponentials.sum()


def test_all_answer_in_a_process_without_kerascnn(models, exported, tmp_path):
    rng = np.random.default_rng(0)
    images = {}
    for name, model in models.items():
        channels = 3 if name == "espcn" else model.input_shape[-1]
        # Two batch sizes, and two sizes of images
        shapes = [(2, 45, 37, channels), (1, 24, 50, channels)]
        images[name] = [rng.integers(0, 256, shape).astype(np.uint8) for shape in shapes]
    jobs = [(kind, name, found.path) for (kind, name), found in exported.items()]
    # TensorFlow itself cannot load from this folder, so the files go elsewhere first.
    (tmp_path / "files").symlink_to(jobs[0][2].parents[1], target_is_directory=True)
    root = jobs[0][2].parents[1]
    jobs = [(kind, name, tmp_path / "files" / path.relative_to(root)) for kind, name, path in jobs]
    found = answers(jobs, images, tmp_path)
    for (kind, name, i), outputs in found.items():
        for j, image in enumerate(images[name][i]):
            output, wanted = expected(name, models[name], image)
            given = outputs[output][j].astype("float64")
            tolerance = 1.0 if output == "images" else 1e-5
            assert np.abs(given - wanted).max() <= tolerance, (kind, name)
            if output == "images":
                assert np.mean(given != wanted) < 0.02, (kind, name)
            elif name == "unet":
                mask = np.array([0, 2, 3, 9])[given.argmax(-1)]
                np.testing.assert_array_equal(outputs["mask"][j], mask)
            else:
                assert outputs["class_id"][j] == wanted.argmax(), (kind, name)


def test_the_reports_are_those_of_the_files(exported):
    for (kind, name), found in exported.items():
        assert found.path.exists()
        assert found.path.suffix in ("", SUFFIXES[kind])
        assert found.difference <= (1 if found.unit == "gray levels" else 1e-5), (kind, name)
        files = [found.path, found.path.with_suffix(".bin")] if kind == "openvino" else []
        files = files or ([found.path] if found.path.is_file() else found.path.rglob("*"))
        assert found.bytes == sum(file.stat().st_size for file in files if file.is_file())


def test_load_exported_answers_alike_whatever_the_format(exported):
    image = np.random.default_rng(1).integers(0, 256, (1, 31, 40, 4)).astype(np.uint8)
    for name in ("lenet5", "unet", "espcn"):
        first, *others = [load_exported(exported[kind, name].path)(image) for kind in SUFFIXES]
        for other in others:
            assert other.keys() == first.keys()
            for key, array in first.items():
                assert other[key].dtype.kind == array.dtype.kind
                if array.dtype.kind == "f":
                    np.testing.assert_allclose(other[key], array, atol=1e-5)
                elif array.dtype.kind == "U":
                    np.testing.assert_array_equal(other[key], array)
    assert first["images"].shape == (1, 93, 120, 3)
    function = load_exported(exported["onnx", "lenet5"].path)
    assert function.metadata["task"] == "classification"
    with pytest.raises(ValueError, match="must be a uint8 array .* got float64 of shape"):
        function(np.zeros((1, 8, 8, 3)))


def test_weights_are_constants_and_normalization_is_folded(exported):
    loaded = tf.saved_model.load(_readable(exported["saved_model", "resnet20"].path))
    serve = loaded.signatures["serving_default"]
    graph = serve.graph.as_graph_def()
    nodes = [*graph.node, *(node for one in graph.library.function for node in one.node_def)]
    operations = {node.op for node in nodes}
    assert not operations & {"ReadVariableOp", "VarHandleOp", "FusedBatchNormV3", "Rsqrt"}
    assert not serve.variables


def _readable(path):
    """A name for a path that TensorFlow does not take for a pattern."""
    link = Path(path).parents[2] / f"link_{Path(path).parent.name}"
    if not link.exists():
        link.symlink_to(path, target_is_directory=True)
    return str(link)


def two_in_two_out():
    first, second = keras.Input((6,), name="left"), keras.Input((None, 4), name="right")
    inner = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)], name="inner")
    x = inner(first) + inner(keras.layers.Dense(6)(keras.ops.mean(second, axis=1)))
    return keras.Model({"left": first, "right": second}, {"sum": x, "right_twice": second * 2})


@pytest.mark.parametrize("kind", ["onnx", "litert"])
def test_it_is_run_in_a_fresh_process(kind, models, tmp_path):
    path = tmp_path / f"model{SUFFIXES[kind]}"
    with mock.patch.object(exporting, "run_in_fresh_process", run_in_fresh_process):
        found = export(models["lenet5"], path, format=kind)
        assert found.difference < 1e-5
        assert 0 < found.milliseconds < 1e4
    broken = fresh_process.PROGRAM.replace('["Model"]', '["Absent"]')
    with (
        mock.patch.object(fresh_process, "PROGRAM", broken),
        mock.patch.object(exporting, "run_in_fresh_process", run_in_fresh_process),
        mock.patch.object(exporting, "named_layer", return_value=None),
        pytest.raises(ExportError, match="does not run in a fresh process .*Absent"),
    ):
        export(models["lenet5"], path, format=kind, overwrite=True)


@pytest.mark.parametrize("kind", ["saved_model", "onnx"])
def test_any_keras_model(kind, tmp_path):
    keras.utils.set_random_seed(0)
    model = two_in_two_out()
    found = export(model, tmp_path / f"model{SUFFIXES[kind]}", format=kind)
    rng = np.random.default_rng(0)
    arrays = {
        "left": rng.normal(size=(3, 6)).astype("float32"),
        "right": rng.normal(size=(3, 5, 4)).astype("float32"),
    }
    outputs = load_exported(found.path)(arrays)
    for name, wanted in model(arrays).items():
        np.testing.assert_allclose(outputs[name], wanted, atol=1e-5)


def test_grouped_convolutions_of_keras_go_to_onnx(tmp_path):
    model = keras.Sequential([keras.Input((8, 8, 4)), keras.layers.Conv2D(8, 3, groups=2)])
    assert export(model, tmp_path / "model.onnx", format="onnx").difference < 1e-5


class OwnCall(keras.Model):
    def __init__(self):
        inputs = keras.Input((4,))
        super().__init__(inputs, keras.layers.Dense(2)(inputs))

    def call(self, x, training=None):
        return 3 * super().call(x)


def test_a_model_that_cannot_be_folded_is_exported_as_it_is(tmp_path):
    with pytest.warns(UnfoldedExportWarning, match="is exported with separate layers"):
        found = export(OwnCall(), tmp_path / "model.onnx", format="onnx")
    assert found.difference < 1e-5


class InPython(keras.layers.Layer):
    def call(self, x):
        return tf.ensure_shape(tf.numpy_function(np.fft.fft, [x], tf.float32), x.shape)

    def compute_output_shape(self, shape):
        return shape


@pytest.mark.parametrize("kind", ["onnx", "litert", "openvino"])
def test_a_layer_that_a_format_cannot_hold_is_named(kind, tmp_path):
    inputs = keras.Input((4,))
    x = keras.layers.Dense(4, name="before")(inputs)
    x = keras.layers.Dense(2, name="after")(InPython(name="in_python")(x))
    with pytest.raises(ExportError, match=r"does not support the layer 'in_python' \(InPython\)"):
        export(keras.Model(inputs, x), tmp_path / f"model{SUFFIXES[kind]}", format=kind)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_runtime_is_one_sentence(models, tmp_path, monkeypatch):
    monkeypatch.setattr(formats.importlib.util, "find_spec", lambda name: None)
    sentence = r'OpenVINO needs openvino, which .*: pip install "kerascnn\[export\]"\.'
    with pytest.raises(MissingRuntimeError, match=sentence):
        export(models["lenet5"], tmp_path / "model.xml", format="openvino")
    assert list(tmp_path.iterdir()) == []


def test_an_older_file_stays_unless_it_may_be_overwritten(models, tmp_path, monkeypatch):
    path, model = tmp_path / "model.onnx", models["lenet5"]
    path.write_text("mine")
    with pytest.raises(FileExistsError, match="exists; choose another name"):
        export(model, path, format="onnx")
    monkeypatch.setattr(exporting, "run_in_fresh_process", _failing)
    monkeypatch.setattr(exporting, "named_layer", lambda *_: None)
    with pytest.raises(ExportError, match="no such op"):
        export(model, path, format="onnx", overwrite=True)
    assert path.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [path]
    monkeypatch.undo()
    export(model, path, format="onnx", overwrite=True)
    assert path.read_bytes()[:4] != b"mine"
    assert list(tmp_path.iterdir()) == [path]


def test_weights_of_another_file_stay(models, tmp_path):
    """A model in OpenVINO has a second file."""
    weights = tmp_path / "pytorch_model.bin"
    weights.write_text("mine")
    with pytest.raises(FileExistsError, match=r"pytorch_model\.bin exists; choose another name"):
        export(models["lenet5"], weights.with_suffix(".xml"), format="openvino")
    assert weights.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [weights]


def _failing(*arguments):
    raise ExportError("no such op")


def test_wrong_use(models, tmp_path):
    model = models["lenet5"]
    for options, sentence in (
        ({"format": "tflite"}, "`format` must be one of 'saved_model', 'onnx', 'litert'"),
        ({"format": "onnx"}, r"must end in \.onnx; got"),
        ({"quantize": "int8"}, "must be None for a SavedModel"),
        ({"format": "onnx", "quantize": "int4"}, "`quantize` must be one of 'int8'"),
    ):
        with pytest.raises(ValueError, match=sentence):
            export(model, tmp_path / "model", **options)
    with pytest.raises(FileNotFoundError, match="has no exported model"):
        load_exported(tmp_path)
    (tmp_path / "model.onnx").write_text("no model")
    with pytest.raises(ValueError, match="cannot be loaded"):
        load_exported(tmp_path / "model.onnx")
    with pytest.raises(ValueError, match="must have images"):
        export(model, tmp_path / "b.onnx", format="onnx", quantize="int8")


@pytest.mark.parametrize(
    "kind", ["onnx", "litert", pytest.param("openvino", marks=pytest.mark.extra("quantize"))]
)
def test_eight_bits_are_small_and_close(kind, models, exported, tmp_path):
    model, rng = models["resnet20"], np.random.default_rng(0)
    images = rng.integers(0, 256, (12, 32, 32, 3)).astype(np.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the quantizers
        found = export(
            model,
            tmp_path / f"model{SUFFIXES[kind]}",
            format=kind,
            serving=classification_serving(model),
            quantize="int8",
            calibration=images,
        )
    assert found.bytes < 0.6 * exported[kind, "resnet20"].bytes
    assert 0 < found.difference < 0.3
    large = rng.integers(0, 256, (1, 200, 150, 3)).astype(np.uint8)
    exact = load_exported(exported[kind, "resnet20"].path)(large)["probabilities"]
    given = load_exported(found.path)(large)["probabilities"]
    assert np.abs(exact - given).max() < 0.3


@pytest.mark.parametrize(
    "kind", ["onnx", "litert", pytest.param("openvino", marks=pytest.mark.extra("quantize"))]
)
def test_large_sums_of_eight_bits_are_not_cut_off(kind, tmp_path):
    """Two products of the largest values do not fit in 16 bits, which some processors sum in."""
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            keras.layers.Conv2D(8, 3, kernel_initializer=keras.initializers.Constant(1 / 27)),
            keras.layers.ReLU(),
            keras.layers.Conv2D(2, 3),
            keras.layers.GlobalAveragePooling2D(),
        ]
    )
    kernel = np.ones((3, 3, 8, 2), "float32") * [4 / 72, 2 / 72]
    model.layers[2].set_weights([kernel, np.zeros(2)])
    images = np.random.default_rng(0).integers(230, 256, (12, 8, 8, 3)).astype(np.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the quantizers
        found = export(
            model,
            tmp_path / f"model{SUFFIXES[kind]}",
            format=kind,
            serving=classification_serving(model),
            quantize="int8",
            calibration=images,
        )
    exact = keras.ops.softmax(model(images / np.float32(255)))
    np.testing.assert_allclose(load_exported(found.path)(images)["probabilities"], exact, atol=0.02)
