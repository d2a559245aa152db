"""Plots of learning curves."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

_TITLES = {"mean_iou": "Mean IoU", "psnr": "PSNR in dB"}


def learning_curves(history: Sequence[Mapping[str, Any]], best_epoch: int | None = None) -> Figure:
    """Plots the loss and the metric of training and validation over the epochs.

    Args:
        history: rows of `kerascnn.training.fit`: dicts with `epoch`, `loss`, `val_loss`, and a
            metric such as `accuracy` with its `val_accuracy`.
        best_epoch: optional int, an epoch to mark.

    Returns:
        `matplotlib.figure.Figure`.

    Example:
        >>> import kerascnn
        >>> row = {"epoch": 1, "loss": 2.3, "val_loss": 2.2, "accuracy": 0.1, "val_accuracy": 0.2}
        >>> figure = kerascnn.visualize.learning_curves([row], best_epoch=1)
        >>> [axes.get_title() for axes in figure.axes]
        ['Loss', 'Accuracy']
    """
    figure = Figure(figsize=(10, 4), dpi=120, layout="constrained")
    epochs = [row["epoch"] for row in history]
    names = [key.removeprefix("val_") for key in history[0] if key.startswith("val_")]
    metrics = sorted(names, key=lambda name: name != "loss")
    for axes, metric in zip(figure.subplots(1, 2), metrics, strict=True):
        for key, label, color in (
            (metric, "training", "C0"),
            (f"val_{metric}", "validation", "C1"),
        ):
            axes.plot(epochs, [row[key] for row in history], color, label=label, marker=".")
        if best_epoch is not None:
            axes.axvline(best_epoch, color="0.7", linestyle=":", label="best validation metric")
        axes.set(title=_TITLES.get(metric, metric.replace("_", " ").capitalize()), xlabel="epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
        axes.legend()
    return figure
