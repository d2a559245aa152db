"""DropBlock with given corners."""

import numpy as np


def drop_block2d(x, corners, block_size):
    """Sets the blocks that start at `corners` to zero, and scales the rest.

    `x` is `(n, h, w, c)`, and `corners` is a mask of the positions where a block fits: row `i` and
    column `j` mean the pixels `i` to `i + block_size - 1` vertically, and the same horizontally.
    The rest is scaled so that the mean of the mask is 1.
    """
    mask = np.ones_like(x)
    for n, h, w, c in np.ndindex(corners.shape):
        if corners[n, h, w, c]:
            mask[n, h : h + block_size, w : w + block_size, c] = 0
    return x * mask * mask.size / max(mask.sum(), 1)


def drop_block2d_backward(dy, corners, block_size):
    """Gradient `dx`: the op is linear in `x`, so the gradient passes where the value passed."""
    return drop_block2d(dy, corners, block_size)
