"""Copies of models with kerascnn's layers in place of slower Keras layers."""

import keras

from kerascnn import layers
from kerascnn.models.rewriting import copy_state, remade, rewritten, same


@keras.saving.register_keras_serializable(package="kerascnn")
class Conv2D(layers.GroupConv2D):
    """`GroupConv2D` with the name of Keras's layer, which weight files refer to."""


_NAMESAKES = {
    keras.layers.BatchNormalization: layers.BatchNormalization,
    keras.layers.Conv2D: Conv2D,
    keras.layers.Conv2DTranspose: layers.Conv2DTranspose,
    keras.layers.DepthwiseConv2D: layers.DepthwiseConv2D,
    keras.layers.Dropout: layers.Dropout,
    keras.layers.SeparableConv2D: layers.SeparableConv2D,
}


def accelerate(model: keras.Model) -> keras.Model:
    """Copies a model, and replaces slow Keras layers by kerascnn's.

    These layers are replaced, with the following effects:

    - `BatchNormalization`: training and inference are faster on TensorFlow.
    - `Dropout`: training is faster on TensorFlow.
    - `Conv2D` with groups: training and inference are many times faster on TensorFlow, and the
      model exports to ONNX.
    - `Conv2D`, `DepthwiseConv2D`, `SeparableConv2D`, `Conv2DTranspose`: the same operations in
      float32; in half precision on a CPU, faster and with accurate gradients. With dilation, they
      can be exported for images of unknown size.
    - `UpSampling2D` with `interpolation="bilinear"`: runs in graphs for images of unknown size.

    All other layers are copied unchanged, including subclasses of these and layers in wrappers such
    as `TimeDistributed`. The copy has the same weights, names, `trainable` flags, initializers,
    regularizers and constraints as the model, and computes the same results, except that dropout
    draws other masks from the same seed. `load_weights` accepts weight files (`.keras` or
    `.weights.h5`) of one model for the other. The copy is not compiled.

    Args:
        model: functional or sequential `keras.Model`, which may have nested models and shared
            layers. It is not changed.

    Returns:
        `keras.Model`.

    Raises:
        ValueError: if `model` is a subclassed `keras.Model`, a sequential model without an input
            shape, or has a layer that cannot be recreated from its configuration.

    Reference:
        Measurements: `benchmarks/results/layers.md` and `benchmarks/results/models.md`.

    Example:
        >>> import keras
        >>> import kerascnn
        >>> slow = keras.Sequential(
        ...     [
        ...         keras.Input((32, 32, 16)),
        ...         keras.layers.Conv2D(16, 3, groups=4, name="conv"),
        ...         keras.layers.BatchNormalization(name="norm"),
        ...     ]
        ... )
        >>> fast = kerascnn.models.accelerate(slow)
        >>> type(fast.get_layer("norm")) is kerascnn.layers.BatchNormalization
        True
    """
    accelerated, pairs = rewritten(model, _replacement)
    for layer, new in pairs:
        copy_state(layer, new)
    return accelerated


def _replacement(operation):
    """Returns the replacement of a layer."""
    cls = type(operation)  # not `isinstance`: a subclass may compute something else
    if cls in _NAMESAKES:
        return remade(operation, _NAMESAKES[cls])
    if cls is keras.layers.UpSampling2D and operation.interpolation == "bilinear":
        return layers.BilinearUpsampling2D(
            operation.size,
            operation.data_format,
            name=operation.name,
            dtype=operation.dtype_policy,
            trainable=operation.trainable,
        )
    return same(operation)
