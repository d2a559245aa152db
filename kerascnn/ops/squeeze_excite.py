"""Squeeze and excitation: scales channels by gates that depend on the whole image."""

from typing import Any

import keras
from keras import ops

from kerascnn.ops.precision import float_dtype, widened
from kerascnn.ops.shapes import known_channels, standardize_data_format
from kerascnn.ops.symbolic import symbolic


def squeeze_excite_shape(
    shape: Any,
    squeeze_kernel_shape: Any,
    squeeze_bias_shape: Any,
    excite_kernel_shape: Any,
    excite_bias_shape: Any,
    activation: Any = "relu",
    gate_activation: Any = "sigmoid",
    data_format: str | None = None,
) -> tuple[Any, ...]:
    """Returns the output shape of `squeeze_excite`, and checks its arguments."""
    channels = known_channels(shape, data_format)
    hidden = squeeze_kernel_shape[-1]
    for name, found, expected in (
        ("squeeze_kernel", squeeze_kernel_shape, (channels, hidden)),
        ("squeeze_bias", squeeze_bias_shape, (hidden,)),
        ("excite_kernel", excite_kernel_shape, (hidden, channels)),
        ("excite_bias", excite_bias_shape, (channels,)),
    ):
        if found is not None and tuple(found) != expected:
            raise ValueError(
                f"`{name}` must have the shape {expected}; "
                f"got shape {tuple(found)} on input shape {tuple(shape)}."
            )
    return tuple(shape)


@symbolic(squeeze_excite_shape, tensors=5, output_dtype=float_dtype)
def squeeze_excite(
    x: Any,
    squeeze_kernel: Any,
    squeeze_bias: Any,
    excite_kernel: Any,
    excite_bias: Any,
    activation: Any = "relu",
    gate_activation: Any = "sigmoid",
    data_format: str | None = None,
) -> Any:
    """Scales every channel by a gate that is computed from the means of all channels.

        mean[c]    = 1 / (H * W) * sum over h, w of x[h, w, c]
        hidden     = activation(mean @ squeeze_kernel + squeeze_bias)
        gate       = gate_activation(hidden @ excite_kernel + excite_bias)
        y[h, w, c] = gate[c] * x[h, w, c]

    Args:
        x: float tensor of shape `(batch, height, width, channels)`, or channels first.
        squeeze_kernel: float tensor of shape `(channels, hidden)`.
        squeeze_bias: float tensor of shape `(hidden,)`, or `None`.
        excite_kernel: float tensor of shape `(hidden, channels)`.
        excite_bias: float tensor of shape `(channels,)`, or `None`.
        activation: activation function, or `None`.
        gate_activation: activation function, or `None`.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.

    Returns:
        tensor of the shape of `x`; the mean is computed in at least float32.

    Raises:
        ValueError: if a kernel or bias does not have the shape above.

    Reference:
        [Hu et al., 2018](https://arxiv.org/abs/1709.01507)

    Example:
        >>> import keras
        >>> import kerascnn
        >>> x, zeros = keras.ops.ones((1, 2, 2, 4)), keras.ops.zeros
        >>> y = kerascnn.ops.squeeze_excite(x, zeros((4, 1)), None, zeros((1, 4)), None)
        >>> float(y[0, 0, 0, 0])
        0.5
    """
    weights = (squeeze_kernel, squeeze_bias, excite_kernel, excite_bias)
    shapes = [None if weight is None else weight.shape for weight in weights]
    squeeze_excite_shape(
        x.shape, *shapes, activation=activation, gate_activation=gate_activation,
        data_format=data_format,
    )  # fmt: skip
    x = ops.cast(x, float_dtype(x.dtype))
    axes = (2, 3) if standardize_data_format(data_format) == "channels_first" else (1, 2)
    mean = ops.cast(ops.mean(widened(x), axes), x.dtype)
    hidden = _dense(mean, squeeze_kernel, squeeze_bias, activation)
    gate = _dense(hidden, excite_kernel, excite_bias, gate_activation)
    return x * ops.expand_dims(gate, axes)


def _dense(x, kernel, bias, activation):
    y = ops.matmul(x, ops.cast(kernel, x.dtype))
    if bias is not None:
        y = y + ops.cast(bias, x.dtype)
    return keras.activations.get(activation)(y)
