"""What is known of the operations of a graph by their names and attributes."""

import numbers

import keras

# Names of operations that are products of two tensors, of which one may be weights
PRODUCTS = {
    "Conv",
    "ConvTranspose",
    "DepthwiseConv",
    "Dot",
    "DotProductAttention",
    "Einsum",
    "Inner",
    "Matmul",
    "SeparableConv",
    "Tensordot",
    "Vdot",
}

# Operations of `kerascnn.ops` that move, compare or weight single elements
ELEMENTWISE = {
    "bilinear_upsampling2d",
    "channel_shuffle",
    "crop_like2d",
    "dense_concatenation",
    "local_response_normalization",
    "max_pool_with_argmax2d",
    "max_unpool2d",
    "maxout",
    "pad_to_multiple2d",
    "pixel_shuffle",
    "pixel_unshuffle",
    "residual_sum",
}


def is_keras(operation):
    """Whether an operation is one of Keras's that do what their attributes and shapes say."""
    module = type(operation).__module__
    if module.startswith(("keras.src.layers.attention.", "keras.src.layers.rnn.")):
        return False
    known = module.startswith(("keras.src.layers.", "keras.src.ops."))
    return known and not isinstance(operation, keras.layers.Lambda)


def argument(operation, name):
    """An argument of a layer, or of an operation made by `kerascnn.ops.symbolic`."""
    return getattr(operation, "arguments", {}).get(name, getattr(operation, name, None))


def pair_of(value):
    """An int or a pair as a pair; `None` for anything else."""
    if isinstance(value, numbers.Integral):
        return value, value
    return tuple(value) if isinstance(value, (tuple, list)) and len(value) == 2 else None
