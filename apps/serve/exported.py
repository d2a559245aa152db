"""Exports as the server sees them: a function of arrays, and what it takes and returns."""

import time
from dataclasses import dataclass, replace

import numpy as np
import tensorflow as tf

from kerascnn.arguments import UsageError
from kerascnn.export import load_exported

# What a model computes on each pixel cannot be large; others resize their images first.
_PIXELS_RESIZED, _PIXELS_EACH = 25_000_000, 2_100_000
_TASKS_ON_EACH_PIXEL = ("segmentation", "upscaling")
_IMAGES = "images"
ENCODED = "encoded_images"
# As the Open Inference Protocol and its servers name the formats
_PLATFORMS = {"saved_model": "tensorflow_savedmodel", "onnx": "onnxruntime_onnx"}
# A model that takes less for each of so many images gets one thread: requests keep the cores busy,
# and a call waits longer for a second thread than that saves.
_SHORT_SECONDS, _SHORT_BATCH = 1e-4, 32
_IN_SESSIONS = ("onnx", "openvino")


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


# The input of exports with their preprocessing, which may be files too
_ANY_IMAGES = Tensor(_IMAGES, "uint8", (None, None, None, None))


class Exported:
    """A loaded export; calling it with arrays by name returns a dict of arrays.

    Attributes:
        platform: str, the format as the Open Inference Protocol names it.
        metadata: dict, what the export says about itself.
        inputs: tuple of `Tensor`.
        outputs: tuple of `Tensor`.
        takes_images: bool, whether its only input are uint8 images of any size, which may be files
            too.

    Args:
        path: path of an export of any format.

    Raises:
        UsageError: if it cannot be loaded.
    """

    def __init__(self, path):
        self._model = load_exported(path)
        self.metadata = self._model.metadata
        self.platform = _PLATFORMS.get(self._model.format, self._model.format)
        if self._model.format == "saved_model":
            inputs, outputs = self._model.signature()
            self.inputs, self.outputs = _tensors(inputs), _tensors(outputs)
            self.takes_images = len(self.inputs) == 1 and _is_of_images(self.inputs[0])
        elif "channels" in self.metadata:
            self.inputs = (_ANY_IMAGES,)
            self.takes_images = True
            self.outputs = _outputs_seen(self)
        else:
            raise UsageError(
                f"{path} takes arrays; of such models, only a SavedModel can be served: export it "
                "with format='saved_model'."
            )
        if self.takes_images:
            self(images=_black(8, self.channels or 3))  # the first call is slow
        if self._is_short():
            self._model = load_exported(self._model.path, threads=1)
            self(images=_black(8))

    def _is_short(self):
        """Returns whether calls are short, whatever the images, and may have their own threads."""
        if self._model.format not in _IN_SESSIONS or self.task in _TASKS_ON_EACH_PIXEL:
            return False
        longest = _SHORT_SECONDS * _SHORT_BATCH
        many = np.repeat(_black(8), _SHORT_BATCH, axis=0)
        return self._seconds(_black(8)) < longest and self._seconds(many) < longest

    def _seconds(self, images):
        found = []
        for _ in range(3):
            begin = time.perf_counter()
            self(images=images)
            found.append(time.perf_counter() - begin)
        return min(found)

    def __call__(self, **arrays):
        try:
            found = self._model(arrays[_IMAGES] if self.takes_images else arrays)
        except tf.errors.InvalidArgumentError as error:
            reason = (error.message or "").strip().splitlines() or ["no reason given"]
            raise ValueError(f"The model cannot take this input ({reason[0][:200]}).") from error
        # TensorFlow's order differs between processes.
        return dict(sorted(found.items()))

    @property
    def channels(self):
        """The number of channels that image files are decoded to; `None` for their own."""
        return self.metadata.get("channels", self.inputs[0].shape[-1])

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


def _is_of_images(tensor):
    """Returns whether an input is `images`, of any size and 1, 3 or any number of channels."""
    shapes = [(*_ANY_IMAGES.shape[:3], channels) for channels in (None, 1, 3)]
    return tensor in [replace(_ANY_IMAGES, shape=shape) for shape in shapes]


def _tensors(structure):
    return tuple(
        Tensor(name, spec.dtype.name, tuple(spec.shape) if spec.shape.rank is not None else ())
        for name, spec in sorted(structure.items())
    )


def _outputs_seen(exported):
    """Describes outputs by the outputs for images of two sizes: what differs can have any size."""
    small, large = exported(images=_black(16)), exported(images=_black(24))
    return tuple(
        Tensor(
            name,
            "string" if small[name].dtype.kind in "OSU" else small[name].dtype.name,
            (None, *_equal(small[name].shape[1:], large[name].shape[1:])),
        )
        for name in sorted(small)
    )


def _equal(sizes, others):
    return (a if a == b else None for a, b in zip(sizes, others, strict=True))


def _black(side, channels=3):
    return np.zeros((1, side, side, channels), np.uint8)
