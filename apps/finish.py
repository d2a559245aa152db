"""The end of every training."""

import typer

from kerascnn import visualize
from kerascnn.training import best_epoch


def finish(run, history, split, numbers, figures, summary):
    """Draws, writes `metrics.json`, which marks a run as finished, and says what there is.

    Args:
        run: `RunFolder`.
        history: rows of `fit`.
        split: str, what the model was tested on.
        numbers: dict, what came of it.
        figures: `{name: matplotlib figure}` beside the learning curves.
        summary: str, the numbers in a line.
    """
    best, seconds = best_epoch(history)["epoch"], sum(row["seconds"] for row in history)
    figures = {"learning_curves": visualize.learning_curves(history, best), **figures}
    plots = [run.save_figure(name, figure) for name, figure in figures.items()]
    metrics = {split: numbers, "best_epoch": best, "training_seconds": round(seconds, 1)}
    run.write_json(run.metrics_path, metrics)
    typer.echo(f"{summary}, trained in {seconds:.0f} s")
    typer.echo(f"model:       {run.model_path}")
    for plot in plots:
        typer.echo(f"plot:        {plot}")
