"""Classic image filters, as read-only arrays of shape `(height, width)`.

They are applied without flipping: `y[h, w] = sum over i, j of x[h + i, w + j] * kernel[i, j]`.
`kerascnn.layers.FixedFilter2D` accepts their names. The weights of a blur have the sum 1, and the
weights of an edge detector the sum 0: an area of one color does not change, or becomes 0.

    >>> import kerascnn
    >>> kerascnn.filters.sharpen.tolist()
    [[0.0, -1.0, 0.0], [-1.0, 5.0, -1.0], [0.0, -1.0, 0.0]]
"""

import numpy as np


def _kernel(rows: list[list[int]], divisor: int = 1) -> np.ndarray:
    kernel = np.array(rows, "float32") / np.float32(divisor)
    kernel.flags.writeable = False
    return kernel


identity = _kernel([[0, 0, 0], [0, 1, 0], [0, 0, 0]])

# Edge detection: between opposite corners, and against the four or all eight neighbours.
edge_diagonal = _kernel([[1, 0, -1], [0, 0, 0], [-1, 0, 1]])
edge_4_neighbors = _kernel([[0, -1, 0], [-1, 4, -1], [0, -1, 0]])
edge_8_neighbors = _kernel([[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]])

# Edges that run in one direction: Prewitt's and Sobel's derivatives across it.
edge_horizontal = _kernel([[-1, -1, -1], [0, 0, 0], [1, 1, 1]])
edge_vertical = _kernel([[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]])
sobel_horizontal = _kernel([[-1, -2, -1], [0, 0, 0], [1, 2, 1]])
sobel_vertical = _kernel([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])

laplacian = _kernel([[0, 1, 0], [1, -4, 1], [0, 1, 0]])

sharpen = _kernel([[0, -1, 0], [-1, 5, -1], [0, -1, 0]])

box_blur = _kernel([[1, 1, 1], [1, 1, 1], [1, 1, 1]], 9)
gaussian_blur_3x3 = _kernel([[1, 2, 1], [2, 4, 2], [1, 2, 1]], 16)

_GAUSSIAN_5X5 = [
    [1, 4, 6, 4, 1],
    [4, 16, 24, 16, 4],
    [6, 24, 36, 24, 6],
    [4, 16, 24, 16, 4],
    [1, 4, 6, 4, 1],
]
gaussian_blur_5x5 = _kernel(_GAUSSIAN_5X5, 256)

# Twice the image minus its blur, without an image mask.
unsharp_mask = _kernel(
    [[(512 if i == j == 2 else 0) - _GAUSSIAN_5X5[i][j] for j in range(5)] for i in range(5)], 256
)

__all__ = [
    "box_blur",
    "edge_4_neighbors",
    "edge_8_neighbors",
    "edge_diagonal",
    "edge_horizontal",
    "edge_vertical",
    "gaussian_blur_3x3",
    "gaussian_blur_5x5",
    "identity",
    "laplacian",
    "sharpen",
    "sobel_horizontal",
    "sobel_vertical",
    "unsharp_mask",
]


def __dir__():
    return __all__
