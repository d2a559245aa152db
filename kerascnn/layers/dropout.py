"""Dropout."""

from collections.abc import Sequence
from typing import Any

import keras

from kerascnn import ops
from kerascnn.geometry import WithoutProducts
from kerascnn.ops.dropout import check_dropout, standardize_noise_shape


@keras.saving.register_keras_serializable(package="kerascnn")
class Dropout(WithoutProducts, keras.layers.Layer):
    """Sets each activation to zero with probability `rate` in training.

    Drop-in replacement for `keras.layers.Dropout`. In training, every step draws a new mask `b`, 0
    with probability `rate` and 1 with the keep probability `p = 1 - rate`; at inference nothing is
    random. The two modes differ in where the expected value is corrected:

    | mode       | training        | inference   |
    |------------|-----------------|-------------|
    | `inverted` | `y = b * x / p` | `y = x`     |
    | `classic`  | `y = b * x`     | `y = p * x` |

    Args:
        rate: float in [0, 1], the probability that an activation is dropped.
        noise_shape: optional tuple, the shape of the mask, which is broadcast to the input; `None`
            in it means the size of the input. `(None, 1, 1, None)` drops whole feature maps.
        seed: optional int, random seed; its masks differ from Keras's masks.
        mode: `"inverted"` (Keras, PyTorch) or `"classic"` (the original form).
        **kwargs: `name`, `dtype` and so on.

    Call arguments:
        inputs: float tensor of any rank.
        training: bool, whether to drop activations.

    Input shape:
        any.

    Output shape:
        the same as the input shape.

    Raises:
        ValueError: if `rate`, `noise_shape` or `mode` is invalid.

    Reference:
        [Srivastava et al., 2014](https://jmlr.org/papers/v15/srivastava14a.html)

    Example:
        >>> import keras
        >>> import kerascnn
        >>> y = kerascnn.layers.Dropout(0.5)(keras.ops.ones((1, 1000)), training=True)
        >>> sorted(set(keras.ops.convert_to_numpy(y)[0].tolist()))
        [0.0, 2.0]
    """

    def __init__(
        self,
        rate: float,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        mode: str = "inverted",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_dropout(rate, mode)
        self.rate = rate
        self.noise_shape = standardize_noise_shape(noise_shape)
        self.seed = seed
        self.mode = mode
        if rate > 0:
            self.seed_generator = keras.random.SeedGenerator(seed)
        self.supports_masking = True
        self.built = type(self).build is keras.layers.Layer.build  # unless a subclass builds

    def call(self, inputs: Any, training: bool = False) -> Any:
        return ops.dropout(
            inputs,
            self.rate,
            noise_shape=self.noise_shape,
            seed=self.seed_generator if self.rate > 0 else None,
            mode=self.mode,
            training=training,
        )

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "rate": self.rate,
            "noise_shape": self.noise_shape,
            "seed": self.seed,
            "mode": self.mode,
        }
