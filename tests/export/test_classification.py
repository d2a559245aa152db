import json
import shutil
from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from kerascnn import layers, load_exported
from kerascnn.export import ExportError, classification_serving, export, fresh_process
from kerascnn.export.runtimes.saved_model import read_metadata
from kerascnn.models import create_model
from tests import fresh_process as forked
from tests.nightly import every_night

NAMES = ["cat", "dog", "Ente"]


def write(model, path, names=None):
    return export(model, path, serving=classification_serving(model, names)).path


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return create_model("lenet5", (28, 28, 1), num_classes=3)


@pytest.fixture(scope="module")
def written(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("written") / "export"
    path = write(model, folder, NAMES)
    assert path == folder / "1"
    return path


def test_signatures_and_names(written):
    signatures = tf.saved_model.load(written).signatures
    assert set(signatures) == {"serving_default", "encoded_images"}
    for name, argument in (("serving_default", "images"), ("encoded_images", "encoded_images")):
        _, inputs = signatures[name].structured_input_signature
        assert list(inputs) == [argument]
        outputs = signatures[name].structured_outputs
        assert {key: (spec.dtype, spec.shape.as_list()) for key, spec in outputs.items()} == {
            "probabilities": (tf.float32, [None, 3]),
            "class_id": (tf.int64, [None]),
            "class_name": (tf.string, [None]),
        }


def test_names_in_any_language(tmp_path):
    """Each is predicted: the biases decide."""
    names = ["猫", "früh", "Ente"]
    for i in range(3):
        model = keras.Sequential(
            [
                keras.Input((28, 28, 1)),
                keras.layers.Flatten(),
                keras.layers.Dense(3, kernel_initializer="zeros"),
            ]
        )
        model.layers[-1].bias.assign(np.eye(3)[i])
        path = write(model, tmp_path / str(i), names)
        exported = load_exported(path)
        assert exported(np.zeros((2, 28, 28, 1), np.uint8))["class_name"].tolist() == [names[i]] * 2
        png = tf.io.encode_png(np.zeros((9, 9, 3), np.uint8)).numpy()
        assert exported.decode([png])["class_name"].tolist() == [names[i]]


def test_the_purpose_is_written_beside(written, tmp_path):
    path = shutil.copytree(written, tmp_path / "1")
    metadata = json.loads((path / "assets.extra" / "kerascnn.json").read_text())
    expected = {"task": "classification", "class_names": NAMES, "image_shape": [28, 28, 1]}
    assert metadata == {**expected, "channels": 1, "max_pixels": 50_000_000}
    assert read_metadata(path) == metadata
    (path / "assets.extra" / "kerascnn.json").unlink()
    assert read_metadata(path) == {}


def test_versions_are_counted_and_never_overwritten(model, written, tmp_path):
    shutil.copytree(written, tmp_path / "1")
    before = (tmp_path / "1" / "saved_model.pb").read_bytes()
    (tmp_path / "7").mkdir()
    assert write(model, tmp_path, NAMES).name == "8"
    assert (tmp_path / "1" / "saved_model.pb").read_bytes() == before
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["1", "7", "8"]


FRESH = """
import sys

sys.modules["keras"] = sys.modules["kerascnn"] = None  # whoever imports them fails

import numpy as np
import tensorflow as tf

signatures = tf.saved_model.load(sys.argv[1]).signatures
batch = np.load(sys.argv[2])
encoded = [open(path, "rb").read() for path in sys.argv[3:]]
for answer in (
    signatures["serving_default"](images=tf.constant(batch)),
    signatures["encoded_images"](encoded_images=tf.constant(encoded)),
):
    for row, name in zip(answer["probabilities"].numpy(), answer["class_name"].numpy()):
        print(name.decode(), *row)
"""


def test_answers_in_a_process_without_keras(model, written, tmp_path):
    rng = np.random.default_rng(0)
    batch = rng.integers(0, 256, (3, 41, 33, 3)).astype(np.uint8)
    np.save(tmp_path / "batch.npy", batch)
    files = [tmp_path / f"{i}.png" for i in range(3)]
    for image, file in zip(batch, files, strict=True):
        Image.fromarray(image).save(file)
    # Written in NumPy and Pillow but for the resizing, which is TensorFlow's own.
    gray = np.stack([np.asarray(Image.fromarray(image).convert("L")) for image in batch])
    pixels = tf.image.resize(gray[..., np.newaxis], (28, 28), antialias=True) / 255.0
    logits = model.predict(pixels, verbose=0).astype("float64")
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)

    printed = forked.output(FRESH, written, tmp_path / "batch.npy", *files)
    lines = [line.split() for line in printed.splitlines()]
    assert len(lines) == 6
    for line, row in zip(lines, [*expected, *expected], strict=True):
        assert line[0] == NAMES[row.argmax()]
        np.testing.assert_allclose(np.array(line[1:], float), row, atol=1e-5)


