"""Stochastic depth with a given mask of zeros and ones, one for each sample."""

import numpy as np

from kerascnn.reference.dropout import dropout


def stochastic_depth(x, mask, rate, mode="inverted", training=True):
    """Dropout with the same draw `mask[n]` for the whole sample `x[n]`."""
    y = np.zeros_like(x)
    for n in range(len(x)):
        y[n] = dropout(x[n], mask[n], rate, mode, training)
    return y


def stochastic_depth_backward(dy, mask, rate, mode="inverted", training=True):
    """Gradient `dx`: the op is linear in `x`, so the gradient passes where the sample passed."""
    return stochastic_depth(dy, mask, rate, mode, training)
