"""Channel shuffle."""

from typing import Any

import keras

from kerascnn import ops
from kerascnn.arguments import at_least_one
from kerascnn.geometry import WithoutProducts
from kerascnn.ops.channel_shuffle import channel_shuffle_shape
from kerascnn.ops.shapes import standardize_data_format


@keras.saving.register_keras_serializable(package="kerascnn")
class ChannelShuffle(WithoutProducts, keras.layers.Layer):
    """Distributes the channels of every group over all groups.

    With `G = groups` of `n = channels / G` channels each, `y[..., i * G + g] = x[..., g * n + i]`.
    Between two group convolutions, it lets every group of the second see all groups of the first.
    The results are the same as PyTorch's `ChannelShuffle`; `channels / groups` groups reverse the
    shuffle.

    Args:
        groups: int, a divisor of the number of input channels.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.
        **kwargs: `name`, `dtype` and so on.

    Call arguments:
        inputs: tensor of rank 2 or higher and any dtype.

    Input shape:
        `(batch, ..., channels)`, or with the channels on axis 1.

    Output shape:
        the same as the input shape.

    Raises:
        ValueError: if `groups` does not divide `channels`.

    Reference:
        [Zhang et al., 2018](https://arxiv.org/abs/1707.01083)

    Example:
        >>> import keras
        >>> import kerascnn
        >>> x = keras.ops.reshape(keras.ops.arange(6), (1, 6))
        >>> keras.ops.convert_to_numpy(kerascnn.layers.ChannelShuffle(2)(x)).tolist()
        [[0, 3, 1, 4, 2, 5]]
    """

    def __init__(self, groups: int, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.groups = at_least_one(groups, "groups")
        self.data_format = standardize_data_format(data_format)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        self.compute_output_shape(input_shape)

    def call(self, inputs: Any) -> Any:
        return ops.channel_shuffle(inputs, self.groups, self.data_format)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return channel_shuffle_shape(input_shape, self.groups, self.data_format)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "groups": self.groups, "data_format": self.data_format}
