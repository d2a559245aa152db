"""Inputs and outputs of exported classifiers."""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from kerascnn.arguments import UsageError
from kerascnn.backend.portable import is_plain
from kerascnn.data.pixels import prepare, to_channels
from kerascnn.export.serving import ExportError, Serving, check_close


def classification_serving(model: keras.Model, class_names: Sequence[str] | None = None) -> Serving:
    """Returns the `serving` argument of `export` for a classifier.

    Its outputs are `probabilities` (float32, `(batch, classes)`), `class_id` (int64, `(batch,)`)
    and `class_name` (string, `(batch,)`). Images of any size are resized to the model's input size.

    Args:
        model: `keras.Model` from images of a known size with values in [0, 1] to logits.
        class_names: names of the classes; by default their indices.

    Returns:
        `Serving`.

    Raises:
        ValueError: if the model's input is not images of a known size, or the number of names is
            wrong.

    Example:
        >>> import kerascnn
        >>> model = kerascnn.models.create_model("lenet5")
        >>> kerascnn.export.classification_serving(model).size
        (28, 28)
    """
    if len(model.input_shape) != 4 or None in model.input_shape[1:]:
        raise UsageError(
            "`model` must take images of a known height, width and number of channels; "
            f"got input shape {model.input_shape}."
        )
    classes = model.output_shape[-1]
    class_names = [str(i) for i in range(classes)] if class_names is None else list(class_names)
    if len(class_names) != classes:
        raise UsageError(
            f"`class_names` must name all {classes} classes of the model; "
            f"got {len(class_names)} names."
        )
    height, width, channels = model.input_shape[1:]

    def outputs(network, images):
        probabilities = tf.nn.softmax(tf.cast(network(images), tf.float32))
        class_id = tf.argmax(probabilities, axis=-1)
        found = {"probabilities": probabilities, "class_id": class_id}
        if not is_plain():  # only TensorFlow has strings; elsewhere the metadata have the names
            found["class_name"] = tf.gather(tf.constant(class_names), class_id)
        return found

    def check(image, found, tolerance=None):
        pixels = prepare(to_channels(tf.constant(image), channels), (height, width))
        logits = keras.ops.convert_to_numpy(model(pixels[tf.newaxis], training=False))[0]
        expected = np.exp(logits - logits.max(), dtype=np.float64)  # pyright: ignore[reportAttributeAccessIssue]
        expected = expected / expected.sum()
        worst = check_close(model, found["probabilities"], expected, tolerance)
        class_name = class_names[found["class_id"]]
        likeliest = found["probabilities"].argmax() == found["class_id"]
        if not likeliest or found.get("class_name", class_name) != class_name:
            raise ExportError(f"The exported model returns a wrong class name: {found}.")
        return worst

    return Serving(
        channels,
        outputs,
        check,
        size=(height, width),
        metadata={
            "task": "classification",
            "class_names": class_names,
            "image_shape": [height, width, channels],
        },
    )
