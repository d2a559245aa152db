"""Stochastic depth."""

import keras

from kerascnn import ops
from kerascnn.geometry import WithoutProducts
from kerascnn.ops.dropout import check_dropout
from kerascnn.ops.stochastic_depth import stochastic_depth_shape


@keras.saving.register_keras_serializable(package="kerascnn")
class StochasticDepth(WithoutProducts, keras.layers.Layer):
    """Drops the whole of a sample with probability `rate` in training.

    At the end of a residual branch, `x + StochasticDepth(0.2)(branch(x))`, it lets a random part of
    the samples skip the branch: the network is shallower in training than at inference. With one
    draw `b[n]` per sample, 1 with probability `p = 1 - rate`, else 0:

    | mode       | training                 | inference   |
    |------------|--------------------------|-------------|
    | `inverted` | `y[n] = b[n] * x[n] / p` | `y = x`     |
    | `classic`  | `y[n] = b[n] * x[n]`     | `y = p * x` |

    The mode `"inverted"` is that of torchvision's `StochasticDepth` with `mode="row"`.

    Args:
        rate: float from 0 to 1, the probability that a sample is dropped.
        seed: optional int; the same seed makes the same draws.
        mode: `"inverted"` or `"classic"` (the original form).
        **kwargs: `name`, `dtype` and so on.

    Call arguments:
        inputs: float tensor of rank 1 at least.
        training: bool, whether to drop.

    Input shape:
        `(batch, ...)`

    Output shape:
        that of the input.

    Raises:
        ValueError: if `rate` or `mode` is none of the above.

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

    def __init__(self, rate, seed=None, mode="inverted", **kwargs):
        super().__init__(**kwargs)
        check_dropout(rate, mode)
        self.rate = rate
        self.mode = mode
        self.seed = seed
        if rate > 0:
            self.seed_generator = keras.random.SeedGenerator(seed)
        self.supports_masking = True

    def build(self, input_shape):
        self.compute_output_shape(input_shape)

    def call(self, inputs, training=False):
        return ops.stochastic_depth(
            inputs,
            self.rate,
            seed=self.seed_generator if self.rate > 0 else None,
            mode=self.mode,
            training=training,
        )

    def compute_output_shape(self, input_shape):
        return stochastic_depth_shape(input_shape)

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "mode": self.mode, "seed": self.seed}
