"""What an exported model computes, whatever the format of its file."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

# Largest difference in an output, by the precision in which the model computes: how half precision
# is rounded depends on which operations a runtime fuses.
_TOLERANCE = {"float16": 5e-3, "bfloat16": 2e-2}
_TOLERANCE_OTHERWISE = 1e-5


class ExportError(RuntimeError):
    """What was written does not compute what the model does, so it was removed."""


@dataclass(frozen=True)
class Serving:
    """A model from images as they are stored to what people want to know.

    Args:
        channels: int, 1 or 3, of the images.
        outputs: function, inside a TensorFlow graph, from images of one batch to a dict of tensors.
            The images are float32 in [0, 1] of `size`, or uint8 of any size if that is `None`.
        check: function of a uint8 image `(height, width, channels)` and of what was computed for
            it, a dict of arrays, that raises `ExportError` if that is wrong.
        size: optional `(height, width)`, which every image is resized to; with it, encoded images
            of a batch may differ in size.
        metadata: what a program that serves the model should know, for JSON; `"task"` for one, and
            under `"image"` the name of the output that is an image, if one is.
        largest: optional int, the side that images to check on are cut to.
    """

    channels: int
    outputs: Callable[[Any], Mapping[str, Any]]
    check: Callable[[np.ndarray, Mapping[str, np.ndarray]], None]
    size: Sequence[int] | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    largest: int | None = None


def tolerance_of(model):
    """Returns how much an output may differ from that of the model."""
    precisions = {layer.compute_dtype for layer in model.layers}
    return max(_TOLERANCE.get(dtype, _TOLERANCE_OTHERWISE) for dtype in precisions)


def check_close(model, outputs, expected):
    """Raises an error if probabilities differ from those of the model.

    Args:
        model: `keras.Model`, whose precision decides what is close.
        outputs: array of probabilities that an export computed.
        expected: array of those of the model.

    Raises:
        ExportError: if they differ by more than the precision explains.
    """
    worst = np.abs(outputs - expected).max()
    if not worst <= tolerance_of(model):
        raise ExportError(
            "The export must compute what the model does, within a difference of "
            f"{tolerance_of(model):g} in probability; got {worst:g}."
        )
