"""DropBlock with given corners."""

import numpy as np


def drop_block2d(x, corners, block_size):
    """Sets the blocks that begin at `corners` to zero and scales the rest.

    `x` is `(n, h, w, c)`, `corners` a mask of those pixels at which a block fits: row `i` and
    column `j` of it stand for the pixels `i` to `i + block_size - 1` down, and so on across. The
    rest is scaled so that the mean of the mask is 1.
    """
    mask = np.ones_like(x)
    for n, h, w, c in np.ndindex(corners.shape):
        if corners[n, h, w, c]:
            mask[n, h : h + block_size, w : w + block_size, c] = 0
    return x * mask * mask.size / max(mask.sum(), 1)


def drop_block2d_backward(dy, corners, block_size):
    """Gradient `dx`: linear in `x`, so the gradient passes where the value passed."""
    return drop_block2d(dy, corners, block_size)
