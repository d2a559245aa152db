import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from kerascnn.export import ExportError, export_segmenter, segmenter
from kerascnn.models import create_model
from kerascnn.training import segment

# Classes 0, 2 and 5 count; the others were ignored.
VALUES = [0, 2, 5]


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return create_model("unet", (None, None, 3), 3, width=4, depth=2)


FRESH = """
import sys

sys.modules["keras"] = sys.modules["kerascnn"] = None  # whoever imports them fails

import numpy as np
import tensorflow as tf

signatures = tf.saved_model.load(sys.argv[1]).signatures
encoded = open(sys.argv[2], "rb").read()
answer = signatures["encoded_images"](encoded_images=tf.constant([encoded, encoded]))
np.savez(sys.argv[3], **{name: tensor.numpy() for name, tensor in answer.items()})
"""


@pytest.mark.parametrize("factor", [1.0, 0.5, 2.0])
def test_answers_in_a_process_without_keras(model, tmp_path, factor):
    path = export_segmenter(model, tmp_path / "export", VALUES, factor)
    pixels = np.random.default_rng(0).integers(0, 256, (37, 53, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "odd.png")
    command = [sys.executable, "-c", FRESH, path, tmp_path / "odd.png", tmp_path / "answer.npz"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr[-1000:]
    answer = np.load(tmp_path / "answer.npz")
    assert answer["mask"].shape == (2, 37, 53)
    assert answer["mask"].dtype == np.uint8
    (expected,) = segment(model, pixels, factor)
    for probabilities, mask in zip(answer["probabilities"], answer["mask"], strict=True):
        np.testing.assert_allclose(probabilities, expected, atol=1e-5)
        np.testing.assert_array_equal(mask, np.array(VALUES)[expected.argmax(axis=-1)])


def test_images_of_any_kind(model, tmp_path):
    signature = tf.saved_model.load(export_segmenter(model, tmp_path)).signatures["serving_default"]
    for channels in (1, 3, 4):
        images = np.random.default_rng(0).integers(0, 256, (2, 9, 20, channels), np.uint8)
        answer = signature(images=tf.constant(images))
        assert answer["mask"].shape == (2, 9, 20)
        assert answer["probabilities"].shape == (2, 9, 20, 3)
        assert set(np.unique(answer["mask"])) <= {0, 1, 2}


def test_nothing_stays_if_the_answers_differ(model, tmp_path, monkeypatch):
    check = segmenter._check
    monkeypatch.setattr(
        segmenter, "_check", lambda model, values, factor, *args: check(model, values, 0.7, *args)
    )
    with pytest.raises(ExportError, match="must answer as the model does"):
        export_segmenter(model, tmp_path / "export", VALUES)
    assert list(tmp_path.iterdir()) == []


def test_wrong_arguments(model, tmp_path):
    with pytest.raises(ValueError, match="one for each of the 3 classes of the model; got 2"):
        export_segmenter(model, tmp_path, [1, 2])
    with pytest.raises(ValueError, match=r"any height and width; got input shape \(None, 8, 8, 3"):
        export_segmenter(create_model("unet", (8, 8, 3), 2, width=2, depth=1), tmp_path)
    assert list(tmp_path.iterdir()) == []
