"""Stochastic depth."""

from typing import Any

import keras

from kerascnn import ops
from kerascnn.geometry import WithoutProducts
from kerascnn.ops.dropout import check_dropout
from kerascnn.ops.stochastic_depth import stochastic_depth_shape


@keras.saving.register_keras_serializable(package="kerascnn")
class StochasticDepth(WithoutProducts, keras.layers.Layer):
    """Drops whole samples with probability `rate` in training.

    At the end of a residual branch, `x + StochasticDepth(0.2)(branch(x))`, a random part of the
    samples skips the branch, so the model is shallower in training than at inference. With one draw
    `b[n]` per sample, 1 with probability `p = 1 - rate`, else 0:

    | mode       | training                 | inference   |
    |------------|--------------------------|-------------|
    | `inverted` | `y[n] = b[n] * x[n] / p` | `y = x`     |
    | `classic`  | `y[n] = b[n] * x[n]`     | `y = p * x` |

    The mode `"inverted"` is the same as torchvision's `StochasticDepth` with `mode="row"`.

    Args:
        rate: float in [0, 1], the probability that a sample is dropped.
        seed: optional int, random seed.
        mode: `"inverted"` or `"classic"` (the original form).
        **kwargs: `name`, `dtype` and so on.

    Call arguments:
        inputs: float tensor of rank 1 or higher.
        training: bool, whether to drop samples.

    Input shape:
        `(batch, ...)`

    Output shape:
        the same as the input shape.

    Raises:
        ValueError: if `rate` or `mode` is invalid.

    Reference:
        [Huang et al., 2016](https://arxiv.org/abs/1603.09382)

    Example:
        >>> import keras
        >>> import kerascnn
        >>> layer = kerascnn.layers.StochasticDepth(0.5)
        >>> y = layer(keras.ops.ones((1000, 2)), training=True)
        >>> sorted(set(map(tuple, keras.ops.convert_to_numpy(y).tolist())))
        [(0.0, 0.0), (2.0, 2.0)]
    """

    def __init__(
        self, rate: float, seed: int | None = None, mode: str = "inverted", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        check_dropout(rate, mode)
        self.rate = rate
        self.mode = mode
        self.seed = seed
        if rate > 0:
            self.seed_generator = keras.random.SeedGenerator(seed)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        self.compute_output_shape(input_shape)

    def call(self, inputs: Any, training: bool = False) -> Any:
        return ops.stochastic_depth(
            inputs,
            self.rate,
            seed=self.seed_generator if self.rate > 0 else None,
            mode=self.mode,
            training=training,
        )

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return stochastic_depth_shape(input_shape)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate, "mode": self.mode, "seed": self.seed}
