"""DropBlock."""

from typing import Any

import keras

from kerascnn import ops
from kerascnn.geometry import WithoutProducts
from kerascnn.ops.drop_block import check_drop_block2d, drop_block2d_shape
from kerascnn.ops.shapes import standardize_data_format


@keras.saving.register_keras_serializable(package="kerascnn")
class DropBlock2D(WithoutProducts, keras.layers.Layer):
    """Sets square blocks of each feature map to zero in training: dropout for convolutions.

    Neighboring pixels of a feature map are correlated, so dropping single pixels has little effect.
    In training, the corner of a block of `b` x `b` pixels is drawn, with probability `gamma`, at
    every position of every feature map of `H` x `W` pixels where the block fits,

        gamma = rate / b**2 * H * W / ((H - b + 1) * (W - b + 1))

    and `y = mask * x * size(mask) / sum(mask)`, where `mask` is 0 in the blocks and 1 elsewhere,
    over the whole batch. A block that is higher or wider than the map is cut to its height or
    width. At inference, `y = x`.

    Args:
        rate: float in [0, 1], the approximate fraction of the activations to drop; lower where
            blocks overlap.
        block_size: int, the size `b` of a block.
        seed: optional int, random seed.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.
        **kwargs: `name`, `dtype` and so on.

    Call arguments:
        inputs: float tensor of rank 4.
        training: bool, whether to drop blocks.

    Input shape:
        `(batch, height, width, channels)`, or channels first.

    Output shape:
        the same as the input shape.

    Raises:
        ValueError: if `rate` or `block_size` is invalid, or the rank of the input is not 4.

    Reference:
        [Ghiasi et al., 2018](https://arxiv.org/abs/1810.12890)

    Example:
        >>> import keras
        >>> import kerascnn
        >>> layer = kerascnn.layers.DropBlock2D(0.1, block_size=3)
        >>> y = layer(keras.ops.ones((8, 16, 16, 4)), training=True)
        >>> 0.85 < float(keras.ops.mean(y > 0)) < 0.95
        True
    """

    def __init__(
        self,
        rate: float,
        block_size: int = 7,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_drop_block2d(rate, block_size)
        self.rate = rate
        self.block_size = block_size
        self.seed = seed
        self.data_format = standardize_data_format(data_format)
        if rate > 0:
            self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, input_shape: Any) -> None:
        self.compute_output_shape(input_shape)

    def call(self, inputs: Any, training: bool = False) -> Any:
        return ops.drop_block2d(
            inputs,
            self.rate,
            self.block_size,
            data_format=self.data_format,
            seed=self.seed_generator if self.rate > 0 else None,
            training=training,
        )

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return drop_block2d_shape(input_shape, self.rate, self.block_size, self.data_format)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "rate": self.rate,
            "block_size": self.block_size,
            "seed": self.seed,
            "data_format": self.data_format,
        }
