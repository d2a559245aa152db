"""Exports as the server sees them: a function of arrays, and what it takes and returns."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from kerascnn.arguments import UsageError
from kerascnn.export.saved_model import read_metadata

# What a model computes on each pixel cannot be large; others resize their images first.
_PIXELS_RESIZED, _PIXELS_EACH = 25_000_000, 2_100_000
_TASKS_ON_EACH_PIXEL = ("segmentation", "upscaling")
_IMAGES = "images"
ENCODED = "encoded_images"


@dataclass(frozen=True)
class Tensor:
    """An input or output.

    Args:
        name: str.
        dtype: str, NumPy's name of it, or `"string"`.
        shape: tuple of int and, for any size, `None`.
    """

    name: str
    dtype: str
    shape: tuple[int | None, ...]


class Exported:
    """A loaded export; calling it with arrays by name returns a dict of arrays.

    Attributes:
        path: `pathlib.Path`.
        platform: str, the format as the Open Inference Protocol names it.
        metadata: dict, what the export says about itself.
        inputs: tuple of `Tensor`.
        outputs: tuple of `Tensor`.
        takes_images: bool, whether its only input are uint8 images, which may be files too.
    """

    platform = "tensorflow_savedmodel"

    def __init__(self, path):
        self.path = Path(path)
        self.metadata = read_metadata(path)
        # It must stay alive as long as its signatures.
        self._loaded = _load(self.path)
        try:
            self._function = self._loaded.signatures["serving_default"]
        except KeyError:
            raise UsageError(f"{path} must have the signature 'serving_default'.") from None
        self.inputs = _tensors(self._function.structured_input_signature[1])
        self.outputs = _tensors(self._function.structured_outputs)
        self.takes_images = [(found.name, found.dtype) for found in self.inputs] == [
            (_IMAGES, "uint8")
        ]
        if self.takes_images:
            self(images=np.zeros((1, 8, 8, 3), np.uint8))  # the first call is slow

    def __call__(self, **arrays):
        try:
            found = self._function(**{name: tf.constant(value) for name, value in arrays.items()})
        except tf.errors.InvalidArgumentError as error:
            reason = (error.message or "").strip().splitlines() or ["no reason given"]
            raise ValueError(f"The model cannot take this input ({reason[0][:200]}).") from error
        return {name: tensor.numpy() for name, tensor in found.items()}

    @property
    def task(self):
        """The task, such as `"classification"`; `None` for exports of other programs."""
        return self.metadata.get("task")

    def max_pixels(self, wanted=None):
        """Returns how many pixels one request may have, `wanted` where that is an int."""
        if wanted is not None:
            return wanted
        limit = _PIXELS_EACH if self.task in _TASKS_ON_EACH_PIXEL else _PIXELS_RESIZED
        return min(limit, self.metadata.get("max_pixels") or limit)


def _load(path):
    # TensorFlow takes `[1]` in a path for a pattern of names.
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder, "model")
        link.symlink_to(path.resolve(), target_is_directory=True)
        try:
            return tf.saved_model.load(str(link))
        except Exception as error:  # what a broken file raises is TensorFlow's affair
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise UsageError(f"{path} cannot be loaded ({reason[:300]}).") from error


def _tensors(structure):
    return tuple(
        Tensor(name, spec.dtype.name, tuple(spec.shape) if spec.shape.rank is not None else ())
        for name, spec in sorted(structure.items())
    )
