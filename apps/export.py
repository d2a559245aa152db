"""Export the model of a run: one command for all tasks, and a subcommand of each task.

kerascnn export runs/mnist --format onnx
kerascnn export runs/mnist --format litert --quantize int8
"""

import inspect

import typer

from kerascnn_apps import options

EXPORT_OPTIONS = {
    "run": (options.Run, inspect.Parameter.empty),
    "out": (options.ExportOut, None),
    "format": (options.ExportFormat, "saved_model"),
    "quantize": (options.Quantize, None),
    "data": (options.CalibrationData, None),
    "data_dir": (options.DataDir, None),
    "force": (options.Overwrite, False),
}


def export_function(task=None):
    """Returns the function that implements the command.

    Args:
        task: optional str, the task that the run must belong to.
    """

    def export(run, out, format, quantize, data, data_dir, force):
        """Write the model of a run for another runtime, and check it in a fresh process."""
        from kerascnn import runs
        from kerascnn_apps.table import print_table

        found = runs.export(
            run,
            out,
            task=task,
            format=format,
            quantize=quantize,
            data=data,
            data_dir=data_dir,
            overwrite=force,
        )
        written = found.exported
        headings = ("file", "size", "largest difference", "one image")
        row = (
            str(written.path),
            f"{written.bytes / 1e6:,.2f} MB",
            f"{written.difference:.2g} ({written.unit})",
            f"{written.milliseconds:,.2f} ms",
        )
        print_table(headings, [row])
        if found.score is not None:
            _print_score(found.score)
        typer.echo(f"exported:    {written.path}")

    return export


def _print_score(score):
    name = score.name.replace("_", " ")
    line = f"validation:  {name} {score.before:.4g} before, {score.after:.4g} quantized"
    if score.is_worse:
        line += f"; it dropped by more than {score.matters:g}"
    typer.echo(line)