@pytest.mark.parametrize(
    "policy", every_night(["mixed_float16", "mixed_bfloat16"], {"mixed_float16"})
)
def test_half_precision(policy, tmp_path):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((16, 16, 1))
    x = keras.layers.Conv2D(8, 3, dtype=policy)(inputs)
    x = keras.layers.GlobalAveragePooling2D(dtype=policy)(x)
    model = keras.Model(inputs, keras.layers.Dense(3, dtype=policy)(x))
    assert write(model, tmp_path, NAMES).is_dir()


@pytest.mark.nightly
def test_files_of_the_user_do_not_disturb(model, tmp_path, monkeypatch, forked_exports):
    monkeypatch.setattr(fresh_process, "run_program", forked_exports)
    (tmp_path / "json.py").write_text("raise SystemError('mine')")
    monkeypatch.chdir(tmp_path)
    assert write(model, tmp_path / "export", NAMES).is_dir()


def test_our_layers_survive_export(tmp_path):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((16, 16, 3)),
            keras.layers.Conv2D(16, 3, padding="same"),
            layers.GroupConv2D(16, 3, groups=4),
            layers.BatchNormalization(),
            layers.PixelShuffle(2),
            layers.PixelUnshuffle(4, mode="CRD"),
            keras.layers.GlobalAveragePooling2D(),
            layers.Dropout(0.5),
            keras.layers.Dense(2),
        ]
    )
    assert write(model, tmp_path, ["a", "b"]).is_dir()


def test_nothing_stays_if_the_outputs_differ(model, tmp_path):
    other = create_model("lenet5", (28, 28, 1), num_classes=3)
    # The one is written, and the outputs are compared with the other's.
    check = classification_serving(other, NAMES).check
    serving = replace(classification_serving(model, NAMES), check=check)
    with pytest.raises(ExportError, match="must match the model within"):
        export(model, tmp_path / "export", serving=serving)
    assert list(tmp_path.iterdir()) == []


def test_nothing_stays_if_it_does_not_run(model, tmp_path, monkeypatch):
    monkeypatch.setattr(fresh_process, "PROGRAM", "raise RuntimeError('no such op')")
    (tmp_path / "export" / "1").mkdir(parents=True)
    with pytest.raises(ExportError, match="does not run in a fresh process .*no such op"):
        write(model, tmp_path / "export", NAMES)
    assert [entry.name for entry in (tmp_path / "export").iterdir()] == ["1"]


def test_wrong_arguments(model, tmp_path):
    with pytest.raises(ValueError, match=r"name all 3 classes of the model; got 2 names"):
        write(model, tmp_path, ["a", "b"])
    anywhere = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(2, 3)])
    with pytest.raises(ValueError, match=r"known height, width .*got input shape \(None, None"):
        write(anywhere, tmp_path)
    assert list(tmp_path.iterdir()) == []
