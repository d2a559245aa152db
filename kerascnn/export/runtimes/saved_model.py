"""Runs SavedModels in TensorFlow."""

import json
import os
import tempfile
from pathlib import Path

import numpy as np
import tensorflow as tf

# TensorFlow reserves this folder of a SavedModel for other programs.
METADATA = Path("assets.extra", "kerascnn.json")


def read_metadata(path):
    """Returns the metadata of an exported model; `{}` for a SavedModel of another program."""
    path = Path(path) / METADATA
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


class Model:
    """A SavedModel.

    Args:
        path: folder of the SavedModel.
        threads: optional int, number of threads; by default TensorFlow's own setting.
    """

    def __init__(self, path, threads=None):
        if threads is not None:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
        self.metadata = read_metadata(path)
        # TensorFlow interprets `[1]` in a path as a pattern.
        with tempfile.TemporaryDirectory() as folder:
            link = Path(folder, "model")
            try:
                os.symlink(Path(path).resolve(), link, target_is_directory=True)
            except OSError:  # on Windows, not every user may create links
                link = path
            self._loaded = tf.saved_model.load(str(link))  # the signatures need it to stay alive
        self._serve = self._loaded.signatures["serving_default"]
        self.inputs = list(self._serve.structured_input_signature[1])

    def __call__(self, **arrays):
        found = self._serve(**{name: tf.constant(array) for name, array in arrays.items()})
        return {name: _array(tensor) for name, tensor in found.items()}

    def signature(self):
        """Returns the specifications of the inputs and outputs, each a dict by name."""
        return dict(self._serve.structured_input_signature[1]), dict(self._serve.structured_outputs)

    def decode(self, files):
        """Returns the outputs for image files, or `None` if the model does not accept files.

        Args:
            files: list of bytes, PNG or JPEG files.
        """
        if "encoded_images" not in self._loaded.signatures:
            return None
        found = self._loaded.signatures["encoded_images"](encoded_images=tf.constant(files))
        return {name: _array(tensor) for name, tensor in found.items()}


def _array(tensor):
    array = tensor.numpy()
    if tensor.dtype != tf.string:
        return array
    # NumPy would decode bytes as ASCII.
    texts = [text.decode(errors="replace") for text in np.ravel(array)]
    return np.array(texts, str).reshape(np.shape(array))
