"""Plots of augmented images."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from kerascnn.arguments import UsageError, not_empty
from kerascnn.visualize.draw_image import draw_image
from kerascnn.visualize.fonts import in_fonts
from kerascnn.visualize.short_names import name_width, shortened

# Largest width of a name, and of a line below an image, in letters
_LONGEST = 18
_LINE = 26


@in_fonts
def augmentation(
    images: np.ndarray | Sequence[np.ndarray],
    labels: np.ndarray | Sequence[Any],
    versions: Sequence[Any],
    class_names: Sequence[str],
    title: str = "",
) -> Figure:
    """Plots a row of images with their classes, and rows of augmented versions below.

    Args:
        images: float array of shape `(count, height, width, channels)` with values in [0, 1].
        labels: int array of shape `(count,)`.
        versions: list of pairs `(images, labels)` of the same images; labels of shape
            `(count, classes)` are probabilities, and the two largest are shown below.
        class_names: names of the classes.
        title: str.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        ValueError: without images, or if probabilities are not for all classes.

    Example:
        >>> import numpy as np
        >>> import kerascnn
        >>> images = np.zeros((2, 8, 8, 1), "float32")
        >>> mixed = [(images, np.array([[0.7, 0.3], [0.2, 0.8]]))]
        >>> figure = kerascnn.visualize.augmentation(images, [0, 1], mixed, ["cat", "dog"])
        >>> figure.axes[0].get_title(), figure.axes[2].get_xlabel()
        ('cat', '70% cat, 30% dog')
    """
    not_empty(images, "images")
    names = [shortened(class_names[i], _LONGEST) for i in range(len(class_names))]
    rows, columns = 1 + len(versions), len(images)
    figure = Figure(figsize=(1.4 * columns, 1.55 * rows + 0.4), dpi=120, layout="constrained")
    if title:
        figure.suptitle(title, parse_math=False)
    grid = figure.subplots(rows, columns, squeeze=False)
    for number, (pictures, truth) in enumerate([(images, labels), *versions]):
        for axes, picture, label in zip(grid[number], pictures, truth, strict=True):
            draw_image(axes, picture)
            axes.set(xticks=[], yticks=[])
            if number == 0:
                axes.set_title(names[label], fontsize=8, parse_math=False)
            elif np.ndim(label):
                axes.set_xlabel(_mixture(label, names), fontsize=6, parse_math=False)
    return figure


def _mixture(probabilities, names):
    if len(probabilities) != len(names):
        raise UsageError(
            f"`versions` must have a probability for each of the {len(names)} classes; "
            f"got {len(probabilities)}."
        )
    first, *others = np.argsort(probabilities)[:-3:-1]
    if not any(probabilities[i] for i in others):
        return names[first]
    parts = [f"{probabilities[i]:.0%} {names[i]}" for i in (first, *others)]
    return (", " if name_width("".join(parts)) + 2 <= _LINE else ",\n").join(parts)
