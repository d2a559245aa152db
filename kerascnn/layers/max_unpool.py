"""Max unpooling."""

import keras

from kerascnn import ops
from kerascnn.arguments import one_of, pair
from kerascnn.geometry import WithoutProducts
from kerascnn.ops.max_unpool import max_unpool2d_shape, max_unpool2d_window
from kerascnn.ops.shapes import standardize_data_format


@keras.saving.register_keras_serializable(package="kerascnn")
class MaxUnpool2D(WithoutProducts, keras.layers.Layer):
    """Puts every value back where `MaxPoolWithArgmax2D` found it, among zeros.

    `y[indices // width, indices % width] = x`, image by image and channel by channel. The windows
    of the pooling must lie side by side: `strides` equal to `pool_size`.

    Args:
        pool_size: int or pair of ints, of the pooling.
        padding: `"valid"` or `"same"`, of the pooling.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.
        **kwargs: `name`, `dtype` and so on.

    Call arguments:
        inputs: list `[x, indices]` of a float and an int tensor of rank 4, or
            `[x, indices, like]` with a tensor whose height and width the output takes. Without
            `like`, the pooled image is taken to have been a multiple of `pool_size`.

    Input shape:
        `(batch, height, width, channels)` for `x` and `indices`, or channels first.

    Output shape:
        `(batch, height * pool_size, width * pool_size, channels)`, or with the height and width
        of `like`, or channels first.

    Raises:
        ValueError: if `indices` or `like` do not fit to `x`.

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

    def __init__(self, pool_size=2, padding="valid", data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.pool_size = pair(pool_size, "pool_size")
        self.padding = one_of(padding, ("valid", "same"), "padding")
        self.data_format = standardize_data_format(data_format)

    def build(self, input_shape):
        self.compute_output_shape(input_shape)

    def call(self, inputs):
        x, indices, *like = inputs
        return ops.max_unpool2d(
            x,
            indices,
            *(like or [None]),
            self.pool_size,
            self.padding,
            self.data_format,
        )

    def compute_output_shape(self, input_shape):
        x, indices, *like = input_shape
        return max_unpool2d_shape(
            x, indices, *(like or [None]), self.pool_size, self.padding, self.data_format
        )

    def compute_window(self):
        return max_unpool2d_window(self.pool_size)

    def get_config(self):
        return {
            **super().get_config(),
            "pool_size": self.pool_size,
            "padding": self.padding,
            "data_format": self.data_format,
        }
