"""How a model learned."""

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator


def learning_curves(history, best_epoch=None):
    """Draws loss and accuracy over the epochs, in training and in validation.

    Args:
        history: rows of `kerascnn.training.fit`: dicts with `epoch`, `loss`, `accuracy`,
            `val_loss` and `val_accuracy`.
        best_epoch: optional int, an epoch to mark.

    Returns:
        `matplotlib.figure.Figure`.
    """
    figure = Figure(figsize=(10, 4), dpi=120, layout="constrained")
    epochs = [row["epoch"] for row in history]
    for axes, metric, title in zip(
        figure.subplots(1, 2), ("loss", "accuracy"), ("Cross-entropy", "Accuracy"), strict=True
    ):
        for key, label, color in (
            (metric, "training", "C0"),
            (f"val_{metric}", "validation", "C1"),
        ):
            axes.plot(epochs, [row[key] for row in history], color, label=label, marker=".")
        if best_epoch is not None:
            axes.axvline(best_epoch, color="0.7", linestyle=":", label="best in validation")
        axes.set(title=title, xlabel="epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
        axes.legend()
    return figure
