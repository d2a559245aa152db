"""Plots of self-organization."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator


def births(history: Sequence[Mapping[str, Any]]) -> Figure:
    """Plots the cells of each stage and the misclassified images over the number of images.

    Args:
        history: rows of `kerascnn.training.self_organize`: dicts with `stage`, `images`, `cells`
            and `errors`.

    Returns:
        `matplotlib.figure.Figure`.

    Example:
        >>> import kerascnn
        >>> row = {"stage": "logits", "images": 500, "cells": 80, "errors": 60}
        >>> figure = kerascnn.visualize.births([row])
        >>> [axes.get_title() for axes in figure.axes]
        ['logits: cells', 'logits: misread so far']
    """
    stages = list(dict.fromkeys(row["stage"] for row in history))
    figure = Figure(figsize=(5 * len(stages) + 5, 4), dpi=120, layout="constrained")
    drawn = [*((stage, "cells", "cells") for stage in stages)]
    drawn.append((stages[-1], "errors", "misread so far"))
    for axes, (stage, column, label) in zip(
        figure.subplots(1, len(drawn), squeeze=False).flat, drawn, strict=True
    ):
        rows = [row for row in history if row["stage"] == stage]
        axes.plot(
            [0, *(row["images"] for row in rows)], [0, *(row[column] for row in rows)], marker="."
        )
        axes.set_title(f"{stage}: {label}", parse_math=False)
        axes.set(xlabel="images", ylim=(0, None))
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
    return figure
