"""The scaled hyperbolic tangent."""

import numpy as np


def scaled_tanh(x, amplitude=1.7159, slope=2 / 3):
    """`amplitude * tanh(slope * x)`, element by element."""
    return amplitude * np.tanh(slope * x)


def scaled_tanh_backward(dy, x, amplitude=1.7159, slope=2 / 3):
    """Gradient `dx`: the derivative of `tanh(z)` is `1 - tanh(z)**2`."""
    return dy * amplitude * slope * (1 - np.tanh(slope * x) ** 2)
