"""Versions of a SavedModel in a folder, each checked before it is left behind."""

import errno
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from kerascnn.backend.portable import portable_graphs
from kerascnn.storage.atomic_write import make_folder, sync, sync_tree

# Largest difference in an answer, by the precision in which the model computes: how half precision
# is rounded depends on which operations a runtime fuses.
_TOLERANCE = {"float16": 5e-3, "bfloat16": 2e-2}
_TOLERANCE_OTHERWISE = 1e-5


class ExportError(RuntimeError):
    """What was written does not answer as the model does, so it was removed."""


def check_backend():
    """Raises an error where Keras runs on something that writes no SavedModel."""
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            "A SavedModel is written on the TensorFlow backend, which can load the model whatever "
            f"backend trained it; got {keras.backend.backend()}."
        )


def tolerance_of(model):
    """How far an answer may lie from the model's own."""
    precisions = {layer.compute_dtype for layer in model.layers}
    return max(_TOLERANCE.get(dtype, _TOLERANCE_OTHERWISE) for dtype in precisions)


def write_version(path, model, on_images, on_encoded_images, images, check):
    """Writes a model with its two signatures as the next version, if it passes the check.

    Args:
        path: folder of the versions, as TensorFlow Serving wants it.
        model: `keras.Model` whose weights the signatures use.
        on_images: function from uint8 images `(batch, height, width, channels)` to a dict of
            tensors; becomes `serving_default`.
        on_encoded_images: function from strings `(batch,)`, the bytes of PNG or JPEG files, to the
            same dict; becomes `encoded_images`.
        images: uint8 arrays `(height, width, channels)` to ask it about, in a fresh process.
        check: function of one of these images and of what a signature answers to it, a dict of
            arrays, that raises `ExportError` if that is wrong.

    Returns:
        `pathlib.Path` of the version's folder.
    """
    versions = Path(path)
    try:
        str(versions).encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"The name of the folder must be UTF-8; got {versions}: choose another name."
        ) from error
    was_there = versions.exists()
    make_folder(versions)
    written = Path(tempfile.mkdtemp(prefix=".writing-", dir=versions))
    try:
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
            archive.write_out(str(written / "model"), verbose=False)
        for image, answers in zip(images, _answers(written, images), strict=True):
            for answer in answers:
                check(image, answer)
        sync_tree(written / "model")
        target = _moved_to_next_version(written / "model", versions)
    finally:
        shutil.rmtree(written)
        if not was_there and not any(versions.iterdir()):
            versions.rmdir()
    return target


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


def _answers(folder, images):
    """What the written model answers: for each image, a dict of arrays from each signature."""
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
