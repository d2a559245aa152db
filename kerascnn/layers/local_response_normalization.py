"""Local response normalization."""

from typing import Any

import keras

from kerascnn import ops
from kerascnn.geometry import WithoutProducts
from kerascnn.ops.local_response_normalization import (
    check_local_response_normalization,
    local_response_normalization_shape,
)
from kerascnn.ops.shapes import standardize_data_format


@keras.saving.register_keras_serializable(package="kerascnn")
class LocalResponseNormalization(WithoutProducts, keras.layers.Layer):
    """Divides every activation by a power of the energy in neighboring channels.

    `y[..., c] = x[..., c] / (k + a * sum over j of x[..., j]**2)**beta`, where `j` runs from
    `c - size // 2` to `c + (size - 1) // 2` within the channels, and `a` is `alpha` or, with
    `divide_alpha`, `alpha / size`. The defaults are the constants of AlexNet.

    Args:
        size: int, the number of channels in a window.
        alpha: float, at least 0, the weight of the energy.
        beta: float, the power.
        k: float, above 0, added to the energy.
        divide_alpha: bool, whether `alpha` weights the mean of the squares (Caffe, PyTorch) rather
            than their sum (the paper, TensorFlow).
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.
        **kwargs: `name`, `dtype` and so on.

    Call arguments:
        inputs: float tensor of rank 2 or higher.

    Input shape:
        `(batch, ..., channels)`, or with the channels on axis 1.

    Output shape:
        the same as the input shape.

    Raises:
        ValueError: if `size`, `alpha` or `k` is invalid.

    Reference:
        [Krizhevsky et al., 2012](https://papers.nips.cc/paper/4824), section 3.3

    Example:
        >>> import keras
        >>> import kerascnn
        >>> layer = kerascnn.layers.LocalResponseNormalization(size=3, alpha=1.0, beta=1.0, k=1.0)
        >>> [round(float(value), 4) for value in layer(keras.ops.ones((1, 3)))[0]]
        [0.3333, 0.25, 0.3333]
    """

    def __init__(
        self,
        size: int = 5,
        alpha: float = 1e-4,
        beta: float = 0.75,
        k: float = 2.0,
        divide_alpha: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_local_response_normalization(size, alpha, k)
        self.size = size
        self.alpha = float(alpha)
        self.beta = float(beta)
        self.k = float(k)
        self.divide_alpha = divide_alpha
        self.data_format = standardize_data_format(data_format)
        self.supports_masking = True

    @property
    def _arguments(self):
        return {
            "size": self.size,
            "alpha": self.alpha,
            "beta": self.beta,
            "k": self.k,
            "divide_alpha": self.divide_alpha,
            "data_format": self.data_format,
        }

    def build(self, input_shape: Any) -> None:
        self.compute_output_shape(input_shape)

    def call(self, inputs: Any) -> Any:
        return ops.local_response_normalization(inputs, **self._arguments)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return local_response_normalization_shape(input_shape, **self._arguments)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self._arguments}
