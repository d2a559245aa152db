"""Plots of segmented images."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from kerascnn.arguments import not_empty
from kerascnn.visualize.fonts import in_fonts
from kerascnn.visualize.palette import IGNORED, RED, blend, palette

_OPACITY = 0.65
_INCHES = 2.9  # width of an image
_WRONG = np.array([RED], np.uint8)


@in_fonts
def overlays(
    rows: Sequence[Mapping[str, Any]], class_names: Sequence[str], title: str = ""
) -> Figure:
    """Plots images with their true masks, their predicted masks, and the errors in red.

    The title of each row has the image's name and its mean IoU. Ignored pixels have no color in the
    masks, and are black among the errors. The legend names the visible classes.

    Args:
        rows: list of a dict for each image: `image`, uint8 array of shape
            `(height, width, channels)` with one channel or three; `truth`, int array of shape
            `(height, width)`, class indices or 255; `predicted`, int array of the same shape;
            `iou`, float; `name`, str.
        class_names: names of the classes.
        title: str.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        ValueError: without rows.

    Example:
        >>> import numpy as np
        >>> import kerascnn
        >>> image, mask = np.zeros((8, 8, 3), "uint8"), np.zeros((8, 8), "uint8")
        >>> row = {"image": image, "truth": mask, "predicted": mask, "iou": 1.0, "name": "night"}
        >>> figure = kerascnn.visualize.overlays([row], ["sky", "road"])
        >>> len(figure.axes)
        4
    """
    not_empty(rows, "rows")
    colors = palette(len(class_names))
    legend: dict[str, Any] = {
        **{class_names[int(i)]: colors[i] / 255 for i in _classes_seen(rows)},
        "(wrong)": _WRONG[0] / 255,
        "(ignored)": "black",
    }
    columns = min(8, len(legend))
    heights = [_INCHES * row["truth"].shape[0] / row["truth"].shape[1] for row in rows]
    figure = Figure(
        figsize=(
            4 * _INCHES + 0.4,
            sum(heights) + 0.3 * len(rows) + 0.2 * math.ceil(len(legend) / columns) + 0.6,
        ),
        dpi=120,
        layout="constrained",
    )
    if title:
        figure.suptitle(title, parse_math=False)
    grid = figure.subplots(len(rows), 4, squeeze=False, height_ratios=heights)
    for line, row in zip(grid, rows, strict=True):
        name = f"{_shown(row['name'])}: mean IoU {row['iou']:.1%}"
        titles = (name, "truth", "prediction", "errors")
        for axes, picture, text in zip(line, _pictures(row, colors), titles, strict=True):
            axes.imshow(picture, interpolation="nearest")
            axes.set(xticks=[], yticks=[])
            axes.set_title(text, fontsize=8, parse_math=False)
    drawn = figure.legend(
        handles=[Patch(color=color, label=" ") for color in legend.values()],
        loc="outside lower center",
        ncols=columns,
        fontsize=8,
    )
    # Set later, because Matplotlib leaves out labels that begin with "_".
    for text, name in zip(drawn.get_texts(), legend, strict=True):
        text.set(text=name, parse_math=False)
    return figure


def _classes_seen(rows):
    masks = [row[kind] for row in rows for kind in ("truth", "predicted")]
    seen = np.unique(np.concatenate([np.unique(mask) for mask in masks]))
    return seen[seen != IGNORED]


def _pictures(row, colors):
    image = np.broadcast_to(row["image"], (*row["image"].shape[:2], 3))
    ignored = row["truth"] == IGNORED
    # Brightened, so that dark parts of an image do not look like ignored pixels.
    light = 80 + image.mean(axis=-1) * (175 / 255)
    gray = np.where(ignored, 0, light)[..., np.newaxis]
    wrong = np.where((row["truth"] == row["predicted"]) | ignored, IGNORED, 0)
    return (
        image,
        blend(image, row["truth"], colors, _OPACITY),
        blend(image, np.where(ignored, IGNORED, row["predicted"]), colors, _OPACITY),
        blend(gray, wrong, _WRONG, opacity=0.8),
    )


def _shown(name, longest=30):
    # File names often differ at their ends.
    return name if len(name) <= longest else f"…{name[1 - longest :]}"
