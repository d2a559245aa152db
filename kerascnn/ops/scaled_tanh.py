"""The scaled hyperbolic tangent: the activation of LeNet-5 (1998)."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="kerascnn")
def scaled_tanh(x: Any, amplitude: float = 1.7159, slope: float = 2 / 3) -> Any:
    """Computes `y = amplitude * tanh(slope * x)`.

    With the default constants, `y` is about 1 at 1 and -1 at -1, the training targets, where its
    curvature is largest. It can be the `activation` of a Keras layer.

    Args:
        x: float tensor of any rank.
        amplitude: float, the limit of `y` for large `x`.
        slope: float, the factor of `x`.

    Returns:
        float tensor of the shape of `x`.

    Reference:
        [LeCun et al., 1998](http://yann.lecun.com/exdb/publis/pdf/lecun-01a.pdf), appendix A

    Example:
        >>> import keras
        >>> import kerascnn
        >>> dense = keras.layers.Dense(84, activation=kerascnn.ops.scaled_tanh)
        >>> round(float(kerascnn.ops.scaled_tanh(keras.ops.array(1.0))), 3)
        1.0
    """
    return amplitude * ops.tanh(ops.multiply(x, slope))
