"""Finds the layer of a model that cannot be exported."""

import keras


def named_layer(model, runs):
    """Returns the name and class of the first layer that prevents the export of a model.

    Args:
        model: `keras.Model` that cannot be exported.
        runs: function of a model that returns whether it can be exported.

    Returns:
        str, or `None` if it is unknown.
    """
    try:
        inputs, layers = model.inputs, [x for x in model.layers if not _is_input(x)]
    except (AttributeError, ValueError):
        return None
    low, high = 0, len(layers)  # the part up to `low` can be exported, up to `high` not
    if not _can_be_cut(model, layers):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        part = keras.Model(inputs, [layer.output for layer in layers[:middle]][-1])
        low, high = (middle, high) if runs(part) else (low, middle)
    if not high or (high == len(layers) and runs(model)):
        return None
    layer = layers[high - 1]
    return f"{layer.name!r} ({type(layer).__name__})"


def _is_input(layer):
    return isinstance(layer, keras.layers.InputLayer)


def _can_be_cut(model, layers):
    try:
        return all(layer.output is not None for layer in layers)
    except (AttributeError, ValueError):  # called more than once
        return False
