"""Names of the layers in a model's head or decoder, and new logits for other classes."""

import keras

from kerascnn.arguments import UsageError, at_least_one

# Prefixes of layer names in heads and decoders.
HEAD = ("head_", "logits", "distances", "auxiliary", "decoder_")


def head_names(model: keras.Model) -> list[str]:
    """Returns the names of the layers in a model's head or decoder.

    Pass them to `fit(head=...)` to train a new head or decoder first.

    Args:
        model: `keras.Model` of `create_model`.

    Returns:
        list of str.

    Example:
        >>> import kerascnn
        >>> kerascnn.models.head_names(kerascnn.models.create_model("resnet20"))
        ['head_pool', 'logits']
    """
    return [layer.name for layer in model.layers if layer.name.startswith(HEAD)]


def with_new_head(model: keras.Model, num_classes: int) -> keras.Model:
    """Returns a trained model with new logits, for other classes.

    Args:
        model: `keras.Model` from `create_model`, for classification or segmentation. An FCN gets
            new scores at every stride.
        num_classes: int, the number of logits.

    Returns:
        `keras.Model` that shares all layers before the logits, and their weights, with `model`, and
        has no auxiliary heads. The new layers are trainable, also if `model` is frozen.

    Raises:
        ValueError: if the model has no logits layer whose weights depend on the classes.

    Example:
        >>> import kerascnn
        >>> digits = kerascnn.models.create_model("resnet20")
        >>> kerascnn.models.with_new_head(digits, 3).output_shape
        (None, 3)
    """
    at_least_one(num_classes, "num_classes")
    tensors = {}  # the new tensor for each tensor that depends on the classes, by its id
    for layer in model.layers:
        size = next((key for key in ("units", "filters") if hasattr(layer, key)), None)
        scores = (size and layer.name.startswith("logits")) or layer.name.endswith("_scores")
        inputs = keras.tree.flatten(layer.input)
        if scores or any(id(tensor) in tensors for tensor in inputs):
            classes = {size: num_classes} if size else {}
            layer_again = type(layer).from_config({**layer.get_config(), **classes})
            layer_again.trainable = True
            inputs = [tensors.get(id(tensor), tensor) for tensor in inputs]
            output = layer_again(inputs if len(inputs) > 1 else inputs[0])
            tensors[id(layer.output)] = output
    output = tensors.get(id(model.outputs[0]))
    if output is None:
        raise UsageError(
            "`model` must end in logits layers whose weights depend on the number of classes; "
            f"got {model.name!r}, which ends in {model.layers[-1].name!r}."
        )
    # With a list of one input, Keras would warn when the model is called with a tensor.
    inputs = model.inputs[0] if len(model.inputs) == 1 else model.inputs
    return keras.Model(inputs, output, name=model.name)
