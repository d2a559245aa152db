"""Maxout."""

from typing import Any

import keras

from kerascnn import ops
from kerascnn.arguments import at_least_one
from kerascnn.geometry import WithoutProducts
from kerascnn.ops.maxout import maxout_shape


@keras.saving.register_keras_serializable(package="kerascnn")
class Maxout(WithoutProducts, keras.layers.Layer):
    """Takes the maximum over groups of consecutive channels.

    With `p = channels / units` pieces, `y[..., u] = max over j < p of x[..., u * p + j]`. After a
    `Dense` layer or a convolution with `units * p` outputs and no activation, each unit is the
    maximum of `p` linear functions: a convex, trainable activation.

    Args:
        units: int, the number of outputs, a divisor of the number of input channels.
        axis: int, the channel axis; 1 after a convolution with channels first.
        **kwargs: `name`, `dtype` and so on.

    Call arguments:
        inputs: tensor of any rank and dtype.

    Input shape:
        any; the size of `axis` must be known.

    Output shape:
        the input shape with `units` on `axis`.

    Raises:
        ValueError: if `units` does not divide the size of `axis`, or there is no such axis.

    Reference:
        [Goodfellow et al., 2013](https://arxiv.org/abs/1302.4389)

    Example:
        >>> import keras
        >>> import kerascnn
        >>> x = keras.ops.array([[1.0, 5.0, 2.0, 4.0, 3.0, 6.0]])
        >>> keras.ops.convert_to_numpy(kerascnn.layers.Maxout(2)(x)).tolist()
        [[5.0, 6.0]]
    """

    def __init__(self, units: int, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = at_least_one(units, "units")
        self.axis = int(axis)
        # A mask has all axes except the last one.
        self.supports_masking = self.axis == -1

    def build(self, input_shape: Any) -> None:
        self.compute_output_shape(input_shape)

    def call(self, inputs: Any) -> Any:
        return ops.maxout(inputs, self.units, self.axis)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return maxout_shape(input_shape, self.units, self.axis)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units, "axis": self.axis}
