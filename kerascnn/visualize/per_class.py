"""Plots of the scores of each class."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from kerascnn.arguments import UsageError
from kerascnn.visualize.fonts import in_fonts
from kerascnn.visualize.short_names import shortened

# Largest number of classes to plot.
_DRAWN = 50
_TITLES = {
    "accuracy": "Accuracy",
    "boundary_f1": "Boundary F1",
    "f1": "F1",
    "iou": "IoU",
    "precision": "Precision",
    "recall": "Recall",
}


@in_fonts
def per_class(rows: Sequence[Mapping[str, Any]], metric: str = "f1") -> Figure:
    """Plots the score of each class as bars, the worst first; at most the worst 50.

    Classes without examples, or with a score of `None`, are left out.

    Args:
        rows: rows of `kerascnn.inference.Classification.per_class`, dicts with `class_name`,
            `precision`, `recall`, `f1` and `support`, or of
            `kerascnn.inference.SegmentationScores.per_class`, dicts with `class_name`, `iou`,
            `accuracy`, `precision`, `boundary_f1` and `pixels`.
        metric: `"f1"`, `"precision"` or `"recall"`; for segmentation, `"iou"`, `"accuracy"`,
            `"precision"` or `"boundary_f1"`.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        ValueError: for an unknown metric, or a metric that the rows do not have.

    Example:
        >>> import kerascnn
        >>> scores = {"precision": 0.8, "recall": 0.9, "f1": 0.85, "support": 20}
        >>> figure = kerascnn.visualize.per_class([{"class_name": "cat", **scores}])
        >>> [label.get_text() for label in figure.axes[0].get_yticklabels()]
        ['cat']
    """
    known = [name for name in _TITLES if all(name in row for row in rows)]
    if metric not in known:
        raise UsageError(
            f"`metric` must be one of {', '.join(map(repr, known))}; got metric={metric!r}."
        )
    measured = [row for row in rows if _examples(row) and row[metric] is not None]
    measured.sort(key=lambda row: row[metric])
    worst = measured[:_DRAWN]
    figure = Figure(figsize=(7, 1.2 + 0.22 * len(worst)), dpi=120, layout="constrained")
    axes = figure.subplots()
    places = range(len(worst))
    bars = axes.barh(places, [row[metric] for row in worst], color="C0")
    axes.bar_label(bars, [f"{row[metric]:.3f}" for row in worst], padding=3, fontsize=8)
    axes.set_yticks(places, [shortened(row["class_name"]) for row in worst], parse_math=False)
    which = "of each class, the worst first"
    if len(worst) < len(measured):
        which = f"of the worst {len(worst)} of {len(measured):,} classes"
    title = _TITLES[metric]
    axes.set(title=f"{title} {which}", xlabel=title, xlim=(0, 1.08), ylim=(len(worst) - 0.4, -0.6))
    axes.grid(axis="x", alpha=0.3)
    axes.set_axisbelow(True)
    return figure


def _examples(row):
    return row["support"] if "support" in row else row["pixels"]
