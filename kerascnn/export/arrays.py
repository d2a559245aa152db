"""Export of any Keras model with its own inputs and outputs."""

import keras
import numpy as np
import tensorflow as tf

from kerascnn.arguments import UsageError
from kerascnn.data.pixels import prepare, to_channels
from kerascnn.export.serving import ExportError, tolerance_of
from kerascnn.models.rewriting import graph_model

# Sizes for the check if the model takes any size
_BATCH, _SIDE = 1, 32


class ArrayServing:
    """A model with its own inputs and outputs, without preprocessing.

    It has the methods of `Serving` that `export` needs. Inputs have the names of the model's
    inputs, and outputs the names of their layers.

    Args:
        model: `keras.Model` with known inputs.

    Raises:
        UsageError: if the inputs are unknown.
    """

    size = None
    unit = "output"
    facts = {}  # noqa: RUF012 - no metadata for other programs
    max_pixels = None

    def __init__(self, model):
        graph = graph_model(model)
        graph = model if graph is None else graph
        try:
            # Keras lists the single input of a sequential model.
            is_list = isinstance(model, keras.Sequential)
            self._structure = graph.inputs[0] if is_list else graph.input
            given = graph.output
        except (AttributeError, ValueError) as error:
            raise UsageError(
                "`model` must have known inputs, as built functional and sequential models have; "
                f"got {type(model).__name__} {model.name!r}."
            ) from error
        self._model = model
        self._inputs = keras.tree.flatten(self._structure)
        self._names = _distinct([x.name for x in self._inputs], "input")
        # A dict is flattened in the order of its keys.
        names = sorted(given) if isinstance(given, dict) else getattr(graph, "output_names", ())
        count = len(keras.tree.flatten(given))
        if len(names) != count or set(self._names) & set(names):
            names = [f"output_{i}" for i in range(count)]
        self._output_names = _distinct(names, "output")

    def signature(self, any_channels=False):
        """Returns the specifications of the inputs."""
        return [
            tf.TensorSpec((None, *x.shape[1:]), x.dtype, name)
            for x, name in zip(self._inputs, self._names, strict=True)
        ]

    def graph(self, network):
        """Returns the function to export, for use inside a graph."""

        def function(*inputs):
            given = keras.tree.flatten(
                network(keras.tree.pack_sequence_as(self._structure, inputs))
            )
            return dict(zip(self._output_names, given, strict=True))

        return function

    def examples(self, images):
        """Returns the inputs of one call for each of the uint8 images, as a list of arrays.

        Inputs that are not images are random. Images keep their sizes where the inputs leave them
        open, unless the model cannot take them, as a U-Net of Keras's layers cannot take odd ones.
        """
        rng = np.random.default_rng(0)
        found = []
        for image in images:
            example = [_example(x, image, rng) for x in self._inputs]
            if any(None in x.shape[1:] for x in self._inputs) and not self._takes(example):
                example = [_example(x, image, rng, multiple=_SIDE) for x in self._inputs]
            found.append(example)
        return found

    def _takes(self, example):
        try:
            self._outputs(example)
        except Exception:  # which, depends on the layer
            return False
        return True

    def _outputs(self, example):
        inputs = [tf.constant(array) for array in example]
        return self._model(keras.tree.pack_sequence_as(self._structure, inputs), training=False)

    def compare(self, example, found, tolerance=None):
        """Returns the largest difference, relative to the largest output if that is above 1.

        Raises:
            ExportError: if it is above the tolerance.
        """
        given = self._outputs(example)
        allowed = 10 * tolerance_of(self._model) if tolerance is None else tolerance
        worst = 0.0
        for name, expected in zip(self._output_names, keras.tree.flatten(given), strict=True):
            expected = keras.ops.convert_to_numpy(expected).astype("float64")  # pyright: ignore[reportAttributeAccessIssue]
            difference = np.abs(found[name] - expected).max(initial=0.0)
            worst = max(worst, difference / max(1.0, np.abs(expected).max(initial=0.0)))
            if not worst <= allowed:
                raise ExportError(
                    "The exported model must match the model within "
                    f"{allowed:g}; got {worst:g} in {name!r}."
                )
        return float(worst)


def _distinct(names, otherwise):
    names = [str(name).split(":")[0].replace("/", "_") for name in names]
    if len(set(names)) == len(names):
        return names
    return [f"{otherwise}_{i}" for i in range(len(names))]


def _example(x, image, rng, multiple=1):
    shape = [_SIDE if size is None else size for size in x.shape[1:]]
    if "int" in str(x.dtype) or x.dtype == "bool":
        return rng.integers(0, 2, (_BATCH, *shape)).astype(x.dtype)
    if len(shape) == 3 and shape[2] in (1, 3):
        free = [multiple * max(1, side // multiple) for side in image.shape[:2]]
        size = [
            other if own is None else own for own, other in zip(x.shape[1:3], free, strict=True)
        ]
        pixels = prepare(to_channels(tf.constant(image), shape[2]), size)
        return pixels.numpy()[np.newaxis].astype(x.dtype)
    return rng.normal(size=(_BATCH, *shape)).astype(x.dtype)
