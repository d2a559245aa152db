"""Max unpooling."""

from typing import Any

import keras

from kerascnn import ops
from kerascnn.arguments import one_of, pair
from kerascnn.geometry import Sizes, Window, WithoutProducts
from kerascnn.ops.max_unpool import max_unpool2d_shape, max_unpool2d_window
from kerascnn.ops.shapes import standardize_data_format


@keras.saving.register_keras_serializable(package="kerascnn")
class MaxUnpool2D(WithoutProducts, keras.layers.Layer):
    """Returns every value to its position before `MaxPoolWithArgmax2D`; all others are zero.

    `y[indices // width, indices % width] = x` for each image and channel. The pooling windows must
    not overlap: `strides` equal to `pool_size`.

    Args:
        pool_size: int or pair of ints, as in the pooling.
        padding: `"valid"` or `"same"`, as in the pooling.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.
        **kwargs: `name`, `dtype` and so on.

    Call arguments:
        inputs: list `[x, indices]` of a float and an int tensor of rank 4, or `[x, indices, like]`
            with a tensor that has the height and width of the output. Without `like`, the size
            before pooling is assumed to be a multiple of `pool_size`.

    Input shape:
        `(batch, height, width, channels)` for `x` and `indices`, or channels first.

    Output shape:
        `(batch, height * pool_size, width * pool_size, channels)`, or with the height and width
        of `like`, or channels first.

    Raises:
        ValueError: if `indices` or `like` do not match `x`.

    Reference:
        [Badrinarayanan et al., 2017](https://arxiv.org/abs/1511.00561)

    Example:
        >>> import keras
        >>> import kerascnn
        >>> image = keras.ops.ones((1, 5, 5, 3))
        >>> x, indices = kerascnn.layers.MaxPoolWithArgmax2D(2)(image)
        >>> tuple(kerascnn.layers.MaxUnpool2D(2)([x, indices, image]).shape)
        (1, 5, 5, 3)
    """

    def __init__(
        self,
        pool_size: Sizes = 2,
        padding: str = "valid",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.pool_size = pair(pool_size, "pool_size")
        self.padding = one_of(padding, ("valid", "same"), "padding")
        self.data_format = standardize_data_format(data_format)

    def build(self, input_shape: Any) -> None:
        self.compute_output_shape(input_shape)

    def call(self, inputs: Any) -> Any:
        x, indices, like = inputs if len(inputs) == 3 else (*inputs, None)
        return ops.max_unpool2d(
            x,
            indices,
            like,
            self.pool_size,
            self.padding,
            self.data_format,
        )

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        x, indices, like = input_shape if len(input_shape) == 3 else (*input_shape, None)
        return max_unpool2d_shape(
            x,
            indices,
            like,
            self.pool_size,
            self.padding,
            self.data_format,
        )

    def compute_window(self) -> Window | None:
        return max_unpool2d_window(self.pool_size)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "pool_size": self.pool_size,
            "padding": self.padding,
            "data_format": self.data_format,
        }
