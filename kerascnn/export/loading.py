"""Loads exported models of any format as functions."""

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from kerascnn.arguments import UsageError
from kerascnn.data import UnreadableImageError, read_image
from kerascnn.data.pixels import to_channels
from kerascnn.export.formats import MissingRuntimeError, find_export, format_of
from kerascnn.export.serving import MAX_PIXELS

# Error messages of `decode_image` in the graph, which TensorFlow puts in brackets.
_SENTENCE = re.compile(r"An image must [^\n]*")


class ExportedModel:
    """An exported model, as returned by `load_exported`.

    Attributes:
        path: `pathlib.Path` of the exported model.
        format: str, the name of its format.
        metadata: dict, the metadata in the export.
    """

    def __init__(self, path: str | Path, threads: int | None = None) -> None:
        self.path = find_export(path)
        found = format_of(self.path)
        self.format = found.name
        try:
            runtime = found.runtime
        except ModuleNotFoundError as error:
            raise MissingRuntimeError(
                f"{found.title} needs {error.name}, which is not installed: "
                'pip install "kerascnn[export]".'
            ) from error
        try:
            self._model = runtime.Model(self.path, threads)
        except Exception as error:  # the exception depends on the runtime
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise UsageError(f"{self.path} cannot be loaded ({reason[:300]}).") from error
        self.metadata = self._model.metadata
        self._channels = self.metadata.get("channels")
        names = self.metadata.get("class_names")
        self._class_names = np.array(names) if names else None

    def __call__(self, images: np.ndarray) -> dict[str, Any]:
        """Returns the outputs for images.

        Args:
            images: uint8 array of shape `(batch, height, width, channels)` with 1, 3 or 4 (RGBA)
                channels. For a model exported without a `Serving`, its input, or a dict of inputs
                by name.

        Returns:
            dict of arrays.

        Raises:
            UsageError: if the images are of another shape or dtype.
        """
        if self._channels is None:
            arrays = images if isinstance(images, dict) else {self._model.inputs[0]: images}
            return self._model(**arrays)
        images = np.asarray(images)
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[-1] not in (1, 3, 4):
            raise UsageError(
                "`images` must be a uint8 array of shape (batch, height, width, channels) with 1, "
                f"3 or 4 channels; got {images.dtype} of shape {images.shape}."
            )
        if images.shape[-1] != self._channels:
            images = to_channels(images, self._channels)
        found = self._model(**{self._model.inputs[0]: images})
        if "class_id" in found and self._class_names is not None:
            found["class_name"] = self._class_names[found["class_id"]]
        return found

    def signature(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Returns the signature of a SavedModel.

        Returns:
            two dicts of `tf.TensorSpec` by name, for inputs and outputs.

        Raises:
            UsageError: for the other formats.
        """
        if not hasattr(self._model, "signature"):
            raise UsageError(f"Only a SavedModel has a signature; {self.path} is {self.format}.")
        return self._model.signature()

    def decode(self, files: Sequence[bytes]) -> dict[str, Any]:
        """Returns the outputs for image files.

        A SavedModel decodes the files itself; other formats use `kerascnn.data.read_image`.

        Args:
            files: list of bytes, PNG or JPEG files; images of one size, unless the model is a
                SavedModel that resizes images.

        Returns:
            dict of arrays.

        Raises:
            kerascnn.data.UnreadableImageError: if a file is not an image, is damaged or too large.
        """
        if not hasattr(self._model, "decode"):
            limit = self.metadata.get("max_pixels", MAX_PIXELS)
            ranges = self.metadata.get("value_ranges")
            return self(np.stack([_read(file, self._channels, limit, ranges) for file in files]))
        try:
            return self._model.decode(files)
        # TensorFlow quotes the bytes that it cannot decode, which are seldom valid UTF-8.
        except (tf.errors.InvalidArgumentError, UnicodeDecodeError) as error:
            found = _SENTENCE.search(str(error))
            raise UnreadableImageError(
                "The file cannot be decoded as PNG or JPEG."
                if found is None
                else " ".join(found[0].replace("[", "").replace("]", "").split())
            ) from error


def _read(file, channels, max_pixels, value_ranges):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "image")
        path.write_bytes(file)
        try:
            return read_image(path, channels, max_pixels, value_ranges)
        except UnreadableImageError as error:
            reason = str(error).replace(f"{path} cannot", "The file cannot")
            raise UnreadableImageError(reason) from error


def load_exported(path: str | Path, threads: int | None = None) -> ExportedModel:
    """Loads an exported model as a function from uint8 images to a dict of arrays.

    The dict is the same in every format. A classifier returns `probabilities`, `class_id` and
    `class_name`, a segmentation model `mask` and `probabilities`, an upscaling model or autoencoder
    `images`.

    Args:
        path: path of the output of `export`, of a folder of versions (the newest is loaded), or of
            a run with an exported model.
        threads: optional int, number of threads; by default the runtime's own setting.

    Returns:
        `ExportedModel`, a function of a uint8 array `(batch, height, width, channels)`.

    Raises:
        FileNotFoundError: if there is no exported model.
        MissingRuntimeError: if the runtime is not installed.
        UsageError: if the file is damaged.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> import kerascnn
        >>> model = kerascnn.models.create_model("lenet5")
        >>> serving = kerascnn.export.classification_serving(model)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     exported = kerascnn.export.export(model, folder, serving=serving)
        ...     function = kerascnn.load_exported(exported.path)
        >>> function(np.zeros((2, 28, 28, 1), "uint8"))["probabilities"].shape
        (2, 10)
    """
    return ExportedModel(path, threads)
