"""Plots of the calibration of classifiers."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure


def calibration(bins: Sequence[Mapping[str, Any]], expected_error: float) -> Figure:
    """Plots a reliability diagram: accuracy over confidence.

    Below it is the distribution of the examples over the bins; bars with few examples are noisy.

    Args:
        bins: rows of `kerascnn.inference.Classification.calibration`: dicts with `low`, `high`,
            `count`, `confidence` and `accuracy`.
        expected_error: float, the expected calibration error, for the title.

    Returns:
        `matplotlib.figure.Figure`.

    Example:
        >>> import numpy as np
        >>> import kerascnn
        >>> probabilities = np.array([[0.8, 0.2]] * 2)
        >>> found = kerascnn.inference.Classification(np.array([0, 1]), probabilities)
        >>> error = found.expected_calibration_error()
        >>> figure = kerascnn.visualize.calibration(found.calibration(), error)
        >>> len(figure.axes)
        2
    """
    filled = [row for row in bins if row["count"]]
    total = sum(row["count"] for row in filled)
    low, high = ([row[edge] for row in filled] for edge in ("low", "high"))
    place = {
        "x": low,
        "width": [row["high"] - row["low"] for row in filled],
        "align": "edge",
        "edgecolor": "white",
    }
    figure = Figure(figsize=(6, 7), dpi=120, layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    upper.bar(height=[row["accuracy"] for row in filled], color="C0", label="accuracy", **place)
    confidence = [row["confidence"] for row in filled]
    upper.hlines(confidence, low, high, color="C1", linewidth=2.5, label="mean confidence")
    upper.plot((0, 1), (0, 1), "k--", linewidth=1, label="where both are equal")
    upper.set(
        title=f"Calibration (expected error {expected_error:.2%})",
        ylabel="accuracy",
        xlim=(0, 1),
        ylim=(0, 1.02),
    )
    lower.bar(height=[row["count"] / total for row in filled], color="0.6", **place)
    lower.set(xlabel="confidence", ylabel="share of examples")
    for axes in (upper, lower):
        axes.yaxis.set_major_formatter(_percent)
        axes.xaxis.set_major_formatter(_percent)
        axes.grid(alpha=0.3)
        axes.set_axisbelow(True)
    figure.legend(loc="outside lower center", ncols=3)
    return figure


def _percent(share, _):
    return f"{100 * share:g}%"
