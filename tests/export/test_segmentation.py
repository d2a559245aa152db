from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from kerascnn.data import read_image
from kerascnn.export import ExportError, export, segmentation_serving
from kerascnn.inference import segment
from kerascnn.models import create_model
from tests import fresh_process

# Classes 0, 2 and 5 count; the others were ignored.
VALUES = [0, 2, 5]


def write(model, path, *options):
    return export(model, path, serving=segmentation_serving(model, *options)).path


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return create_model("unet", (None, None, 3), 3, width=4, depth=2)


FRESH = """
import sys

sys.modules["keras"] = sys.modules["kerascnn"] = None  # whoever imports them fails

import numpy as np
import tensorflow as tf

encoded = open(sys.argv[1], "rb").read()
for path in sys.argv[2:]:
    signatures = tf.saved_model.load(path).signatures
    answer = signatures["encoded_images"](encoded_images=tf.constant([encoded, encoded]))
    np.savez(f"{path}/answer.npz", **{name: tensor.numpy() for name, tensor in answer.items()})
"""


@pytest.mark.parametrize("factors", [(1.0, 0.5), pytest.param((2.0,), marks=pytest.mark.nightly)])
def test_answers_in_a_process_without_keras(factors, model, tmp_path):
    paths = [write(model, tmp_path / "export", VALUES, factor) for factor in factors]
    assert [path.name for path in paths] == ["1", "2"][: len(factors)]
    pixels = np.random.default_rng(0).integers(0, 256, (37, 53, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "odd.png")
    fresh_process.output(FRESH, tmp_path / "odd.png", *paths)
    for factor, path in zip(factors, paths, strict=True):
        answer = np.load(path / "answer.npz")
        assert answer["mask"].shape == (2, 37, 53)
        assert answer["mask"].dtype == np.uint8
        (expected,) = segment(model, pixels, factor)
        for probabilities, mask in zip(answer["probabilities"], answer["mask"], strict=True):
            np.testing.assert_allclose(probabilities, expected, atol=1e-5)
            np.testing.assert_array_equal(mask, np.array(VALUES)[expected.argmax(axis=-1)])


def test_images_of_any_kind(model, tmp_path):
    signature = tf.saved_model.load(write(model, tmp_path)).signatures["serving_default"]
    for mode in ("L", "RGB", "RGBA"):
        shape = (2, 9, 20) if mode == "L" else (2, 9, 20, len(mode))
        pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
        images = pixels[..., np.newaxis] if mode == "L" else pixels
        answer = signature(images=tf.constant(images))
        assert answer["mask"].shape == (2, 9, 20)
        for picture, probabilities in zip(pixels, answer["probabilities"], strict=True):
            # As Pillow shows it: gray as color, transparent pixels on white
            Image.fromarray(picture, mode).save(tmp_path / "picture.png")
            (expected,) = segment(model, read_image(tmp_path / "picture.png", channels=3))
            np.testing.assert_allclose(probabilities, expected, atol=1e-5)


def test_nothing_stays_if_the_outputs_differ(model, tmp_path):
    check = segmentation_serving(model, VALUES, 0.7).check
    serving = replace(segmentation_serving(model, VALUES), check=check)
    with pytest.raises(ExportError, match="must match the model within"):
        export(model, tmp_path / "export", serving=serving)
    assert list(tmp_path.iterdir()) == []


def test_wrong_arguments(model, tmp_path):
    with pytest.raises(ValueError, match="one value for each of the 3 classes of the model; got 2"):
        write(model, tmp_path, [1, 2])
    with pytest.raises(ValueError, match=r"any height and width; got input shape \(None, 8, 8, 3"):
        write(create_model("unet", (8, 8, 3), 2, width=2, depth=1), tmp_path)
    assert list(tmp_path.iterdir()) == []
