"""Plots of classified images."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from kerascnn.arguments import not_empty
from kerascnn.visualize.draw_image import draw_image
from kerascnn.visualize.fonts import in_fonts
from kerascnn.visualize.short_names import shortened

# Largest width of a name in letters, so that it is not wider than its image
_LONGEST = 18


@in_fonts
def examples(
    images: np.ndarray | Sequence[np.ndarray],
    labels: Any,
    predicted: Any,
    probabilities: Any,
    class_names: Sequence[str],
    title: str = "",
) -> Figure:
    """Plots images with their predicted classes; mistakes are red and show the true class.

    Args:
        images: float array of shape `(count, height, width, channels)` with values in [0, 1].
        labels: int array of shape `(count,)`, the true classes.
        predicted: int array of shape `(count,)`.
        probabilities: float array of shape `(count,)`, the probabilities of the predicted classes.
        class_names: names of the classes.
        title: str.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        ValueError: without images.

    Example:
        >>> import numpy as np
        >>> import kerascnn
        >>> images = np.zeros((2, 8, 8, 1), "float32")
        >>> figure = kerascnn.visualize.examples(images, [0, 1], [0, 0], [0.9, 0.6], ["cat", "dog"])
        >>> figure.axes[1].get_title().splitlines()
        ['cat 60%', 'true: dog']
    """
    not_empty(images, "images")
    names = [shortened(class_names[i], _LONGEST) for i in range(len(class_names))]
    columns = min(8, len(images))
    rows = math.ceil(len(images) / columns)
    figure = Figure(figsize=(1.5 * columns, 1.8 * rows + 0.5), dpi=120, layout="constrained")
    if title:
        figure.suptitle(title, parse_math=False)
    for axes in figure.subplots(rows, columns, squeeze=False).flat:
        axes.axis("off")
    for axes, image, label, guess, probability in zip(
        figure.axes, images, labels, predicted, probabilities, strict=False
    ):
        draw_image(axes, image)
        text = f"{names[guess]} {probability:.0%}"
        if guess != label:
            text += f"\ntrue: {names[label]}"
        color = "black" if guess == label else "crimson"
        axes.set_title(text, fontsize=7, color=color, parse_math=False)
    return figure
