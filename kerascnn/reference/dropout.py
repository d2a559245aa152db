"""Dropout with a given mask of zeros and ones."""


def dropout(x, mask, rate, mode="inverted", training=True):
    """Computes `mask * x / (1 - rate)` in training ("inverted"), or the classic form."""
    keep = 1 - rate
    if training:
        return mask * x / keep if mode == "inverted" else mask * x
    return x if mode == "inverted" else keep * x


def dropout_backward(dy, mask, rate, mode="inverted", training=True):
    """Gradient `dx`: dropout is linear in `x`, so the gradient passes where the value passed."""
    return dropout(dy, mask, rate, mode, training)
