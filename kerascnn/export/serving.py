"""What an exported model computes, whatever the format of its file."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf

from kerascnn.data.pixels import prepare, to_channels

# Largest difference in an output, by the precision in which the model computes: how half precision
# is rounded depends on which operations a runtime fuses.
_TOLERANCE = {"float16": 5e-3, "bfloat16": 2e-2}
_TOLERANCE_OTHERWISE = 1e-5
# A photograph of 50 megapixels
MAX_PIXELS = 50_000_000


class ExportError(RuntimeError):
    """What was written does not compute what the model does, so it was removed."""


@dataclass(frozen=True)
class Serving:
    """A model from images as they are stored to what people want to know.

    Args:
        channels: int, 1 or 3, of the images.
        outputs: function, inside a TensorFlow graph, from the model (as a function of its input)
            and the images of one batch to a dict of tensors. The images are float32 in [0, 1] of
            `size`, or uint8 of any size if that is `None`.
        check: function of a uint8 image `(height, width, channels)`, of what was computed for it,
            a dict of arrays, and of a tolerance (`None` for that of the model's precision). It
            returns the largest difference from what the model computes, and raises `ExportError`
            if that is above the tolerance or something else is wrong.
        size: optional `(height, width)`, which every image is resized to; with it, encoded images
            of a batch may differ in size.
        metadata: what a program that serves the model should know, for JSON; `"task"` for one,
            under `"image"` the name of the output that is an image, if one is, and under
            `"value_ranges"` how images of more than eight bits are scaled, as in `read_image`.
        largest: optional int, the side that images to check on are cut to.
        unit: str, what differences are measured in.
        max_pixels: int, the largest image file that a SavedModel decodes.
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
    def facts(self):
        """What is written into the file: the metadata and what `load_exported` must know."""
        facts = {"channels": self.channels, "max_pixels": self.max_pixels}
        return {**self.metadata, **facts}

    def signature(self, any_channels=False):
        """Returns the specification of the images, in a list.

        Args:
            any_channels: bool, whether they may have 1, 3 or 4 channels, whatever the model takes.
        """
        shape = (None, None, None, None if any_channels else self.channels)
        return [tf.TensorSpec(shape, tf.uint8, "images" if any_channels else "pixels")]

    def graph(self, network):
        """Returns the function of uint8 images that is exported, for use inside a graph."""
        return lambda images: dict(
            self.outputs(network, self.resized(to_channels(images, self.channels)))
        )

    def resized(self, images):
        """Returns images as `outputs` wants them."""
        return prepare(images, self.size) if self.size else images

    def examples(self, images):
        """Returns the inputs of one call for each of the uint8 images, as a list of arrays."""
        cut = slice(self.largest)
        found = [to_channels(tf.constant(image[cut, cut]), self.channels) for image in images]
        return [[image.numpy()[np.newaxis]] for image in found]

    def compare(self, example, found, tolerance=None):
        """Returns the largest difference for one of the `examples`; raises as `check` does."""
        worst = 0.0
        for image, *outputs in zip(example[0], *found.values(), strict=True):
            answers = dict(zip(found, outputs, strict=True))
            worst = max(worst, self.check(image, answers, tolerance))
        return worst


def tolerance_of(model):
    """Returns how much an output may differ from that of the model."""
    precisions = {layer.compute_dtype for layer in model.layers}
    return max(_TOLERANCE.get(dtype, _TOLERANCE_OTHERWISE) for dtype in precisions)


def check_close(model, outputs, expected, tolerance=None):
    """Returns the largest difference in probability from those of the model.

    Args:
        model: `keras.Model`, whose precision decides what is close.
        outputs: array of probabilities that an export computed.
        expected: array of those of the model.
        tolerance: optional float, instead of what the precision explains.

    Raises:
        ExportError: if they differ by more.
    """
    worst = float(np.abs(outputs - expected).max())
    tolerance = tolerance_of(model) if tolerance is None else tolerance
    if math.isnan(worst) or worst > tolerance:
        raise ExportError(
            "The export must compute what the model does, within a difference of "
            f"{tolerance:g} in probability; got {worst:g}."
        )
    return worst
