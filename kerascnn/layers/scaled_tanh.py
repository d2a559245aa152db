"""The scaled hyperbolic tangent."""

from typing import Any

import keras

from kerascnn import ops
from kerascnn.geometry import WithoutProducts


@keras.saving.register_keras_serializable(package="kerascnn")
class ScaledTanh(WithoutProducts, keras.layers.Layer):
    """`y = amplitude * tanh(slope * x)`: the activation of LeNet-5 (1998).

    With the default constants, `y` is about 1 at 1 and -1 at -1, the training targets, where its
    curvature is largest. Use `activation=kerascnn.ops.scaled_tanh` in a layer with weights.

    Args:
        amplitude: float, the limit of `y` for large `x`.
        slope: float, the factor of `x`.
        **kwargs: `name`, `dtype` and so on.

    Call arguments:
        inputs: float tensor of any rank.

    Input shape:
        any.

    Output shape:
        the same as the input shape.

    Reference:
        [LeCun et al., 1998](http://yann.lecun.com/exdb/publis/pdf/lecun-01a.pdf), appendix A

    Example:
        >>> import keras
        >>> import kerascnn
        >>> y = kerascnn.layers.ScaledTanh()(keras.ops.array([-100.0, 0.0, 1.0]))
        >>> [round(float(value), 3) for value in y]
        [-1.716, 0.0, 1.0]
    """

    def __init__(self, amplitude: float = 1.7159, slope: float = 2 / 3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.amplitude = float(amplitude)
        self.slope = float(slope)
        self.supports_masking = True
        self.built = type(self).build is keras.layers.Layer.build  # unless a subclass builds

    def call(self, inputs: Any) -> Any:
        return ops.scaled_tanh(inputs, self.amplitude, self.slope)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "amplitude": self.amplitude, "slope": self.slope}
