"""SavedModels, each checked before it becomes a version in a folder."""

import errno
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

from kerascnn.arguments import UsageError
from kerascnn.backend.portable import portable_graphs
from kerascnn.data.pixels import prepare, to_channels
from kerascnn.export.decode import decode_image
from kerascnn.export.real_images import real_images
from kerascnn.export.serving import ExportError
from kerascnn.storage.atomic_write import make_folder, sync, sync_tree

# TensorFlow leaves this folder of a SavedModel to others.
METADATA = Path("assets.extra", "kerascnn.json")


def export(model, path, serving, images=()):
    """Writes a model as a SavedModel that takes images as they are stored.

    The SavedModel carries its preprocessing and needs neither Keras nor kerascnn. Its signatures:

    - `serving_default`: `images`, uint8 of shape `(batch, height, width, channels)`, any height
      and width, and 1, 3 or 4 (RGBA) channels;
    - `encoded_images`: `encoded_images`, string of shape `(batch,)`, each the bytes of a PNG or
      JPEG file; of one size, unless the model resizes its images.

    Both return the outputs of `serving`. What was written is loaded in a fresh process and compared
    with the model on real images; it stays only if it computes the same.
    `assets.extra/kerascnn.json` in it says what the model is for.

    Args:
        model: `keras.Model`.
        path: folder of the versions, as TensorFlow Serving wants it; the model is written into
            its next free number, at first `path/1`.
        serving: `Serving` of the model, as `classification_serving`, `segmentation_serving`,
            `upscaling_serving` and `reconstruction_serving` return.
        images: further uint8 images `(height, width, channels)` to compare on.

    Returns:
        `pathlib.Path` of the version's folder.

    Raises:
        ValueError: if Keras does not run on TensorFlow, or the path cannot be used.
        ExportError: if the SavedModel does not compute what the model does.
    """
    if keras.backend.backend() != "tensorflow":
        raise UsageError(
            "A SavedModel is written on the TensorFlow backend, which can load the model whatever "
            f"backend trained it; got {keras.backend.backend()}."
        )
    versions = Path(path)
    try:
        str(versions).encode()
    except UnicodeEncodeError as error:
        raise UsageError(
            f"The name of the folder must be UTF-8; got {versions}: choose another name."
        ) from error
    was_there = versions.exists()
    make_folder(versions)
    written = Path(tempfile.mkdtemp(prefix=".writing-", dir=versions))
    try:
        _write(model, serving, written / "model")
        cut = slice(serving.largest)
        images = [*real_images(), *(image[cut, cut] for image in images)]
        for image, outputs in zip(images, _outputs(written, images), strict=True):
            for found in outputs:
                serving.check(image, found)
        sync_tree(written / "model")
        target = _moved_to_next_version(written / "model", versions)
    finally:
        shutil.rmtree(written)
        if not was_there and not any(versions.iterdir()):
            versions.rmdir()
    return target


def read_metadata(version):
    """Returns what `export` wrote about a SavedModel; `{}` for one that it did not write."""
    path = Path(version) / METADATA
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _write(model, serving, path):
    def resized(images):
        return prepare(images, serving.size) if serving.size else images

    def on_images(images):
        return serving.outputs(resized(to_channels(images, serving.channels)))

    dtype = tf.float32 if serving.size else tf.uint8
    decoded = tf.TensorSpec((*(serving.size or (None, None)), serving.channels), dtype)

    def on_encoded_images(encoded_images):
        return serving.outputs(
            tf.map_fn(
                lambda encoded: resized(decode_image(encoded, serving.channels)),
                encoded_images,
                fn_output_signature=decoded,
            )
        )

    archive = keras.export.ExportArchive()
    archive.track(model)
    with portable_graphs():  # it may be served on another processor
        archive.add_endpoint(
            "serving_default",
            on_images,
            [tf.TensorSpec((None, None, None, None), tf.uint8, "images")],
        )
        archive.add_endpoint(
            "encoded_images",
            on_encoded_images,
            [tf.TensorSpec((None,), tf.string, "encoded_images")],
        )
        archive.write_out(str(path), verbose=False)
    metadata = path / METADATA
    metadata.parent.mkdir()
    metadata.write_text(json.dumps(serving.metadata, indent=2) + "\n", encoding="utf-8")


def _moved_to_next_version(model, versions):
    """Gives a model the next free number, also while another process exports into the folder."""
    while True:
        taken = [int(entry.name) for entry in versions.iterdir() if entry.name.isdecimal()]
        target = versions / str(1 + max(taken, default=0))
        try:
            os.rename(model, target)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise
            continue
        sync(versions)
        return target


# Runs in a fresh process that has imported nothing but TensorFlow and NumPy.
_RELOAD = """
import pathlib, sys
import numpy as np
import tensorflow as tf

folder = pathlib.Path(sys.argv[1])
signatures = tf.saved_model.load(str(folder / "model")).signatures
for path in folder.glob("image_*.png"):
    pixels = np.load(path.with_suffix(".npy"))[np.newaxis]
    for kind, answer in {
        "images": signatures["serving_default"](images=tf.constant(pixels)),
        "encoded": signatures["encoded_images"](encoded_images=tf.constant([path.read_bytes()])),
    }.items():
        arrays = {name: tensor[0].numpy() for name, tensor in answer.items()}
        # NumPy pickles objects: strings have a type of their own.
        arrays = {
            name: np.array(array.decode()) if isinstance(array, bytes) else array
            for name, array in arrays.items()
        }
        np.savez(folder / f"{path.stem}_{kind}.npz", **arrays)
"""


def _outputs(folder, images):
    """What the written model computes: for each image, a dict of arrays from each signature."""
    for i, image in enumerate(images):
        np.save(folder / f"image_{i}.npy", image)
        tf.io.write_file(str(folder / f"image_{i}.png"), tf.io.encode_png(image))
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
    return [
        [dict(np.load(folder / f"image_{i}_{kind}.npz")) for kind in ("images", "encoded")]
        for i in range(len(images))
    ]
