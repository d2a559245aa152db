"""Properties of Keras's operations by name and class."""

import numbers
from typing import Any

import keras

from kerascnn.backend import private_keras

# Names of operations that multiply two tensors, of which one may be weights
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

# Names of operations and layers that move or mix pixels, or call functions, and can keep the shape
MOVES = {
    "AffineTransform",
    "AssociativeScan",
    "AugMix",
    "AutoContrast",
    "Cholesky",
    "CholeskyInverse",
    "Cond",
    "ContrastLimitedAdaptiveHistogramEqualization",
    "Correlate",
    "ElasticTransform",
    "Equalization",
    "FFT",
    "FFT2",
    "Fliplr",
    "Flipud",
    "ForiLoop",
    "IFFT2",
    "Inv",
    "Map",
    "MapCoordinates",
    "Moveaxis",
    "Permute",
    "PerspectiveTransform",
    "Pinv",
    "RandAugment",
    "RandomColorJitter",
    "RandomContrast",
    "RandomElasticTransform",
    "RandomFlip",
    "RandomPerspective",
    "RandomRotation",
    "RandomSharpness",
    "RandomShear",
    "RandomTranslation",
    "RandomZoom",
    "Rearrange",
    "Rot90",
    "ScaleAndTranslate",
    "Scan",
    "Scatter",
    "Swapaxes",
    "Switch",
    "Transpose",
    "VectorizedMap",
    "WhileLoop",
}
# Operations that move pixels along `axis`, where others mix them
MOVES_ALONG_AXIS = {"Flip", "Roll"}

# Layers that mix positions or call custom code, whatever their shapes are
_OPAQUE = (
    keras.Model,
    keras.layers.Attention,
    keras.layers.Bidirectional,
    keras.layers.FlaxLayer,
    keras.layers.GroupQueryAttention,
    keras.layers.JaxLayer,
    keras.layers.Lambda,
    keras.layers.MultiHeadAttention,
    keras.layers.Pipeline,
    keras.layers.RNN,
    keras.layers.TFSMLayer,
    keras.layers.TorchModuleWrapper,
    keras.layers.Wrapper,
)


def is_keras(operation):
    """Returns whether an operation is Keras's and described by its attributes and shapes."""
    from_keras = type(operation).__module__.partition(".")[0] == "keras"
    return from_keras and not isinstance(operation, _OPAQUE)


def pair_of(value: Any) -> tuple[Any, Any] | None:
    """Returns an int or a pair as a pair; `None` for anything else."""
    if isinstance(value, numbers.Integral):
        return value, value
    return tuple(value) if isinstance(value, (tuple, list)) and len(value) == 2 else None


def data_format_of(model: keras.Model) -> str:
    """Returns the data format of a model's first layer with one; by default Keras's setting."""
    layers = private_keras.sublayers(model, recursive=True) or model.layers
    formats = (layer.data_format for layer in layers if hasattr(layer, "data_format"))
    return next(formats, keras.config.image_data_format())
