"""Answers to the same question, side by side."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from kerascnn.arguments import UsageError
from kerascnn.visualize.draw_image import draw_image
from kerascnn.visualize.fonts import in_fonts


@in_fonts
def comparison(pictures, labels, names, detail=80, title=""):
    """Draws pictures in rows: the truth as a whole, then a detail of each answer and of the truth.

    The detail is where the answers are furthest from the truth: the square with the largest squared
    difference, summed over the answers.

    Args:
        pictures: list of rows, each a list of uint8 arrays of shape `(height, width, channels)`
            with 1 or 3 channels: answers, and last the truth. What is smaller than the truth, by
            the same factor in height and width, is drawn with larger pixels.
        labels: list of rows of str, one for each picture.
        names: list of str, one for each row.
        detail: int, the side of the detail in pixels of the truth.
        title: str.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        ValueError: if a picture's size does not divide that of the truth.

    Example:
        >>> import numpy as np
        >>> import kerascnn
        >>> truth = np.zeros((60, 90, 3), "uint8")
        >>> pictures, labels = [[truth[::3, ::3], truth]], [["low resolution", "truth"]]
        >>> figure = kerascnn.visualize.comparison(pictures, labels, ["night.png"], detail=30)
        >>> len(figure.axes)
        3
    """
    columns = 1 + max(map(len, pictures))
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
            "The size of a picture must divide that of the truth; "
            f"got shape {image.shape} with {truth.shape}."
        )
    return larger


def _worst_square(images, side):
    """`(top, left, side)` of the square in which the answers differ most from the truth."""
    *answers, truth = (image.astype(float) for image in images)
    side = min(side, *truth.shape[:2])
    difference = sum(((answer - truth) ** 2).sum(axis=-1) for answer in answers)
    sums = np.pad(difference.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    inside = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    top, left = np.unravel_index(inside.argmax(), inside.shape)
    return int(top), int(left), side
