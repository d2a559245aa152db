"""Plots of reconstructed images."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from kerascnn.arguments import not_empty
from kerascnn.visualize.draw_image import draw_image
from kerascnn.visualize.fonts import in_fonts


@in_fonts
def reconstructions(
    images: Sequence[np.ndarray], outputs: Sequence[np.ndarray], title: str = ""
) -> Figure:
    """Plots images with their reconstructions and the absolute difference below.

    Args:
        images: sequence of float arrays of shape `(height, width, channels)`, values in [0, 1].
        outputs: sequence of as many arrays of the same shapes.
        title: str.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        ValueError: without images.

    Example:
        >>> import numpy as np
        >>> import kerascnn
        >>> images = np.zeros((3, 8, 8, 1), "float32")
        >>> figure = kerascnn.visualize.reconstructions(images, images + 0.1)
        >>> [axes.get_ylabel() for axes in figure.axes[::3]]
        ['image', 'reconstruction', 'difference']
    """
    columns = len(not_empty(images, "images"))
    figure = Figure(figsize=(1.3 * columns + 0.5, 4.4), dpi=120, layout="constrained")
    if title:
        figure.suptitle(title, parse_math=False)
    differences = [np.abs(output - image) for image, output in zip(images, outputs, strict=True)]
    rows = {"image": images, "reconstruction": outputs, "difference": differences}
    grid = figure.subplots(len(rows), columns, squeeze=False)
    for line, (name, pixels) in zip(grid, rows.items(), strict=True):
        line[0].set_ylabel(name, fontsize=8)
        for axes, image in zip(line, pixels, strict=True):
            draw_image(axes, image)
            axes.set(xticks=[], yticks=[])
    return figure
