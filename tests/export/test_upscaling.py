import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from kerascnn.data import read_image
from kerascnn.export import ExportError, export, upscaling_serving
from kerascnn.inference import upscale
from kerascnn.layers import SubpixelConv2D
from tests import fresh_process


def write(model, path):
    return export(model, path, serving=upscaling_serving(model)).path


def network(channels, factor, policy="float32", seed=0):
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((None, None, channels))
    x = keras.layers.Conv2D(8, 5, padding="same", activation="tanh", dtype=policy)(inputs)
    return keras.Model(inputs, SubpixelConv2D(channels, 3, factor, dtype=policy)(x))


@pytest.fixture(scope="module")
def model():
    return network(1, 3)


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory):
    return write(model, tmp_path_factory.mktemp("upscaler") / "export")


def test_signatures(exported):
    assert exported.name == "1"
    signatures = tf.saved_model.load(exported).signatures
    assert set(signatures) == {"serving_default", "encoded_images"}
    for name, argument in (("serving_default", "images"), ("encoded_images", "encoded_images")):
        _, inputs = signatures[name].structured_input_signature
        assert list(inputs) == [argument]
        (output,) = signatures[name].structured_outputs.items()
        assert output[0] == "images"
        assert output[1].dtype == tf.uint8
        assert output[1].shape.as_list() == [None, None, None, 3]


FRESH = """
import sys

sys.modules["keras"] = sys.modules["kerascnn"] = None  # whoever imports them fails

import numpy as np
import tensorflow as tf

signatures = tf.saved_model.load(sys.argv[1]).signatures
batch = np.load(sys.argv[2])
encoded = [open(path, "rb").read() for path in sys.argv[4:]]
np.savez(
    sys.argv[3],
    images=signatures["serving_default"](images=tf.constant(batch))["images"],
    encoded=signatures["encoded_images"](encoded_images=tf.constant(encoded))["images"],
)
"""


def test_answers_in_a_process_without_keras(model, exported, tmp_path):
    batch = np.random.default_rng(0).integers(0, 256, (3, 21, 33, 3)).astype(np.uint8)
    np.save(tmp_path / "batch.npy", batch)
    files = [tmp_path / f"{i}.png" for i in range(3)]
    for image, file in zip(batch, files, strict=True):
        Image.fromarray(image).save(file)
    answers = tmp_path / "answers.npz"
    fresh_process.output(FRESH, exported, tmp_path / "batch.npy", answers, *files)
    # Pillow converts, the network answers, NumPy puts together what Pillow has enlarged.
    expected = []
    for image in batch:
        luminance = (image @ np.array([0.299, 0.587, 0.114]) / 255).astype(np.float32)
        answer = 255 * model.predict(luminance[np.newaxis, ..., np.newaxis], verbose=0)[0, ..., 0]
        channels = [image[..., i] - 255 * luminance for i in range(3)]
        large = [
            np.asarray(Image.fromarray(x.astype(np.float32)).resize((99, 63), Image.BICUBIC))
            for x in channels
        ]
        expected.append(np.clip(np.stack(large, axis=-1) + answer[..., np.newaxis], 0, 255))
    for answer in np.load(answers).values():
        assert answer.dtype == np.uint8
        assert np.abs(answer - np.stack(expected)).max() <= 0.5 + 0.01


@pytest.mark.parametrize("channels", [1, 4])
def test_pictures_of_other_kinds(model, exported, channels, tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (9, 8, channels)).astype(np.uint8)
    file = tmp_path / "picture.png"
    Image.fromarray(picture[..., 0] if channels == 1 else picture).save(file)
    signatures = tf.saved_model.load(exported).signatures
    expected = upscale(model, read_image(file, channels=3))
    for answer in (
        signatures["serving_default"](images=picture[np.newaxis]),
        signatures["encoded_images"](encoded_images=tf.constant([file.read_bytes()])),
    ):
        assert np.abs(answer["images"][0].numpy().astype(int) - expected).max() <= 1


def test_a_color_model_in_half_precision(tmp_path):
    assert write(network(3, 2, "mixed_bfloat16"), tmp_path).is_dir()


def test_answers_are_compared_with_the_models(model):
    image = np.random.default_rng(0).integers(0, 256, (9, 8, 1)).astype(np.uint8)
    right = upscale(model, image.repeat(3, axis=-1))
    check = upscaling_serving(model).check
    check(image, {"images": right})
    with pytest.raises(ExportError, match="within 1.0 gray levels .* differences of up to 2, "):
        check(image, {"images": np.where(right > 99, right - 2, right)})
    with pytest.raises(ExportError, match="differences of up to 1, and some in 100.00% "):
        check(image, {"images": np.where(right > 99, right - 1, right + 1)})


def test_a_model_that_does_not_upscale(tmp_path):
    classifier = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten()])
    with pytest.raises(ValueError, match="`model` must upscale channels-last images"):
        write(classifier, tmp_path / "export")
    assert list(tmp_path.iterdir()) == []
