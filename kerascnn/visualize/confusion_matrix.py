"""Plots of confusion matrices."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from kerascnn.visualize.fonts import in_fonts
from kerascnn.visualize.short_names import name_width, shortened

# Up to this many classes, cells show their numbers.
_WRITTEN = 25
# Largest width of a name in letters, and the width of a letter in inches
_LONGEST = 30
_LETTER = 0.085


@in_fonts
def confusion_matrix(matrix: np.ndarray, class_names: Sequence[str]) -> Figure:
    """Plots a confusion matrix, colored by the fraction of each true class.

    Long names are shortened, and vertical at the horizontal axis.

    Args:
        matrix: int array of shape `(classes, classes)`, true classes by row.
        class_names: names of the classes.

    Returns:
        `matplotlib.figure.Figure`.

    Example:
        >>> import numpy as np
        >>> import kerascnn
        >>> matrix = np.array([[9, 1], [2, 8]])
        >>> figure = kerascnn.visualize.confusion_matrix(matrix, ["cat", "dog"])
        >>> figure.axes[0].get_ylabel()
        'true'
    """
    count = len(class_names)
    side = min(4 + 0.35 * count, 20)
    ticks = range(count) if count <= 100 else []
    names = [shortened(class_names[i], _LONGEST) for i in ticks]
    room = _LETTER * max(map(name_width, names), default=0)
    # The matrix takes about two thirds of the side.
    vertical = (room + _LETTER) * count > side * 2 / 3
    figure = Figure(
        figsize=(side + 1 + room, side + (room if vertical else 0)), dpi=120, layout="constrained"
    )
    axes = figure.subplots()
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    picture = axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    figure.colorbar(picture, label="share of the true class", shrink=0.8)
    axes.set(title="Confusion matrix", xlabel="predicted", ylabel="true")
    axes.set_xticks(ticks, names, rotation=90 if vertical else 0, parse_math=False)
    axes.set_yticks(ticks, names, parse_math=False)
    if count <= _WRITTEN:
        for row, column in np.argwhere(matrix > 0):
            color = "white" if share[row, column] > 0.5 else "black"
            text = str(matrix[row, column])
            axes.text(column, row, text, ha="center", va="center", color=color, fontsize=8)
    return figure
