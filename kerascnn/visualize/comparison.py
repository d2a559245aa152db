"""Plots that compare predictions side by side."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from kerascnn.arguments import UsageError, not_empty
from kerascnn.visualize.draw_image import draw_image
from kerascnn.visualize.fonts import in_fonts


@in_fonts
def comparison(
    pictures: Sequence[Sequence[np.ndarray]],
    labels: Sequence[Sequence[str]],
    names: Sequence[str],
    detail: int = 80,
    title: str = "",
) -> Figure:
    """Plots images in rows: the whole truth, then a detail of each prediction and of the truth.

    The detail is the square in which the predictions differ most from the truth: the largest
    squared difference, summed over the predictions.

    Args:
        pictures: list of rows, each a list of uint8 arrays of shape `(height, width, channels)`
            with 1 or 3 channels: predictions, and last the truth. A smaller image, by the same
            factor in height and width, is plotted with larger pixels.
        labels: list of rows of str, one for each image.
        names: list of str, one for each row.
        detail: int, size of the detail in pixels of the truth.
        title: str.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        ValueError: without rows, or if an image's size does not divide the size of the truth.

    Example:
        >>> import numpy as np
        >>> import kerascnn
        >>> truth = np.zeros((60, 90, 3), "uint8")
        >>> pictures, labels = [[truth[::3, ::3], truth]], [["low resolution", "truth"]]
        >>> figure = kerascnn.visualize.comparison(pictures, labels, ["night.png"], detail=30)
        >>> len(figure.axes)
        3
    """
    columns = 1 + max(map(len, not_empty(pictures, "pictures")))
    figure = Figure(
        figsize=(2.3 * columns + 0.9, 2.6 * len(pictures) + 0.4), dpi=120, layout="constrained"
    )
    if title:
        figure.suptitle(title, parse_math=False)
    grid = figure.subplots(
        len(pictures), columns, squeeze=False, width_ratios=[1.4] + [1] * (columns - 1)
    )
    for axes in grid.flat:
        axes.axis("off")
    for row, images, texts, name in zip(grid, pictures, labels, names, strict=True):
        images = [_as_large_as(images[-1], image) for image in images]
        top, left, side = _worst_square(images, detail)
        _draw(row[0], images[-1], name)
        row[0].add_patch(
            Rectangle((left - 0.5, top - 0.5), side, side, fill=False, edgecolor="lime", lw=2)
        )
        for axes, image, text in zip(row[1:], images, texts, strict=False):
            _draw(axes, image[top : top + side, left : left + side], text)
    return figure


def _draw(axes, image, text):
    draw_image(axes, image)
    axes.set_title(text, fontsize=9, parse_math=False)


def _as_large_as(truth, image):
    factor = truth.shape[0] // image.shape[0]
    larger = image.repeat(factor, axis=0).repeat(factor, axis=1)
    if larger.shape != truth.shape:
        raise UsageError(
            "The size of an image must divide the size of the truth; "
            f"got shape {image.shape} with {truth.shape}."
        )
    return larger


def _worst_square(images, side):
    """`(top, left, side)` of the square in which the predictions differ most from the truth."""
    *answers, truth = (image.astype(float) for image in images)
    side = min(side, *truth.shape[:2])
    difference = np.sum([((answer - truth) ** 2).sum(axis=-1) for answer in answers], axis=0)
    sums = np.pad(difference.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    inside = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    top, left = np.unravel_index(inside.argmax(), inside.shape)
    return int(top), int(left), side
