"""Inputs and outputs of exported models, independent of the format."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf

from kerascnn.data.pixels import prepare, to_channels

# Largest difference in an output, by the model's precision: rounding in half precision depends on
# which operations a runtime fuses.
_TOLERANCE = {"float16": 5e-3, "bfloat16": 2e-2}
_TOLERANCE_OTHERWISE = 1e-5
# An image of 50 megapixels
MAX_PIXELS = 50_000_000


class ExportError(RuntimeError):
    """Raised when the outputs of an exported model differ from the model; the file is removed."""


@dataclass(frozen=True)
class Serving:
    """The inputs and outputs of an exported model that takes images.

    Args:
        channels: int, number of image channels, 1 or 3.
        outputs: function, inside a TensorFlow graph, from the model (as a function of its input)
            and the images of one batch to a dict of tensors. The images are float32 in [0, 1] of
            `size`, or uint8 of any size if `size` is `None`.
        check: function of a uint8 image `(height, width, channels)`, a dict of arrays (the exported
            model's outputs for it), and a tolerance (`None` uses the tolerance for the model's
            precision). It returns the largest difference from the model's outputs, and raises
            `ExportError` if this exceeds the tolerance or anything else is wrong.
        size: optional `(height, width)` to resize every image to; if set, encoded images in a batch
            may differ in size.
        metadata: JSON values for programs that serve the model, such as `"task"`; `"image"`, the
            name of an output that is an image; and `"value_ranges"`, how images of more than eight
            bits are scaled, as in `read_image`.
        largest: optional int, size to crop images to for the check.
        unit: str, unit of differences.
        max_pixels: int, largest number of pixels of an image that a SavedModel decodes.
    """

    channels: int
    outputs: Callable[[Callable, Any], Mapping[str, Any]]
    check: Callable[[np.ndarray, Mapping[str, np.ndarray], float | None], float]
    size: Sequence[int] | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    largest: int | None = None
    unit: str = "probability"
    max_pixels: int = MAX_PIXELS

    @property
    def facts(self) -> dict[str, Any]:
        """The values stored in the file: the metadata, and values for `load_exported`."""
        facts = {"channels": self.channels, "max_pixels": self.max_pixels}
        return {**self.metadata, **facts}

    def signature(self, any_channels: bool = False) -> list[Any]:
        """Returns the specification of the images, in a list.

        Args:
            any_channels: bool, whether images may have 1, 3 or 4 channels, whatever the model
                requires.
        """
        shape = (None, None, None, None if any_channels else self.channels)
        return [tf.TensorSpec(shape, tf.uint8, "images" if any_channels else "pixels")]

    def graph(self, network: Any) -> Callable[..., Any]:
        """Returns the function of uint8 images to export, for use inside a graph."""
        return lambda images: dict(
            self.outputs(network, self.resized(to_channels(images, self.channels)))
        )

    def resized(self, images: Any) -> Any:
        """Resizes images for `outputs`."""
        return prepare(images, self.size) if self.size else images

    def examples(self, images: Any) -> list[Any]:
        """Returns the inputs of one call for each of the uint8 images, as a list of arrays."""
        cut = slice(self.largest)
        found = [to_channels(np.asarray(image)[cut, cut], self.channels) for image in images]
        return [[np.ascontiguousarray(image)[np.newaxis]] for image in found]

    def compare(self, example: Any, found: Any, tolerance: float | None = None) -> float:
        """Returns the largest difference for one of the `examples`; raises as `check` does."""
        worst = 0.0
        for image, *outputs in zip(example[0], *found.values(), strict=True):
            answers = dict(zip(found, outputs, strict=True))
            worst = max(worst, self.check(image, answers, tolerance))
        return worst


def tolerance_of(model):
    """Returns the largest allowed difference from the model's output."""
    precisions = {layer.compute_dtype for layer in model.layers}
    return max(_TOLERANCE.get(dtype, _TOLERANCE_OTHERWISE) for dtype in precisions)


def check_close(model, outputs, expected, tolerance=None):
    """Returns the largest difference from the model's probabilities.

    Args:
        model: `keras.Model`, whose precision determines the tolerance.
        outputs: array of probabilities from the exported model.
        expected: array of the model's probabilities.
        tolerance: optional float; by default from the precision.

    Raises:
        ExportError: if the difference exceeds the tolerance.
    """
    worst = float(np.abs(outputs - expected).max())
    tolerance = tolerance_of(model) if tolerance is None else tolerance
    if math.isnan(worst) or worst > tolerance:
        raise ExportError(
            "The exported model must match the model within "
            f"{tolerance:g} in probability; got {worst:g}."
        )
    return worst
