"""The head of a model, or its decoder: names of the layers, and new logits for other classes."""

import keras

from kerascnn.arguments import UsageError, at_least_one

# How the names of the layers of heads and decoders begin.
HEAD = ("head_", "logits", "distances", "auxiliary", "decoder_")


def head_names(model):
    """Returns the names of the layers outside of a model's trunk: its head, or its decoder.

    With `fit(head=...)`, a new head, or the decoder of a pretrained encoder, learns first.

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


def with_new_head(model, num_classes):
    """Returns a trained model with new logits, for other classes.

    Args:
        model: `keras.Model` of `create_model`, for classification or segmentation. An FCN gets new
            scores at every stride.
        num_classes: int, the number of logits.

    Returns:
        `keras.Model` that shares all layers before the logits, and their weights, with `model`. It
        has no auxiliary heads.

    Raises:
        ValueError: if the model has no layer of logits whose weights depend on the classes.

    Example:
        >>> import kerascnn
        >>> digits = kerascnn.models.create_model("resnet20")
        >>> kerascnn.models.with_new_head(digits, 3).output_shape
        (None, 3)
    """
    at_least_one(num_classes, "num_classes")
    tensors = {}  # the new one for each that depends on the classes, by the id of the old one
    for layer in model.layers:
        size = next((key for key in ("units", "filters") if hasattr(layer, key)), None)
        scores = (size and layer.name.startswith("logits")) or layer.name.endswith("_scores")
        inputs = keras.tree.flatten(layer.input)
        if scores or any(id(tensor) in tensors for tensor in inputs):
            classes = {size: num_classes} if size else {}
            layer_again = type(layer).from_config({**layer.get_config(), **classes})
            inputs = [tensors.get(id(tensor), tensor) for tensor in inputs]
            output = layer_again(inputs if len(inputs) > 1 else inputs[0])
            tensors[id(layer.output)] = output
    output = tensors.get(id(model.outputs[0]))
    if output is None:
        raise UsageError(
            "`model` must end in layers of logits whose weights depend on the number of classes; "
            f"got {model.name!r}, which ends in {model.layers[-1].name!r}."
        )
    # A list of one input would make Keras warn whenever the model is called with a tensor.
    inputs = model.inputs[0] if len(model.inputs) == 1 else model.inputs
    return keras.Model(inputs, output, name=model.name)
