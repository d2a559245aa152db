"""Export to TensorFlow's SavedModel, checked before it is left behind."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from kerascnn.data.pixels import prepare, to_channels
from kerascnn.export.decode import decode_image
from kerascnn.export.real_images import real_images

# Largest difference in probability, by the precision in which the model computes: how half
# precision is rounded depends on which operations a runtime fuses.
_TOLERANCE = {"float16": 5e-3, "bfloat16": 2e-2}
_TOLERANCE_OTHERWISE = 1e-5


class ExportError(RuntimeError):
    """What was written does not answer as the model does, so it was removed."""


def export(model, path, class_names=None, images=()):
    """Writes a classifier as a SavedModel that takes images as they come off disk.

    The SavedModel carries its preprocessing and class names and needs neither Keras nor kerascnn.
    Its signatures:

    - `serving_default`: `images`, uint8 of shape `(batch, height, width, channels)`, any height
      and width, and 1, 3 or 4 (RGBA) channels;
    - `encoded_images`: `encoded_images`, string of shape `(batch,)`, each the bytes of a PNG or
      JPEG file.

    Both give `probabilities` (float32, `(batch, classes)`), `class_id` (int64, `(batch,)`) and
    `class_name` (string, `(batch,)`). What was written is loaded in a fresh process and compared
    with the model on real images; it stays only if it answers the same.

    Args:
        model: `keras.Model` from images of a known size with values from 0 to 1 to logits.
        path: folder of the versions, as TensorFlow Serving wants it; the model is written into
            its next free number, at first `path/1`.
        class_names: names of the classes; by default their numbers.
        images: further uint8 images `(height, width, channels)` to compare on.

    Returns:
        `pathlib.Path` of the version's folder.

    Raises:
        ValueError: if the model takes no images of a known size, or the number of names is wrong.
        ExportError: if the SavedModel answers otherwise than the model.
    """
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            "A SavedModel is written on the TensorFlow backend, which can load the model whatever "
            f"backend trained it; got {keras.backend.backend()}."
        )
    if len(model.input_shape) != 4 or None in model.input_shape[1:]:
        raise ValueError(
            "`model` must take images of a known height, width and number of channels; "
            f"got input shape {model.input_shape}."
        )
    classes = model.output_shape[-1]
    class_names = [str(i) for i in range(classes)] if class_names is None else list(class_names)
    if len(class_names) != classes:
        raise ValueError(
            f"`class_names` must name all {classes} classes of the model; "
            f"got {len(class_names)} names."
        )
    versions = Path(path)
    was_there = versions.exists()
    versions.mkdir(parents=True, exist_ok=True)
    written = Path(tempfile.mkdtemp(prefix=".writing-", dir=versions))
    try:
        _write(model, class_names, written / "model")
        _compare(model, class_names, written, [*real_images(), *images])
        target = versions / str(_next_version(versions))
        (written / "model").rename(target)
    finally:
        shutil.rmtree(written)
        if not was_there and not any(versions.iterdir()):
            versions.rmdir()
    return target


def _next_version(versions):
    return 1 + max(
        (int(entry.name) for entry in versions.iterdir() if entry.name.isdigit()), default=0
    )


def _write(model, class_names, path):
    height, width, channels = model.input_shape[1:]
    names = tf.constant(class_names)

    def answers(pixels):
        probabilities = tf.nn.softmax(tf.cast(model(pixels, training=False), tf.float32))
        class_id = tf.argmax(probabilities, axis=-1)
        return {
            "probabilities": probabilities,
            "class_id": class_id,
            "class_name": tf.gather(names, class_id),
        }

    def on_images(images):
        return answers(prepare(to_channels(images, channels), (height, width)))

    def on_encoded_images(encoded_images):
        pixels = tf.map_fn(
            lambda encoded: prepare(decode_image(encoded, channels), (height, width)),
            encoded_images,
            fn_output_signature=tf.TensorSpec((height, width, channels), tf.float32),
        )
        return answers(pixels)

    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint(
        "serving_default",
        on_images,
        [tf.TensorSpec((None, None, None, None), tf.uint8, "images")],
    )
    archive.add_endpoint(
        "encoded_images", on_encoded_images, [tf.TensorSpec((None,), tf.string, "encoded_images")]
    )
    archive.write_out(str(path), verbose=False)


# Runs in a fresh process that has imported nothing but TensorFlow and NumPy.
_RELOAD = """
import json, pathlib, sys
import numpy as np
import tensorflow as tf

folder = pathlib.Path(sys.argv[1])
signatures = tf.saved_model.load(str(folder / "model")).signatures
answers = []
for path in sorted(folder.glob("image_*.png"), key=lambda path: int(path.stem[6:])):
    pixels = np.load(path.with_suffix(".npy"))[np.newaxis]
    for answer in (
        signatures["serving_default"](images=tf.constant(pixels)),
        signatures["encoded_images"](encoded_images=tf.constant([path.read_bytes()])),
    ):
        answers.append(
            {
                "probabilities": answer["probabilities"][0].numpy().tolist(),
                "class_id": int(answer["class_id"][0]),
                "class_name": answer["class_name"][0].numpy().decode(),
            }
        )
(folder / "answers.json").write_text(json.dumps(answers))
"""


def _compare(model, class_names, folder, images):
    size, channels = model.input_shape[1:3], model.input_shape[3]
    expected = []
    for i, image in enumerate(images):
        np.save(folder / f"image_{i}.npy", image)
        tf.io.write_file(str(folder / f"image_{i}.png"), tf.io.encode_png(image))
        pixels = prepare(to_channels(tf.constant(image), channels), size)
        logits = keras.ops.convert_to_numpy(model(pixels[tf.newaxis], training=False))[0]
        probabilities = np.exp(logits - logits.max(), dtype=np.float64)
        expected.append(probabilities / probabilities.sum())
    # -P: nothing is imported from the folder the user happens to stand in. On the CPU, because the
    # memory of a GPU is this process's own.
    result = subprocess.run(
        [sys.executable, "-P", "-c", _RELOAD, str(folder)],
        env={**os.environ, "CUDA_VISIBLE_DEVICES": "-1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        reason = result.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise ExportError(f"The SavedModel does not run in a fresh process ({reason[0]}).")
    answers = json.loads((folder / "answers.json").read_text())
    precisions = {layer.compute_dtype for layer in model.layers}
    tolerance = max(_TOLERANCE.get(dtype, _TOLERANCE_OTHERWISE) for dtype in precisions)
    for probabilities, *pair in zip(expected, answers[::2], answers[1::2], strict=True):
        for answer in pair:
            worst = np.abs(np.subtract(answer["probabilities"], probabilities)).max()
            if not worst <= tolerance:
                raise ExportError(
                    "The SavedModel must answer as the model does, within a difference of "
                    f"{tolerance:g} in probability; got {worst:g}."
                )
            if answer["class_name"] != class_names[answer["class_id"]]:
                raise ExportError(f"The SavedModel gives a class the wrong name: {answer}.")
